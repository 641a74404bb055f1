//! A model: runs a trained model with parts that the tabular engine lacks, such as convolutions, attention and recurrent
//! layers. The host has lowered the model, which this component receives as the asset `model`.
//!
//! Invariants:
//! - Fields and form of the answers are those of the lowered model; the configuration is empty.

use neural_engine::NeuralEngine;
use tabular_inference::PreparedModel;
use understudy_sdk::{Answers, Assets, Column, ColumnarModel, Field, Form, NoConfig, export_model};

/// A lowered model with subgraphs.
pub struct Neural(PreparedModel);

impl ColumnarModel for Neural {
    type Config = NoConfig;

    fn new(_: NoConfig, assets: &Assets) -> Result<Self, String> {
        PreparedModel::new(assets, &NeuralEngine).map(Self)
    }

    fn reads(&self) -> Vec<Field> {
        self.0.reads()
    }

    fn form(&self) -> Form {
        self.0.form()
    }

    fn has_probabilities(&self) -> bool {
        self.0.has_probabilities()
    }

    fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String> {
        self.0.decide(rows, columns)
    }
}

export_model!(Neural);

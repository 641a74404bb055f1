//! A model: runs a trained model that the host has lowered, which it receives as the asset `model`.
//!
//! Models with subgraphs are run by the neural runtime, `plugins/neural`.
//!
//! Invariants:
//! - Fields and form of the answers are those of the lowered model; the configuration is empty.

use tabular_engine::NoGraphs;
use tabular_inference::PreparedModel;
use understudy_sdk::{Answers, Assets, Column, ColumnarModel, Field, Form, NoConfig, export_model};

/// A lowered model without subgraphs.
pub struct Tabular(PreparedModel);

impl ColumnarModel for Tabular {
    type Config = NoConfig;

    fn new(_: NoConfig, assets: &Assets) -> Result<Self, String> {
        PreparedModel::new(assets, &NoGraphs).map(Self)
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

export_model!(Tabular);

#[cfg(test)]
mod tests;

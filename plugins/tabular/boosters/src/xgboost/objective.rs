//! How XGBoost's objectives turn sums into predictions.

use tabular_lowering::{BuildError, ProgramBuilder};
use tabular_program::{Columns, Comparison, Kind, Operand, ScoreTransform, Step, UnaryFunction, Values};

use crate::imported_model::{BoosterError, Task, class_outputs, two_probabilities};

/// An objective.
pub(super) struct Objective {
    pub(super) name: String,
    prediction: Prediction,
}

/// The prediction from a sum.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prediction {
    Identity,
    Exponential,
    Logistic,
    /// The probability of the second of two classes.
    Binary,
    /// 1 if the sum is positive, otherwise 0.
    Hinge,
    Softmax,
}

impl Objective {
    pub(super) fn parse(name: &str) -> Result<Self, BoosterError> {
        let prediction = match name {
            "binary:logistic" => Prediction::Binary,
            "binary:hinge" => Prediction::Hinge,
            "multi:softprob" | "multi:softmax" => Prediction::Softmax,
            "reg:logistic" => Prediction::Logistic,
            "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
                Prediction::Exponential
            }
            "binary:logitraw"
            | "reg:squarederror"
            | "reg:linear"
            | "reg:squaredlogerror"
            | "reg:absoluteerror"
            | "reg:quantileerror"
            | "reg:pseudohubererror"
            | "reg:expectileerror"
            | "rank:pairwise"
            | "rank:ndcg"
            | "rank:map" => Prediction::Identity,
            other => return Err(BoosterError::unsupported(format!("objective {other:?}"))),
        };
        Ok(Self { name: name.to_owned(), prediction })
    }

    /// The sum of the trees that gives a base score.
    pub(super) fn margin(&self, score: f32) -> f64 {
        let margin = match self.prediction {
            Prediction::Binary | Prediction::Logistic => -(1.0 / score - 1.0).ln(),
            Prediction::Exponential => score.ln(),
            _ => score,
        };
        f64::from(margin)
    }

    /// Adds the steps from sums to predictions, and the outputs.
    pub(super) fn add_outputs(
        &self,
        builder: &mut ProgramBuilder,
        sums: Columns,
    ) -> Result<Task, BuildError> {
        let unary = |builder: &mut ProgramBuilder, function| {
            let to = builder.columns(sums.kind, sums.width as usize)?;
            builder.step(&self.name, Step::Unary { function, from: sums, to });
            Ok::<_, BuildError>(to)
        };
        let prediction = match self.prediction {
            Prediction::Identity => sums,
            Prediction::Exponential => unary(builder, UnaryFunction::Exponential)?,
            Prediction::Logistic => unary(builder, UnaryFunction::Sigmoid)?,
            Prediction::Binary if sums.width == 1 => {
                let second = unary(builder, UnaryFunction::Sigmoid)?;
                let probabilities = two_probabilities(builder, second)?;
                return class_outputs(builder, probabilities);
            }
            // Several labels at once.
            Prediction::Binary => unary(builder, UnaryFunction::Sigmoid)?,
            Prediction::Hinge => {
                let is_positive = builder.columns(Kind::Boolean, sums.width as usize)?;
                let right = Operand::Constants { values: Values::Floats { values: vec![0.0] } };
                let left = Operand::Columns { columns: sums };
                let comparison = Comparison::Greater;
                builder.step(&self.name, Step::Compare { comparison, left, right, to: is_positive });
                let to = builder.columns(Kind::Float, sums.width as usize)?;
                builder.step(&self.name, Step::Cast { from: is_positive, to });
                to
            }
            Prediction::Softmax => {
                let to = builder.columns(sums.kind, sums.width as usize)?;
                builder
                    .step(&self.name, Step::Transform { transform: ScoreTransform::Softmax, from: sums, to });
                return class_outputs(builder, to);
            }
        };
        builder.output("prediction", prediction);
        Ok(Task::Numbers(prediction.width as usize))
    }
}

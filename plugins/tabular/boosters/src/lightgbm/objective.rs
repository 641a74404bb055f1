//! How LightGBM's objectives turn sums into predictions.

use tabular_lowering::{BuildError, ProgramBuilder};
use tabular_program::{Axis, BinaryFunction, Columns, Operand, Step, UnaryFunction, Values};

use crate::imported_model::{BoosterError, Task, class_outputs, two_probabilities};

/// An objective.
pub(super) struct Objective {
    pub(super) name: String,
    prediction: Prediction,
}

/// The prediction from a sum.
#[derive(Clone, Copy, PartialEq)]
enum Prediction {
    Identity,
    /// The square, with the sign of the sum.
    SignedSquare,
    Exponential,
    /// `1 / (1 + exp(-scale * x))`.
    Logistic {
        scale: f64,
    },
    /// The probability of the second of two classes.
    Binary {
        scale: f64,
    },
    /// `ln(1 + exp(x))`.
    Softplus,
    Softmax,
    /// A logistic function for each class.
    OneAgainstAll {
        scale: f64,
    },
}

impl Objective {
    /// Reads the value of `objective`: a name, then parameters such as `sigmoid:1`.
    pub(super) fn parse(text: &str) -> Result<Self, BoosterError> {
        let mut words = text.split(' ');
        let name = words.next().unwrap_or_default();
        let parameters: Vec<&str> = words.collect();
        let scale = match parameters.iter().find_map(|word| word.strip_prefix("sigmoid:")) {
            None => 1.0,
            Some(scale) => match scale.parse() {
                Ok(scale) => scale,
                Err(_) => return Err(BoosterError::new(format!("objective {text:?} has no valid sigmoid"))),
            },
        };
        let prediction = match name {
            "regression" if parameters.contains(&"sqrt") => Prediction::SignedSquare,
            "custom" | "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape"
            | "lambdarank" | "rank_xendcg" => Prediction::Identity,
            "poisson" | "gamma" | "tweedie" => Prediction::Exponential,
            "binary" => Prediction::Binary { scale },
            "cross_entropy" => Prediction::Logistic { scale: 1.0 },
            "cross_entropy_lambda" => Prediction::Softplus,
            "multiclass" => Prediction::Softmax,
            "multiclassova" => Prediction::OneAgainstAll { scale },
            other => return Err(BoosterError::unsupported(format!("objective {other:?}"))),
        };
        Ok(Self { name: name.to_owned(), prediction })
    }

    /// Adds the steps from sums to predictions, and the outputs.
    pub(super) fn add_outputs(
        &self,
        builder: &mut ProgramBuilder,
        sums: Columns,
    ) -> Result<Task, BuildError> {
        let prediction = match self.prediction {
            Prediction::Identity => sums,
            Prediction::SignedSquare => {
                let size = builder.unary(&self.name, UnaryFunction::Absolute, sums)?;
                self.binary(builder, BinaryFunction::Multiply, sums, Operand::Columns { columns: size })?
            }
            Prediction::Exponential => builder.unary(&self.name, UnaryFunction::Exponential, sums)?,
            Prediction::Softplus => builder.unary(&self.name, UnaryFunction::Softplus, sums)?,
            Prediction::Logistic { scale } => self.logistic(builder, scale, sums)?,
            Prediction::Binary { scale } => {
                let second = self.logistic(builder, scale, sums)?;
                let probabilities = two_probabilities(builder, second)?;
                return class_outputs(builder, probabilities);
            }
            Prediction::OneAgainstAll { scale } => {
                let probabilities = self.logistic(builder, scale, sums)?;
                return class_outputs(builder, probabilities);
            }
            Prediction::Softmax => {
                let to = builder.columns(sums.kind, sums.width as usize)?;
                let axis = Axis { outer: 1, length: sums.width, inner: 1 };
                builder.step(&self.name, Step::Softmax { logarithm: false, from: sums, axis, to });
                return class_outputs(builder, to);
            }
        };
        builder.output("prediction", prediction);
        Ok(Task::Numbers(prediction.width as usize))
    }

    fn logistic(
        &self,
        builder: &mut ProgramBuilder,
        scale: f64,
        sums: Columns,
    ) -> Result<Columns, BuildError> {
        let scale = Operand::Constants { values: Values::Doubles { values: vec![scale] } };
        let scaled = self.binary(builder, BinaryFunction::Multiply, sums, scale)?;
        builder.unary(&self.name, UnaryFunction::Sigmoid, scaled)
    }

    fn binary(
        &self,
        builder: &mut ProgramBuilder,
        function: BinaryFunction,
        from: Columns,
        right: Operand,
    ) -> Result<Columns, BuildError> {
        let to = builder.columns(from.kind, from.width as usize)?;
        builder
            .step(&self.name, Step::Binary { function, left: Operand::Columns { columns: from }, right, to });
        Ok(to)
    }
}

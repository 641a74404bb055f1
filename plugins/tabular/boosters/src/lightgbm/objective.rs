//! How LightGBM's objectives turn sums into predictions.

use tabular_form::{Axis, BinaryFunction, Columns, Operand, Step, UnaryFunction, Values};
use tabular_lowering::{Program, ProgramError};

use crate::import::{BoosterError, Task, class_outputs, two_probabilities};

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
    pub(super) fn read(text: &str) -> Result<Self, BoosterError> {
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
            other => return Err(BoosterError::new(format!("objective {other:?} is not supported"))),
        };
        Ok(Self { name: name.to_owned(), prediction })
    }

    /// Adds the steps from sums to predictions, and the outputs.
    pub(super) fn add_outputs(&self, program: &mut Program, sums: Columns) -> Result<Task, ProgramError> {
        let prediction = match self.prediction {
            Prediction::Identity => sums,
            Prediction::SignedSquare => {
                let size = self.unary(program, UnaryFunction::Absolute, sums)?;
                self.binary(program, BinaryFunction::Multiply, sums, Operand::Columns { columns: size })?
            }
            Prediction::Exponential => self.unary(program, UnaryFunction::Exponential, sums)?,
            Prediction::Softplus => self.unary(program, UnaryFunction::Softplus, sums)?,
            Prediction::Logistic { scale } => self.logistic(program, scale, sums)?,
            Prediction::Binary { scale } => {
                let second = self.logistic(program, scale, sums)?;
                let probabilities = two_probabilities(program, second)?;
                return class_outputs(program, probabilities);
            }
            Prediction::OneAgainstAll { scale } => {
                let probabilities = self.logistic(program, scale, sums)?;
                return class_outputs(program, probabilities);
            }
            Prediction::Softmax => {
                let to = program.columns(sums.kind, sums.width as usize)?;
                let axis = Axis { outer: 1, length: sums.width, inner: 1 };
                program.step(&self.name, Step::Softmax { logarithm: false, from: sums, axis, to });
                return class_outputs(program, to);
            }
        };
        program.output("prediction", prediction);
        Ok(Task::Numbers(prediction.width as usize))
    }

    fn logistic(&self, program: &mut Program, scale: f64, sums: Columns) -> Result<Columns, ProgramError> {
        let scale = Operand::Constants { values: Values::Doubles { values: vec![scale] } };
        let scaled = self.binary(program, BinaryFunction::Multiply, sums, scale)?;
        self.unary(program, UnaryFunction::Sigmoid, scaled)
    }

    fn unary(
        &self,
        program: &mut Program,
        function: UnaryFunction,
        from: Columns,
    ) -> Result<Columns, ProgramError> {
        let to = program.columns(from.kind, from.width as usize)?;
        program.step(&self.name, Step::Unary { function, from, to });
        Ok(to)
    }

    fn binary(
        &self,
        program: &mut Program,
        function: BinaryFunction,
        from: Columns,
        right: Operand,
    ) -> Result<Columns, ProgramError> {
        let to = program.columns(from.kind, from.width as usize)?;
        program
            .step(&self.name, Step::Binary { function, left: Operand::Columns { columns: from }, right, to });
        Ok(to)
    }
}

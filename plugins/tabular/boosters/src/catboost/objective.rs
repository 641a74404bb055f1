//! How CatBoost's loss functions turn sums into predictions.

use tabular_lowering::{BuildError, ProgramBuilder};
use tabular_program::{Axis, Columns, Comparison, Kind, Operand, Step, UnaryFunction, Values};

use crate::document::Value;
use crate::imported_model::{BoosterError, Task, two_probabilities};

/// A loss function.
pub(super) struct Objective {
    pub(super) name: String,
    /// The names of the classes, in order; empty if the file has none.
    pub(super) classes: Vec<String>,
    prediction: Prediction,
    /// The sum above which the second of two classes is predicted.
    limit: f64,
}

/// The prediction from the sums.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prediction {
    Identity,
    Exponential,
    /// The probability of the second of two classes.
    Binary,
    Softmax,
    /// A logistic function for each class.
    Logistic,
}

impl Objective {
    /// The loss function of a document.
    ///
    /// # Errors
    /// If it is not supported.
    pub(super) fn parse(document: &Value) -> Result<Self, BoosterError> {
        let name = document.text("model_info.params.loss_function.type")?;
        let prediction = match name {
            "Logloss" | "CrossEntropy" | "Focal" => Prediction::Binary,
            "MultiClass" => Prediction::Softmax,
            "MultiClassOneVsAll" => Prediction::Logistic,
            "Poisson" | "Tweedie" => Prediction::Exponential,
            "RMSE" | "MAE" | "Quantile" | "MultiQuantile" | "LogLinQuantile" | "MAPE" | "Lq" | "Huber"
            | "Expectile" | "LogCosh" | "MultiRMSE" | "QueryRMSE" | "QuerySoftMax" | "PairLogit"
            | "PairLogitPairwise" | "YetiRank" | "YetiRankPairwise" | "LambdaMart" | "StochasticFilter"
            | "StochasticRank" => Prediction::Identity,
            other => return Err(BoosterError::unsupported(format!("loss function {other:?}"))),
        };
        let classes = match document.at("model_info")?.get("class_params") {
            Some(parameters) => class_names(parameters.at("class_names")?)?,
            None => Vec::new(),
        };
        let probability = match document.at("model_info")?.get("binclass_probability_threshold") {
            Some(Value::Number(probability)) => *probability,
            Some(Value::Text(text)) => text
                .parse()
                .map_err(|_| BoosterError::new(format!("binclass_probability_threshold is {text:?}")))?,
            _ => 0.5,
        };
        let limit = -(1.0 / probability - 1.0).ln();
        Ok(Self { name: name.to_owned(), classes, prediction, limit })
    }

    /// Adds the steps from sums to predictions, and the outputs.
    pub(super) fn add_outputs(
        &self,
        builder: &mut ProgramBuilder,
        sums: Columns,
    ) -> Result<Task, BoosterError> {
        let width = sums.width as usize;
        let is_classifier =
            matches!(self.prediction, Prediction::Binary | Prediction::Softmax | Prediction::Logistic);
        let expected = if self.prediction == Prediction::Binary { 2 } else { width };
        if is_classifier && !self.classes.is_empty() && self.classes.len() != expected
            || self.prediction == Prediction::Binary && width != 1
        {
            return Err(BoosterError::new(format!("it has {} classes and {width} sums", self.classes.len())));
        }
        let prediction = match self.prediction {
            Prediction::Identity => sums,
            Prediction::Exponential => builder.unary(&self.name, UnaryFunction::Exponential, sums)?,
            Prediction::Binary => {
                let second = builder.unary(&self.name, UnaryFunction::Sigmoid, sums)?;
                let class = self.second_class(builder, sums)?;
                let probabilities = two_probabilities(builder, second)?;
                return Ok(classes(builder, class, probabilities));
            }
            Prediction::Softmax | Prediction::Logistic => {
                let axis = Axis { outer: 1, length: sums.width, inner: 1 };
                let class = builder.columns(Kind::Integer, 1)?;
                let position = Step::Position { largest: true, last: false, from: sums, axis, to: class };
                builder.step("class", position);
                let probabilities = if self.prediction == Prediction::Logistic {
                    builder.unary(&self.name, UnaryFunction::Sigmoid, sums)?
                } else {
                    let to = builder.columns(sums.kind, width)?;
                    builder.step(&self.name, Step::Softmax { logarithm: false, from: sums, axis, to });
                    to
                };
                return Ok(classes(builder, class, probabilities));
            }
        };
        builder.output("prediction", prediction);
        Ok(Task::Numbers(width))
    }

    /// 1 if the sum is above the limit, otherwise 0.
    fn second_class(&self, builder: &mut ProgramBuilder, sum: Columns) -> Result<Columns, BuildError> {
        let is_second = builder.columns(Kind::Boolean, 1)?;
        let left = Operand::Columns { columns: sum };
        let right = Operand::Constants { values: Values::Doubles { values: vec![self.limit] } };
        builder.step("class", Step::Compare { comparison: Comparison::Greater, left, right, to: is_second });
        let class = builder.columns(Kind::Integer, 1)?;
        builder.step("class", Step::Cast { from: is_second, to: class });
        Ok(class)
    }
}

fn classes(builder: &mut ProgramBuilder, class: Columns, probabilities: Columns) -> Task {
    builder.output("class", class);
    builder.output("probabilities", probabilities);
    Task::Classes(probabilities.width as usize)
}

/// The names of classes as CatBoost's `predict` returns them.
fn class_names(names: &Value) -> Result<Vec<String>, BoosterError> {
    match names {
        Value::Numbers(numbers) => Ok(numbers.iter().map(f64::to_string).collect()),
        Value::List(list) => list
            .iter()
            .map(|name| match name {
                Value::Text(text) => Ok(text.clone()),
                Value::Boolean(true) => Ok("True".to_owned()),
                Value::Boolean(false) => Ok("False".to_owned()),
                _ => Err(BoosterError::new("a name of a class is no text")),
            })
            .collect(),
        _ => Err(BoosterError::new("the names of the classes are no list")),
    }
}

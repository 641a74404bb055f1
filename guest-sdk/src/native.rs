//! Runs a plugin natively, without the sandbox, for unit tests and benchmarks.
//!
//! The plugin's code is the same as in the sandbox; only the component boundary is missing.

use crate::{
    Answer, Answers, Asset, Column, ColumnarModel, Metric, Reason, WithProbabilities, collect_answers, setup,
};

pub use crate::metric::score;

/// Creates a model or comparator from the text of a JSON object and its assets, as the host does.
///
/// ```
/// # use understudy_sdk::{Column, native, prelude::*};
/// # #[derive(Input)]
/// # struct Row<'a> { room: &'a str }
/// # struct BookedRoom;
/// # impl Model for BookedRoom {
/// #     type Config = NoConfig;
/// #     type Input<'a> = Row<'a>;
/// #     type Answer<'a> = &'a str;
/// #     fn new(_: NoConfig, _: &Assets) -> Result<Self, String> { Ok(Self) }
/// #     fn decide<'a>(&'a self, row: Row<'a>) -> &'a str { row.room }
/// # }
/// let model: BookedRoom = native::model("{}", vec![])?;
/// let answers = native::decide(&model, 2, &[Column::text(["a", "b"])])?;
/// assert!(answers.unanswered.is_empty());
///
/// let error = native::model::<BookedRoom>(r#"{"rooms": 3}"#, vec![]).err();
/// assert_eq!(error.as_deref(), Some("config: unknown field `rooms`, there are no fields"));
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// If the configuration cannot be deserialised, or if the plugin rejects it.
pub fn model<M: ColumnarModel>(config: &str, assets: Vec<Asset>) -> Result<M, String> {
    M::new(setup::config(config)?, &assets.into())
}

/// Scores pairs of answers and reduces the sums of their components to the value of the metric.
///
/// # Errors
/// See [`score`].
pub fn value<M: Metric>(
    metric: &M,
    rows: u32,
    model: &Answers,
    comparator: &Answers,
) -> Result<Option<f64>, String> {
    let scores = score(metric, rows, model, comparator)?;
    let sums: Vec<f64> = scores.iter().map(|component| component.iter().sum()).collect();
    Ok(metric.reduce(rows.into(), &sums))
}

/// Like [`value`], for answers given as Rust values. `None` is a row that the model did not answer.
///
/// ```
/// # use understudy_sdk::{native, prelude::*};
/// # struct Agreement;
/// # impl Metric for Agreement {
/// #     type Config = NoConfig;
/// #     type Answer<'a> = Label<'a>;
/// #     fn new(_: NoConfig, _: &Assets) -> Result<Self, String> { Ok(Self) }
/// #     fn components(&self) -> Vec<String> { vec!["agreed".to_owned()] }
/// #     fn direction(&self) -> Direction { Direction::HigherIsBetter }
/// #     fn score(&self, model: Option<Label<'_>>, comparator: Label<'_>, components: &mut Components<'_>) {
/// #         components[0] = f64::from(model == Some(comparator));
/// #     }
/// #     fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> { (rows > 0).then(|| sums[0] / rows as f64) }
/// # }
/// let agreement = native::value_of_rows(&Agreement, &[Some("a"), None], &["a", "b"])?;
/// assert_eq!(agreement, Some(0.5));
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
/// See [`score`].
pub fn value_of_rows<M: Metric, A: Answer + Clone>(
    metric: &M,
    model: &[Option<A>],
    comparator: &[A],
) -> Result<Option<f64>, String> {
    let unanswered = || Reason::Abstained("no answer".to_owned());
    let rows = comparator.len() as u32;
    let model = collect_answers(rows, |row| model[row].clone().ok_or_else(unanswered));
    let comparator = collect_answers(rows, |row| Ok(comparator[row].clone()));
    value(metric, rows, &model, &comparator)
}

/// Like [`value_of_rows`], for a model that answers the most probable of `classes`, with the probability of each.
///
/// # Errors
/// See [`score`].
pub fn value_of_probabilities<M: Metric, const N: usize>(
    metric: &M,
    classes: [&str; N],
    model: &[Option<[f64; N]>],
    comparator: &[&str],
) -> Result<Option<f64>, String> {
    let rows = comparator.len() as u32;
    let model = collect_answers(rows, |row| {
        let values = model[row].ok_or_else(|| Reason::Abstained("no answer".to_owned()))?;
        let most_probable = classes.into_iter().zip(values).max_by(|one, other| one.1.total_cmp(&other.1));
        let answer = most_probable.map_or("", |(class, _)| class);
        Ok(WithProbabilities { answer, probabilities: classes.into_iter().zip(values) })
    });
    let comparator = collect_answers(rows, |row| Ok(comparator[row]));
    value(metric, rows, &model, &comparator)
}

/// Answers `rows` rows given as columns. A method call `model.decide(..)` would be ambiguous with
/// [`Model::decide`](crate::Model::decide).
///
/// # Errors
/// A message that says why the whole batch failed.
pub fn decide<M: ColumnarModel>(model: &M, rows: u32, columns: &[Column]) -> Result<Answers, String> {
    model.decide(rows, columns)
}

/// Creates a metric from the text of a JSON object and its assets, as the host does.
///
/// # Errors
/// If the configuration cannot be deserialised, or if the plugin rejects it.
pub fn metric<M: Metric>(config: &str, assets: Vec<Asset>) -> Result<M, String> {
    M::new(setup::config(config)?, &assets.into())
}

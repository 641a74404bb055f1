//! A metric: the share of decisions that the model would have taken just so.
//!
//! Over n pairs of labels it is Σ \[model = decision\] / n, also known as accuracy and as observed agreement. A pair that
//! the model did not answer does not agree. Component: `agreements`, 1 for a pair that agrees.

use std::ops::RangeBounds;

use understudy_sdk::prelude::*;

/// The metric.
pub struct Agreement;

impl Metric for Agreement {
    type Config = NoConfig;
    type Answer<'a> = Label<'a>;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["agreements".to_owned()]
    }

    fn better(&self) -> Direction {
        Direction::More
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..=1.0
    }

    fn score(&self, model: Option<Label<'_>>, decision: Label<'_>, components: &mut Components<'_>) {
        components[0] = f64::from(model == Some(decision));
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

export_metric!(Agreement);

#[cfg(test)]
mod tests {
    use understudy_sdk::{answers, native};

    use super::*;

    fn figure(model: &[Option<&str>], decisions: &[&str]) -> Option<f64> {
        let open = || Reason::Abstained("no opinion".to_owned());
        let rows = decisions.len() as u32;
        let model = answers(rows, |row| model[row].ok_or_else(open));
        let decisions = answers(rows, |row| Ok(decisions[row]));
        let scores = native::score(&Agreement, rows, &model, &decisions).unwrap();
        Agreement.reduce(rows.into(), &[scores[0].iter().sum()])
    }

    /// sklearn.metrics.accuracy_score(["a", "b", "b", "c", "a", "a", "c"], ["a", "b", "c", "c", "b", "a", "a"])
    #[test]
    fn it_is_the_accuracy_of_scikit_learn() {
        let model = ["a", "b", "b", "c", "a", "a", "c"].map(Some);
        let decisions = ["a", "b", "c", "c", "b", "a", "a"];
        assert_eq!(figure(&model, &decisions), Some(0.5714285714285714));
    }

    #[test]
    fn what_is_not_answered_does_not_agree() {
        assert_eq!(figure(&[Some("a"), None, None, Some("b")], &["a", "a", "b", "b"]), Some(0.5));
    }

    #[test]
    fn over_nothing_it_is_not_defined() {
        assert_eq!(figure(&[], &[]), None);
    }
}

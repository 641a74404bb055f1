//! A metric: the share of pairs in which model and comparator give the same label, set of labels or JSON value.
//!
//! Over n pairs it is Σ \[model = decision\] / n, also known as accuracy or observed agreement. A
//! pair without a model answer does not agree. Component: `agreements`, 1 for a pair that agrees and 0
//! otherwise.

use std::ops::RangeBounds;

use understudy_sdk::prelude::*;

/// Observed agreement.
pub struct Agreement;

impl Metric for Agreement {
    type Config = NoConfig;
    type Answer<'a> = NominalAnswer<'a>;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["agreements".to_owned()]
    }

    fn direction(&self) -> Direction {
        Direction::HigherIsBetter
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..=1.0
    }

    fn score(
        &self,
        model: Option<NominalAnswer<'_>>,
        decision: NominalAnswer<'_>,
        components: &mut Components<'_>,
    ) {
        components[0] = f64::from(model == Some(decision));
    }

    fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        (rows > 0).then(|| sums[0] / rows as f64)
    }
}

export_metric!(Agreement);

#[cfg(test)]
mod tests {
    use understudy_sdk::native;

    use super::*;

    fn value(model: &[Option<&str>], decisions: &[&str]) -> Option<f64> {
        native::value_of_rows(&Agreement, model, decisions).unwrap()
    }

    /// sklearn.metrics.accuracy_score(["a", "b", "b", "c", "a", "a", "c"], ["a", "b", "c", "c", "b", "a",
    /// "a"])
    #[test]
    fn equals_the_accuracy_of_scikit_learn() {
        let model = ["a", "b", "b", "c", "a", "a", "c"].map(Some);
        let decisions = ["a", "b", "c", "c", "b", "a", "a"];
        assert_eq!(value(&model, &decisions), Some(0.5714285714285714));
    }

    #[test]
    fn unanswered_pairs_do_not_agree() {
        assert_eq!(value(&[Some("a"), None, None, Some("b")], &["a", "a", "b", "b"]), Some(0.5));
    }

    #[test]
    fn sets_and_json_values_agree_as_a_whole() {
        use std::collections::BTreeSet;

        let set = |labels: &[&'static str]| labels.iter().copied().collect::<BTreeSet<_>>();
        let (model, decisions) = ([set(&["b", "a"]), set(&["a"])], [set(&["a", "b"]), set(&["a", "b"])]);
        assert_eq!(native::value_of_rows(&Agreement, &model.map(Some), &decisions), Ok(Some(0.5)));
        let (model, decisions) =
            ([Some(Json([1, 2])), Some(Json([1, 2])), None], [[1, 2], [2, 1], [3, 3]].map(Json));
        assert_eq!(native::value_of_rows(&Agreement, &model, &decisions), Ok(Some(1.0 / 3.0)));
    }

    #[test]
    fn undefined_without_pairs() {
        assert_eq!(value(&[], &[]), None);
    }
}

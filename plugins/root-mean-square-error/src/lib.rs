//! A metric: how far the model's numbers lie from the decisions, large errors weighing more, in the unit of the decision.
//!
//! Over the answered pairs it is √(Σ (model − decision)² / (answered pairs)).
//!
//! A pair that the model did not answer has no error, and any number put in its place would be arbitrary, in a unit that
//! only the study knows. So it stays out of the mean, and the report shows the share of unanswered beside the figure; a
//! model that answers only where it is easy is seen there. Where nothing is answered there is no figure.
//!
//! Components: `squared errors`; `answered`, 1 for an answered pair. A square too large for 64 bits is infinite:
//! the host takes the pair out of the figure and counts it as unscored.

use std::ops::RangeBounds;

use understudy_sdk::prelude::*;

/// The metric.
pub struct RootMeanSquareError;

impl Metric for RootMeanSquareError {
    type Config = NoConfig;
    type Answer<'a> = f64;

    fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
        Ok(Self)
    }

    fn components(&self) -> Vec<String> {
        vec!["squared errors".to_owned(), "answered".to_owned()]
    }

    fn better(&self) -> Direction {
        Direction::Less
    }

    fn range(&self) -> impl RangeBounds<f64> {
        0.0..
    }

    fn score(&self, model: Option<f64>, decision: f64, components: &mut Components<'_>) {
        if let Some(model) = model {
            let error = model - decision;
            components[0] = error * error;
            components[1] = 1.0;
        }
    }

    fn reduce(&self, _: u64, sums: &[f64]) -> Option<f64> {
        let &[squares, answered] = sums else { return None };
        (answered > 0.0).then(|| (squares / answered).sqrt())
    }
}

export_metric!(RootMeanSquareError);

#[cfg(test)]
mod tests {
    use understudy_sdk::{answers, native};

    use super::*;

    fn figure(model: &[Option<f64>], decisions: &[f64]) -> Option<f64> {
        let open = || Reason::Abstained("no price".to_owned());
        let rows = decisions.len() as u32;
        let model = answers(rows, |row| model[row].ok_or_else(open));
        let decisions = answers(rows, |row| Ok(decisions[row]));
        let scores = native::score(&RootMeanSquareError, rows, &model, &decisions).unwrap();
        let sums: Vec<f64> = scores.iter().map(|component| component.iter().sum()).collect();
        RootMeanSquareError.reduce(rows.into(), &sums)
    }

    /// sklearn.metrics.root_mean_squared_error([110.0, 74.0, 81.9, -3.5, 0.0], [104.98, 104.98, 80.0, 2.25, 0.5])
    #[test]
    fn it_is_that_of_scikit_learn() {
        let figure = figure(&[104.98, 104.98, 80.0, 2.25, 0.5].map(Some), &[110.0, 74.0, 81.9, -3.5, 0.0]);
        assert!((figure.unwrap() - 14.2960365136635).abs() < 1e-13);
    }

    #[test]
    fn what_is_not_answered_stays_out_of_the_mean() {
        assert_eq!(figure(&[Some(1.0), None, Some(9.0)], &[2.0, 1000.0, 2.0]), Some(5.0));
    }

    #[test]
    fn over_nothing_answered_it_is_not_defined() {
        assert_eq!(figure(&[None, None], &[1.0, 2.0]), None);
        assert_eq!(figure(&[], &[]), None);
    }

    #[test]
    fn an_error_beyond_the_range_is_left_to_the_host_which_refuses_it() {
        assert_eq!(figure(&[Some(f64::MAX)], &[f64::MIN]), Some(f64::INFINITY));
    }
}

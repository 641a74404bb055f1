//! The checks of a metric beyond those of its scores: its value from sums.

use serde_json::Value as Json;

use crate::contract::{ContractReport, Finding, Rule, check};
use crate::scorer_subject::ScorerSubject;
use crate::subject::Subject as _;

/// A value may exceed its range by this part of the range's end, from rounding.
const ROUNDING: f64 = 1e-9;

/// Checks a metric: its scores, and its value for each pair alone and for all pairs.
pub fn check_scorer(subject: &ScorerSubject, seed: u64) -> ContractReport {
    let mut report = check(subject, seed);
    let all: Vec<usize> = (0..subject.rows()).collect();
    let scores: Vec<Option<Vec<f64>>> =
        subject.instance().call(&all).iter().map(|result| subject.components(result)).collect();
    let mut scorer = subject.plugin.instance();
    let mut sums = vec![0.0; subject.plugin.components.len()];
    let mut scored = 0;
    let mut findings: Vec<Finding> = Vec::new();
    for (row, scores) in scores.iter().enumerate() {
        let Some(scores) = scores else { continue };
        scored += 1;
        for (sum, score) in sums.iter_mut().zip(scores) {
            *sum += score;
        }
        let value = scorer.reduce(1, scores);
        add_value_finding(subject, &mut findings, &value, || format!("pair   {}", subject.row_text(row)));
    }
    let value = scorer.reduce(scored, &sums);
    add_value_finding(subject, &mut findings, &value, || {
        format!("pairs  all {scored}, with the sums {sums:?}")
    });
    let repeated = subject.plugin.instance().reduce(scored, &sums);
    if value != repeated {
        let example = vec![
            format!("sums    {sums:?} of {scored} pairs"),
            format!("first   {}", value_text(&repeated)),
            format!("then    {}, after other calls", value_text(&value)),
        ];
        findings.push(Finding { rule: Rule::NoState, rows: 1, example });
    }
    report.findings.extend(findings);
    report.findings.sort_by_key(|finding| finding.rule);
    report
}

/// Adds a failure of `reduce`, or a value outside of the range. Only the first of each is kept, with their number.
fn add_value_finding(
    subject: &ScorerSubject,
    findings: &mut Vec<Finding>,
    value: &Result<Option<f64>, String>,
    place: impl Fn() -> String,
) {
    let (rule, fault) = match value {
        Ok(None) => return,
        Ok(Some(value)) if is_within(subject.plugin.range, *value) => return,
        Ok(Some(value)) => {
            let (least, most) = subject.plugin.range;
            let end = |end: Option<f64>| end.map_or_else(|| "unbounded".to_owned(), |end| end.to_string());
            (Rule::Range, format!("value  {value}; declared are {} and {}", end(least), end(most)))
        }
        Err(why) => (Rule::ValidAnswers, format!("value  {why}")),
    };
    match findings.iter_mut().find(|finding| finding.rule == rule) {
        Some(finding) => finding.rows += 1,
        None => findings.push(Finding { rule, rows: 1, example: vec![place(), fault] }),
    }
}

fn is_within((least, most): (Option<f64>, Option<f64>), value: f64) -> bool {
    least.is_none_or(|least| value >= least - ROUNDING * least.abs().max(1.0))
        && most.is_none_or(|most| value <= most + ROUNDING * most.abs().max(1.0))
}

fn value_text(value: &Result<Option<f64>, String>) -> String {
    match value {
        Ok(Some(value)) => Json::from(*value).to_string(),
        Ok(None) => "undefined".to_owned(),
        Err(why) => why.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn a_range_allows_rounding() {
        assert!(is_within((Some(0.0), Some(1.0)), 1.0 + 1e-12));
        assert!(is_within((Some(0.0), None), 1e300));
        assert!(!is_within((Some(0.0), Some(1.0)), 1.001));
        assert!(!is_within((Some(0.0), None), -0.001));
    }
}

//! Evaluates the gates of one verdict that depend on estimates: the metric in its windows, agreement beyond chance, and
//! agreement as a share of the ceiling.
//!
//! Invariants:
//! - All bounds of a verdict have the same confidence. The verdict passes only if each of them does, so the level of one
//!   bound is that of the verdict (R. L. Berger, "Multiparameter hypothesis testing and acceptance sampling",
//!   Technometrics 24 (1982)).
//! - Every gate is evaluated, even if another one fails. A failure is reported with its numbers.

use super::baseline_gain::BaselineGains;
use super::bound_check::{bounds_failure, meets_bound, meets_bound_by_count};
use super::ceiling::CeilingShare;
use super::ceiling_gate::ceiling_failure;
use super::chance_corrected_agreement::ChanceAgreement;
use super::chance_gate::{baseline_failures, chance_failure};
use super::estimate::Estimator;
use super::format::{direction_words, format_confidence, format_estimate, too_few_comparisons};
use super::reason_group::{SubjectNoun, SubjectReason, group_reasons};
use super::window_selection::WindowSelection;
use super::{Estimate, Facts, IntervalMethod, MissingInterval, VerdictKind, VerdictReason, chooses_end};
use crate::number_text::{count, counted, declared_number, number_text};
use crate::scoring::Interval;
use understudy_study::{ChanceRequirement, Direction, Evidence, Quantifier, Threshold, WindowChoice};

/// The estimates of one model in one scope, and the reasons why gates do not pass.
pub struct ScopeGates {
    /// The estimate over all windows that count.
    pub pooled: Estimate,
    /// The estimate of each window that counts.
    pub windows: Vec<Estimate>,
    /// The agreement beyond chance, if the threshold requires it.
    pub chance: Option<ChanceAgreement>,
    /// The gains over baselines, if the threshold requires them and the run is closed.
    pub baselines: Option<BaselineGains>,
    /// The agreement as a share of the ceiling, if the threshold requires it and the run is closed.
    pub ceiling: Option<CeilingShare>,
    /// The reasons of the gates that do not pass.
    pub reasons: Vec<VerdictReason>,
}

impl ScopeGates {
    /// Evaluates all gates at the confidence of `estimator`.
    pub fn evaluate(
        facts: &Facts<'_>,
        estimator: &mut Estimator<'_, '_>,
        selection: &WindowSelection,
        scope: u16,
        model: usize,
    ) -> ScopeGates {
        let (threshold, closed) = (facts.threshold, facts.results.closed);
        let mut pooled = estimator.estimate(&selection.windows, scope, model);
        let mut windows: Vec<Estimate> =
            selection.windows.iter().map(|window| estimator.estimate(&[*window], scope, model)).collect();
        let mut reasons = Vec::new();
        let labels = selection.counted.iter().map(|window| window.label.as_str());
        match threshold.quantifier {
            Quantifier::EveryWindow => {
                let failures = labels.zip(&windows).filter_map(|(label, estimate)| {
                    let (verdict, text) = failure(threshold, estimator.confidence, estimate, closed)?;
                    Some(window_reason(threshold, label, estimate, verdict, text))
                });
                reasons.extend(group_reasons(failures.collect(), &WINDOWS));
            }
            Quantifier::Pooled if !windows.is_empty() => {
                let counted = labels.zip(&windows).filter(|_| threshold.windows != WindowChoice::All);
                let few = counted.filter_map(|(label, estimate)| {
                    let (verdict, text) = (VerdictKind::Inconclusive, too_few(threshold, estimate)?);
                    Some(window_reason(threshold, label, estimate, verdict, text))
                });
                reasons.extend(group_reasons(few.collect(), &WINDOWS));
                if let Some((verdict, text)) = failure(threshold, estimator.confidence, &pooled, closed) {
                    reasons.push(VerdictReason { verdict, text: format!("pooled: {text}") });
                }
            }
            Quantifier::Pooled => {}
        }
        if !closed {
            windows.iter_mut().chain([&mut pooled]).for_each(withhold_group_bounds);
        }
        let mut add = |verdict, text| reasons.push(VerdictReason { verdict, text });
        if estimator.sequential && pooled.interval.is_none() && !windows.is_empty() {
            let reason = pooled.no_interval.map_or("the metric is not defined", MissingInterval::reason);
            let text = match chooses_end(facts.study, threshold) {
                true => format!(
                    "the end of the study is not declared, and there is no interval for looks before it: {reason}; declare \
                     `windows = {{ first = N }}`"
                ),
                false => format!(
                    "the study has not ended, and there is no interval for looks before the end: {reason}; decide at the end"
                ),
            };
            add(VerdictKind::Inconclusive, text);
        }
        let chance = match threshold.chance.filter(|_| threshold.needs_labels()) {
            Some(required) if pooled.pairs > 0 => match estimator.chance(&selection.windows, scope, model) {
                Some((labels, mut agreement)) => {
                    let counts = labels.counts();
                    let failure = chance_failure(
                        required,
                        threshold.evidence,
                        estimator.confidence,
                        counts,
                        &agreement,
                    );
                    let measure = match required {
                        ChanceRequirement::Kappa(_) => "Cohen's kappa",
                        _ => "the gain over the commonest label",
                    };
                    shown_failures(closed, measure, failure.into_iter().collect())
                        .into_iter()
                        .for_each(|(verdict, text)| add(verdict, text));
                    if !closed {
                        (agreement.kappa, agreement.is_constant) = (None, None);
                        (agreement.interval, agreement.method, agreement.no_interval) = (None, None, None);
                    }
                    Some(agreement)
                }
                None => {
                    let text = "agreement beyond chance cannot be computed: the answers are not labels, or \
                        there are more than 1,000 of them";
                    add(VerdictKind::Inconclusive, text.to_owned());
                    None
                }
            },
            _ => None,
        };
        let baselines = match threshold.chance.filter(|_| threshold.needs_baselines() && pooled.pairs > 0) {
            Some(required) => {
                let gains = estimator.baseline_gains(&selection.windows, scope, model);
                let failures = baseline_failures(required, threshold.evidence, estimator.confidence, &gains);
                shown_failures(closed, "the gain over baselines", failures)
                    .into_iter()
                    .for_each(|(verdict, text)| add(verdict, text));
                closed.then_some(gains)
            }
            None => None,
        };
        let ceiling = threshold.of_ceiling.filter(|_| pooled.pairs > 0).and_then(|least| {
            let (share, equal) = estimator.ceiling(&selection.windows, scope, model);
            let strictness = (threshold.evidence, estimator.confidence);
            let sequential = estimator.sequential;
            let failure = ceiling_failure(strictness, least, &share, (&pooled, equal), sequential);
            shown_failures(closed, "the share of the ceiling", failure.into_iter().collect())
                .into_iter()
                .for_each(|(verdict, text)| add(verdict, text));
            closed.then_some(share)
        });
        ScopeGates { pooled, windows, chance, baselines, ceiling, reasons }
    }

    /// Whether there is an estimate and every gate passes.
    pub fn passes(&self) -> bool {
        self.pooled.pairs > 0 && self.reasons.is_empty()
    }
}

/// The failures of a gate whose numbers leave some of the counted pairs out, or depend on how often the model agrees with each
/// label. Unless they are shown, they become one failure without numbers. Beside a figure of all counted pairs, the numbers
/// would reveal few pairs.
fn shown_failures(
    is_shown: bool,
    measure: &str,
    failures: Vec<(VerdictKind, String)>,
) -> Vec<(VerdictKind, String)> {
    if is_shown {
        return failures;
    }
    let worst = failures.into_iter().map(|(verdict, _)| verdict).max();
    let withheld = |verdict| {
        let text = format!(
            "{measure} is not shown to meet the threshold yet; its numbers are withheld until the run is closed, because beside the \
             figure of all pairs they would reveal single pairs"
        );
        (verdict, text)
    };
    worst.map(withheld).into_iter().collect()
}

/// What the reasons about windows are called, and where all windows are.
const WINDOWS: SubjectNoun = SubjectNoun { plural: "windows", listed_in: "the table of windows" };

/// The reason that a window does not pass. Windows with too few pairs are ranked by their pairs, others by their value.
fn window_reason(
    threshold: &Threshold,
    label: &str,
    estimate: &Estimate,
    verdict: VerdictKind,
    text: String,
) -> SubjectReason {
    let rank = match (threshold.direction, estimate.value) {
        _ if estimate.pairs < threshold.least_per_window => estimate.pairs as f64,
        (Direction::AtLeast, Some(value)) => value,
        (Direction::AtMost, Some(value)) => -value,
        (_, None) => f64::NEG_INFINITY,
    };
    SubjectReason { subject: label.to_owned(), verdict, text, rank }
}

/// The reason that an estimate has too few pairs; `None` if it has enough. A metric may leave unanswered pairs out, so as many
/// answers are required as comparisons.
fn too_few(threshold: &Threshold, estimate: &Estimate) -> Option<String> {
    let least = threshold.least_per_window;
    let Estimate { pairs, answered, .. } = estimate;
    if *pairs < least {
        return Some(too_few_comparisons(*pairs, least));
    }
    // Without any answer, the metric is not defined or scores every pair.
    (1..least).contains(answered).then(|| {
        format!(
            "{} of {} have an answer; at least {} required",
            count(*answered),
            counted(*pairs, "comparison", "comparisons"),
            counted(least, "answer is", "answers are")
        )
    })
}

/// Removes bounds that depend on groups of ids or clusters. The value is over all pairs, so such bounds beside it would tell in
/// which group a single score is.
fn withhold_group_bounds(estimate: &mut Estimate) {
    if estimate.method.is_some_and(IntervalMethod::depends_on_groups) {
        (estimate.interval, estimate.method) = (None, None);
        estimate.no_interval = Some(MissingInterval::Withheld);
    }
}

/// The verdict and the reason if an estimate does not pass; `None` if it passes. `closed` says whether the run is.
fn failure(
    threshold: &Threshold,
    confidence: f64,
    estimate: &Estimate,
    closed: bool,
) -> Option<(VerdictKind, String)> {
    if let Some(text) = too_few(threshold, estimate) {
        return Some((VerdictKind::Inconclusive, text));
    }
    let Some(value) = estimate.value else {
        return Some((VerdictKind::Inconclusive, "the metric is not defined".to_owned()));
    };
    let (direction, bound) = (threshold.direction, threshold.bound);
    let required = format!("{} {} is required", direction_words(direction), declared_number(bound));
    match (threshold.evidence, estimate.interval) {
        (Evidence::Point, _) => {
            let passes = match estimate.hits {
                Some(hits) => meets_bound_by_count(hits, estimate.pairs, direction, bound),
                None => meets_bound(value, direction, bound),
            };
            (!passes).then(|| (VerdictKind::NoGo, format!("{}; {required}", format_estimate(estimate))))
        }
        (Evidence::Bound(_), Some(interval)) => {
            let Interval { lower, upper } = interval;
            let (near, far) = match direction {
                Direction::AtLeast => (lower, upper),
                Direction::AtMost => (upper, lower),
            };
            let meets = |value: f64| meets_bound(value, direction, bound);
            let (verdict, relation) = bounds_failure(meets(near), meets(far))?;
            let is_withheld = !closed && estimate.method.is_some_and(IntervalMethod::depends_on_groups);
            let bounds = match is_withheld {
                true => "bounds that are withheld until the run is closed".to_owned(),
                false => format!("bounds {} and {}", number_text(lower), number_text(upper)),
            };
            let text = format!(
                "{}, with {bounds} at confidence {} each, {relation} {}; {required}",
                format_estimate(estimate),
                format_confidence(confidence),
                declared_number(bound)
            );
            Some((verdict, text))
        }
        (Evidence::Bound(_), None) => {
            let reason = estimate.no_interval.map_or("", MissingInterval::reason);
            let text = format!("{}; no interval can be computed: {reason}", format_estimate(estimate));
            Some((VerdictKind::Inconclusive, text))
        }
    }
}

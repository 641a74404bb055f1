//! Determines the verdict from the facts.
//!
//! Invariant: every reason is evaluated, whatever the others are, and is reported with its numbers.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::estimate::{Estimator, declared_confidence, has_looks, is_early};
use super::family::{SharedLevel, evaluate_family, has_nested_bounds};
use super::format::{format_estimate, too_few_comparisons};
use super::gates::ScopeGates;
use super::guards::{PairShares, record_guards, scope_guards};
use super::interim_gates::{TEST_WITHHELD, interim_contamination, interim_gates};
use super::notes::verdict_notes;
use super::pass_reason::pass_reason;
use super::reason_group::{SubjectNoun, SubjectReason, group_reasons};
use super::revised_agreement::revisions;
use super::threshold_text::describe_threshold;
use super::window_selection::{WindowSelection, select_windows};
use super::{
    CONTAMINATION_LEVEL, Contamination, CycleValue, FORMAT, Facts, GuardResult, InputShare, KnownTries,
    ModelVerdict, ScopeVerdict, Verdict, VerdictKind, VerdictReason,
};
use crate::number_text::{count, counted, number_text};
use crate::scoring::{InterimRules, Reduce, Slice, may_show_interim};
use understudy_study::{
    ALL_SNAPSHOTS, Evidence, InterferenceEffect, InterferenceKind, Reference, TrainingPeriod, WindowChoice,
};

/// The verdict on each model, for all of the input and for each scope. `reduce` is that of the threshold's
/// metric.
pub fn determine_verdict(facts: &Facts<'_>, reduce: &mut Reduce<'_>) -> Verdict {
    let threshold = facts.threshold;
    let selection = select_windows(facts);
    let inputs = input_shares(facts, &selection);
    let cycle = cycle_values(facts, &selection);
    let guards = record_guards(facts, &selection);
    let mut shared = Vec::new();
    add_interferences(facts, &selection, &mut shared);
    shared.extend(exceeded(&guards));
    add_missing_evidence(facts, &selection, &inputs, &cycle, &mut shared);
    let is_nested = has_nested_bounds(threshold, has_looks(facts, &selection.windows));
    let results = &facts.results;
    let interim = (!results.closed)
        .then(|| InterimRules::new(results.cells, results.evidence, facts.study.scopes.len()));
    let mut estimator = Estimator::new(facts, &selection, interim.as_ref(), reduce);
    let names: Vec<&str> = std::iter::once(ALL_SNAPSHOTS)
        .chain(facts.study.scopes.iter().map(|scope| scope.name.as_str()))
        .collect();
    let contaminations: Vec<_> = (0..facts.study.models.len())
        .map(|model| {
            let found = estimator.contamination(&selection.windows, model)?;
            Some(match &interim {
                Some(interim) => interim_contamination(interim.model(model), &selection, found),
                None => found,
            })
        })
        .collect();
    let verdicts = contaminations.len() * names.len();
    let gates = evaluate_family(threshold, is_nested, verdicts, |verdict, confidence| {
        estimator.confidence = confidence;
        let (model, scope) = (verdict / names.len(), (verdict % names.len()) as u16);
        let gates = ScopeGates::evaluate(facts, &mut estimator, &selection, scope, model);
        (gates.passes(), gates)
    });
    let is_metric_shown = may_show_interim(threshold.form, estimator.components(&selection.windows));
    let mut gates = gates.into_iter();
    let mut models = Vec::new();
    for (model, contamination) in contaminations.into_iter().enumerate() {
        let mut reasons = shared.clone();
        reasons.extend(contamination.as_ref().and_then(leak_reason));
        reasons.extend(overlap_reason(facts, &selection, model));
        let scopes = (0..).zip(&names).zip(gates.by_ref().take(names.len()));
        let scopes = scopes.map(|((scope, name), (level, gates))| {
            let gates = match &interim {
                Some(interim) => {
                    let figures = interim.model(model);
                    let metric = (threshold.quantifier, is_metric_shown);
                    interim_gates(figures, &selection, usize::from(scope), metric, gates)
                }
                None => gates,
            };
            scope_verdict(facts, &selection, &reasons, (scope, name), model, (level, gates))
        });
        let scopes = scopes.collect();
        let model = facts.study.models[model].name.clone();
        models.push(ModelVerdict { model, contamination, scopes, remark: None });
    }
    let revisions = revisions(facts, interim.as_ref(), reduce);
    Verdict {
        format: FORMAT,
        study: facts.study.name.clone(),
        seal: facts.seal.to_owned(),
        sealed_at: facts.sealed_at,
        first_snapshot: facts
            .results
            .inputs
            .earliest
            .and_then(|first| Timestamp::from_microsecond(first).ok()),
        closed: facts.results.closed,
        threshold: describe_threshold(facts.study, facts.threshold),
        notes: verdict_notes(facts.study, threshold, is_nested),
        metric: facts.study.metrics[threshold.metric].name.clone(),
        confidence: declared_confidence(threshold),
        windows: selection.counted,
        accounting: facts.results.accounting,
        pairs: facts.results.pairs,
        revisions,
        shed: facts.shed,
        cut_offs: if facts.study.mirror.is_some() { facts.cut_offs } else { 0 },
        guards,
        inputs,
        cycle,
        interferences: facts.interferences.to_vec(),
        tries: KnownTries::default(),
        models,
    }
}

/// The verdict on one model in one scope.
fn scope_verdict(
    facts: &Facts<'_>,
    selection: &WindowSelection,
    shared: &[VerdictReason],
    (scope, name): (u16, &str),
    model: usize,
    (level, gates): (SharedLevel, ScopeGates),
) -> ScopeVerdict {
    let sums = facts.results.evidence.sums(&selection.windows, |key| key.scope == scope);
    let compared = sums.pairs;
    let snapshots = facts.results.inputs.snapshots(&selection.windows, scope);
    let ScopeGates { pooled, windows, chance, baselines, ceiling, reasons: failures } = gates;
    let left_out = sums.models.get(model).map_or(0, |sums| sums.unanswered);
    let unanswered = left_out.max(compared.saturating_sub(pooled.pairs));

    let shares = PairShares { snapshots, compared, unanswered };
    let guards = scope_guards(facts, selection, scope, shares);
    let mut reasons = shared.to_vec();
    reasons.extend(failures);
    reasons.extend(exceeded(&guards));
    reasons.sort_by_key(|reason| Reverse(reason.verdict));
    let verdict = reasons.iter().map(|reason| reason.verdict).max().unwrap_or(VerdictKind::Go);
    if verdict == VerdictKind::Go {
        reasons.push(VerdictReason {
            verdict,
            text: pass_reason(
                facts.threshold,
                level.confidence,
                &pooled,
                &windows,
                (chance.as_ref(), baselines.as_ref(), ceiling.as_ref()),
            ),
        });
    }
    ScopeVerdict {
        scope: name.to_owned(),
        verdict,
        reasons,
        confidence: level.confidence,
        level_shared_by: level.shared_by,
        snapshots,
        compared,
        unanswered,
        guards,
        pooled,
        windows,
        chance,
        baselines,
        ceiling,
    }
}

/// The reasons of the guards whose limits are not met.
fn exceeded(guards: &[GuardResult]) -> impl Iterator<Item = VerdictReason> {
    let exceeded = guards.iter().filter(|guard| !guard.within_limit);
    exceeded.map(|guard| VerdictReason { verdict: guard.guard.verdict(), text: guard.sentence() })
}

/// Adds the interferences that make the study void, for all models and scopes.
fn add_interferences(facts: &Facts<'_>, selection: &WindowSelection, reasons: &mut Vec<VerdictReason>) {
    let mut add = |text| reasons.push(VerdictReason { verdict: VerdictKind::Void, text });
    for event in facts.interferences {
        let (rule, what) = match event.kind {
            InterferenceKind::Exposure => (facts.threshold.on_exposure, "answers were shown"),
            InterferenceKind::ComparatorChange => {
                (facts.threshold.on_comparator_change, "the substrate or its comparator changed")
            }
        };
        let inside = selection.decided_by.is_none_or(|decided| event.since.as_microsecond() < decided);
        if rule == InterferenceEffect::Void && inside {
            add(format!(
                "{what} from {} onward, before all counted decisions were made: {}",
                event.since, event.description
            ));
        }
    }
}

/// Adds the reasons that evidence is missing, for all models and scopes.
fn add_missing_evidence(
    facts: &Facts<'_>,
    selection: &WindowSelection,
    inputs: &[InputShare],
    cycle: &[CycleValue],
    reasons: &mut Vec<VerdictReason>,
) {
    let threshold = facts.threshold;
    let mut add = |text| reasons.push(VerdictReason { verdict: VerdictKind::Inconclusive, text });
    if let Some(error) = facts.source_failure {
        add(format!("a source failed, and what it has left to read may belong to these windows: {error}"));
    }
    let complete = selection.windows.len() as u64;
    match threshold.windows {
        WindowChoice::First(required) | WindowChoice::Latest(required) if complete < required => {
            let open = match facts.results.closed {
                true => "",
                false => ", and none of them can be late any more",
            };
            add(format!(
                "{}; {} required. A window is complete if the snapshots begin by its start and go on to its end{open}",
                counted(complete, "complete window", "complete windows"),
                count(required)
            ))
        }
        WindowChoice::All if complete == 0 => add("no window counts".to_owned()),
        _ => {}
    }
    if is_early(facts, &selection.windows) && threshold.evidence == Evidence::Point {
        add("the study has not ended, and a point estimate decides nothing before the end; decide at the \
            end, or declare `evidence = \"bound\"`"
            .to_owned());
    }
    let cells = facts.results.cells.fold(selection.windows.iter().copied());
    let inconclusive = |subject: String, text: String, rank: f64| SubjectReason {
        subject,
        verdict: VerdictKind::Inconclusive,
        text,
        rank,
    };
    let mut few = Vec::new();
    for &condition in &threshold.conditions {
        let name = &facts.study.conditions[condition].name;
        for (index, value) in facts.conditions.values(condition).iter().enumerate() {
            let pairs = cells.tally(Slice::Value { condition, value: index }, 0, threshold.metric).pairs;
            if value != "other" && value != "missing" && pairs < threshold.least_per_condition {
                let text = too_few_comparisons(pairs, threshold.least_per_condition);
                few.push(inconclusive(format!("{name} {value}"), text, pairs as f64));
            }
        }
    }
    let uncovered = cycle.iter().filter(|value| !value.covered).map(
        |CycleValue { value, occurrences, required, pairs, .. }| {
            let (text, rank) = if occurrences < required {
                (
                    format!(
                        "occurred {}; {} required, so the cycle is not covered",
                        counted(*occurrences, "time", "times"),
                        count(*required)
                    ),
                    *occurrences,
                )
            } else {
                let reason = too_few_comparisons(*pairs, threshold.least_per_condition);
                (format!("{reason}, so the cycle is not covered"), *pairs)
            };
            inconclusive(value.clone(), text, rank as f64)
        },
    );
    let far = inputs.iter().filter(|input| !input.within_tolerance);
    let far = far.map(|InputShare { condition, value, share, reference, tolerance, .. }| {
        let text = format!(
            "{share:.6} of the snapshots; the reference is {reference} ± {tolerance}, so the inputs are not \
             representative"
        );
        inconclusive(format!("{condition} {value}"), text, -(share - reference).abs())
    });
    let conditions =
        SubjectNoun { plural: "condition values", listed_in: "the table by condition in the report" };
    reasons.extend(group_reasons(few, &conditions));
    let cycle = SubjectNoun { plural: "cycle values", listed_in: "`cycle` in `verdict.json`" };
    reasons.extend(group_reasons(uncovered.collect(), &cycle));
    let inputs = SubjectNoun { plural: "condition values", listed_in: "`inputs` in `verdict.json`" };
    reasons.extend(group_reasons(far.collect(), &inputs));
}

/// The reason that windows that count overlap the training data of a model; `None` if they do not, or if no period is
/// declared.
fn overlap_reason(facts: &Facts<'_>, selection: &WindowSelection, model: usize) -> Option<VerdictReason> {
    let TrainingPeriod { from, until } = facts.study.models[model].training_period?;
    let overlapping = selection.counted.iter().filter(|window| window.start < until && from < window.end);
    let first = overlapping.clone().next()?;
    let text = format!(
        "{} of {} windows that count overlap the training data of the model, from {from} to {until}; the first is {}. The model \
         may have memorised these decisions; count later windows",
        overlapping.count(),
        selection.counted.len(),
        first.label
    );
    Some(VerdictReason { verdict: VerdictKind::Void, text })
}

/// The reason that a model's answers leak, or that the result of the test is withheld; `None` if the test does not show a
/// leak.
fn leak_reason(contamination: &Contamination) -> Option<VerdictReason> {
    if contamination.tested && contamination.blinded.withheld {
        return Some(VerdictReason { verdict: VerdictKind::Inconclusive, text: TEST_WITHHELD.to_owned() });
    }
    let difference =
        contamination.difference.filter(|difference| difference.p_value < CONTAMINATION_LEVEL)?;
    let text = format!(
        "answers leak: {} where the answer existed before the decision, {} where it did not; chance alone \
         gives a difference of {} or more with probability {:.2e}",
        format_estimate(&contamination.unblinded),
        format_estimate(&contamination.blinded),
        number_text(difference.difference),
        difference.p_value
    );
    Some(VerdictReason { verdict: VerdictKind::Void, text })
}

fn input_shares(facts: &Facts<'_>, selection: &WindowSelection) -> Vec<InputShare> {
    let references = facts.threshold.references.iter().zip(facts.references);
    let of = |(declared, shares): (&Reference, &Vec<f64>)| {
        let values = facts.conditions.values(declared.condition);
        let counts = facts.results.inputs.values(&selection.windows, declared.condition, values.len());
        let all: u64 = counts.iter().sum();
        let share = |((value, snapshots), reference): ((&String, &u64), &f64)| {
            let share = if all == 0 { 0.0 } else { *snapshots as f64 / all as f64 };
            InputShare {
                condition: facts.study.conditions[declared.condition].name.clone(),
                value: value.clone(),
                snapshots: *snapshots,
                share,
                reference: *reference,
                tolerance: declared.tolerance,
                // A share exactly at the tolerance is within it, despite the rounding of the difference.
                within_tolerance: (share - reference).abs() <= declared.tolerance + 1e-12,
            }
        };
        values.iter().zip(&counts).zip(shares).map(share).collect::<Vec<_>>()
    };
    references.flat_map(of).collect()
}

fn cycle_values(facts: &Facts<'_>, selection: &WindowSelection) -> Vec<CycleValue> {
    let Some(cycle) = facts.threshold.cycle else { return Vec::new() };
    let mut totals = std::collections::BTreeMap::new();
    for evidence in selection.windows.iter().filter_map(|window| facts.results.evidence.windows.get(window)) {
        for (occurrence, pairs) in &evidence.occurrences {
            *totals.entry(*occurrence).or_insert(0u64) += pairs;
        }
    }
    let value = |(index, value): (u16, &String)| {
        let own = totals.iter().filter(|((value, _), _)| *value == index);
        let (occurrences, pairs) = (own.clone().count() as u64, own.map(|(_, pairs)| pairs).sum());
        let covered = occurrences >= cycle.times && pairs >= facts.threshold.least_per_condition;
        CycleValue { value: value.clone(), occurrences, required: cycle.times, pairs, covered }
    };
    (0..).zip(facts.conditions.values(cycle.condition)).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::{Difference, Interval};
    use crate::verdict::Estimate;

    #[test]
    fn a_p_value_at_the_level_shows_no_leak() {
        let estimate = Estimate { pairs: 100, value: Some(0.9), ..Estimate::default() };
        let reason = |p_value: f64| {
            let interval = Interval { lower: 0.0, upper: 0.2 };
            let difference = Some(Difference { difference: 0.1, interval, p_value, detectable: None });
            leak_reason(&Contamination { unblinded: estimate, blinded: estimate, tested: true, difference })
                .map(|reason| reason.verdict)
        };
        assert_eq!(reason(CONTAMINATION_LEVEL), None);
        assert_eq!(reason(CONTAMINATION_LEVEL / 2.0), Some(VerdictKind::Void));
    }
}

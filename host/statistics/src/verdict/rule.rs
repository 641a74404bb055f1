//! From facts to the verdict.
//!
//! Always holds: every reason is looked for, whatever the others say, and told with its figures.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::bound::{lies, meets};
use super::finding::{Finder, Reduce, is_early};
use super::windows::{Chosen, choose};
use super::words::{at_least, at_most, figure, in_words, passed, share, side};
use super::{
    CONTAMINATION_LEVEL, Contamination, CycleValue, FORMAT, Facts, Finding, InputShare, ModelVerdict, Reason,
    Ruling, Verdict, Word,
};
use crate::scoring::Slice;
use understudy_records::pairing::Account;
use understudy_study::{
    Chance, Counted, Direction, Evidence, Interference, InterferenceKind, Quantifier, Reference, Threshold,
    WHOLE,
};

/// The verdict on each model, for all of the input and for each scope. `reduce` is the threshold's metric: from how many pairs it
/// scored and the sums of its components to the figure.
pub fn rule(facts: &Facts<'_>, reduce: &mut Reduce<'_>) -> Verdict {
    let threshold = facts.threshold;
    let chosen = choose(facts);
    let inputs = inputs(facts, &chosen);
    let cycle = cycle(facts, &chosen);
    let mut shared = Vec::new();
    void(facts, &chosen, &mut shared);
    unfinished(facts, &chosen, &inputs, &cycle, &mut shared);
    let mut finder = Finder::new(facts, is_early(facts, &chosen.windows), reduce);
    let mut models = Vec::new();
    for (model, declared) in facts.study.models.iter().enumerate() {
        let contamination = finder.contamination(&chosen.windows, model);
        let mut of_model = shared.clone();
        of_model.extend(contamination.as_ref().and_then(leak));
        let names = std::iter::once(WHOLE).chain(facts.study.scopes.iter().map(|scope| scope.name.as_str()));
        let scopes = (0..).zip(names);
        let scopes =
            scopes.map(|(scope, name)| ruling(facts, &mut finder, &chosen, &of_model, (scope, name), model));
        let scopes = scopes.collect();
        models.push(ModelVerdict { model: declared.name.clone(), contamination, scopes });
    }
    Verdict {
        format: FORMAT,
        study: facts.study.name.clone(),
        seal: facts.seal.to_owned(),
        sealed_at: facts.sealed_at,
        first_snapshot: facts.inputs.earliest.and_then(|first| Timestamp::from_microsecond(first).ok()),
        closed: facts.closed,
        threshold: in_words(facts.study, facts.threshold),
        metric: facts.study.metrics[threshold.metric].name.clone(),
        confidence: finder.confidence,
        windows: chosen.shown,
        accounting: facts.accounting,
        inputs,
        cycle,
        interferences: facts.interferences.to_vec(),
        models,
    }
}

/// The verdict on one model in one scope.
fn ruling(
    facts: &Facts<'_>,
    finder: &mut Finder<'_, '_>,
    chosen: &Chosen,
    shared: &[Reason],
    (scope, name): (u16, &str),
    model: usize,
) -> Ruling {
    let threshold = facts.threshold;
    let sums = facts.evidence.sums(&chosen.windows, |place| place.scope == scope);
    let compared = sums.pairs;
    let snapshots = facts.inputs.snapshots(&chosen.windows, scope);
    let together = finder.find(&chosen.windows, scope, model);
    let windows: Vec<Finding> =
        chosen.windows.iter().map(|window| finder.find(&[*window], scope, model)).collect();
    let chance = threshold.chance.and_then(|_| finder.chance(&chosen.windows, scope, model));
    let left = sums.models.get(model).map_or(0, |sums| sums.unanswered);
    let unanswered = left.max(compared.saturating_sub(together.pairs));

    let mut reasons = shared.to_vec();
    let mut say = |verdict, text| reasons.push(Reason { verdict, text });
    if snapshots > 0 && !at_least(compared, snapshots, threshold.least_coverage) {
        let text = format!(
            "{compared} of {snapshots} snapshots ({}) could be compared, and at least {} have to be",
            share(compared, snapshots),
            threshold.least_coverage
        );
        say(Word::Void, text);
    }
    let labels = chosen.shown.iter().map(|window| window.label.as_str());
    match threshold.quantifier {
        Quantifier::EveryWindow => {
            for (label, finding) in labels.zip(&windows) {
                if let Some((verdict, text)) = judge(threshold, finding) {
                    say(verdict, format!("{label}: {text}"));
                }
            }
        }
        Quantifier::Pooled if !windows.is_empty() => {
            for (label, finding) in labels.zip(&windows).filter(|_| threshold.windows != Counted::All) {
                if let Some(text) = too_few(threshold, finding) {
                    say(Word::Inconclusive, format!("{label}: {text}"));
                }
            }
            if let Some((verdict, text)) = judge(threshold, &together) {
                say(verdict, format!("taken together: {text}"));
            }
        }
        Quantifier::Pooled => {}
    }
    if is_early(facts, &chosen.windows) && together.interval.is_none() && !windows.is_empty() {
        let text = "the study is looked at before its end, and this metric has no interval that holds whenever one looks; decide \
                    at the end";
        say(Word::Inconclusive, text.to_owned());
    }
    if compared > 0 && !at_most(unanswered, compared, threshold.most_unanswered) {
        let text = format!(
            "{unanswered} of {compared} pairs ({}) have no answer or no score, and at most {} may have none",
            share(unanswered, compared),
            threshold.most_unanswered
        );
        say(Word::NoGo, text);
    }
    match (threshold.chance, chance) {
        (Some(Chance::Kappa(least)), Some(found)) if found.kappa.is_none_or(|kappa| kappa < least) => {
            let kappa = found.kappa.map_or_else(|| "not defined".to_owned(), |kappa| format!("{kappa:.6}"));
            say(Word::NoGo, format!("Cohen's kappa is {kappa}, and at least {least} is asked"));
        }
        (Some(Chance::Gain(least)), Some(found)) if found.agreement - found.commonest < least => {
            let text = format!(
                "agreement is {:.6}, and always the commonest label would have {:.6}; at least {least} more is asked",
                found.agreement, found.commonest
            );
            say(Word::NoGo, text);
        }
        (Some(_), None) if compared > 0 => {
            let text = "what agreement is worth beyond chance cannot be told: the answers are no labels, or there are more than a \
                        thousand";
            say(Word::Inconclusive, text.to_owned());
        }
        _ => {}
    }
    reasons.sort_by_key(|reason| Reverse(reason.verdict));
    let verdict = reasons.iter().map(|reason| reason.verdict).max().unwrap_or(Word::Go);
    if verdict == Word::Go {
        reasons.push(Reason { verdict, text: passed(threshold, &together, &windows) });
    }
    Ruling {
        scope: name.to_owned(),
        verdict,
        reasons,
        snapshots,
        compared,
        unanswered,
        together,
        windows,
        chance,
    }
}

/// That a finding is of too few pairs, if it is.
fn too_few(threshold: &Threshold, finding: &Finding) -> Option<String> {
    let least = threshold.least_per_window;
    (finding.pairs < least).then(|| format!("{} comparisons, and at least {least} are asked", finding.pairs))
}

/// Why a finding does not pass; `None` if it does.
fn judge(threshold: &Threshold, finding: &Finding) -> Option<(Word, String)> {
    if let Some(text) = too_few(threshold, finding) {
        return Some((Word::Inconclusive, text));
    }
    let Some(value) = finding.value else {
        return Some((Word::Inconclusive, "the metric gives no figure".to_owned()));
    };
    let (direction, bound) = (threshold.direction, threshold.bound);
    let asked = format!("{} {bound} is asked", side(direction));
    match (threshold.evidence, finding.interval) {
        (Evidence::Point, _) => {
            let passes = match finding.hits {
                Some(hits) => meets(hits, finding.pairs, direction, bound),
                None => lies(value, direction, bound),
            };
            (!passes).then(|| (Word::NoGo, format!("{}, and {asked}", figure(finding))))
        }
        (Evidence::Bound(confidence), Some(interval)) => {
            let (near, far, name) = match direction {
                Direction::AtLeast => (interval.lower, interval.upper, "lower"),
                Direction::AtMost => (interval.upper, interval.lower, "upper"),
            };
            let text = |what: &str| {
                format!(
                    "{}, {what} {bound}: its {name} bound at confidence {confidence} is {near:.6}, the other {far:.6}, and {asked}",
                    figure(finding)
                )
            };
            match (lies(near, direction, bound), lies(far, direction, bound)) {
                (true, _) => None,
                (false, true) => Some((Word::Inconclusive, text("which cannot be told from"))),
                (false, false) => Some((Word::NoGo, text("which is on the wrong side of"))),
            }
        }
        (Evidence::Bound(_), None) => {
            Some((Word::Inconclusive, format!("{}, of which no interval can be given", figure(finding))))
        }
    }
}

/// What makes the study void.
fn void(facts: &Facts<'_>, chosen: &Chosen, reasons: &mut Vec<Reason>) {
    let mut say = |text| reasons.push(Reason { verdict: Word::Void, text });
    for interfered in facts.interferences {
        let (rule, what) = match interfered.kind {
            InterferenceKind::Exposure => (facts.threshold.on_exposure, "answers were shown"),
            InterferenceKind::ComparatorChange => {
                (facts.threshold.on_comparator_change, "the substrate or its comparator changed")
            }
        };
        let inside = chosen.decided.is_none_or(|decided| interfered.since.as_microsecond() < decided);
        if rule == Interference::Void && inside {
            say(format!(
                "{what} from {} on, before all of what counts was decided: {}",
                interfered.since, interfered.what
            ));
        }
    }
    let Facts { accounting, threshold, .. } = facts;
    for (stream, Account { received, rejected, .. }) in
        [("snapshots", accounting.snapshots), ("decisions", accounting.decisions)]
    {
        if received > 0 && !at_most(rejected, received, threshold.most_rejected) {
            say(format!(
                "{rejected} of {received} {stream} ({}) could not be read, and at most {} may be so",
                share(rejected, received),
                threshold.most_rejected
            ));
        }
    }
}

/// What is still missing, for whichever model and scope.
fn unfinished(
    facts: &Facts<'_>,
    chosen: &Chosen,
    inputs: &[InputShare],
    cycle: &[CycleValue],
    reasons: &mut Vec<Reason>,
) {
    let threshold = facts.threshold;
    let mut say = |text| reasons.push(Reason { verdict: Word::Inconclusive, text });
    let there = chosen.windows.len() as u64;
    match threshold.windows {
        Counted::First(asked) | Counted::Latest(asked) if there < asked => say(format!(
            "{there} complete {}, and {asked} are asked",
            if there == 1 { "window counts" } else { "windows count" }
        )),
        Counted::All if there == 0 => say("no window counts".to_owned()),
        _ => {}
    }
    if is_early(facts, &chosen.windows) && threshold.evidence == Evidence::Point {
        say("the study is looked at before its end, where a figure by itself decides nothing; decide at the end, or ask for a \
             bound"
            .to_owned());
    }
    let cells = facts.cells.fold(chosen.windows.iter().copied());
    for &condition in &threshold.conditions {
        let name = &facts.study.conditions[condition].name;
        for (index, value) in facts.conditions.values(condition).iter().enumerate() {
            let pairs = cells.tally(Slice::Value { condition, value: index }, 0, threshold.metric).pairs;
            if value != "other" && value != "missing" && pairs < threshold.least_per_condition {
                say(format!(
                    "{name} {value} has {pairs} comparisons, and at least {} are asked",
                    threshold.least_per_condition
                ));
            }
        }
    }
    for CycleValue { value, occurrences, required, pairs, .. } in cycle.iter().filter(|value| !value.enough) {
        if occurrences < required {
            say(format!(
                "the cycle is not covered: {value} came {occurrences} times, and {required} are asked"
            ));
        } else {
            say(format!(
                "the cycle is not covered: {value} has {pairs} comparisons, and at least {} are asked",
                threshold.least_per_condition
            ));
        }
    }
    let far = inputs.iter().filter(|input| !input.within);
    for InputShare { condition, value, share, reference, tolerance, .. } in far {
        say(format!(
            "the inputs are not representative: {condition} {value} is {share:.6} of them, and {reference} give or take \
             {tolerance} is asked"
        ));
    }
}

/// Whether a model's answers leak.
fn leak(contamination: &Contamination) -> Option<Reason> {
    let difference = contamination.difference.filter(|found| found.p_value < CONTAMINATION_LEVEL)?;
    let text = format!(
        "answers leak: where they existed in time the figure is {}, where they did not {}; the difference of {:.6} would come of \
         chance with probability {:.2e}",
        figure(&contamination.shown),
        figure(&contamination.blinded),
        difference.difference,
        difference.p_value
    );
    Some(Reason { verdict: Word::Void, text })
}

fn inputs(facts: &Facts<'_>, chosen: &Chosen) -> Vec<InputShare> {
    let references = facts.threshold.references.iter().zip(facts.references);
    let of = |(declared, shares): (&Reference, &Vec<f64>)| {
        let values = facts.conditions.values(declared.condition);
        let counts = facts.inputs.values(&chosen.windows, declared.condition, values.len());
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
                // A share that lies at the tolerance is within it, whatever the subtraction rounds.
                within: (share - reference).abs() <= declared.tolerance + 1e-12,
            }
        };
        values.iter().zip(&counts).zip(shares).map(share).collect::<Vec<_>>()
    };
    references.flat_map(of).collect()
}

fn cycle(facts: &Facts<'_>, chosen: &Chosen) -> Vec<CycleValue> {
    let Some(cycle) = facts.threshold.cycle else { return Vec::new() };
    let mut seen = std::collections::BTreeMap::new();
    for evidence in chosen.windows.iter().filter_map(|window| facts.evidence.windows.get(window)) {
        for (occurrence, pairs) in &evidence.occurrences {
            *seen.entry(*occurrence).or_insert(0u64) += pairs;
        }
    }
    let value = |(index, value): (u16, &String)| {
        let own = seen.iter().filter(|((of, _), _)| *of == index);
        let (occurrences, pairs) = (own.clone().count() as u64, own.map(|(_, pairs)| pairs).sum());
        let enough = occurrences >= cycle.times && pairs >= facts.threshold.least_per_condition;
        CycleValue { value: value.clone(), occurrences, required: cycle.times, pairs, enough }
    };
    (0..).zip(facts.conditions.values(cycle.condition)).map(value).collect()
}

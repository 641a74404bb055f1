//! What of compared pairs a verdict needs besides the cells.
//!
//! Always holds: a compared pair is added once; a study without a threshold keeps no evidence.

use std::borrow::Cow;

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::batches::pair_batch::Sources;
use crate::log_schema::schema;
use crate::plugins::blinding::Blind;
use crate::plugins::load::Prepared;
use understudy_records::batch::{Answers, Decisions};
use understudy_statistics::scoring::{
    Conditions, Evidence, EvidencePair, Inputs, ModelScores, Window, group,
};
use understudy_study::{Scope, Study};

/// Pairs that have been compared.
pub struct Seen<'s> {
    /// Where they come from.
    pub sources: &'s Sources,
    /// Those that have been compared; all that follows is by their order.
    pub answered: &'s [usize],
    /// The window of each.
    pub windows: &'s [Window],
    /// For each condition the value of each.
    pub conditions: &'s [Vec<u16>],
    /// The comparator's answers.
    pub comparator: &'s Answers,
    /// For each model its answers.
    pub given: &'s [Cow<'s, Answers>],
    /// For each model what they were scored.
    pub models: &'s [ModelScores],
}

/// Adds pairs to the evidence.
pub struct Witness {
    metric: usize,
    scopes: Vec<Scope>,
    blind: Option<Blind>,
    /// Where among the held columns the one stands by which pairs hang together, unless that is the id.
    cluster: Option<usize>,
    cycle: Option<usize>,
    labels: bool,
    calendar: Conditions,
}

impl Witness {
    /// For a study, if it has a threshold. `held` are the places of the snapshots' fields that are held.
    pub fn new(prepared: &Prepared, held: &[usize]) -> Option<Witness> {
        let threshold = prepared.study.threshold.as_ref()?;
        let place =
            |at| held.iter().position(|held| *held == at).expect("what pairs hang together by is held");
        Some(Witness {
            metric: threshold.metric,
            scopes: prepared.study.scopes.clone(),
            blind: prepared.blind.clone(),
            cluster: cluster(prepared).map(place),
            cycle: threshold.cycle.map(|cycle| cycle.condition),
            labels: threshold.chance.is_some(),
            calendar: schema::conditions(&prepared.study),
        })
    }

    /// Adds pairs.
    pub fn add(&mut self, seen: &Seen<'_>, evidence: &mut Evidence) {
        let sources = seen.sources;
        let keys: Option<Vec<ArrayRef>> =
            self.cluster.map(|at| sources.all_shown.iter().map(|s| s.fields.column(at).clone()).collect());
        let occurrences = self.cycle.and_then(|condition| {
            let times: Vec<i64> =
                seen.answered.iter().map(|&row| sources.shown(row, |s, r| s.times[r])).collect();
            self.calendar.occurrences(condition, &times)
        });
        let mut scopes = Vec::new();
        for (at, &row) in seen.answered.iter().enumerate() {
            let id = sources.id(row);
            belongs(&self.scopes, |condition| seen.conditions[condition][at], &mut scopes);
            // Where the field is missing, all such pairs are taken to hang together: that promises the least.
            let key = keys.as_ref().map(|keys| {
                let (batch, within) = sources.snapshots[row];
                text(&keys[batch], within).unwrap_or_default()
            });
            let labels: Vec<Option<&str>>;
            let pair = EvidencePair {
                window: seen.windows[at],
                scopes: &scopes,
                group: group(key.as_deref().unwrap_or(id)),
                blinded: self.blind.as_ref().is_some_and(|blind| blind.holds(id)),
                occurrence: self
                    .cycle
                    .zip(occurrences.as_ref())
                    .map(|(condition, occurrences)| (seen.conditions[condition][at], occurrences[at])),
                labels: match self.labels {
                    true => {
                        labels = seen.given.iter().map(|given| label(given, at)).collect();
                        label(seen.comparator, at).map(|substrate| (substrate, &labels[..]))
                    }
                    false => None,
                },
            };
            evidence.add(&pair, seen.models, self.metric, at);
        }
    }
}

/// Counts accepted snapshots for a study that has a threshold, or that is reported on before its end.
pub fn take_in(
    study: &Study,
    inputs: &mut Inputs,
    times: &[i64],
    windows: &[Window],
    conditions: &[Vec<u16>],
) {
    if study.threshold.is_none() && study.interim.every.is_none() {
        return;
    }
    let mut scopes = Vec::new();
    for (row, (&time, &window)) in times.iter().zip(windows).enumerate() {
        belongs(&study.scopes, |condition| conditions[condition][row], &mut scopes);
        inputs.add(window, time, &scopes, conditions.iter().map(|values| values[row]));
    }
}

/// The scopes that a snapshot belongs to, into `found`: 0 for everything, and the declared ones from 1.
fn belongs(scopes: &[Scope], value: impl Fn(usize) -> u16, found: &mut Vec<u16>) {
    found.clear();
    found.push(0);
    let holds = |scope: &Scope| scope.holds(|condition| usize::from(value(condition)));
    found.extend(scopes.iter().zip(1..).filter(|(scope, _)| holds(scope)).map(|(_, index)| index));
}

/// Where among the snapshots' declared fields the one stands by which pairs hang together, unless that is the id.
pub fn cluster(prepared: &Prepared) -> Option<usize> {
    let study = &prepared.study;
    let name = study.threshold.as_ref()?.cluster.as_ref()?;
    study.inputs.fields.iter().position(|field| field.name == *name)
}

/// A value as text; `None` where it is missing.
fn text(column: &ArrayRef, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return Some(texts.value(row).to_owned());
    }
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options).ok()?;
    Some(formatter.value(row).to_string())
}

/// The label of a row; `None` where it is unanswered, or the answers are no labels.
fn label(answers: &Answers, row: usize) -> Option<&str> {
    let Decisions::Labels { names, codes } = &answers.decisions else { return None };
    answers.reason(row).is_none().then(|| names.value(codes[row] as usize))
}

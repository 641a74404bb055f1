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
use crate::plugins::study_fields;
use understudy_records::batch::{Answers, AnswerColumn};
use understudy_statistics::scoring::{
    Conditions, VerdictEvidence, EvidencePair, InputCounts, ModelScores, Window, jackknife_group,
};
use understudy_study::{Scope, Study};

/// Pairs that have been compared.
pub struct ScoredPairBatch<'s> {
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
pub struct EvidenceCollector {
    metric: usize,
    scopes: Vec<Scope>,
    blind: Option<Blind>,
    /// Where among the held columns the one stands by which pairs hang together, unless that is the id.
    cluster: Option<usize>,
    cycle: Option<usize>,
    labels: bool,
    calendar: Conditions,
}

impl EvidenceCollector {
    /// For a study, if it has a threshold. `held` are the places of the snapshots' fields that are held.
    pub fn new(prepared: &Prepared, held: &[usize]) -> Option<EvidenceCollector> {
        let threshold = prepared.study.threshold.as_ref()?;
        let place =
            |at| held.iter().position(|held| *held == at).expect("what pairs hang together by is held");
        Some(EvidenceCollector {
            metric: threshold.metric,
            scopes: prepared.study.scopes.clone(),
            blind: prepared.blind.clone(),
            cluster: study_fields::cluster(&prepared.study).map(place),
            cycle: threshold.cycle.map(|cycle| cycle.condition),
            labels: threshold.chance.is_some(),
            calendar: study_fields::conditions(&prepared.study),
        })
    }

    /// Adds pairs.
    pub fn add(&mut self, seen: &ScoredPairBatch<'_>, evidence: &mut VerdictEvidence) {
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
            matching_scopes(&self.scopes, |condition| seen.conditions[condition][at], &mut scopes);
            // Where the field is missing, all such pairs are taken to hang together: that promises the least.
            let key = keys.as_ref().map(|keys| {
                let (batch, within) = sources.snapshots[row];
                text(&keys[batch], within).unwrap_or_default()
            });
            let labels: Vec<Option<&str>>;
            let pair = EvidencePair {
                window: seen.windows[at],
                scopes: &scopes,
                group: jackknife_group(key.as_deref().unwrap_or(id)),
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

    if study.threshold.is_none() && study.interim.every.is_none() {
        return;
    }
    let mut scopes = Vec::new();
    for (row, (&time, &window)) in times.iter().zip(windows).enumerate() {
        matching_scopes(&study.scopes, |condition| conditions[condition][row], &mut scopes);
        inputs.add(window, time, &scopes, conditions.iter().map(|values| values[row]));
    }
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
    let AnswerColumn::Labels { names, codes } = &answers.decisions else { return None };
    answers.reason(row).is_none().then(|| names.value(codes[row] as usize))
}

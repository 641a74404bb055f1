//! Collects the extra statistics that a verdict needs from each evaluated pair.
//!
//! Invariants: each evaluated pair is added once; a study without a threshold collects nothing. If baselines are needed, a
//! pair is an open pair until its baselines are known.

use std::borrow::Cow;

use crate::batches::pair_batch::PairBatch;
use crate::evaluation::answer_hashes::answer_hashes;
use crate::evaluation::text_column::TextColumn;
use crate::plugins::study_fields;
use crate::seal::sealed_study::SealedStudy;
use crate::stats::aggregates::Aggregates;
use understudy_records::batch::{AnswerColumn, Answers, Names};
use understudy_statistics::scoring::{
    AnswerValue, Conditions, EvidencePair, ModelScores, OpenAnswer, OpenPair, PairLabels, ScoreRange, Window,
    cluster_hash, jackknife_group,
};
use understudy_study::{AnswerForm, Evidence, Scope};

/// A batch of evaluated pairs: those that the comparator answered. All slices but `rows` are in the order of
/// `rows`.
pub struct ScoredPairBatch<'s> {
    /// The batches that the pairs come from.
    pub sources: &'s PairBatch,
    /// The evaluated pairs, as indices into `sources`.
    pub rows: &'s [usize],
    /// The window of each pair.
    pub windows: &'s [Window],
    /// For each condition the value of each pair.
    pub conditions: &'s [Vec<u16>],
    /// For each pair whether its snapshot was blinded.
    pub blinded: &'s [bool],
    /// The comparator's answers.
    pub comparator: &'s Answers,
    /// For each model its answers.
    pub models: &'s [Cow<'s, Answers>],
    /// For each model the scores of its answers.
    pub scores: &'s [ModelScores],
}

/// Adds evaluated pairs to the evidence for the verdict.
pub struct EvidenceCollector {
    /// The index of the metric of the threshold.
    metric: usize,
    /// The range of the scores, if it is known.
    pub(super) range: Option<ScoreRange>,
    scopes: Vec<Scope>,
    /// The buffered snapshot field whose values are the clusters of pairs; `None` if each id is a cluster.
    cluster_column: Option<usize>,
    /// The condition of the threshold's cycle.
    cycle: Option<usize>,
    /// Whether the threshold requires agreement beyond chance, or its metric may be kappa, which needs the labels.
    needs_labels: bool,
    /// Whether the bounds of that agreement need the labels by jackknife group.
    needs_label_groups: bool,
    /// Whether the threshold requires a gain over baselines.
    needs_baselines: bool,
    /// Whether bounds decide, so that the gain is summed by jackknife group.
    needs_gain_groups: bool,
    calendar: Conditions,
}

impl EvidenceCollector {
    /// A collector for a study; `None` without a threshold. `buffered_fields` are the indices of the snapshot
    /// fields that the join buffers.
    pub fn new(sealed_study: &SealedStudy, buffered_fields: &[usize]) -> Option<EvidenceCollector> {
        let threshold = sealed_study.study.threshold.as_ref()?;
        let plugin = &sealed_study.metrics[threshold.metric].plugin;
        let column = |field| {
            let column = buffered_fields.iter().position(|buffered| *buffered == field);
            column.expect("the cluster field is buffered")
        };
        // The bounds of kappa need the labels, and its value may be below 0.
        let may_be_kappa = threshold.form == AnswerForm::Label
            && threshold.cluster.is_none()
            && plugin.components.len() > 1
            && plugin.range.0.is_none_or(|least| least < 0.0);
        Some(EvidenceCollector {
            metric: threshold.metric,
            range: ScoreRange::new(plugin.range),
            scopes: sealed_study.study.scopes.clone(),
            cluster_column: study_fields::cluster_field(&sealed_study.study).map(column),
            cycle: threshold.cycle.map(|cycle| cycle.condition),
            needs_labels: threshold.needs_labels() || may_be_kappa,
            needs_label_groups: threshold.needs_label_groups(),
            needs_baselines: threshold.needs_baselines(),
            needs_gain_groups: threshold.evidence != Evidence::Point,
            calendar: study_fields::conditions(&sealed_study.study),
        })
    }

    /// Adds a batch of evaluated pairs, whose metrics are those of `generation`.
    pub fn add(&mut self, batch: &ScoredPairBatch<'_>, generation: u32, aggregates: &mut Aggregates) {
        let sources = batch.sources;
        let clusters: Option<Vec<TextColumn<'_>>> = self.cluster_column.map(|index| {
            let columns = sources.snapshot_batches.iter().map(|snapshots| snapshots.fields.column(index));
            columns.map(TextColumn::new).collect()
        });
        let occurrences = self.cycle.and_then(|condition| {
            let times: Vec<i64> =
                batch.rows.iter().map(|&row| sources.snapshot_value(row, |s, r| s.times[r])).collect();
            self.calendar.occurrences(condition, &times)
        });
        let hashes: Vec<Vec<Option<u64>>> = match self.needs_baselines {
            true => batch.models.iter().map(|answers| answer_hashes(answers, 0)).collect(),
            false => Vec::new(),
        };
        let (mut scopes, mut values) = (Vec::new(), Vec::new());
        let mut labels = Vec::new();
        for (at, &row) in batch.rows.iter().enumerate() {
            study_fields::matching_scopes(
                &self.scopes,
                |condition| batch.conditions[condition][at],
                &mut scopes,
            );
            if !self.scopes.is_empty() {
                values.clear();
                values.extend(batch.conditions.iter().map(|values| values[at]));
            }
            // Pairs without a value form one cluster: that assumes the least information.
            let cluster = clusters.as_ref().map(|columns| {
                let (source, within) = sources.snapshots[row];
                columns[source].value(within).unwrap_or_default()
            });
            let substrate = if self.needs_labels {
                labels.clear();
                labels.extend(batch.models.iter().map(|answers| label(answers, at)));
                label(batch.comparator, at)
            } else {
                None
            };
            let group = jackknife_group(cluster.as_deref().unwrap_or_else(|| sources.id(row)));
            let pair = EvidencePair {
                window: batch.windows[at],
                scopes: &scopes,
                values: &values,
                group,
                cluster: cluster.as_deref().map(cluster_hash),
                blinded: batch.blinded[at],
                range: self.range,
                occurrence: self
                    .cycle
                    .zip(occurrences.as_ref())
                    .map(|(condition, occurrences)| (batch.conditions[condition][at], occurrences[at])),
                labels: substrate.map(|substrate| PairLabels {
                    substrate,
                    models: &labels,
                    group: if self.needs_label_groups { group } else { 0 },
                }),
            };
            aggregates.evidence.add(&pair, batch.scores, self.metric, at);
            if let Some(decision) = self.needs_baselines.then(|| answer_value(batch.comparator, at)).flatten()
            {
                let answer = |(model, scores): (usize, &ModelScores)| {
                    let components = scores.scores[self.metric].iter().map(|values| values[at]);
                    let hash = hashes[model][at];
                    let items = hash.map_or(0, |_| ranked_items(&batch.models[model], at));
                    let value = hash.and_then(|_| answer_value(&batch.models[model], at));
                    OpenAnswer { hash, items, value, components: components.collect() }
                };
                let (decisions, decided) = sources.decisions[row];
                aggregates.open_pairs.add(OpenPair {
                    observed_at: sources.snapshot_value(row, |s, r| s.times[r]),
                    decided_at: sources.decision_batches[decisions].times[decided],
                    id: sources.id(row).to_owned(),
                    window: batch.windows[at],
                    scopes: scopes.clone(),
                    group: if self.needs_gain_groups { group } else { 0 },
                    generation,
                    decision,
                    models: batch.scores.iter().enumerate().map(answer).collect(),
                });
            }
        }
    }
}

/// The label of a row; `None` without an answer, or if the answers are not labels.
fn label(answers: &Answers, row: usize) -> Option<&str> {
    match &answers.decisions {
        AnswerColumn::Labels { names, codes } => {
            answers.reason(row).is_none().then(|| names.value(codes[row] as usize))
        }
        AnswerColumn::Numbers(_)
        | AnswerColumn::Rankings { .. }
        | AnswerColumn::LabelSets { .. }
        | AnswerColumn::Json { .. } => None,
    }
}

/// The value of a row; `None` without an answer, and for a label.
fn answer_value(answers: &Answers, row: usize) -> Option<AnswerValue> {
    if answers.reason(row).is_some() {
        return None;
    }
    let list = |names: &Names, offsets: &[u32], codes: &[u32]| {
        let codes = &codes[offsets[row] as usize..offsets[row + 1] as usize];
        codes.iter().map(|code| names.value(*code as usize).to_owned()).collect()
    };
    Some(match &answers.decisions {
        AnswerColumn::Labels { .. } => return None,
        AnswerColumn::Numbers(numbers) => AnswerValue::Number(numbers[row]),
        AnswerColumn::Rankings { names, offsets, codes } => AnswerValue::Ranking(list(names, offsets, codes)),
        AnswerColumn::LabelSets { names, offsets, codes } => {
            AnswerValue::LabelSet(list(names, offsets, codes))
        }
        AnswerColumn::Json { texts, codes } => AnswerValue::Json(texts.value(codes[row] as usize).to_owned()),
    })
}

/// The number of items that a row ranks; 0 if the answers are not rankings.
fn ranked_items(answers: &Answers, row: usize) -> u32 {
    match &answers.decisions {
        AnswerColumn::Rankings { offsets, .. } => offsets[row + 1] - offsets[row],
        AnswerColumn::Labels { .. }
        | AnswerColumn::Numbers(_)
        | AnswerColumn::LabelSets { .. }
        | AnswerColumn::Json { .. } => 0,
    }
}

//! Scores the baselines of the pairs whose earlier decisions are known.
//!
//! Invariants:
//! - A baseline is scored by the metric of its pair's generation, in the same way as a model.
//! - A failure of the metric on a baseline leaves the pair out of the gain. It is no failure of a model's score, so it is
//!   not logged.
//! - The usage of the metric does not contain baselines: open pairs are scored whenever figures are computed.
//! - The aggregates that leave the evaluator contain the gains of all pairs so far, as if no other pair arrived.

use std::collections::{BTreeMap, BTreeSet};

use crate::evaluation::pair_evaluator::Evaluator;
use crate::stats::aggregates::Aggregates;
use understudy_records::batch::Answers;
use understudy_sandbox::Scorer;
use understudy_statistics::scoring::{
    AnswerValue, BASELINES_PER_FORM, ModelBaselines, OWN_BASELINES, PairComparison, PairScores, ScoreRange,
    SettledPair, VerdictEvidence, Window,
};
use understudy_study::Micros;

/// The scores of one baseline: for each pair the components, with the host's count of scored pairs last.
type BaselineScores = Vec<Vec<f64>>;

impl Evaluator {
    /// Scores the baselines of the open pairs whose snapshots are before `time`. All pairs of such snapshots have been
    /// evaluated.
    pub(crate) fn settle_before(&mut self, Micros(time): Micros) {
        let settled = self.aggregates.open_pairs.settle_before(time);
        let mut evidence = std::mem::take(&mut self.aggregates.evidence);
        self.score_baselines(settled, &mut evidence);
        self.aggregates.evidence = evidence;
    }

    /// The aggregates of all pairs so far. They include the gains of the open pairs.
    pub(super) fn aggregates_so_far(&mut self) -> Aggregates {
        let mut aggregates = self.aggregates.clone();
        let settled = aggregates.open_pairs.clone().settle_all();
        let windows: BTreeSet<Window> = settled.iter().map(|settled| settled.pair.window).collect();
        let gains = windows.into_iter().map(|window| {
            let known = aggregates.evidence.windows.get(&window);
            (window, known.map(|evidence| evidence.gains.clone()).unwrap_or_default())
        });
        aggregates.settled_gains = gains.collect();
        self.score_baselines(settled, &mut aggregates.evidence);
        aggregates
    }

    /// Adds the scores of models and baselines to `evidence`.
    fn score_baselines(&mut self, settled: Vec<SettledPair>, evidence: &mut VerdictEvidence) {
        let mut by_generation: BTreeMap<u32, Vec<SettledPair>> = BTreeMap::new();
        for pair in settled {
            by_generation.entry(pair.pair.generation).or_default().push(pair);
        }
        let Some(metric) = self.study.threshold.as_ref().map(|threshold| threshold.metric) else { return };
        let range = self.evidence_collector.as_ref().and_then(|collector| collector.range);
        for (generation, pairs) in by_generation {
            let version = self.versions.metrics[metric].version_at(generation);
            let scorer = self
                .baseline_scorer
                .get_or_insert_with(version.since, || version.plugin.uncounted_instance());
            add_scores(&pairs, scorer, range, evidence);
        }
    }
}

/// Scores the baselines of pairs of one generation, and adds the scores to `evidence`. `range` is that of the scores, if it is
/// known.
fn add_scores(
    pairs: &[SettledPair],
    scorer: &mut Scorer,
    range: Option<ScoreRange>,
    evidence: &mut VerdictEvidence,
) {
    let decisions = answers(pairs.iter().map(|settled| &settled.pair.decision));
    let mut columns = ScoredColumns { decisions, scorer, scored: Vec::new() };
    let models = pairs.first().map_or(0, |settled| settled.pair.models.len());
    let by_model: Vec<Vec<usize>> = (0..models)
        .map(|model| baseline_columns(pairs, model).map(|column| columns.score(column)).collect())
        .collect();
    for (row, SettledPair { pair, baselines }) in pairs.iter().enumerate() {
        let is_scored = |components: &[f64]| components.last() == Some(&1.0);
        let comparison = |model: usize| {
            let Some(baselines) = baselines else { return PairComparison::WithoutDecision };
            let (answer, own) = (&pair.models[model], &baselines[model]);
            let mut scores = by_model[model].iter().map(|column| columns.scored[*column].1[row].as_slice());
            let (first_score, earlier_first_score) = (scores.next(), scores.next());
            let baseline_scores: Vec<&[f64]> = scores.collect();
            if !is_scored(&answer.components) || !baseline_scores.iter().all(|scores| is_scored(scores)) {
                return PairComparison::Unscored;
            }
            PairComparison::Scored(PairScores {
                hash: answer.hash,
                equals_first_score: own.first.is_some() && first_score == Some(answer.components.as_slice()),
                equals_earlier_first_score: own
                    .first_in_earlier_window
                    .as_ref()
                    .map(|_| earlier_first_score == Some(answer.components.as_slice())),
                has_answered: own.has_answered,
                model: &answer.components,
                baselines: baseline_scores,
            })
        };
        let comparisons: Vec<_> = (0..pair.models.len()).map(comparison).collect();
        evidence.add_comparisons((pair.window, &pair.scopes, pair.group), &comparisons, range);
    }
}

/// The answers that are scored for one model, as columns with a row for each pair: its first answer in the window, its first
/// answer in an earlier window, and the answers of its baselines. Where there is no such answer, the column holds the
/// decision.
fn baseline_columns(pairs: &[SettledPair], model: usize) -> impl Iterator<Item = Answers> {
    let column = move |answer: fn(&ModelBaselines, usize) -> Option<&AnswerValue>, index: usize| {
        answers(pairs.iter().map(|settled| {
            let found = settled.baselines.as_ref().and_then(|models| answer(&models[model], index));
            found.unwrap_or(&settled.pair.decision)
        }))
    };
    let first =
        [column(|own, _| own.first.as_ref(), 0), column(|own, _| own.first_in_earlier_window.as_ref(), 0)];
    let all = (0..BASELINES_PER_FORM).map(move |index| column(|own, index| Some(&own.all[index]), index));
    let answered = (0..BASELINES_PER_FORM)
        .map(move |index| column(|own, index| Some(&own.from_answered()[index]), index));
    let own = (0..OWN_BASELINES).map(move |index| column(|own, index| Some(&own.own[index]), index));
    first.into_iter().chain(all).chain(answered).chain(own)
}

/// Scores columns of answers against the decisions. Equal columns are scored once: the baselines of numbers are the
/// same for all models, and a model that answers every pair has the same baselines twice.
struct ScoredColumns<'s> {
    decisions: Answers,
    scorer: &'s mut Scorer,
    /// The columns so far, with the scores of their rows.
    scored: Vec<(Answers, BaselineScores)>,
}

impl ScoredColumns<'_> {
    /// Scores a column, unless an equal one has scores already, and returns its index in `scored`.
    fn score(&mut self, column: Answers) -> usize {
        if let Some(index) = self.scored.iter().position(|(scored, _)| *scored == column) {
            return index;
        }
        let scores = scores(self.scorer, &column, &self.decisions);
        self.scored.push((column, scores));
        self.scored.len() - 1
    }
}

/// The values as a column of answers. All of them have the same form.
fn answers<'v>(values: impl Iterator<Item = &'v AnswerValue> + Clone) -> Answers {
    let number = |value: &AnswerValue| match value {
        AnswerValue::Number(number) => *number,
        _ => f64::NAN,
    };
    let list = |value: &AnswerValue| match value {
        AnswerValue::Ranking(items) | AnswerValue::LabelSet(items) => items.clone(),
        _ => Vec::new(),
    };
    let text = |value: &'v AnswerValue| match value {
        AnswerValue::Json(text) => text.as_str(),
        _ => "null",
    };
    match values.clone().next() {
        None | Some(AnswerValue::Number(_)) => Answers::from_numbers(values.map(number).collect()),
        Some(AnswerValue::Ranking(_)) => Answers::from_rankings(&values.map(list).collect::<Vec<_>>()),
        Some(AnswerValue::LabelSet(_)) => Answers::from_label_sets(&values.map(list).collect::<Vec<_>>()),
        Some(AnswerValue::Json(_)) => Answers::from_json(values.map(text)),
    }
}

/// The scores of a baseline, for each pair.
fn scores(scorer: &mut Scorer, baseline: &Answers, comparator: &Answers) -> BaselineScores {
    let scored = scorer.score(baseline, comparator);
    let mut rows: BaselineScores = (0..baseline.rows())
        .map(|row| scored.components.iter().map(|values| values[row]).chain([1.0]).collect())
        .collect();
    for (row, _) in &scored.broken {
        if let Some(is_scored) = rows[*row as usize].last_mut() {
            *is_scored = 0.0;
        }
    }
    rows
}

//! Scores the baselines of the pairs whose earlier decisions are known.
//!
//! Invariants:
//! - A baseline is scored by the metric of its pair's generation, in the same way as a model.
//! - A failure of the metric on a baseline leaves the pair out of the gain. It is no failure of a model's score, so it is
//!   not logged.
//! - The aggregates that leave the evaluator contain the gains of all pairs so far, as if no other pair arrived.

use std::collections::{BTreeMap, BTreeSet};

use crate::evaluation::pair_evaluator::Evaluator;
use crate::stats::aggregates::Aggregates;
use understudy_records::batch::Answers;
use understudy_sandbox::Scorer;
use understudy_statistics::scoring::{
    BaselineAnswers, DecidedValue, PairScores, SettledPair, VerdictEvidence, Window,
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

    /// Adds the scores of models and baselines to `evidence`. Pairs without an earlier decision are left out.
    fn score_baselines(&mut self, settled: Vec<SettledPair>, evidence: &mut VerdictEvidence) {
        let mut by_generation: BTreeMap<u32, Vec<SettledPair>> = BTreeMap::new();
        for pair in settled.into_iter().filter(|settled| settled.baselines.is_some()) {
            by_generation.entry(pair.pair.generation).or_default().push(pair);
        }
        let Some(metric) = self.study.threshold.as_ref().map(|threshold| threshold.metric) else { return };
        for (generation, pairs) in by_generation {
            let version = self.versions.metrics[metric].version_at(generation);
            let scorer = self.metrics[metric].get_or_insert_with(version.since, || version.plugin.instance());
            add_scores(&pairs, scorer, evidence);
        }
    }
}

/// Scores the baselines of pairs of one generation, and adds the scores to `evidence`.
fn add_scores(pairs: &[SettledPair], scorer: &mut Scorer, evidence: &mut VerdictEvidence) {
    let comparator = decisions(pairs);
    let mut score = |baseline: &Answers| scores(scorer, baseline, &comparator);
    let models = pairs.first().map_or(0, |settled| settled.pair.models.len());
    let numbers = |index: usize| -> Option<Vec<f64>> {
        let number = |settled: &SettledPair| match &settled.baselines {
            Some(BaselineAnswers::Numbers(numbers)) => Some(numbers[index]),
            _ => None,
        };
        pairs.iter().map(number).collect()
    };
    let items = |model: usize| -> Vec<Vec<String>> {
        let list = |settled: &SettledPair| match &settled.baselines {
            Some(BaselineAnswers::Items(lists)) => lists[model].clone(),
            _ => Vec::new(),
        };
        pairs.iter().map(list).collect()
    };
    // Numbers have the same baselines for all models; the length of a list depends on the model.
    let by_model: Vec<Vec<BaselineScores>> = match numbers(0).zip(numbers(1)) {
        Some((means, last)) => vec![[means, last].map(|values| score(&Answers::from_numbers(values))).into()],
        None => (0..models).map(|model| vec![score(&Answers::from_rankings(&items(model)))]).collect(),
    };
    for (row, SettledPair { pair, .. }) in pairs.iter().enumerate() {
        let scores = pair.models.iter().enumerate().map(|(model, answer)| {
            let own = by_model.get(model).or(by_model.first())?;
            let baselines: Vec<&[f64]> = own.iter().map(|rows| rows[row].as_slice()).collect();
            let is_scored = |components: &[f64]| components.last() == Some(&1.0);
            (is_scored(&answer.components) && baselines.iter().all(|baseline| is_scored(baseline)))
                .then_some(PairScores { hash: answer.hash, model: &answer.components, baselines })
        });
        let scores: Vec<_> = scores.collect();
        evidence.add_gains((pair.window, &pair.scopes, pair.group), &scores);
    }
}

/// The comparator's answers to the pairs.
fn decisions(pairs: &[SettledPair]) -> Answers {
    let number = |settled: &SettledPair| match &settled.pair.decision {
        DecidedValue::Number(number) => Some(*number),
        DecidedValue::Ranking(_) => None,
    };
    let ranking = |settled: &SettledPair| match &settled.pair.decision {
        DecidedValue::Number(_) => Vec::new(),
        DecidedValue::Ranking(items) => items.clone(),
    };
    match pairs.iter().map(number).collect() {
        Some(numbers) => Answers::from_numbers(numbers),
        None => Answers::from_rankings(&pairs.iter().map(ranking).collect::<Vec<_>>()),
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

//! Evaluates the pairs that have more than one decision against both ends of the order of their decisions.
//!
//! Invariants: the decision that counts and the other one are scored by the same versions of the plugins, over the same
//! pairs.

use std::collections::BTreeSet;

use crate::batches::pair_batch::PairBatch;
use crate::evaluation::pair_evaluator::Evaluator;
use crate::evaluation::projection::PairProjection;
use understudy_records::batch::Answers;
use understudy_statistics::scoring::{ModelScores, RevisedPairs, Window};

impl Evaluator {
    /// Evaluates the pairs that have more than one decision against the other decision, and adds both results to the
    /// aggregates. `answers` are the comparator's to the decisions that count, `answered` the pairs with such an
    /// answer, and `scores` the scores of those pairs. Returns the comparator's answers to the other decisions.
    pub(super) fn evaluate_revisions(
        &mut self,
        generation: u32,
        sources: &PairBatch,
        (answers, answered): (&Answers, &[usize]),
        model_answers: &[Answers],
        scores: &[ModelScores],
    ) -> Option<Answers> {
        let revised = &sources.revised;
        if revised.is_empty() {
            return None;
        }
        let rows: Vec<usize> = revised.iter().map(|pair| pair.row).collect();
        let others = self.answers_to_revised(generation, sources, &rows);
        let gather = |answers: &Answers, rows: &[usize]| {
            let picks: Vec<(usize, usize)> = rows.iter().map(|row| (0, *row)).collect();
            Answers::gather(&[answers], &picks)
        };
        let differs: BTreeSet<usize> = others.differing_values(&gather(answers, &rows)).into_iter().collect();
        let is_known = |at: &usize| answers.reason(rows[*at]).is_none() && others.reason(*at).is_none();
        let known: Vec<usize> = (0..rows.len()).filter(is_known).collect();
        let known_rows: Vec<usize> = known.iter().map(|at| rows[*at]).collect();
        let comparator = gather(&others, &known);
        let other_scores: Vec<ModelScores> = match known.is_empty() {
            true => Vec::new(),
            false => {
                let score = |model| {
                    self.score(generation, &gather(model, &known_rows), sources, &known_rows, &comparator).0
                };
                model_answers.iter().map(score).collect()
            }
        };
        // Where the known pairs are among the answered ones, which the scores are of.
        let places: Vec<usize> =
            known_rows.iter().filter_map(|row| answered.binary_search(row).ok()).collect();
        let counting: Vec<ModelScores> = scores.iter().map(|scores| scores.gather(&places)).collect();
        let mut changed = vec![None; rows.len()];
        known.iter().for_each(|at| changed[*at] = Some(differs.contains(at)));
        let windows: Vec<Window> =
            rows.iter().map(|&row| sources.snapshot_value(row, |s, r| s.windows[r])).collect();
        let values = |condition: usize| {
            rows.iter().map(|&row| sources.snapshot_value(row, |s, r| s.conditions[condition][r])).collect()
        };
        let conditions: Vec<Vec<u16>> = (0..self.study.conditions.len()).map(values).collect();
        let decisions: Vec<u32> = revised.iter().map(|pair| pair.count).collect();
        let pairs = RevisedPairs {
            windows: &windows,
            conditions: &conditions,
            decisions: &decisions,
            changed: &changed,
        };
        self.aggregates
            .revisions
            .add(pairs, &counting, &other_scores)
            .expect("the sums have the study's shape");
        Some(others)
    }

    /// The comparator's answers to the other decisions of the pairs `rows`, which have more than one.
    fn answers_to_revised(&mut self, generation: u32, sources: &PairBatch, rows: &[usize]) -> Answers {
        let version = self.versions.comparator.version_at(generation);
        let (decider, projection) = self.comparator.get_or_insert_with(version.since, || {
            let projection = PairProjection::new(&self.study, &self.buffered_fields, &version.plugin.reads);
            (version.plugin.instance(), projection)
        });
        let snapshots: Vec<_> = rows.iter().map(|&row| sources.snapshots[row]).collect();
        let decisions: Vec<_> = sources.revised.iter().map(|pair| pair.decision).collect();
        let decided = decider.decide(&projection.project_pairs(sources, &snapshots, &decisions));
        version.failure_counter.count(rows.len(), decided.answers.failed());
        for (at, reason) in &decided.broken {
            let (row, name) = (rows[*at as usize], &self.versions.comparator.name);
            self.aggregates.failures.add(name, reason, sources.sequence(row), sources.id(row));
        }
        decided.answers
    }
}

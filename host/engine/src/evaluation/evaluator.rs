//! The thread that compares: pairs in, scores summed into cells.
//!
//! Always holds: a pair is compared once; a pair in which the comparator has no answer is counted and enters no figure;
//! a pair that a metric breaks on is counted and leaves that metric's figure.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::batches::pair_batch::Sources;
use crate::evaluation::divergence_stats::DivergenceCollector;
use crate::evaluation::model_answers::AnswerResolver;
use crate::evaluation::projection::PairProjection;
use crate::evaluation::recent_pairs::{RecentPairs, PairSample};
use crate::evaluation::verdict_stats::{ScoredPairBatch, EvidenceCollector};
use crate::batches::messages::Met;
use crate::log_schema::schema;
use crate::plugins::instance_cache::Seat;
use crate::plugins::load::Prepared;
use crate::plugins::plugin_versions::{PluginVersions, Part, Turn};
use crate::stats::checkpoint::Saved;
use crate::stats::latency::Times;
use crate::stats::failures::Incidents;
use crate::stats::interim_schedule::{Look, Looked};
use crate::stats::run_result::Comparison;
use understudy_records::batch::{Answers, Reason};
use understudy_run_log::checkpoint::{self, CheckpointError};
use understudy_run_log::{LogWriter, Table};
use understudy_sandbox::{Decider, DeciderPlugin, Scorer, ScorerPlugin};
use understudy_statistics::scoring::{
    Cells, VerdictEvidence, ModelScores, AnswerStatus, SliceSums, ScoredPairs, CellsShape, DistributionsBySlice, Window,
};
use understudy_study::{Form, PerStream, StreamKind, Study};

/// Pairs that are compared in one call, if as many wait.
const MAX_BATCH_PAIRS: usize = 4096;

/// What there is to do.
pub enum EvaluatorMessage {
    /// Pairs to compare and to log.
    Pairs(Vec<Met>),
    /// Pairs to compare that the log has already.
    Logged(Vec<Met>),
    /// The pairs of a group end here: the checkpoint of this moment, which lacks what has been judged.
    Cut(Box<Saved>),
    /// It is time for a look, which lacks what has been judged.
    Look(Box<Looked>),
    /// From these sequence numbers of each stream on a part has another plugin.
    Exchange(PerStream<u64>, Box<EvaluatorSwap>),
    /// Somebody wants the latest pairs, to try a plugin on them.
    RecentPairs(oneshot::Sender<Option<PairSample>>),
    /// Somebody is to be shown where the run stands; this lacks what has been judged.
    Peek(Box<Saved>, oneshot::Sender<Saved>),
}

/// A part that is given to another plugin, with an instance that is ready.
pub enum EvaluatorSwap {
    /// A model, by its index.
    Model(usize, Turn<DeciderPlugin>),
    /// The comparator.
    Comparator(Turn<DeciderPlugin>, Decider),
    /// A metric, by its index.
    Metric(usize, Turn<ScorerPlugin>, Scorer),
}

/// Compares pairs.
pub struct Evaluator {
    cast: PluginVersions,
    /// The comparator's instances, and what they read.
    comparator: Seat<(Decider, PairProjection)>,
    metrics: Vec<Seat<Scorer>>,
    given: AnswerResolver,
    study: Study,
    held: PerStream<Vec<usize>>,
    recent: Option<RecentPairs>,
    conditions: usize,
    witness: Option<EvidenceCollector>,
    searcher: DivergenceCollector,
    judged: Judged,
}

impl Evaluator {
    /// A judge with fresh instances of the study's plugins, that goes on from what has been judged. `held` are the places of
    /// the declared fields that are held of each side; those that are [`buffered_fields`](crate::needed) are among them.
    pub fn new(prepared: &Prepared, held: &PerStream<Vec<usize>>, judged: Judged) -> Evaluator {
        let (cast, study) = (prepared.cast.clone(), prepared.study.clone());
        let recent = study.is_live().then(|| RecentPairs::new(study.swaps.last));
        Evaluator {
            comparator: Seat::default(),
            metrics: cast.metrics.iter().map(|_| Seat::default()).collect(),
            given: AnswerResolver::new(prepared, held),
            cast,
            study,
            held: held.clone(),
            recent,
            conditions: prepared.study.conditions.len(),
            witness: EvidenceCollector::new(prepared, &held.snapshots),
            searcher: DivergenceCollector::new(prepared),
            judged,
        }
    }

    /// Does whatever there is to do until nothing more can come. New pairs go to the log, as rows of `table`; `look` is told of
    /// looks.
    ///
    /// # Errors
    /// When a checkpoint cannot be written as bytes.
    pub fn work(
        mut self,
        work: &Receiver<EvaluatorMessage>,
        log: &LogWriter,
        mut table: schema::Pairs,
        mut look: Option<Look>,
    ) -> Result<Judged, CheckpointError> {
        let mut next = work.recv().ok();
        while let Some(now) = next.take() {
            match now {
                EvaluatorMessage::NewPairs(mut pairs) => {
                    while pairs.len() < MAX_BATCH_PAIRS && next.is_none() {
                        match work.try_recv() {
                            Ok(EvaluatorMessage::NewPairs(more)) => pairs.extend(more),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    for compared in self.judge(pairs) {
                        // That the log has failed is known to its writer.
                        log.append(vec![(Table::Pairs, table.batch(&compared))]);
                    }
                }
                EvaluatorMessage::ReplayedPairs(pairs) => drop(self.judge(pairs)),
                EvaluatorMessage::Swap(from, exchange) => self.exchange(from, *exchange),
                // Who asked may not wait any more.
                EvaluatorMessage::SampleRecentPairs(shown) => drop(shown.send(self.recent.as_ref().and_then(RecentPairs::latest))),
                EvaluatorMessage::RotateGroup(mut saved) => {
                    saved.judged = Some(self.judged.clone());
                    log.cut_pairs(checkpoint::encode(&*saved)?);
                }
                EvaluatorMessage::SnapshotAggregates(mut saved, shown) => {
                    saved.judged = Some(self.judged.clone());
                    // Who asked may not wait any more.
                    let _ = shown.send(*saved);
                }
                EvaluatorMessage::InterimReport(mut looked) => {
                    if let Some(look) = &mut look {
                        looked.saved.judged = Some(self.judged.clone());
                        look(*looked);
                    }
                }
            }
            next = next.or_else(|| work.recv().ok());
        }
        Ok(self.judged)
    }

    /// A part is given to another plugin from these sequence numbers on.
    fn exchange(&mut self, from: PerStream<u64>, exchange: EvaluatorSwap) {
        let generation = self.cast.begin(from);
        match exchange {
            EvaluatorSwap::Model(index, turn) => self.cast.models[index].give(turn),
            EvaluatorSwap::Comparator(turn, decider) => {
                let reads = PairProjection::new(&self.study, &self.held, &turn.plugin.reads);
                self.cast.comparator.give(turn);
                self.comparator.take(generation, (decider, reads));
            }
            EvaluatorSwap::Metric(index, turn, scorer) => {
                self.cast.metrics[index].give(turn);
                self.metrics[index].take(generation, scorer);
            }
        }
    }

    /// Compares pairs, scores them, and adds them to the sums: those of one generation together.
    pub fn judge(&mut self, pairs: Vec<Met>) -> Vec<Compared> {
        let generations = |met: &Met| {
            let [snapshot, decision] = met.sequences();
            let of_snapshot = self.cast.of(StreamKind::Snapshots, snapshot);
            (of_snapshot.max(self.cast.of(StreamKind::Decisions, decision)), of_snapshot)
        };
        let Some(first) = pairs.first().map(generations) else { return Vec::new() };
        if pairs.iter().all(|met| generations(met) == first) {
            return vec![self.compare(&pairs, first)];
        }
        let mut by_generation: BTreeMap<_, Vec<Met>> = BTreeMap::new();
        for met in pairs {
            by_generation.entry(generations(&met)).or_default().push(met);
        }
        by_generation.into_iter().map(|(of, pairs)| self.compare(&pairs, of)).collect()
    }

    /// Compares pairs of one generation, whose snapshots are all of one too.
    fn compare(&mut self, pairs: &[Met], (generation, of_snapshots): (u32, u32)) -> Compared {
        let sources = Sources::of(pairs);
        let turn = self.cast.comparator.at(generation);
        let (decider, reads) = self.comparator.at(turn.since, || {
            (turn.plugin.instance(), PairProjection::new(&self.study, &self.held, &turn.plugin.reads))
        });
        let compared = decider.decide(&reads.batch(&sources, &sources.snapshots, &sources.decisions));
        turn.watch.count(pairs.len(), compared.answers.failed());
        for (row, why) in &compared.broken {
            let row = *row as usize;
            let name = &self.cast.comparator.name;
            self.judged.incidents.add(name, why, sources.sequence(row), sources.id(row));
        }
        self.time(pairs);
        let (given, blinded) =
            self.given.answers(&self.cast, of_snapshots, &sources, &mut self.judged.incidents);
        if let Some(recent) = &mut self.recent {
            recent.add(&sources, &given, &compared.answers);
        }

        let answers = compared.answers;
        let answered: Vec<usize> = (0..pairs.len()).filter(|row| answers.reason(*row).is_none()).collect();
        self.judged.comparison.compared += answered.len() as u64;
        self.judged.comparison.incomparable += (pairs.len() - answered.len()) as u64;
        if answered.is_empty() {
            let models = Vec::new();
            return Compared { generation, sources, answers, blinded, given, answered, models };
        }
        let picks: Vec<_> = answered.iter().map(|&row| (0, row)).collect();
        let comparable = |answers| match answered.len() == pairs.len() {
            true => Cow::Borrowed(answers),
            false => Cow::Owned(Answers::gather(&[answers], &picks)),
        };
        let comparator = comparable(&answers);
        let said: Vec<Cow<'_, Answers>> = given.iter().map(comparable).collect();
        let models = said.iter().map(|said| self.score(generation, said, &sources, &answered, &comparator));
        let models: Vec<ModelScores> = models.collect();
        let windows: Vec<Window> =
            answered.iter().map(|&row| sources.shown(row, |s, r| s.windows[r])).collect();
        let values = |condition: usize| {
            answered.iter().map(|&row| sources.shown(row, |s, r| s.conditions[condition][r])).collect()
        };
        let conditions: Vec<Vec<u16>> = (0..self.conditions).map(values).collect();
        self.judged
            .cells
            .add(ScoredPairs { windows: &windows, conditions: &conditions, models: &models })
            .expect("the cells have the study's shape");
        let seen = ScoredPairBatch {
            sources: &sources,
            answered: &answered,
            windows: &windows,
            conditions: &conditions,
            comparator: &comparator,
            given: &said,
            models: &models,
        };
        if let Some(witness) = &mut self.witness {
            witness.add(&seen, &mut self.judged.evidence);
        }
        self.searcher.add(&seen, &mut self.judged.profiles, &mut self.judged.spreads);
        drop((comparator, said));
        Compared { generation, sources, answers, blinded, given, answered, models }
    }

    /// What all that was compared comes to.
    pub fn judged(self) -> Judged {
        self.judged
    }

    fn score(
        &mut self,
        generation: u32,
        given: &Answers,
        sources: &Sources,
        rows: &[usize],
        comparator: &Answers,
    ) -> ModelScores {
        let mut statuses = vec![AnswerStatus::Answered; rows.len()];
        for (row, reason) in &given.unanswered {
            statuses[*row as usize] = match reason {
                Reason::Abstained(_) => AnswerStatus::Abstained,
                Reason::Failed(_) | Reason::Broke(_) => AnswerStatus::Failed,
                Reason::Blinded => unreachable!("a blinded snapshot is asked about before it is scored"),
            };
        }
        let incidents = &mut self.judged.incidents;
        let score = |(part, seat): (&Part<ScorerPlugin>, &mut Seat<Scorer>)| {
            let turn = part.at(generation);
            let mut scored = seat.at(turn.since, || turn.plugin.instance()).score(given, comparator);
            turn.watch.count(rows.len(), scored.broken.len());
            // The last component is the host's own: how many pairs the metric could score.
            let mut counted = vec![1.0; rows.len()];
            for (row, why) in &scored.broken {
                counted[*row as usize] = 0.0;
                let row = rows[*row as usize];
                incidents.add(&part.name, why, sources.sequence(row), sources.id(row));
            }
            scored.components.push(counted);
            scored.components
        };
        let scores = self.cast.metrics.iter().zip(&mut self.metrics).map(score).collect();
        ModelScores { statuses, scores }
    }

    fn time(&mut self, pairs: &[Met]) {
        for Met { snapshot: (shown, s), decision: (taken, d) } in pairs {
            match taken.times[*d as usize] - shown.times[*s as usize] {
                micros @ 0.. => self.judged.substrate.record(micros as u64 * 1000),
                _ => self.judged.before += 1,
            }
        }
    }
}

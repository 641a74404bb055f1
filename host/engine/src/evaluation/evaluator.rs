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
use crate::evaluation::divergence_stats::Searcher;
use crate::evaluation::model_answers::Given;
use crate::evaluation::projection::PairReads;
use crate::evaluation::recent_pairs::{Recent, Sample};
use crate::evaluation::verdict_stats::{Seen, Witness};
use crate::inference::worker_pool::Met;
use crate::log_schema::schema;
use crate::plugins::instance_cache::Seat;
use crate::plugins::load::Prepared;
use crate::plugins::plugin_versions::{PluginVersions, Part, Turn};
use crate::stats::checkpoint::Saved;
use crate::stats::counters::Times;
use crate::stats::failures::Incidents;
use crate::stats::interim_schedule::{Look, Looked};
use crate::stats::run_result::Comparison;
use understudy_records::batch::{Answers, Reason, Side};
use understudy_run_log::checkpoint::{self, CheckpointError};
use understudy_run_log::{LogWriter, Table};
use understudy_sandbox::{Decider, DeciderPlugin, Scorer, ScorerPlugin};
use understudy_statistics::scoring::{
    Cells, Evidence, ModelScores, Outcome, Profiles, ScoredPairs, Shape, Spreads, Window,
};
use understudy_study::{Form, Study};

/// Pairs that are compared in one call, if as many wait.
const GATHER: usize = 4096;

/// What there is to do.
pub enum Work {
    /// Pairs to compare and to log.
    Pairs(Vec<Met>),
    /// Pairs to compare that the log has already.
    Logged(Vec<Met>),
    /// The pairs of a group end here: the checkpoint of this moment, which lacks what has been judged.
    Cut(Box<Saved>),
    /// It is time for a look, which lacks what has been judged.
    Look(Box<Looked>),
    /// From these sequence numbers of each stream on a part has another plugin.
    Exchange([u64; 2], Box<JudgeExchange>),
    /// Somebody wants the latest pairs, to try a plugin on them.
    Recent(oneshot::Sender<Option<Sample>>),
    /// Somebody is to be shown where the run stands; this lacks what has been judged.
    Peek(Box<Saved>, oneshot::Sender<Saved>),
}

/// A part that is given to another plugin, with an instance that is ready.
pub enum JudgeExchange {
    /// A model, by its index.
    Model(usize, Turn<DeciderPlugin>),
    /// The comparator.
    Comparator(Turn<DeciderPlugin>, Decider),
    /// A metric, by its index.
    Metric(usize, Turn<ScorerPlugin>, Scorer),
}

/// What the comparing came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Judged {
    /// The sums.
    pub cells: Cells,
    /// How many pairs could be compared.
    pub comparison: Comparison,
    /// Nanoseconds from snapshot to decision.
    pub substrate: Times,
    /// Decisions dated before their snapshot.
    pub before: u64,
    /// What broke.
    pub incidents: Incidents,
    /// What a verdict needs besides, where a threshold is declared.
    pub evidence: Evidence,
    /// What it takes to say where they part.
    pub profiles: Profiles,
    /// How answers lie to each other.
    pub spreads: Spreads,
}

/// Compares pairs.
pub struct Judge {
    cast: PluginVersions,
    /// The comparator's instances, and what they read.
    comparator: Seat<(Decider, PairReads)>,
    metrics: Vec<Seat<Scorer>>,
    given: Given,
    study: Study,
    held: [Vec<usize>; 2],
    recent: Option<Recent>,
    conditions: usize,
    witness: Option<Witness>,
    searcher: Searcher,
    judged: Judged,
}

/// Pairs that have been compared.
pub struct Compared {
    /// The generation of all of them.
    pub generation: u32,
    /// Where they come from.
    pub sources: Sources,
    /// What the comparator answered to each.
    pub answers: Answers,
    /// The pairs whose snapshot was blinded, ascending.
    pub blinded: Vec<usize>,
    /// For each model what it answered to each, blinded ones too.
    pub given: Vec<Answers>,
    /// The pairs that the comparator answered, ascending.
    pub answered: Vec<usize>,
    /// For each model what its answers to those were scored.
    pub models: Vec<ModelScores>,
}

impl Judge {
    /// A judge with fresh instances of the study's plugins, that goes on from what has been judged. `held` are the places of
    /// the declared fields that are held of each side; those that are [`needed`](crate::needed) are among them.
    pub fn new(prepared: &Prepared, held: &[Vec<usize>; 2], judged: Judged) -> Judge {
        let (cast, study) = (prepared.cast.clone(), prepared.study.clone());
        let recent = study.is_live().then(|| Recent::new(study.swaps.last));
        Judge {
            comparator: Seat::default(),
            metrics: cast.metrics.iter().map(|_| Seat::default()).collect(),
            given: Given::new(prepared, held),
            cast,
            study,
            held: held.clone(),
            recent,
            conditions: prepared.study.conditions.len(),
            witness: Witness::new(prepared, &held[Side::Snapshot as usize]),
            searcher: Searcher::new(prepared),
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
        work: &Receiver<Work>,
        log: &LogWriter,
        mut table: schema::Pairs,
        mut look: Option<Look>,
    ) -> Result<Judged, CheckpointError> {
        let mut next = work.recv().ok();
        while let Some(now) = next.take() {
            match now {
                Work::Pairs(mut pairs) => {
                    while pairs.len() < GATHER && next.is_none() {
                        match work.try_recv() {
                            Ok(Work::Pairs(more)) => pairs.extend(more),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    for compared in self.judge(pairs) {
                        // That the log has failed is known to its writer.
                        log.append(vec![(Table::Pairs, table.batch(&compared))]);
                    }
                }
                Work::Logged(pairs) => drop(self.judge(pairs)),
                Work::Exchange(from, exchange) => self.exchange(from, *exchange),
                // Who asked may not wait any more.
                Work::Recent(shown) => drop(shown.send(self.recent.as_ref().and_then(Recent::latest))),
                Work::Cut(mut saved) => {
                    saved.judged = Some(self.judged.clone());
                    log.cut_pairs(checkpoint::encode(&*saved)?);
                }
                Work::Peek(mut saved, shown) => {
                    saved.judged = Some(self.judged.clone());
                    // Who asked may not wait any more.
                    let _ = shown.send(*saved);
                }
                Work::Look(mut looked) => {
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
    fn exchange(&mut self, from: [u64; 2], exchange: JudgeExchange) {
        let generation = self.cast.begin(from);
        match exchange {
            JudgeExchange::Model(index, turn) => self.cast.models[index].give(turn),
            JudgeExchange::Comparator(turn, decider) => {
                let reads = PairReads::new(&self.study, &self.held, &turn.plugin.reads);
                self.cast.comparator.give(turn);
                self.comparator.take(generation, (decider, reads));
            }
            JudgeExchange::Metric(index, turn, scorer) => {
                self.cast.metrics[index].give(turn);
                self.metrics[index].take(generation, scorer);
            }
        }
    }

    /// Compares pairs, scores them, and adds them to the sums: those of one generation together.
    pub fn judge(&mut self, pairs: Vec<Met>) -> Vec<Compared> {
        let generations = |met: &Met| {
            let [snapshot, decision] = met.sequences();
            let of_snapshot = self.cast.of(Side::Snapshot, snapshot);
            (of_snapshot.max(self.cast.of(Side::Decision, decision)), of_snapshot)
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
            (turn.plugin.instance(), PairReads::new(&self.study, &self.held, &turn.plugin.reads))
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
        let seen = Seen {
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
        let mut outcomes = vec![Outcome::Answered; rows.len()];
        for (row, reason) in &given.unanswered {
            outcomes[*row as usize] = match reason {
                Reason::Abstained(_) => Outcome::Abstained,
                Reason::Failed(_) | Reason::Broke(_) => Outcome::Failed,
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
        ModelScores { outcomes, scores }
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

impl Judged {
    /// Nothing yet of a study.
    pub fn new(prepared: &Prepared) -> Judged {
        let sizes = schema::conditions(&prepared.study).sizes();
        let forms: Vec<Form> = prepared.models.iter().map(|model| model.plugin.form).collect();
        Judged {
            spreads: Spreads::new(&forms, &sizes),
            cells: Cells::new(shape(prepared, sizes)),
            comparison: Comparison::default(),
            substrate: Times::default(),
            before: 0,
            incidents: Incidents::default(),
            evidence: Evidence::default(),
            profiles: Profiles::default(),
        }
    }
}

/// The cells of a study: each metric has one component more than it says, the host's count of scored pairs.
fn shape(prepared: &Prepared, conditions: Vec<usize>) -> Shape {
    Shape {
        conditions,
        models: prepared.models.len(),
        components: prepared.metrics.iter().map(|m| m.plugin.components.len() + 1).collect(),
    }
}

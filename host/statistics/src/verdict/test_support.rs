//! Studies with known pairs and their verdicts, for the tests of this module.

use std::sync::LazyLock;

use jiff::Timestamp;

use super::*;
use crate::hash::splitmix64;
use crate::scoring::{
    AnswerStatus, Cells, CellsShape, Conditions, EvidencePair, InputClassPair, InputCounts, ModelScores,
    PairLabels, RecordCounts, RevisionSums, ScoreRange, ScoredPairs, SelfAgreementSums, VerdictEvidence,
    Window, WindowClock, cluster_hash, jackknife_group,
};
use understudy_records::join::Account;
use understudy_study::{
    AnswerForm, InterferenceKind, Micros, PerStream, Revisions, Shares, Source, Study, Threshold,
    TrainingPeriod, parse,
};

pub(super) const STUDY: &str = r#"study = "yard"
time-zone = "UTC"
[inputs]
id = "id"
time = "at"
[inputs.fields]
kind = "text"
[decisions]
id = "id"
time = "at"
horizon = "1d"
[sources]
snapshots = { file = "s.jsonl" }
decisions = { file = "d.jsonl" }
[[models]]
name = "m"
plugin = "m.wasm"
[comparator]
name = "c"
plugin = "c.wasm"
[[metrics]]
name = "agreement"
plugin = "a.wasm"
[[conditions]]
name = "kind"
field = "kind"
values = ["x", "y"]
[[conditions]]
name = "day"
calendar = "day-of-week"
[windows]
every = "week"
[[scopes]]
name = "only-x"
where = { kind = "x" }
[threshold]
"#;

/// Every form of answers.
pub(super) const ANSWER_FORMS: [AnswerForm; 5] =
    [AnswerForm::Label, AnswerForm::Number, AnswerForm::Ranking, AnswerForm::LabelSet, AnswerForm::Json];

/// The study, and its threshold over three windows, each by its bound.
pub(super) fn study_with_bound() -> (Study, Threshold) {
    let mut study = parse(&format!("{STUDY}{}\n", bound(&every(3)))).unwrap();
    let threshold = study.threshold.take().unwrap();
    (study, threshold)
}

/// 2026-04-13 was a Monday.
pub(super) static MONDAY: LazyLock<i64> =
    LazyLock::new(|| "2026-04-13T00:00:00Z".parse::<Timestamp>().unwrap().as_microsecond());
pub(super) const DAY: i64 = 86_400_000_000;

/// The records of a study: pairs by week, and what else happened.
#[derive(Clone)]
pub(super) struct SimulatedStudy {
    pub(super) threshold: String,
    /// The period of the model's training data, in days from the first Monday.
    pub(super) training_days: Option<(i64, i64)>,
    /// For each week, hits and pairs. Every other pair, from the first on, has the value `x`.
    pub(super) weeks: Vec<(u64, u64)>,
    /// Snapshots of each week without a pair.
    pub(super) unmatched: u64,
    pub(super) rejected: u64,
    /// The accounts; by default 1,000 records of each stream, of which `rejected` are rejected.
    pub(super) accounting: Option<Accounting>,
    /// The counts of records by window, of which the verdict reads only the excluded ones and their share.
    pub(super) records: RecordCounts,
    pub(super) unanswered: u64,
    pub(super) shed: u64,
    pub(super) source_failure: Option<&'static str>,
    pub(super) closed: bool,
    /// Whether decisions come over HTTP, so that somebody ends the run.
    pub(super) served: bool,
    pub(super) blinded_hits: Option<(u64, u64)>,
    /// The number of pairs of each week that are in one cluster. Each other pair is a cluster of its own.
    pub(super) one_cluster: u64,
    pub(super) interferences: Vec<InterferenceEvent>,
    pub(super) cut_off: bool,
    /// How much the latest snapshot is before the end of the lateness after the last week, in µs.
    pub(super) before_lateness: i64,
    /// The time (µs) after the last week of the latest decision.
    pub(super) latest_decision: Option<i64>,
    /// Which of several decisions on a snapshot counts.
    pub(super) revisions: Revisions,
    /// Whether every third answer of the substrate is `b`. Otherwise all are `a`.
    pub(super) mixed_labels: bool,
    pub(super) range: (Option<f64>, Option<f64>),
    /// The score of a pair that is not a hit, and that of a hit.
    pub(super) scores: [f64; 2],
    /// The metric's value over a number of pairs with a sum of scores.
    pub(super) reduce: fn(u64, f64) -> Option<f64>,
}

impl SimulatedStudy {
    pub(super) fn new(threshold: &str, weeks: &[(u64, u64)]) -> SimulatedStudy {
        SimulatedStudy {
            threshold: threshold.to_owned(),
            training_days: None,
            weeks: weeks.to_vec(),
            unmatched: 0,
            rejected: 0,
            accounting: None,
            records: RecordCounts::default(),
            unanswered: 0,
            shed: 0,
            source_failure: None,
            closed: true,
            served: false,
            blinded_hits: None,
            one_cluster: 0,
            interferences: Vec::new(),
            cut_off: false,
            before_lateness: 0,
            latest_decision: Some(3 * DAY),
            revisions: Revisions::Refuse,
            mixed_labels: false,
            range: (Some(0.0), Some(1.0)),
            scores: [0.0, 1.0],
            reduce: |pairs, sum| Some(sum / pairs as f64),
        }
    }

    pub(super) fn interference(mut self, kind: InterferenceKind, day: i64) -> SimulatedStudy {
        let since = Timestamp::from_microsecond(*MONDAY + day * DAY).unwrap();
        self.interferences.push(InterferenceEvent {
            kind,
            since,
            description: "a screen in the office".to_owned(),
        });
        self
    }

    pub(super) fn verdict(&self) -> Verdict {
        let study =
            parse(&format!("{STUDY}{}\n", self.threshold)).map_err(|unsound| unsound.faults.to_string());
        let mut study = study.unwrap();
        let instant = |day: i64| Timestamp::from_microsecond(*MONDAY + day * DAY).unwrap();
        study.models[0].training_period = self
            .training_days
            .map(|(from, until)| TrainingPeriod { from: instant(from), until: instant(until) });
        study.revisions = self.revisions;
        if self.served {
            study.decisions_source = Source::Http;
        }
        let threshold = study.threshold.as_ref().unwrap();
        let mut conditions = Conditions::new(&study.conditions, study.time_zone.clone()).unwrap();
        let mut clock = WindowClock::new(study.windows, study.time_zone.clone());
        let mut cells =
            Cells::new(CellsShape { conditions: conditions.sizes(), models: 1, components: vec![2] });
        let (mut evidence, mut inputs) = (VerdictEvidence::default(), InputCounts::default());
        let mut self_agreement = SelfAgreementSums::default();
        let range = ScoreRange::new(self.range);
        let mut blinded = self.blinded_hits.unwrap_or((0, 0));
        for (week, (hits, pairs)) in (0..).zip(&self.weeks) {
            for pair in 0..pairs + self.unmatched {
                let at = *MONDAY + week * 7 * DAY + (pair as i64 % 7) * DAY + 3600;
                let window: Window = clock.window(at);
                let values = [(pair % 2) as u16, (pair % 7) as u16];
                let scopes: &[u16] = if pair % 2 == 0 { &[0, 1] } else { &[0] };
                inputs.add(window, at, scopes, values);
                if pair >= *pairs {
                    continue;
                }
                let hit = pair < *hits;
                let blind = match (hit, &mut blinded) {
                    (true, (left, _)) | (false, (_, left)) if *left > 0 => {
                        *left -= 1;
                        true
                    }
                    _ => false,
                };
                let answered = pair >= self.unanswered;
                let outcome = if answered { AnswerStatus::Answered } else { AnswerStatus::Failed };
                let score = self.scores[usize::from(hit)];
                let models =
                    [ModelScores { statuses: vec![outcome], scores: vec![vec![vec![score], vec![1.0]]] }];
                let scored = ScoredPairs {
                    windows: &[window],
                    conditions: &[vec![values[0]], vec![values[1]]],
                    models: &models,
                };
                cells.add(scored).unwrap();
                let occurrence = threshold.cycle.map(|cycle| {
                    let day = conditions.occurrences(cycle.condition, &[at]).unwrap()[0];
                    (values[cycle.condition], day)
                });
                let substrate = if self.mixed_labels && pair % 3 == 0 { "b" } else { "a" };
                let other = if substrate == "a" { "b" } else { "a" };
                let answers = [Some(if hit { substrate } else { other })];
                // Each of 100 input classes is decided 10 times in 1,000 pairs.
                let class = InputClassPair {
                    window,
                    scopes,
                    class: splitmix64(splitmix64(pair) % 100),
                    answer: u64::from(substrate == "b"),
                    rater: None,
                    equal: &[answered && hit],
                };
                self_agreement.add(&class, usize::MAX);
                let key = if pair < self.one_cluster { "one".to_owned() } else { format!("{week}-{pair}") };
                let group = jackknife_group(&key);
                let labels = threshold.chance.map(|_| PairLabels { substrate, models: &answers, group });
                let cluster = threshold.cluster.is_some().then(|| cluster_hash(&key));
                let pair = EvidencePair {
                    window,
                    scopes,
                    values: &values,
                    group,
                    cluster,
                    blinded: blind,
                    range,
                    occurrence,
                    labels,
                };
                evidence.add(&pair, &models, 0, 0);
            }
        }
        // Unless the case is cut off, the feed was observed on both sides of the weeks.
        let weeks = self.weeks.len() as i64;
        if !self.cut_off {
            inputs.add(clock.window(*MONDAY - 1), *MONDAY - 1, &[0], [0, 6]);
        }
        let end = *MONDAY + weeks * 7 * DAY;
        let lateness = study.inputs.lateness.as_micros() as i64;
        let latest = if self.cut_off { end - 1 } else { end + lateness - self.before_lateness };
        let clocks = PerStream {
            snapshots: Some(Micros(latest)),
            decisions: self.latest_decision.map(|after| Micros(end + after)),
        };
        let account = Account { received: 1000, rejected: self.rejected, ..Account::default() };
        let references: Vec<Vec<f64>> = threshold
            .references
            .iter()
            .map(|reference| match &reference.shares {
                Shares::Listed(shares) => shares.clone(),
                Shares::File(_) => panic!("the cases list their shares"),
            })
            .collect();
        let results = RunResults {
            closed: self.closed,
            clocks,
            accounting: self.accounting.unwrap_or(Accounting { snapshots: account, decisions: account }),
            pairs: PairCounts::default(),
            inputs: &inputs,
            records: &self.records,
            cells: &cells,
            revisions: &RevisionSums::new(cells.shape().clone()),
            self_agreement: &self_agreement,
            evidence: &evidence,
        };
        let facts = Facts {
            seal: "5ea1",
            sealed_at: Timestamp::from_microsecond(*MONDAY).unwrap(),
            range: self.range,
            references: &references,
            interferences: &self.interferences,
            shed: self.shed,
            source_failure: self.source_failure,
            ..Facts::undisturbed(&study, threshold, &conditions, results)
        };
        determine_verdict(&facts, &mut |pairs, sums| (self.reduce)(pairs, sums[0]))
    }

    /// The verdict for all of the input, and its reasons.
    pub(super) fn decide(&self) -> (VerdictKind, String) {
        let verdict = self.verdict();
        let scope = &verdict.models[0].scopes[0];
        let reasons: Vec<_> = scope
            .reasons
            .iter()
            .map(|reason| format!("{}: {}", reason.verdict.name(), reason.text))
            .collect();
        (scope.verdict, reasons.join("\n"))
    }
}

pub(super) fn every(weeks: usize) -> String {
    format!(
        "at-least = 0.85\nquantifier = \"every-window\"\nwindows = {{ first = {weeks} }}\nevidence = \"point\""
    )
}

pub(super) fn pooled(weeks: usize) -> String {
    every(weeks).replace("every-window", "pooled")
}

pub(super) fn bound(threshold: &str) -> String {
    threshold.replace("\"point\"", "\"bound\"\nconfidence = 0.95\nfamily = \"each\"")
}

pub(super) const GOOD: (u64, u64) = (900, 1000);
pub(super) const BAD: (u64, u64) = (800, 1000);
pub(super) const NEAR: (u64, u64) = (851, 1000);

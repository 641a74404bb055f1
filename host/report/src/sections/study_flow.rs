//! The first section: the study as a figure, with the number of records on every path and at every way out.
//!
//! Invariants:
//! - Every term of both accounts is in the figure once, where [`place`] puts it.
//! - The numbers add up: received = excluded + accepted, accepted = not paired + paired, paired = not compared + compared.
//! - The table of the figure has the same numbers in reading order, including zeros.

mod way_out;

use crate::accounting_term_text::term_description;
use crate::blinded_answers::blinded_unanswered;
use crate::format::{count, counted};
use crate::model::report::Report;
use crate::model::run_summary::RunEnd;
use crate::page::{
    Banner, Block, Cell, Chart, Column, DataTable, Figure, Flow, FlowCount, FlowEffect, FlowExits, FlowLine,
    FlowNode, FlowStep, Section,
};
use crate::sections::study_flow::way_out::{NoAnswer, NotCompared, way_out};
use understudy_records::batch::ExclusionReason;
use understudy_records::join::{Account, AccountTerm, Accounting};
use understudy_statistics::verdict::PairCounts;
use understudy_study::StreamKind;

/// The most models or metrics that the figure names; if there are more, it names one fewer and counts the others.
const MAX_NAMES: usize = 5;

/// The counts and names in the figure of a study.
#[derive(Clone, Debug, Default)]
pub struct StudyFlow {
    /// Whether the records come from the log of another run.
    pub is_replay: bool,
    /// Whether no more records can arrive.
    pub is_final: bool,
    /// Whether pairs of windows that are not complete are not compared yet.
    pub is_interim: bool,
    /// Mirrored requests that never became a record.
    pub shed: u64,
    /// The accounts of both streams.
    pub accounting: Accounting,
    /// The models, in the order declared.
    pub models: Vec<ModelOutcomes>,
    /// The name of the comparator.
    pub comparator: String,
    /// The numbers of compared and incomparable pairs.
    pub comparison: PairCounts,
    /// The number of windows with metrics.
    pub windows: u64,
    /// The names of the metrics, in the order declared.
    pub metrics: Vec<String>,
    /// The verdicts, each with the sign of its tone, such as `✓ GO` and `? INCONCLUSIVE for scope nl`.
    pub verdicts: Vec<String>,
}

/// The outcomes of a model, in snapshots.
#[derive(Clone, Debug, Default)]
pub struct ModelOutcomes {
    /// The name in `study.toml`.
    pub name: String,
    /// Snapshots that it answered at once.
    pub answered: u64,
    /// Snapshots on which it abstained.
    pub abstained: u64,
    /// Snapshots on which it failed.
    pub failed: u64,
    /// Blinded snapshots, about which it is asked only once their decision is known.
    pub blinded: u64,
    /// Those of them without an answer once it was asked; 0 if that is not known yet.
    pub blinded_unanswered: u64,
}

/// The part of the figure that has a term of an account.
enum Place {
    /// The record leaves when it arrives.
    Arrival,
    /// The record leaves because it has no counterpart.
    Join,
    /// The record goes on to the comparator.
    Continuing,
}

/// The place of a term.
fn place(term: AccountTerm) -> Place {
    match term {
        AccountTerm::Excluded(
            ExclusionReason::Rejected
            | ExclusionReason::Duplicate
            | ExclusionReason::Conflict
            | ExclusionReason::Late,
        ) => Place::Arrival,
        AccountTerm::Revised | AccountTerm::Waiting | AccountTerm::Expired => Place::Join,
        AccountTerm::Paired => Place::Continuing,
    }
}

impl StudyFlow {
    /// The figure of a report. `shed` is the number of mirrored requests that never became a record.
    pub fn from_report(report: &Report, shed: u64, banners: &[Banner]) -> StudyFlow {
        let models = report.models.iter().map(|model| ModelOutcomes {
            name: model.plugin.name.clone(),
            answered: model.answered,
            abstained: model.abstained,
            failed: model.failed,
            blinded: model.blinded,
            blinded_unanswered: blinded_unanswered(report, model).total(),
        });
        StudyFlow {
            is_replay: report.replay_of.is_some(),
            is_final: report.end.is_final(),
            is_interim: matches!(report.end, RunEnd::Interim { .. }),
            shed,
            accounting: report.accounting,
            models: models.collect(),
            comparator: report.comparator.name.clone(),
            comparison: report.comparison,
            windows: report.windows.len() as u64,
            metrics: report.metrics.iter().map(|metric| metric.plugin.name.clone()).collect(),
            verdicts: banners.iter().map(Banner::signed_word).collect(),
        }
    }

    /// The section with the figure.
    pub fn section(&self) -> Section {
        let figure = Figure {
            title: "The path of every record".to_owned(),
            description: self.description(),
            chart: Chart::Flow(self.flow()),
            table: self.table(),
        };
        Section {
            id: "study",
            title: "The study as a figure".to_owned(),
            blocks: vec![Block::Figure(figure)],
        }
    }

    fn description(&self) -> String {
        let (snapshots, decisions) = (&self.accounting.snapshots, &self.accounting.decisions);
        let balance = if self.balances() { "" } else { " The numbers do not balance: see the accounting." };
        let models = if self.models.len() == 1 { "the model" } else { "the models" };
        format!(
            "The feed goes to {models}, with answers that are logged and not actioned, and to the substrate, with decisions that \
             are actioned; the comparator joins both. {} and {} received, {}, {} compared.{balance}",
            counted(snapshots.received, "snapshot", "snapshots"),
            counted(decisions.received, "decision", "decisions"),
            counted(snapshots.paired, "pair", "pairs"),
            count(self.comparison.compared),
        )
    }

    /// Whether all numbers of the figure add up.
    fn balances(&self) -> bool {
        let PairCounts { compared, incomparable } = self.comparison;
        let paired = self.accounting.snapshots.paired;
        let evaluated = compared.checked_add(incomparable);
        let is_within = evaluated
            .is_some_and(|evaluated| evaluated == paired || (self.is_interim && evaluated <= paired));
        self.accounting.balances() && is_within
    }

    fn flow(&self) -> Flow {
        let feed = if self.is_replay { "Log of another run" } else { "Live feed" };
        let node = |title: String, lines, effect| FlowNode { title, lines, effect };
        // A blinded snapshot may never be answered, so it is counted by itself.
        let answers = self.models.iter().map(|model| model.answered).fold(0, u64::saturating_add);
        let models = node(
            match self.models.len() {
                1 => "Model".to_owned(),
                models => counted(models as u64, "model", "models"),
            },
            self.model_lines(),
            Some(FlowEffect::Logged { answers }),
        );
        let decided = FlowLine::Text("decides the same cases".to_owned());
        let substrate = node("Substrate".to_owned(), vec![decided], Some(FlowEffect::Actioned));
        let mut shadow = Vec::new();
        if self.shed > 0 {
            let label = "shed".to_owned();
            let ways = vec![FlowCount { count: self.shed, label: label.clone() }];
            shadow.push(FlowStep::Exits(FlowExits { label, ways }));
        }
        let snapshots = StreamSteps::new(StreamKind::Snapshots, &self.accounting.snapshots);
        let decisions = StreamSteps::new(StreamKind::Decisions, &self.accounting.decisions);
        shadow.extend(snapshots.arrival());
        shadow.push(FlowStep::Node(models));
        shadow.extend(snapshots.join());
        let mut actioned = vec![FlowStep::Node(substrate)];
        actioned.extend(decisions.arrival());
        actioned.extend(decisions.join());
        let way = |count, label: &str| FlowCount { count, label: label.to_owned() };
        let named = |names: &[&str]| vec![FlowLine::Text(shortened(names))];
        let metrics: Vec<&str> = self.metrics.iter().map(String::as_str).collect();
        let verdicts = self.verdicts.iter().cloned().map(FlowLine::Text).collect();
        let joined = vec![
            FlowStep::Node(node("Comparator".to_owned(), named(&[&self.comparator]), None)),
            FlowStep::Exits(FlowExits {
                label: "not compared".to_owned(),
                ways: self.not_compared().map(|(reason, count)| way(count, reason.name())).collect(),
            }),
            FlowStep::Continuing(FlowCount {
                count: self.comparison.compared,
                label: plural(self.comparison.compared, "pair compared", "pairs compared"),
            }),
            FlowStep::Node(node(plural(metrics.len() as u64, "Metric", "Metrics"), named(&metrics), None)),
            FlowStep::Continuing(FlowCount {
                count: self.windows,
                label: plural(self.windows, "window", "windows"),
            }),
            FlowStep::Node(node(plural(self.verdicts.len() as u64, "Verdict", "Verdicts"), verdicts, None)),
        ];
        Flow { feed: node(feed.to_owned(), Vec::new(), None), shadow, actioned, joined }
    }

    /// The pairs that are not compared, by reason.
    fn not_compared(&self) -> impl Iterator<Item = (NotCompared, u64)> {
        let PairCounts { compared, incomparable } = self.comparison;
        let others = self.accounting.snapshots.paired.saturating_sub(compared.saturating_add(incomparable));
        let reason = if self.is_interim { NotCompared::OpenWindow } else { NotCompared::Unaccounted };
        let others = (self.is_interim || others > 0).then_some((reason, others));
        std::iter::once((NotCompared::Incomparable, incomparable)).chain(others)
    }

    /// The models with their outcomes.
    fn model_lines(&self) -> Vec<FlowLine> {
        let (named, others) = self.models.split_at(named(self.models.len()));
        let mut lines: Vec<FlowLine> = named
            .iter()
            .flat_map(|model| [FlowLine::Name(model.name.clone()), FlowLine::Text(model.words())])
            .collect();
        if !others.is_empty() {
            let all = others.iter().fold(ModelOutcomes::default(), |sum, model| sum.plus(model));
            lines.push(FlowLine::Text(format!("and {} more: {}", count(others.len() as u64), all.words())));
        }
        let all = self.models.iter().fold(ModelOutcomes::default(), |sum, model| sum.plus(model));
        let way = |(reason, count): (NoAnswer, u64)| FlowCount { count, label: reason.name().to_owned() };
        let ways = all.missing().map(way);
        let unused = FlowExits { label: String::new(), ways: ways.into() }.unused();
        lines.extend(unused.map(FlowLine::Text));
        lines
    }

    /// All numbers of the figure in reading order.
    fn table(&self) -> DataTable {
        let mut rows = Rows(Vec::new());
        let is_final = self.is_final;
        rows.push("feed", "left: shed, mirrored requests that never became a record", self.shed);
        let stream = |rows: &mut Rows, kind: StreamKind, account: &Account, part: &[Place]| {
            let steps = StreamSteps::new(kind, account);
            for place in part {
                steps.rows(rows, place, is_final);
            }
        };
        stream(&mut rows, StreamKind::Snapshots, &self.accounting.snapshots, &[Place::Arrival]);
        for model in &self.models {
            let path = format!("model {}", model.name);
            rows.push(&path, "answered: logged, not actioned", model.answered);
            for (reason, records) in model.missing() {
                rows.push(&path, &reason.description(), records);
            }
            if model.blinded_unanswered > 0 {
                rows.push(&path, "of the blinded: no answer once asked", model.blinded_unanswered);
            }
        }
        stream(
            &mut rows,
            StreamKind::Snapshots,
            &self.accounting.snapshots,
            &[Place::Join, Place::Continuing],
        );
        let all = [Place::Arrival, Place::Join, Place::Continuing];
        stream(&mut rows, StreamKind::Decisions, &self.accounting.decisions, &all);
        for (reason, records) in self.not_compared() {
            rows.push("pairs", &reason.description(), records);
        }
        rows.push("pairs", "compared, to the metrics", self.comparison.compared);
        rows.push("windows", "with figures, to the verdict", self.windows);
        for verdict in &self.verdicts {
            rows.0.push(vec!["verdict".into(), verdict.as_str().into(), Cell::default()]);
        }
        let head = vec![Column::text("Path"), Column::text("Step"), Column::number("Number")];
        DataTable { head, rows: rows.0, ..DataTable::default() }
    }
}

impl ModelOutcomes {
    /// The snapshots without an answer at first, by reason.
    fn missing(&self) -> [(NoAnswer, u64); 3] {
        let ModelOutcomes { name: _, answered: _, abstained, failed, blinded, blinded_unanswered: _ } = *self;
        [(NoAnswer::Abstained, abstained), (NoAnswer::Failed, failed), (NoAnswer::Blinded, blinded)]
    }

    /// The outcomes that are not zero, in words.
    fn words(&self) -> String {
        let missing = self.missing().into_iter().filter(|(_, records)| *records > 0);
        let missing = missing.map(|(reason, records)| (records, reason.name()));
        let all = std::iter::once((self.answered, "answered")).chain(missing);
        let mut words =
            all.map(|(records, label)| format!("{} {label}", count(records))).collect::<Vec<_>>().join(", ");
        if self.blinded_unanswered > 0 {
            words.push_str(&format!(", {} of these unanswered once asked", count(self.blinded_unanswered)));
        }
        words
    }

    fn plus(self, other: &ModelOutcomes) -> ModelOutcomes {
        ModelOutcomes {
            name: String::new(),
            answered: self.answered.saturating_add(other.answered),
            abstained: self.abstained.saturating_add(other.abstained),
            failed: self.failed.saturating_add(other.failed),
            blinded: self.blinded.saturating_add(other.blinded),
            blinded_unanswered: self.blinded_unanswered.saturating_add(other.blinded_unanswered),
        }
    }
}

/// The steps of one stream.
struct StreamSteps {
    kind: StreamKind,
    received: u64,
    /// The terms at arrival, at the join, and continuing.
    arrival: Vec<(AccountTerm, u64)>,
    join: Vec<(AccountTerm, u64)>,
    continuing: Vec<(AccountTerm, u64)>,
}

impl StreamSteps {
    fn new(kind: StreamKind, account: &Account) -> StreamSteps {
        let mut steps = StreamSteps {
            kind,
            received: account.received,
            arrival: Vec::new(),
            join: Vec::new(),
            continuing: Vec::new(),
        };
        for (term, records) in account.terms() {
            // As in the equation of the account, which leaves the term out as well.
            if (term, records) == (AccountTerm::Revised, 0) {
                continue;
            }
            match place(term) {
                Place::Arrival => steps.arrival.push((term, records)),
                Place::Join => steps.join.push((term, records)),
                Place::Continuing => steps.continuing.push((term, records)),
            }
        }
        steps
    }

    /// The records that go on after those that left at arrival.
    fn accepted(&self) -> u64 {
        self.join
            .iter()
            .chain(&self.continuing)
            .map(|(_, records)| records)
            .fold(0, |sum, part| sum.saturating_add(*part))
    }

    fn exits(&self, label: &str, terms: &[(AccountTerm, u64)]) -> FlowStep {
        let way = |(term, records): &(AccountTerm, u64)| FlowCount {
            count: *records,
            label: way_out(self.kind, *term).to_owned(),
        };
        FlowStep::Exits(FlowExits { label: label.to_owned(), ways: terms.iter().map(way).collect() })
    }

    fn arrival(&self) -> [FlowStep; 3] {
        let (one, more) = match self.kind {
            StreamKind::Snapshots => ("snapshot received", "snapshots received"),
            StreamKind::Decisions => ("decision received", "decisions received"),
        };
        let received = FlowCount { count: self.received, label: plural(self.received, one, more) };
        let accepted = FlowCount { count: self.accepted(), label: "accepted".to_owned() };
        [
            FlowStep::Continuing(received),
            self.exits("excluded", &self.arrival),
            FlowStep::Continuing(accepted),
        ]
    }

    fn join(&self) -> Vec<FlowStep> {
        let continuing = self.continuing.iter().map(|(term, records)| {
            FlowStep::Continuing(FlowCount { count: *records, label: term.name().to_owned() })
        });
        std::iter::once(self.exits("not paired", &self.join)).chain(continuing).collect()
    }

    /// The rows of the table for one place.
    fn rows(&self, rows: &mut Rows, place: &Place, is_final: bool) {
        let path = self.kind.name();
        let left = |terms: &[(AccountTerm, u64)], rows: &mut Rows| {
            for (term, records) in terms {
                let words = match (self.kind, term) {
                    (StreamKind::Decisions, AccountTerm::Expired) => "no snapshot can arrive any more",
                    (StreamKind::Snapshots, AccountTerm::Expired) => "no decision can arrive any more",
                    _ => term_description(*term, is_final),
                };
                rows.push(path, &format!("left: {}, {words}", way_out(self.kind, *term)), *records);
            }
        };
        match place {
            Place::Arrival => {
                let (received, accepted) = match self.kind {
                    StreamKind::Snapshots => ("received from the feed", "accepted, to the models"),
                    StreamKind::Decisions => ("received from the substrate, which actions them", "accepted"),
                };
                rows.push(path, received, self.received);
                left(&self.arrival, rows);
                rows.push(path, accepted, self.accepted());
            }
            Place::Join => left(&self.join, rows),
            Place::Continuing => {
                for (term, records) in &self.continuing {
                    rows.push(path, &format!("{}, to the comparator", term.name()), *records);
                }
            }
        }
    }
}

/// The rows of the table.
struct Rows(Vec<Vec<Cell>>);

impl Rows {
    fn push(&mut self, path: &str, step: &str, records: u64) {
        self.0.push(vec![path.into(), step.into(), count(records).into()]);
    }
}

/// The number of names that the figure shows out of `names`.
fn named(names: usize) -> usize {
    if names <= MAX_NAMES { names } else { MAX_NAMES - 1 }
}

/// Names separated by commas, and the number of those that are not shown.
fn shortened(names: &[&str]) -> String {
    let (shown, others) = names.split_at(named(names.len()));
    match others.len() {
        0 => shown.join(", "),
        others => format!("{} and {} more", shown.join(", "), count(others as u64)),
    }
}

fn plural(number: u64, one: &str, more: &str) -> String {
    if number == 1 { one } else { more }.to_owned()
}

#[cfg(test)]
mod tests;

//! `GET /live`: the content of the dashboard, rendered by the server with the components of the report.
//!
//! Invariants:
//! - Counts are current; figures cover only complete windows.
//! - The content has no row, no id and no single answer, for any role.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use jiff::Timestamp;

use crate::dashboard::live_report_cache::{LiveFigures, LiveReportCache};
use crate::http::response::content;
use crate::observability::status::{Phase, Status, StatusSources, plugin_rows};
use understudy_engine::{NotReady, RunStatus};
use understudy_report::accounting_table;
use understudy_report::bytes;
use understudy_report::count;
use understudy_report::counted;
use understudy_report::duration;
use understudy_report::page::{Banner, Block, Cell, Column, DataTable, Document, Fact, Section, Tone, inner};
use understudy_report::{ModelOutcomes, StudyFlow};
use understudy_sandbox::PluginRole;
use understudy_statistics::scoring::MIN_INTERIM_PAIRS;
use understudy_study::{Micros, short_digest};

/// `GET /live`.
pub async fn live(
    State(sources): State<StatusSources>,
    State(reports): State<Arc<LiveReportCache>>,
) -> Response<Body> {
    let status = Status::collect(&sources).await;
    let figures = match status.phase {
        Phase::Starting => Arc::default(),
        _ => reports.figures(&sources.run).await,
    };
    content(StatusCode::OK, "text/html; charset=utf-8", inner(&document(&status, &figures)))
}

/// The whole content: the study as a figure, the verdict, then the status, then the rest of the report.
fn document(status: &Status, figures: &LiveFigures) -> Document {
    let none = RunStatus::default();
    let run = status.run_status.as_ref().unwrap_or(&none);
    let mut sections = report_sections(figures);
    let (first, last): (Vec<_>, Vec<_>) = sections
        .drain(..)
        .partition(|section| ["verdict", "threshold", "conditions", "windows"].contains(&section.id));
    let own = [accounting(status, run), queue(status), plugins(run)];
    let banners = banners(status, figures);
    let study = study_flow(status, run, figures, &banners).section();
    Document {
        title: format!("Shadow study {}", status.study),
        lead: lead(status, run, figures),
        banners,
        sections: std::iter::once(study).chain(first).chain(own).chain(last).collect(),
    }
}

/// The figure of the study: the current counts of records, with the compared pairs and windows of the latest figures.
fn study_flow(status: &Status, run: &RunStatus, figures: &LiveFigures, banners: &[Banner]) -> StudyFlow {
    let (comparison, windows, shed) = match figures {
        LiveFigures::Ready { comparison, windows, shed, .. } => (*comparison, *windows, *shed),
        LiveFigures::Pending | LiveFigures::NotReady(_) | LiveFigures::Failed => Default::default(),
    };
    let models = status.models.iter().enumerate().map(|(model, name)| {
        let counts = run.models.get(model).copied().unwrap_or_default();
        ModelOutcomes {
            name: name.clone(),
            answered: counts.answered,
            abstained: counts.abstained,
            failed: counts.failed,
            blinded: counts.blinded,
            blinded_unanswered: 0,
        }
    });
    let names = |role: PluginRole| {
        run.plugins.iter().filter(move |plugin| plugin.role == role.name()).map(|plugin| plugin.name.clone())
    };
    StudyFlow {
        is_replay: false,
        is_final: false,
        is_interim: true,
        shed,
        accounting: run.accounting,
        models: models.collect(),
        comparator: names(PluginRole::Comparator).next().unwrap_or_default(),
        comparison,
        windows,
        metrics: names(PluginRole::Metric).collect(),
        verdicts: banners.iter().map(Banner::signed_word).collect(),
    }
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn lead(status: &Status, run: &RunStatus, figures: &LiveFigures) -> Vec<Fact> {
    let phase = match status.phase {
        Phase::Starting => "starting: recovering from its log",
        Phase::Serving => "accepting records",
        Phase::Draining => "ending: no more records are accepted",
    };
    let mut lead = vec![Fact::new("Run", phase)];
    lead.extend(run.began.map(|began| Fact::new("Started", utc(began))));
    for (name, clock) in ["Snapshots up to", "Decisions up to"].into_iter().zip(run.clocks.into_array()) {
        lead.push(Fact::new(name, clock.map_or_else(|| "none yet".to_owned(), utc)));
    }
    if let LiveFigures::Ready { at, window, .. } = figures {
        lead.push(Fact::new(
            "Figures cover",
            format!("all windows up to {window}, computed at {}", utc(*at)),
        ));
    }
    lead.push(Fact::new("Counts at", utc(run.at.unwrap_or(status.at))));
    lead
}

fn banners(status: &Status, figures: &LiveFigures) -> Vec<Banner> {
    let plain = |word: &str, text: String| {
        vec![Banner { tone: Tone::Plain, word: word.to_owned(), text, points: Vec::new() }]
    };
    match figures {
        _ if status.phase == Phase::Starting => {
            plain("STARTING", "The run is recovering from its log and accepts no records yet.".to_owned())
        }
        LiveFigures::Ready { banners, .. } => banners.clone(),
        LiveFigures::NotReady(reason) => plain("NO FIGURES YET", wait_text(reason)),
        LiveFigures::Pending => plain("PLEASE WAIT", "The figures are being computed.".to_owned()),
        LiveFigures::Failed => plain(
            "NO FIGURES",
            "The figures cannot be computed; run `understudy verify` to find the cause.".to_owned(),
        ),
    }
}

/// What the first figures wait for.
pub(super) fn wait_text(reason: &NotReady) -> String {
    match reason {
        NotReady::Empty => "No snapshot has arrived yet.".to_owned(),
        NotReady::FewPairs => {
            format!(
                "The first figures cover at least {MIN_INTERIM_PAIRS} pairs; the complete windows have fewer."
            )
        }
        NotReady::Open { label, until, clocks } => {
            let time =
                |time: Micros| time.timestamp().map_or("the end of representable time".to_owned(), utc);
            let missing = ["snapshots", "decisions"].into_iter().zip(until.iter().zip(clocks.iter()));
            let missing = missing.filter(|(_, (until, clock))| clock.is_none_or(|clock| clock < **until));
            let missing: Vec<String> = missing
                .map(|(stream, (until, _))| format!("{stream} have reached {}", time(*until)))
                .collect();
            format!(
                "The first figures cover the window {label}, which is complete once {}.",
                missing.join(" and ")
            )
        }
    }
}

fn report_sections(figures: &LiveFigures) -> Vec<Section> {
    match figures {
        LiveFigures::Ready { sections, .. } => sections.clone(),
        _ => Vec::new(),
    }
}

fn table(caption: &str, head: Vec<Column>, rows: Vec<Vec<Cell>>) -> Block {
    Block::Table(DataTable { caption: Some(caption.to_owned()), head, rows, folded: false })
}

/// The account of all records, and the outcomes of the models.
fn accounting(status: &Status, run: &RunStatus) -> Section {
    let models = status.models.iter().zip(&run.models).map(|(name, counts)| -> Vec<Cell> {
        let latency = counts.latency;
        let time = |nanos| if latency.count == 0 { "–".to_owned() } else { duration(nanos) };
        let outcomes = [counts.answered, counts.abstained, counts.failed, counts.blinded];
        std::iter::once(name.as_str().into())
            .chain(outcomes.map(|number| count(number).into()))
            .chain([latency.p50, latency.p99, latency.max].map(|nanos| time(nanos).into()))
            .collect()
    });
    let mut heads = vec![Column::text("Model")];
    let numbers = ["Answered", "Abstained", "Failed", "Blinded", "p50", "p99", "Maximum"];
    heads.extend(numbers.map(Column::number));
    let mut blocks = vec![
        accounting_table(&run.accounting),
        table(
            "Snapshots by model and outcome, with latency quantiles that cover whole blocks of at least 1,000 answers",
            heads,
            models.collect(),
        ),
    ];
    if run.failures > 0 {
        let text = format!("{} failed.", counted(run.failures, "model call", "model calls"));
        blocks.push(Block::Note { tone: Tone::Bad, text });
    }
    Section { id: "accounting", title: "Accounting".to_owned(), blocks }
}

/// Queued deliveries, memory and disk.
fn queue(status: &Status) -> Section {
    let queue = &status.queue;
    let nanos = (queue.oldest_seconds * 1e9) as u64;
    let mut facts = vec![
        Fact::new("Deliveries that are not on disk yet", count(queue.deliveries as u64)),
        Fact::new("Age of the oldest", if queue.deliveries == 0 { "–".to_owned() } else { duration(nanos) }),
        Fact::new(
            "Request-body memory",
            format!(
                "{} of {} free",
                bytes(queue.body_memory_free_bytes as u64),
                bytes(queue.body_memory_bytes as u64)
            ),
        ),
    ];
    if let Some(disk) = status.disk {
        facts.push(Fact::new("Disk", format!("{} free", bytes(disk.free_bytes))));
        let size = disk.run_bytes.map_or_else(|| "shown after 1,000 snapshots".to_owned(), bytes);
        facts.push(Fact::new("Run directory", size));
    }
    facts.extend(status.resident_bytes.map(|resident| Fact::new("Process memory", bytes(resident))));
    let mut blocks = vec![Block::Facts(facts)];
    if queue.oldest_seconds > queue.max_lag_seconds {
        let text = "The run lags behind its deliveries: no more records are accepted until it has caught up."
            .to_owned();
        blocks.push(Block::Note { tone: Tone::Bad, text });
    }
    Section { id: "queue", title: "Queue and disk".to_owned(), blocks }
}

/// The plugins and their resource usage.
fn plugins(run: &RunStatus) -> Section {
    let row = |plugin: &understudy_engine::PluginStatus| -> Vec<Cell> {
        let usage = plugin.usage;
        let traps = Cell::from(count(usage.traps));
        vec![
            plugin.role.as_str().into(),
            plugin.name.as_str().into(),
            plugin.title.as_str().into(),
            count(u64::from(plugin.generation)).into(),
            plugin_rows(plugin).into(),
            count(usage.calls).into(),
            count(usage.fuel).into(),
            bytes(usage.memory_bytes).into(),
            if usage.traps > 0 { traps.toned(Tone::Bad) } else { traps },
            short_digest(&plugin.sha256).into(),
        ]
    };
    let mut columns = vec![Column::text("Role"), Column::text("Name"), Column::text("Title")];
    columns.extend(["Generation", "Rows", "Calls", "Fuel", "Memory", "Traps"].map(Column::number));
    columns.push(Column::text("SHA-256"));
    let caption = "Current plugins; usage since they were swapped in or the process started. Calls, fuel and memory cover whole \
                   blocks of at least 1,000 rows";
    let rows = run.plugins.iter().map(row).collect();
    let summary = match run.generation {
        0 => "Generation 0: the sealed plugins are running.".to_owned(),
        generation => {
            format!("Generation {generation}, after {}.", counted(u64::from(generation), "swap", "swaps"))
        }
    };
    let blocks = vec![Block::Text(summary), table(caption, columns, rows)];
    Section { id: "plugins", title: "Plugins".to_owned(), blocks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use understudy_study::PerStream;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn the_wait_text_names_what_the_first_figures_wait_for() {
        insta::assert_snapshot!(wait_text(&NotReady::Empty), @"No snapshot has arrived yet.");
        insta::assert_snapshot!(wait_text(&NotReady::FewPairs), @"The first figures cover at least 5 pairs; the complete windows have fewer.");
        let open = |clocks: [Option<i64>; 2]| {
            let clocks = PerStream::from(clocks.map(|clock| clock.map(Micros)));
            let until = PerStream { snapshots: Micros(24 * HOUR), decisions: Micros(48 * HOUR) };
            NotReady::Open { label: "1970-01-01".into(), until, clocks }
        };
        insta::assert_snapshot!(wait_text(&open([Some(HOUR), None])), @"The first figures cover the window 1970-01-01, which is complete once snapshots have reached 1970-01-02 00:00:00 UTC and decisions have reached 1970-01-03 00:00:00 UTC.");
        insta::assert_snapshot!(wait_text(&open([Some(24 * HOUR), Some(HOUR)])), @"The first figures cover the window 1970-01-01, which is complete once decisions have reached 1970-01-03 00:00:00 UTC.");
    }

    #[test]
    fn accounts_that_do_not_balance_are_reported() {
        let mut run = RunStatus::default();
        let shown = |run: &RunStatus| {
            inner(&Document { sections: vec![accounting(&Status::default(), run)], ..Document::default() })
        };
        assert!(!shown(&run).contains("DOES NOT BALANCE"));
        run.accounting.snapshots.received = 1;
        assert!(shown(&run).contains("DOES NOT BALANCE"));
    }
}

//! `GET /live`: what the page shows, rendered here, so that its charts are the report's charts.
//!
//! Always holds: counts are of this moment, figures cover whole windows that are over; no row, id or single answer stands here,
//! whoever looks.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use jiff::Timestamp;

use crate::app::state::Served;
use crate::dashboard::live_report_cache::Sight;
use crate::http::response::content;
use crate::observability::status::{Phase, Status};
use understudy_engine::{RunStatus, Unripe};
use understudy_report::page::{Banner, Block, Cell, Column, Document, Fact, Section, Table, Tone, inner};
use understudy_report::accounts;
use understudy_report::bytes;
use understudy_report::count;
use understudy_report::counted;
use understudy_report::duration;

/// `GET /live`.
pub async fn live(state: State<Arc<Served>>) -> Response<Body> {
    let status = Status::of(&state.0).await;
    let sight = match status.phase {
        Phase::Starting => Arc::default(),
        _ => state.0.glance.look(&state.0).await,
    };
    content(StatusCode::OK, "text/html; charset=utf-8", inner(&document(&status, &sight)))
}

/// All that the page shows.
fn document(status: &Status, sight: &Sight) -> Document {
    let none = RunStatus::default();
    let standing = status.standing.as_ref().unwrap_or(&none);
    let mut sections = figures(sight);
    let (after, behind): (Vec<_>, Vec<_>) =
        sections.drain(..).partition(|section| ["verdict", "threshold", "conditions"].contains(&section.id));
    let own = [accounting(status, standing), queue(status), plugins(standing)];
    Document {
        title: format!("Shadow study {}", status.study),
        lead: lead(status, standing, sight),
        banner: Some(banner(status, sight)),
        sections: after.into_iter().chain(own).chain(behind).collect(),
    }
}

fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn lead(status: &Status, standing: &RunStatus, sight: &Sight) -> Vec<Fact> {
    let phase = match status.phase {
        Phase::Starting => "starting: its log is being read back",
        Phase::Serving => "takes records",
        Phase::Draining => "ending: nothing more is taken",
    };
    let mut lead = vec![Fact::new("Run", phase)];
    lead.extend(standing.began.map(|began| Fact::new("Began", instant(began))));
    for (name, clock) in ["Snapshots up to", "Decisions up to"].into_iter().zip(standing.clocks) {
        lead.push(Fact::new(name, clock.map_or_else(|| "none yet".to_owned(), instant)));
    }
    if let Sight::Seen { at, window, .. } = sight {
        lead.push(Fact::new("Figures cover", format!("everything up to {window}, made {}", instant(*at))));
    }
    lead.push(Fact::new("Counts of", instant(standing.at.unwrap_or(status.at))));
    lead
}

fn banner(status: &Status, sight: &Sight) -> Banner {
    let plain = |word: &str, text: String| Banner { tone: Tone::Plain, word: word.to_owned(), text };
    match sight {
        _ if status.phase == Phase::Starting => {
            plain("STARTING", "The run reads its log back, and takes no records yet.".to_owned())
        }
        Sight::Seen { banner, .. } => banner.clone(),
        Sight::Unripe(unripe) => plain("NO FIGURES YET", waits(unripe)),
        Sight::Coming => plain("A MOMENT", "The figures are being made.".to_owned()),
        Sight::Failed => plain(
            "NO FIGURES",
            "The figures cannot be made; `understudy verify` says what is wrong with the run.".to_owned(),
        ),
    }
}

/// When there will be figures.
fn waits(unripe: &Unripe) -> String {
    match unripe {
        Unripe::Empty => "No snapshot has come yet.".to_owned(),
        Unripe::Open { label, until, clocks } => {
            let time =
                |micros| Timestamp::from_microsecond(micros).map_or("the end of time".to_owned(), instant);
            let missing = ["snapshots", "decisions"].into_iter().zip(until.iter().zip(clocks));
            let missing = missing.filter(|(_, (until, clock))| clock.is_none_or(|clock| clock < **until));
            let missing: Vec<String> = missing
                .map(|(stream, (until, _))| format!("{stream} have reached {}", time(*until)))
                .collect();
            format!(
                "The first are those of the window {label}: they are complete once {}.",
                missing.join(" and ")
            )
        }
    }
}

fn figures(sight: &Sight) -> Vec<Section> {
    match sight {
        Sight::Seen { sections, .. } => sections.clone(),
        _ => Vec::new(),
    }
}

fn table(caption: &str, head: Vec<Column>, rows: Vec<Vec<Cell>>) -> Block {
    Block::Table(Table { caption: Some(caption.to_owned()), head, rows, folded: false })
}

/// Where every record has got to, and what the models did.
fn accounting(status: &Status, standing: &RunStatus) -> Section {
    let models = status.models.iter().zip(&standing.models).map(|(name, counts)| -> Vec<Cell> {
        let latency = counts.latency;
        let time = |nanos| if latency.count == 0 { "–".to_owned() } else { duration(nanos) };
        let outcomes = [counts.answered, counts.abstained, counts.failed, counts.blinded];
        std::iter::once(name.as_str().into())
            .chain(outcomes.map(|number| count(number).into()))
            .chain([latency.p50, latency.p99, latency.max].map(|nanos| time(nanos).into()))
            .collect()
    });
    let mut heads = vec![Column::text("Model")];
    let numbers = ["Answered", "Abstained", "Failed", "Blinded", "Half within", "99 % within", "At most"];
    heads.extend(numbers.map(Column::number));
    let mut blocks = vec![
        accounts(&standing.accounting),
        table("What the models did with the snapshots", heads, models.collect()),
    ];
    if standing.incidents > 0 {
        let text = format!("Models have broken on {}.", counted(standing.incidents, "call", "calls"));
        blocks.push(Block::Note { tone: Tone::Bad, text });
    }
    Section { id: "accounting", title: "Accounting".to_owned(), blocks }
}

/// What waits, and what room there is.
fn queue(status: &Status) -> Section {
    let queue = &status.queue;
    let nanos = (queue.oldest_seconds * 1e9) as u64;
    let mut facts = vec![
        Fact::new("Deliveries that wait for the log", count(queue.deliveries as u64)),
        Fact::new(
            "The oldest waits for",
            if queue.deliveries == 0 { "–".to_owned() } else { duration(nanos) },
        ),
        Fact::new(
            "Room for bodies",
            format!("{} of {} free", bytes(queue.room_free_bytes as u64), bytes(queue.room_bytes as u64)),
        ),
    ];
    if let Some(disk) = status.disk {
        facts.push(Fact::new("Disk", format!("{} free", bytes(disk.free_bytes))));
        facts.push(Fact::new("The run takes", bytes(disk.run_bytes)));
    }
    facts.extend(status.resident_bytes.map(|resident| Fact::new("Memory in use", bytes(resident))));
    let mut blocks = vec![Block::Facts(facts)];
    if queue.oldest_seconds > queue.behind_seconds {
        let text =
            "The models have fallen behind: nothing more is taken until they have caught up.".to_owned();
        blocks.push(Block::Note { tone: Tone::Bad, text });
    }
    Section { id: "queue", title: "Queue and disk".to_owned(), blocks }
}

/// The plugins with what they use.
fn plugins(standing: &RunStatus) -> Section {
    let row = |plugin: &understudy_engine::PluginStatus| -> Vec<Cell> {
        let usage = plugin.usage;
        let traps = Cell::from(count(usage.traps));
        vec![
            plugin.role.as_str().into(),
            plugin.name.as_str().into(),
            plugin.title.as_str().into(),
            count(u64::from(plugin.generation)).into(),
            count(usage.calls).into(),
            count(usage.fuel).into(),
            bytes(usage.memory_bytes).into(),
            if usage.traps > 0 { traps.toned(Tone::Bad) } else { traps },
            plugin.sha256.chars().take(12).collect::<String>().into(),
        ]
    };
    let mut columns = vec![Column::text("Role"), Column::text("Name"), Column::text("Title")];
    columns.extend(["Generation", "Calls", "Fuel", "Memory", "Traps"].map(Column::number));
    columns.push(Column::text("SHA-256"));
    let caption = "The plugins that run, and what they have used since they came or the process began";
    let rows = standing.plugins.iter().map(row).collect();
    let said = match standing.generation {
        0 => "Generation 0 is in force: what was sealed.".to_owned(),
        generation => format!(
            "Generation {generation} is in force, after {}.",
            counted(u64::from(generation), "swap", "swaps")
        ),
    };
    let blocks = vec![Block::Text(said), table(caption, columns, rows)];
    Section { id: "plugins", title: "Plugins".to_owned(), blocks }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn it_is_said_what_the_first_figures_wait_for() {
        insta::assert_snapshot!(waits(&Unripe::Empty), @"No snapshot has come yet.");
        let open =
            |clocks| Unripe::Open { label: "1970-01-01".into(), until: [24 * HOUR, 48 * HOUR], clocks };
        insta::assert_snapshot!(waits(&open([Some(HOUR), None])), @"The first are those of the window 1970-01-01: they are complete once snapshots have reached 1970-01-02 00:00:00 UTC and decisions have reached 1970-01-03 00:00:00 UTC.");
        insta::assert_snapshot!(waits(&open([Some(24 * HOUR), Some(HOUR)])), @"The first are those of the window 1970-01-01: they are complete once decisions have reached 1970-01-03 00:00:00 UTC.");
    }

    #[test]
    fn accounts_that_do_not_balance_are_told_of() {
        let mut standing = RunStatus::default();
        let shown = |standing: &RunStatus| {
            inner(&Document {
                sections: vec![accounting(&Status::default(), standing)],
                ..Document::default()
            })
        };
        assert!(!shown(&standing).contains("DOES NOT BALANCE"));
        standing.accounting.snapshots.received = 1;
        assert!(shown(&standing).contains("DOES NOT BALANCE"));
    }
}

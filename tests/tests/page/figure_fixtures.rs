//! Figures and tables with generated values for the documents of page tests.

use understudy_report::page::{
    Cell, Chart, Column, DataTable, DotRow, Figure, Flow, FlowCount, FlowEffect, FlowExits, FlowLine,
    FlowNode, FlowStep, Panel, Series, SeriesPoint, Tone,
};

const DAY: f64 = 86_400.0;
/// 27 June 2016, a Monday.
const MONDAY: f64 = 1_466_985_600.0;

/// A reproducible sequence of pseudo-random numbers from 0 to 1.
fn noise(seed: usize) -> f64 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed >> 40) as f64) / f64::from(1 << 24)
}

pub(super) fn week(at: usize) -> String {
    let (month, day) = (at % 12 + 1, at % 28 + 1);
    format!("week ending 20{}-{month:02}-{day:02}", 16 + at / 27)
}

/// A table from rows of text. The first column is text, the others are numbers.
pub(super) fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> DataTable {
    let column =
        |(at, title): (usize, &str)| if at == 0 { Column::text(title) } else { Column::number(title) };
    DataTable {
        head: head.into_iter().enumerate().map(column).collect(),
        rows: rows.into_iter().map(|row| row.map(Cell::from).into()).collect(),
        ..DataTable::default()
    }
}

pub(super) fn series(models: &[&str], weeks: usize, marks: bool) -> Figure {
    let value = |model: usize, at: usize| {
        let level = if at > 40 { 0.80 } else { 0.86 } - 0.05 * model as f64;
        (at % 17 != 11).then_some(level + 0.03 * (noise(at * 7 + model) - 0.5))
    };
    let point = |model: usize, at: usize| {
        let value = value(model, at);
        SeriesPoint {
            label: week(at),
            x: MONDAY + at as f64 * 7.0 * DAY,
            value,
            band: value.map(|value| (value - 0.035, value + 0.028)),
            tone: value.map(|value| match value {
                0.83.. => Tone::Good,
                0.76.. => Tone::Unsure,
                _ => Tone::Bad,
            }),
        }
    };
    let named = |(model, name): (usize, &&str)| Series {
        name: (*name).to_owned(),
        points: (0..weeks).map(|at| point(model, at)).collect(),
    };
    let mark = |week: f64, text: &str| (MONDAY + week * 7.0 * DAY, text.to_owned());
    let events = [
        mark(12.0, "the substrate changed: new rules for groups"),
        mark(12.5, "a source broke off and went on <script>alert(1)</script>"),
        mark(41.0, "exposure: a screen in the dispatchers' office"),
    ];
    let rows = (0..weeks).map(|at| {
        let formatted = |model| value(model, at).map_or("–".to_owned(), |value| format!("{value:.4}"));
        [week(at), formatted(0), formatted(1)]
    });
    Figure {
        title: "Agreement by week".to_owned(),
        description:
            "The share of bookings for which a model answered what was done, week by week, with intervals of \
                      95 %; it falls in April 2017."
                .to_owned(),
        chart: Chart::Series {
            y_label: "agreement, share of pairs".to_owned(),
            x_label: "first day of the week, UTC".to_owned(),
            series: models.iter().enumerate().map(named).collect(),
            bound: Some(("declared bound: at least 0.85".to_owned(), 0.85)),
            marks: if marks { events.into() } else { Vec::new() },
            changes: if marks {
                vec![mark(41.0, "booked-room: from 0.86 to 0.80"), mark(24.0, "room-rules: up")]
            } else {
                Vec::new()
            },
        },
        table: table(["window", "booked-room", "room-rules"], rows),
    }
}

pub(super) fn dots(rows: usize, name: impl Fn(usize) -> String) -> Figure {
    let row = |at: usize| {
        let value = (at % 13 != 9).then_some(0.55 + 0.4 * noise(at));
        let half = 0.01 + 0.06 * noise(at + 100);
        DotRow {
            group: Some(
                ["customer segment", "day", "lead time", "season", "room"][at * 5 / rows.max(1)].to_owned(),
            ),
            label: name(at),
            value,
            interval: value.map(|value| (value - half, value + half)),
        }
    };
    let rows: Vec<DotRow> = (0..rows).map(row).collect();
    let lines = rows
        .iter()
        .map(|row| [row.label.clone(), row.value.map_or("–".to_owned(), |value| format!("{value:.4}"))]);
    Figure {
        title: "Agreement by condition".to_owned(),
        description: "Where the model agrees more and where less than overall, with intervals of 95 %."
            .to_owned(),
        table: table(["value", "agreement"], lines),
        chart: Chart::Dots {
            x_label: "agreement, share of pairs".to_owned(),
            reference: Some(("overall: 0.7981".to_owned(), 0.7981)),
            rows,
        },
    }
}

pub(super) fn matrix(size: usize, name: impl Fn(usize) -> String) -> Figure {
    let count = |row: usize, column: usize| match (row, column) {
        _ if row == column => 40 + (noise(row) * 9_000.0) as u64,
        _ if noise(row * 31 + column) > 0.6 => (noise(row * 17 + column) * 400.0) as u64,
        _ => 0,
    };
    let columns: Vec<String> = (0..size).map(&name).collect();
    let rows: Vec<(String, Vec<u64>)> = columns
        .iter()
        .cloned()
        .enumerate()
        .map(|(row, name)| (name, (0..size).map(|c| count(row, c)).collect()))
        .collect();
    let lines = rows.iter().map(|(name, counts)| {
        let head = Cell::from(name.clone());
        std::iter::once(head).chain(counts.iter().map(|count| count.to_string().into())).collect()
    });
    Figure {
        title: "What the model said, and what was done".to_owned(),
        description: "Each row is an answer of the model, each column what the hotel assigned.".to_owned(),
        table: DataTable {
            head: std::iter::once(Column::text("answer")).chain(columns.iter().map(Column::number)).collect(),
            rows: lines.collect(),
            ..DataTable::default()
        },
        chart: Chart::Matrix {
            x_label: "assigned by the hotel".to_owned(),
            y_label: "said by the model".to_owned(),
            columns,
            rows,
            diagonal: size,
        },
    }
}

pub(super) fn bars(count: usize, name: impl Fn(usize) -> String) -> Figure {
    let bars: Vec<(String, f64)> =
        (0..count).map(|at| (name(at), (9_000.0 * noise(at) / (1.0 + at as f64 / 4.0)).round())).collect();
    Figure {
        title: "How far off the price was".to_owned(),
        description: "Pairs by the difference between the model's price and the one that was paid."
            .to_owned(),
        table: table(
            ["difference", "pairs"],
            bars.iter().map(|(name, height)| [name.clone(), height.to_string()]),
        ),
        chart: Chart::Bars { x_label: "difference, EUR".to_owned(), y_label: "pairs".to_owned(), bars },
    }
}

pub(super) fn distribution(sides: &[(&str, f64)], points: usize) -> Figure {
    let shares = |median: f64| -> Vec<(f64, f64)> {
        (1..=points)
            .map(|at| at as f64 / points as f64)
            .map(|share| (median * (8.0 * (share - 0.5)).exp(), share))
            .collect()
    };
    let series: Vec<_> = sides.iter().map(|(name, median)| ((*name).to_owned(), shares(*median))).collect();
    let rows = series.iter().map(|(name, points)| {
        [
            name.clone(),
            points.get(points.len() / 2).map_or("–".to_owned(), |point| format!("{:.0} ns", point.0)),
        ]
    });
    Figure {
        title: "How long an answer takes".to_owned(),
        description: "The models answer within milliseconds, the substrate within hours.".to_owned(),
        table: table(["side", "median"], rows),
        chart: Chart::Distribution { x_label: "time until the answer".to_owned(), series },
    }
}

/// Small multiples with this many panels of this many windows. Every fifth window of the second panel has no value.
pub(super) fn small_multiples(panels: usize, windows: usize, name: impl Fn(usize) -> String) -> Figure {
    let value = |panel: usize, at: usize| 0.9 - 0.06 * panel as f64 * noise(panel * 100 + at);
    let point = |panel: usize, at: usize| SeriesPoint {
        label: week(at),
        x: MONDAY + 7.0 * DAY * at as f64,
        value: (panel != 1 || at % 5 != 4).then(|| value(panel, at)),
        band: Some((value(panel, at) - 0.05, (value(panel, at) + 0.04).min(1.0))),
        tone: (at % 7 == 3).then_some(Tone::Unsure),
    };
    let panel = |at: usize| Panel {
        title: name(at),
        description: format!("{}: lowest 0.71, highest 0.90.", name(at)),
        points: (0..windows).map(|window| point(at, window)).collect(),
    };
    let rows = (0..panels).flat_map(|panel| {
        let name = name(panel);
        (0..windows).map(move |at| [name.clone(), week(at), format!("{:.4}", value(panel, at))])
    });
    Figure {
        title: "Agreement by window and room".to_owned(),
        description: "Agreement in each window for each room, with 95 % intervals.".to_owned(),
        table: table(["room", "window", "agreement"], rows),
        chart: Chart::SmallMultiples {
            panels: (0..panels).map(panel).collect(),
            bound: Some(("threshold: at least 0.85".to_owned(), 0.85)),
            tones: vec![(Tone::Unsure, "fewer than 30 pairs".to_owned())],
        },
    }
}

/// The study as a figure with these models.
pub(super) fn flow(models: &[String], records: u64) -> Figure {
    let count = |count, label: &str| FlowCount { count, label: label.to_owned() };
    let step = |records, label: &str| FlowStep::Continuing(count(records, label));
    let exits = |label: &str, ways: &[(&str, u64)]| {
        FlowStep::Exits(FlowExits {
            label: label.to_owned(),
            ways: ways.iter().map(|(label, records)| count(*records, label)).collect(),
        })
    };
    let node =
        |title: &str, lines: Vec<FlowLine>, effect| FlowNode { title: title.to_owned(), lines, effect };
    let lines = models.iter().flat_map(|name| {
        [FlowLine::Name(name.clone()), FlowLine::Text(format!("{records} answered, 120 abstained"))]
    });
    let named =
        |title: &str, name: &str| FlowStep::Node(node(title, vec![FlowLine::Text(name.to_owned())], None));
    let excluded =
        |late| exits("excluded", &[("rejected", 2), ("duplicate", 0), ("conflict", 0), ("late", late)]);
    let flow = Flow {
        feed: node("Live feed", Vec::new(), None),
        shadow: vec![
            step(records, "snapshots received"),
            excluded(records),
            step(records, "accepted"),
            FlowStep::Node(node("Models", lines.collect(), Some(FlowEffect::Logged { answers: records }))),
            exits("not paired", &[("waiting", 0), ("expired", 0)]),
            step(records, "paired"),
        ],
        actioned: vec![
            FlowStep::Node(node("Substrate", Vec::new(), Some(FlowEffect::Actioned))),
            step(records, "decisions received"),
            excluded(0),
            step(records, "accepted"),
            exits("not paired", &[("revised", records), ("waiting", 4), ("orphaned", 0)]),
            step(records, "paired"),
        ],
        joined: vec![
            named("Comparator", "recorded"),
            exits("not compared", &[("incomparable", records)]),
            step(records, "pairs compared"),
            named("Metrics", &models.join(", ")),
            step(records, "windows"),
            named("Verdict", "✗ NO-GO"),
        ],
    };
    Figure {
        title: "The path of every record".to_owned(),
        description: "The feed goes to the models and to the substrate; the comparator joins both."
            .to_owned(),
        table: table(["step", "records"], [["received".to_owned(), records.to_string()]]),
        chart: Chart::Flow(flow),
    }
}

pub(super) const ROOMS: [&str; 12] = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "K", "L", "P"];

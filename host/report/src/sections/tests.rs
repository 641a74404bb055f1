//! Sections of reports of every kind.

use jiff::Timestamp;
use pulldown_cmark::{Event, Tag};

use crate::metric_format::MetricFormat;
use crate::model::bundle::{FORMAT, Provenance, ReportBundle, RunEvent, RunEventKind, ThresholdSummary};
use crate::model::report::Report;
use crate::model::run_summary::RunEnd;
use crate::page::{Block, Chart, html, markdown};
use crate::sections::document;
use crate::sections::helpers::{axis, bounded_value, latest, omitted_windows_note, signed};
use crate::terminal::fixture::{empty, hotel, rates, troubled};
use crate::terminal::render_report;
use crate::terminal::text_canvas::Style;
use understudy_statistics::scoring::clopper_pearson;
use understudy_statistics::verdict::{
    self, CountedWindow, Estimate, Guard, GuardResult, GuardSpan, GuardSubject, IntervalMethod, KnownTries,
    ModelVerdict, PairCounts, ScopeVerdict, Verdict, VerdictKind, VerdictReason,
};
use understudy_study::{Direction, Metadata};

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn bundle(report: Report) -> ReportBundle {
    ReportBundle {
        format: FORMAT,
        threshold: None,
        verdict: None,
        events_since_verdict: Vec::new(),
        shed: 0,
        events: Vec::new(),
        reviews: Vec::new(),
        review_notes: Vec::new(),
        provenance: Provenance {
            run_version: "0.1.0".to_owned(),
            report_version: "0.1.0".to_owned(),
            seal: "5e".repeat(32),
            sealed_at: Some(moment("2016-06-01T12:00:00Z")),
            key: None,
            ledger_entries: 12,
            ledger_head: "ab".repeat(32),
            closed: true,
            segments: 3,
            segment_rows: 30_804,
            plugins: Vec::new(),
        },
        report,
    }
}

/// A bundle with a threshold and a verdict over the windows of the report.
fn ruled(report: Report, word: VerdictKind) -> ReportBundle {
    let found = |hits, pairs| Estimate {
        pairs,
        hits: Some(hits),
        value: Some(hits as f64 / pairs as f64),
        interval: clopper_pearson(hits, pairs, 0.95),
        method: Some(IntervalMethod::Exact),
        ..Estimate::default()
    };
    let windows = report.windows.iter().map(|window| CountedWindow {
        label: window.label.clone(),
        start: window.start,
        end: window.end,
        complete: true,
    });
    let guard = |guard, subject, span, whole, limit| GuardResult {
        guard,
        subject,
        span,
        count: 400,
        whole,
        limit,
        within_limit: true,
        scope_unknown: 0,
    };
    let ruling = ScopeVerdict {
        scope: "all".to_owned(),
        verdict: word,
        reasons: vec![VerdictReason { verdict: word, text: "so it was found".to_owned() }],
        confidence: 0.95,
        level_shared_by: 1,
        snapshots: 400,
        compared: 400,
        unanswered: 0,
        guards: vec![guard(Guard::Coverage, GuardSubject::Snapshots, GuardSpan::CountedWindows, 400, 0.95)],
        pooled: found(201, 400),
        windows: report.windows.iter().map(|_| found(201, 400)).collect(),
        chance: None,
        ceiling: None,
        baselines: None,
    };
    let verdict = Verdict {
        format: verdict::FORMAT,
        study: report.study.clone(),
        seal: "5e".repeat(32),
        sealed_at: moment("2016-06-01T12:00:00Z"),
        first_snapshot: Some(moment("2016-06-27T08:00:00Z")),
        closed: true,
        threshold: "agreement at least 0.5025 pooled over all windows, by the point estimate".to_owned(),
        notes: Vec::new(),
        metric: "agreement".to_owned(),
        confidence: 0.95,
        windows: windows.collect(),
        accounting: report.accounting,
        pairs: PairCounts {
            compared: report.comparison.compared,
            incomparable: report.comparison.incomparable,
        },
        revisions: None,
        shed: 0,
        cut_offs: 0,
        guards: vec![guard(Guard::Late, GuardSubject::Decisions, GuardSpan::Run, 400, 1.0)],
        inputs: Vec::new(),
        cycle: Vec::new(),
        interferences: Vec::new(),
        tries: KnownTries::default(),
        models: vec![ModelVerdict {
            remark: None,
            model: "booked-room".to_owned(),
            contamination: None,
            scopes: vec![ruling],
        }],
    };
    let threshold =
        ThresholdSummary { text: verdict.threshold.clone(), direction: Direction::AtLeast, bound: 0.5025 };
    ReportBundle { threshold: Some(threshold), verdict: Some(verdict), ..bundle(report) }
}

#[test]
fn a_report_in_words() {
    let mut bundle = ruled(hotel(), VerdictKind::Go);
    let exposed = |at: &str, effective_from: &str| RunEvent {
        at: moment(at),
        kind: RunEventKind::Exposure,
        effective_from: Some(moment(effective_from)),
        text: "ann was shown 3 rows by log".to_owned(),
    };
    bundle.events = vec![
        exposed("2016-07-06T09:00:00Z", "2016-07-06T09:00:00Z"),
        exposed("2026-01-01T09:00:00Z", "2026-01-01T09:00:00Z"),
    ];
    insta::assert_snapshot!(markdown(&document(&bundle)));
    // Events outside of the windows shown are left out of the chart.
    let document = document(&bundle);
    let threshold = document.sections.iter().find(|section| section.id == "threshold").unwrap();
    let marks = threshold.blocks.iter().find_map(|block| match block {
        Block::Figure(figure) => match &figure.chart {
            Chart::Series { marks, .. } => Some(marks.len()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(marks, Some(1));
}

#[test]
fn a_report_of_numbers_without_a_threshold() {
    insta::assert_snapshot!(markdown(&document(&bundle(rates()))));
}

#[test]
fn a_run_in_trouble_and_one_without_records() {
    insta::assert_snapshot!("troubled", markdown(&document(&bundle(troubled()))));
    insta::assert_snapshot!("empty", markdown(&document(&bundle(empty()))));
}

#[test]
fn metadata_is_shown_literally_in_every_rendering() {
    let hostile = "<script>alert(1)</script> **b** [x](javascript:y) | `c` & \u{202e}txt";
    let metadata = Metadata {
        owners: vec![hostile.to_owned(), "# ann".to_owned()],
        protocol: Some(format!("https://example.org/{hostile}")),
        notes: Some(format!("first\n# second {hostile}\n| a | b |")),
    };
    let bundle = bundle(Report { metadata: metadata.clone(), ..hotel() });
    let document = document(&bundle);
    let page = html(&document);
    assert!(!page.contains("<script") && !page.contains('\u{202e}'), "{page}");
    assert!(
        page.contains(
            "&lt;script&gt;alert(1)&lt;/script&gt; **b** [x](javascript:y) | `c` &amp; \\u{202e}txt"
        )
    );
    // The text of Markdown, once it is rendered, is that of the page.
    let text = markdown(&document);
    let events = pulldown_cmark::Parser::new_ext(&text, pulldown_cmark::Options::all());
    let mut rendered = String::new();
    for event in events {
        match event {
            Event::Text(part) => rendered.push_str(&part),
            Event::Start(Tag::Link { .. } | Tag::Image { .. })
            | Event::InlineHtml(_)
            | Event::Html(_)
            | Event::Code(_) => {
                panic!("{event:?}")
            }
            _ => {}
        }
    }
    let shown = "<script>alert(1)</script> **b** [x](javascript:y) | `c` & \\u{202e}txt";
    for line in [
        format!("Owners: {shown}, # ann"),
        format!("Protocol: https://example.org/{shown}"),
        format!("Notes: first # second {shown} | a | b |"),
    ] {
        assert!(rendered.contains(&line), "{line}\n{text}");
    }
    let terminal = render_report(&bundle.report, Style { width: 300, color: false });
    assert!(
        terminal.contains(&format!("  Notes: first\n    # second {shown}\n    | a | b |\n")),
        "{terminal}"
    );
    let json: ReportBundle = serde_json::from_str(&bundle.to_json()).unwrap();
    assert_eq!(json.report.metadata, metadata);
}

#[test]
fn an_offline_evaluation_has_no_verdict() {
    let report = Report { replay_of: Some("77".repeat(32)), ..hotel() };
    let asked = ruled(hotel(), VerdictKind::Go).threshold;
    let text = markdown(&document(&ReportBundle { threshold: asked, ..bundle(report) }));
    assert!(text.contains("OFFLINE") && text.contains("cannot have a verdict"), "{text}");
    assert!(!text.contains("understudy decide"), "{text}");
}

#[test]
fn a_verdict_with_later_events_is_marked_out_of_date() {
    let events_since_verdict = vec!["answers were on a screen (disclosed by ann)".to_owned()];
    let document = document(&ReportBundle { events_since_verdict, ..ruled(hotel(), VerdictKind::Go) });
    assert_eq!(document.banners.first().map(|banner| banner.word.as_str()), Some("OUT OF DATE"));
    let text = markdown(&document);
    assert!(text.contains("Events after this verdict could change it: answers were on a screen"), "{text}");
}

#[test]
fn an_interim_report_says_what_it_covers() {
    let end = RunEnd::Interim { window: "week ending 2016-09-25".to_owned() };
    let text = markdown(&document(&bundle(Report { end, ..hotel() })));
    assert!(text.contains("still running"), "{text}");
    assert!(text.contains("tested as if this were the only report"), "{text}");
}

#[test]
fn consecutive_deletions_by_retention_are_one_row() {
    let event = |kind, text: &str| RunEvent {
        at: moment("2026-01-01T09:00:00Z"),
        kind,
        effective_from: None,
        text: text.to_owned(),
    };
    let dropped =
        |at: u32| event(RunEventKind::Retention, &format!("fields of {at} were dropped, as declared"));
    let mut events: Vec<RunEvent> = (0..5_000).map(dropped).collect();
    events.insert(2_000, event(RunEventKind::Note, "tea (ann)"));
    let text = markdown(&document(&ReportBundle { events, ..bundle(hotel()) }));
    assert_eq!(text.matches("| retention |").count(), 2);
    assert!(text.contains("fields of 2,000 segments") && text.contains("fields of 3,000 segments"), "{text}");
}

#[test]
fn a_value_that_misses_its_bound_never_looks_equal_to_it() {
    let (report, other) = (hotel(), rates());
    let [shares, errors] = [&report, &other].map(|report| MetricFormat::all(report).remove(0));
    let requirement = |direction, bound| ThresholdSummary { text: String::new(), direction, bound };
    let at_least = |value| bounded_value(&shares, value, &requirement(Direction::AtLeast, 0.85));
    assert_eq!(
        [0.5025, 0.849_999_96, 0.85, 2.0 / 3.0].map(at_least),
        ["0.502500", "0.849999", "0.850000", "0.666667"]
    );
    let at_most = |value| bounded_value(&errors, value, &requirement(Direction::AtMost, 40.0));
    assert_eq!(
        [40.0, 40.000_000_4, 1_234.567, 39.999_999].map(at_most),
        ["40.0000", "40.0001", "1,234.57", "40.0000"]
    );
    let at_least = |value| bounded_value(&errors, value, &requirement(Direction::AtLeast, 1_234.57));
    assert_eq!([1_234.567, 1_234.571].map(at_least), ["1,234.56", "1,234.57"]);
}

#[test]
fn the_latest_windows_are_shown_and_the_others_counted() {
    let windows: Vec<usize> = (0..1_000).collect();
    assert_eq!(latest(&windows).first(), Some(&600));
    assert_eq!(latest(&windows[..3]), [0, 1, 2]);
    assert_eq!(omitted_windows_note(400), "");
    assert!(omitted_windows_note(1_000).starts_with(" The latest 400 of 1,000 windows"));
}

#[test]
fn axes_have_units_and_small_differences_have_digits() {
    let (report, other) = (hotel(), rates());
    let axes = [&report, &other].map(|report| axis(&MetricFormat::all(report)[0]));
    assert_eq!(axes, ["agreement, from 0 to 1", "mean-absolute-error, in its own unit"]);
    assert_eq!(
        [0.25, -0.000_012_3, 12.345_678, 0.0, -4.0].map(signed),
        ["+0.2500", "-1.2e-5", "+12.346", "+0.0000", "-4.0000"]
    );
}

#[test]
fn figures_have_distinct_titles() {
    for bundle in [bundle(hotel()), bundle(rates()), ruled(hotel(), VerdictKind::Go)] {
        let document = document(&bundle);
        let blocks = document.sections.iter().flat_map(|section| &section.blocks);
        let titles: Vec<&str> = blocks
            .filter_map(|block| match block {
                Block::Figure(figure) => Some(figure.title.as_str()),
                _ => None,
            })
            .collect();
        let distinct: std::collections::BTreeSet<&&str> = titles.iter().collect();
        assert_eq!(distinct.len(), titles.len(), "{titles:?}");
    }
}

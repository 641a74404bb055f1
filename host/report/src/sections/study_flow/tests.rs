//! The figure of a study: its numbers are those of the accounts.

use proptest::prelude::*;

use super::*;
use crate::format::grouped;
use crate::page::{Document, Tone, html, markdown};
use crate::terminal::fixture::{empty, hotel, troubled};

fn banner(tone: Tone, word: &str) -> Banner {
    Banner { tone, word: word.to_owned(), text: String::new(), points: Vec::new() }
}

fn figure(flow: &StudyFlow) -> Figure {
    match flow.section().blocks.pop() {
        Some(Block::Figure(figure)) => figure,
        other => panic!("{other:?}"),
    }
}

/// The table of a figure as text.
fn rows(flow: &StudyFlow) -> String {
    let line = |row: &Vec<Cell>| row.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" | ");
    let figure = figure(flow);
    let table: Vec<String> = figure.table.rows.iter().map(line).collect();
    format!("{}\n\n{}\n", figure.description, table.join("\n"))
}

#[test]
fn the_text_of_the_figure_of_a_troubled_run() {
    let mut report = troubled();
    report.accounting.decisions.revised = 3;
    report.accounting.decisions.received += 3;
    insta::assert_snapshot!(rows(&StudyFlow::from_report(&report, 4, &[banner(Tone::Plain, "UNDECIDED")])));
}

#[test]
fn the_text_of_the_figure_of_a_run_without_records() {
    insta::assert_snapshot!(rows(&StudyFlow::from_report(
        &empty(),
        0,
        &[banner(Tone::Plain, "NO THRESHOLD")]
    )));
}

#[test]
fn many_models_are_summed() {
    let mut report = hotel();
    let other = report.models[1].clone();
    report.models.extend(std::iter::repeat_n(other, 18));
    let flow = StudyFlow::from_report(&report, 0, &[banner(Tone::Good, "GO")]);
    let Some(FlowStep::Node(models)) =
        flow.flow().shadow.into_iter().find(|step| matches!(step, FlowStep::Node(_)))
    else {
        panic!("there are models")
    };
    assert_eq!((models.title.as_str(), models.lines.len()), ("20 models", 10));
    let text = |at: usize| match &models.lines[at] {
        FlowLine::Name(text) | FlowLine::Text(text) => text.as_str(),
    };
    assert_eq!([text(0), text(1)], ["booked-room", "15,402 answered"]);
    assert_eq!(text(8), "and 16 more: 244,464 answered, 1,920 abstained, 48 failed");
    assert_eq!(text(9), "none blinded");
    // The table has each model.
    assert_eq!(
        figure(&flow).table.rows.iter().filter(|row| row[1].text.starts_with("answered:")).count(),
        20
    );
}

#[test]
fn pairs_of_open_windows_are_not_compared_yet() {
    let mut report = hotel();
    report.comparison.compared -= 1_402;
    let running = StudyFlow {
        is_final: false,
        is_interim: true,
        ..StudyFlow::from_report(&report, 0, &[banner(Tone::Plain, "GO")])
    };
    assert!(rows(&running).contains("pairs | left: in open windows | 1,402"), "{}", rows(&running));
    assert!(!rows(&running).contains("do not balance"));
    // After the end this is a fault.
    let ended = StudyFlow { is_final: true, is_interim: false, ..running };
    assert!(rows(&ended).contains("pairs | left: unaccounted for | 1,402"), "{}", rows(&ended));
    assert!(rows(&ended).contains("The numbers do not balance"));
}

/// The numbers of a path, and those of the ways out, in order.
fn numbers(steps: &[FlowStep]) -> (Vec<u64>, Vec<u64>) {
    let (mut continuing, mut out) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            FlowStep::Continuing(number) => continuing.push(number.count),
            FlowStep::Exits(exits) => out.push(exits.records()),
            FlowStep::Node(_) => {}
        }
    }
    (continuing, out)
}

fn account(parts: [u64; 8], paired: u64) -> Account {
    let [rejected, duplicate, conflict, late, _, revised, waiting, expired] = parts;
    let received = rejected + duplicate + conflict + late + paired + revised + waiting + expired;
    Account { received, rejected, duplicate, conflict, late, paired, revised, waiting, expired }
}

proptest! {
    #[test]
    fn the_numbers_of_the_figure_add_up_to_the_accounts(
        snapshots in prop::array::uniform8(0..1_000_000_000_000u64),
        decisions in prop::array::uniform8(0..1_000_000_000_000u64),
        compared in 0..1_000_000_000_000u64,
        incomparable in 0..1_000_000u64,
        windows in 0..10_000u64,
    ) {
        let paired = compared + incomparable;
        let accounting = Accounting {
            snapshots: Account { revised: 0, ..account(snapshots, paired) },
            decisions: account(decisions, paired),
        };
        let received = accounting.snapshots.received - snapshots[5];
        let accounting = Accounting { snapshots: Account { received, ..accounting.snapshots }, ..accounting };
        prop_assert!(accounting.balances());
        let comparison = PairCounts { compared, incomparable };
        let study = StudyFlow { is_final: true, accounting, comparison, windows, ..StudyFlow::default() };
        prop_assert!(study.balances());
        let flow = study.flow();
        for (steps, account) in [(&flow.shadow, accounting.snapshots), (&flow.actioned, accounting.decisions)] {
            let (continuing, out) = numbers(steps);
            let [received, accepted, joined] = continuing[..] else { panic!("{continuing:?}") };
            prop_assert_eq!([received, joined], [account.received, account.paired]);
            prop_assert_eq!(received, out[0] + accepted);
            prop_assert_eq!(accepted, out[1] + joined);
            // Every term is there once.
            let ways = steps.iter().flat_map(|step| match step {
                FlowStep::Exits(exits) => exits.ways.iter().map(|way| way.count).collect(),
                _ => Vec::new(),
            });
            let mut shown: Vec<u64> = ways.chain([joined]).collect();
            let mut terms: Vec<u64> = account.terms().into_iter().map(|(_, records)| records).collect();
            shown.resize(terms.len(), 0);
            shown.sort_unstable();
            terms.sort_unstable();
            prop_assert_eq!(shown, terms);
        }
        let (continuing, out) = numbers(&flow.joined);
        prop_assert_eq!((continuing, out), (vec![compared, windows], vec![incomparable]));
        // The table has every number of the figure.
        let table = figure(&study).table;
        let all: u64 = table.rows.iter().filter(|row| row[1].text.starts_with("left:"))
            .filter_map(|row| row[2].text.replace(',', "").parse::<u64>().ok()).sum();
        let expected = accounting.snapshots.received + accounting.decisions.received - paired - compared;
        prop_assert_eq!(all, expected);
    }
}

/// Writes pages with figures of several runs to the folder that `UNDERSTUDY_PICTURES` names.
#[test]
fn the_figure_is_on_the_page_in_both_widths() {
    let mut many = hotel();
    let other = many.models[1].clone();
    many.models.extend((0..5).map(|at| {
        let mut model = other.clone();
        model.plugin.name = format!("a-model-with-a-name-of-forty-letters-{at:03}");
        model
    }));
    let large = |mut report: Report| {
        let numbers = [&mut report.accounting.snapshots, &mut report.accounting.decisions];
        for account in numbers {
            *account = account_of_twelve_digits();
        }
        report.comparison = PairCounts { compared: 200_000_000_000, incomparable: 99_999_999_997 };
        report
    };
    let running = |report: Report| StudyFlow {
        is_final: false,
        is_interim: true,
        ..StudyFlow::from_report(&report, 0, &[banner(Tone::Unsure, "INCONCLUSIVE SO FAR")])
    };
    let pages = [
        ("go", StudyFlow::from_report(&hotel(), 0, &[banner(Tone::Good, "GO")])),
        ("troubled", StudyFlow::from_report(&troubled(), 4, &[banner(Tone::Bad, "NO-GO")])),
        ("empty", StudyFlow::from_report(&empty(), 0, &[banner(Tone::Unsure, "INCONCLUSIVE")])),
        ("many", StudyFlow::from_report(&many, 0, &[banner(Tone::Bad, "NO-GO")])),
        ("large", StudyFlow::from_report(&large(troubled()), 999_999_999_999, &[banner(Tone::Void, "VOID")])),
        ("live", running(troubled())),
    ];
    for (name, flow) in pages {
        let tone = Banner { text: "safe to try on canary".to_owned(), ..banner(Tone::Good, "GO") };
        let document = Document {
            title: format!("Shadow study {name}"),
            banners: vec![tone],
            sections: vec![flow.section()],
            ..Document::default()
        };
        let page = html(&document);
        assert_eq!(page.matches("class=\"chart wide\"").count(), 1);
        assert_eq!(page.matches("class=\"chart narrow\"").count(), 1);
        let received = grouped(&flow.accounting.snapshots.received.to_string());
        assert!(
            page.matches(&received).count() >= 2 && markdown(&document).contains(&received),
            "{received}"
        );
        if let Some(folder) = std::env::var_os("UNDERSTUDY_PICTURES") {
            std::fs::write(std::path::Path::new(&folder).join(format!("{name}.html")), page).unwrap();
        }
    }
}

fn account_of_twelve_digits() -> Account {
    let part = 99_999_999_999;
    Account {
        received: 10 * part,
        rejected: part,
        duplicate: part,
        conflict: part,
        late: part,
        paired: 3 * part,
        revised: part,
        waiting: part,
        expired: part,
    }
}

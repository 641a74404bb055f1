//! Different values never look the same wherever a person reads them.

use std::collections::BTreeSet;

use understudy_tests::TestWorkspace;

/// Pairs of labels that look alike: what the model answers, and what the substrate did.
const ALIKE: [(&str, &str); 10] = [
    ("a", "a "),
    ("b b", "b  b"),
    ("c\u{a0}c", "c c"),
    ("d\u{200b}", "d"),
    ("caf\u{e9}", "cafe\u{301}"),
    ("\u{202e}f", "f"),
    ("g\tg", "g g"),
    ("h\u{ad}", "h"),
    ("\u{212b}", "\u{c5}"),
    ("", " "),
];

/// A run with a pair for each pair of labels, and its exports.
fn alike() -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let json = |label: &str| serde_json::to_string(label).expect("text can be JSON");
    let snapshot = |(at, (model, _)): (usize, &(&str, &str))| {
        format!(r#"{{"id":"s{at}","at":"2026-03-01T10:{at:02}:00Z","booked":{},"nights":1}}"#, json(model))
    };
    workspace.write_lines("snapshots.jsonl", ALIKE.iter().enumerate().map(snapshot));
    let decision = |(at, (_, substrate)): (usize, &(&str, &str))| {
        format!(r#"{{"id":"s{at}","at":"2026-03-01T11:{at:02}:00Z","room":{}}}"#, json(substrate))
    };
    workspace.write_lines("decisions.jsonl", ALIKE.iter().enumerate().map(decision));
    let report = workspace.run(&[]);
    assert_eq!(report["models"][0]["scores"][0]["overall"]["value"], 0.0);
    workspace
}

/// The cells of a Markdown table row, without escapes of punctuation.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_matches('|');
    let mut text = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        text.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    text.split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn a_report_tells_labels_apart_that_look_alike() {
    let workspace = alike();
    let markdown = workspace.ok(&["report", "run", "--format", "md"]).stdout;
    let table = markdown.split("| Model | Substrate | Pairs |").nth(1).expect("a table of answers");
    let rows: Vec<_> = table.lines().skip(2).take_while(|line| line.starts_with('|')).map(cells).collect();
    assert_eq!(rows.len(), ALIKE.len(), "{table}");
    let shown: BTreeSet<_> = rows.iter().flat_map(|row| row[..2].to_vec()).collect();
    let labels: BTreeSet<_> = ALIKE.iter().flat_map(|(one, other)| [one, other]).collect();
    assert_eq!(shown.len(), labels.len(), "{shown:?}");
    for text in [
        "a\\u{20}",
        "b\\u{20}\\u{20}b",
        "c\\u{a0}c",
        "d\\u{200b}",
        "cafe\\u{301}",
        "\\u{202e}f",
        "g\\u{9}g",
        "\"\"",
    ] {
        assert!(shown.contains(text), "{text}: {shown:?}");
    }
    workspace.ok(&["report", "run"]);
    let page = std::fs::read_to_string(workspace.path().join("run/report.html")).expect("a page");
    assert!(page.contains("<td>a\\u{20}</td>") && page.contains("<td>caf\u{e9}</td>"), "the page differs");
}

#[test]
fn case_log_and_review_tell_labels_apart_that_look_alike() {
    let workspace = alike();
    let case = workspace.ok(&["case", "run", "s0"]).stdout;
    assert!(
        case.contains("  room  a\\u{20}\n") && case.contains("as an answer: a\\u{20}, by comparator"),
        "{case}"
    );
    assert!(case.contains("  echo   a  "), "{case}");
    let empty = workspace.ok(&["case", "run", "s9"]).stdout;
    assert!(empty.contains("  booked  \"\"\n") && empty.contains("  room  \\u{20}\n"), "{empty}");
    let log = workspace.ok(&["log", "run"]).stdout;
    for line in log.lines().skip(1) {
        let cells: Vec<&str> = line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect();
        assert_eq!((cells.len(), cells[4]), (5, "0.0"), "{log}");
        assert_ne!(cells[2], cells[3], "{log}");
    }
    let review = workspace.ok(&["review", "run", "--sample", "10"]).stdout;
    // Of each pair one label is marked, whichever is drawn first.
    assert!(review.contains("as an answer: ") && review.contains("\\u{"), "{review}");
}

#[test]
fn condition_values_that_look_alike_are_told_apart() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("values = [\"a\", \"b\"]", "values = [\"a\", \"a \"]")]);
    let line = |at: usize| {
        let room = ["a", "a "][at % 2];
        format!(r#"{{"id":"s{at}","at":"2026-03-01T10:{at:02}:00Z","booked":"{room}","nights":1}}"#)
    };
    workspace.write_lines("snapshots.jsonl", (0..20).map(line));
    let line = |at: usize| format!(r#"{{"id":"s{at}","at":"2026-03-01T11:{at:02}:00Z","room":"a"}}"#);
    workspace.write_lines("decisions.jsonl", (0..20).map(line));
    workspace.run(&[]);
    let text = workspace.ok(&["report", "run", "--format", "text"]).stdout;
    assert!(text.contains("\n    a\\u{20} ") && text.contains("\n    a  "), "{text}");
}

//! Inputs of which fewer than a tenth of the records can be read or joined: the run says so first, with the likely cause.

use understudy_tests::{TestWorkspace, account};

/// Runs the small study after `change`. The second line of its text, which says what is wrong with the input.
fn first_sentence(change: impl FnOnce(&TestWorkspace, &[String])) -> String {
    let workspace = TestWorkspace::small();
    let lines = lines(&workspace, "snapshots.jsonl");
    change(&workspace, &lines);
    let output = workspace.ok(&["run", "study.toml", "--run", "run"]);
    let report = workspace.report("run");
    assert!(report["input-diagnosis"].is_object(), "{report}");
    workspace.ok(&["verify", "run"]);
    let page = workspace.ok(&["report", "run", "--format", "md"]).stdout;
    // The sentence is wrapped, and ends with the first line of another part.
    let text = output.stdout.lines().skip(1).take_while(|line| !line.starts_with("Shadow run"));
    let text = text.map(str::trim).collect::<Vec<_>>().join(" ");
    let words = text.split(':').next().expect("a text has a beginning");
    assert!(page.contains(words), "{words}\n{page}");
    text
}

fn lines(workspace: &TestWorkspace, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(workspace.path().join(file)).expect("the small study has both");
    text.lines().map(str::to_owned).collect()
}

/// The sentence for snapshots of this text.
fn with_snapshots(text: impl FnOnce(&[String]) -> String) -> String {
    first_sentence(|workspace, lines| workspace.write("snapshots.jsonl", text(lines)))
}

#[test]
fn the_form_of_an_unreadable_source_is_named_first() {
    let each = |change: &dyn Fn(&str) -> String| {
        with_snapshots(|lines| lines.iter().map(|line| change(line) + "\n").collect())
    };
    let sentences = [
        with_snapshots(|lines| format!("[{}]", lines.join(","))),
        with_snapshots(|lines| {
            let many: Vec<_> = (0..40).map(|at| lines[0].replace("s1", &format!("n{at}"))).collect();
            format!("[\n{}\n]", many.join(",\n"))
        }),
        each(&|line| line.replace('{', "{\n").replace(',', ",\n").replace('}', "\n}")),
        with_snapshots(|lines| lines.join("\r")),
        each(&|line| format!("\u{1e}{line}")),
        with_snapshots(|_| "id,at,booked\ns1,2026-03-01T10:00:00Z,a\n".to_owned()),
        each(&|line| line.replace('"', "'")),
        each(&|line| line.replace("\"2026-03-0", "1772359").replace("T10:00:00Z\"", "00")),
        each(&|line| line.replace("00Z", "00")),
        each(&|line| line.replace("\"s", "").replace("\",\"at", ".0,\"at")),
        each(&|line| line.replace("\"id\"", "\"ID\"")),
        with_snapshots(|_| String::new()),
    ];
    insta::assert_snapshot!(sentences.join("\n"), @r#"
    NO SNAPSHOTS WERE READ: 0 of 1 record could be decoded. Likely cause: the source is one JSON array; write one object per line, for instance with `jq -c '.[]'`.
    HARDLY ANY SNAPSHOTS WERE READ: 1 of 42 records could be decoded. Likely cause: the source is one JSON array; write one object per line, for instance with `jq -c '.[]'`.
    NO SNAPSHOTS WERE READ: 0 of 30 records could be decoded. Likely cause: the records are pretty-printed over several lines; write each on one line, for instance with `jq -c .`.
    NO SNAPSHOTS WERE READ: 0 of 1 record could be decoded. Likely cause: the lines end with a carriage return alone; end them with a line feed, for instance with `tr '\r' '\n'`.
    NO SNAPSHOTS WERE READ: 0 of 5 records could be decoded. Likely cause: a record separator precedes each record (RFC 7464); remove it, for instance with `tr -d '\036'`.
    NO SNAPSHOTS WERE READ: 0 of 2 records could be decoded. Likely cause: the source is a table such as CSV; end its name in .csv or write format = "csv", and write as many cells in each row as in the header, with commas between them.
    NO SNAPSHOTS WERE READ: 0 of 5 records could be decoded. Likely cause: the lines have notation of another language, such as NaN, None or single quotes; write JSON.
    NO SNAPSHOTS WERE READ: 0 of 5 records could be decoded. Likely cause: the times are numbers, perhaps seconds or milliseconds since 1970; write RFC 3339 with a zone, such as "2026-05-01T09:30:00Z".
    NO SNAPSHOTS WERE READ: 0 of 5 records could be decoded. Likely cause: the times have no time zone; write them with Z or an offset, such as "2026-05-01T09:30:00Z".
    NO SNAPSHOTS WERE READ: 0 of 5 records could be decoded. Likely cause: the ids are fractions such as 1.0, as tools write the integers of a column with gaps; write them as text or as integers.
    NO SNAPSHOTS WERE READ: 0 of 5 records could be decoded. Likely cause: the records have no id under the declared key; correct the key `id` of the stream in study.toml.
    NO SNAPSHOTS WERE RECEIVED: the source is empty.
    "#);
}

#[test]
fn ids_that_do_not_meet_are_explained_first() {
    let decisions = |change: &dyn Fn(&str) -> String| {
        first_sentence(|workspace, _| {
            let lines = lines(workspace, "decisions.jsonl");
            workspace.write_lines("decisions.jsonl", lines.iter().map(|line| change(line)));
        })
    };
    let sentences = [
        decisions(&|line| line.replace("\"s", "\"S")),
        decisions(&|line| line.replace("\"s", "\"s00")),
        decisions(&|line| line.replace("\"s", "\"s ")),
        decisions(&|line| line.replace("\"s", "\"t")),
        decisions(&|line| line.replace("2026-03-0", "2026-04-0")),
    ];
    insta::assert_snapshot!(sentences.join("\n"), @r#"
    NO PAIRS: no decision was joined with a snapshot. 5 decisions have the id of a snapshot but for case (A-1 and a-1); write ids alike in both sources.
    NO PAIRS: no decision was joined with a snapshot. 5 decisions have the id of a snapshot but for leading zeros (007 and 7); write ids alike in both sources.
    NO PAIRS: no decision was joined with a snapshot. 5 decisions have the id of a snapshot but for spaces ("a 1" and "a1"); write ids alike in both sources.
    NO PAIRS: no decision was joined with a snapshot. None of the 5 unpaired decisions examined has the id of an unpaired snapshot, in any spelling; compare the ids of both sources.
    NO PAIRS: no decision was joined with a snapshot. 5 decisions have the id of a snapshot, beyond the horizon by 30d1h; correct the time zones, or declare a longer `horizon`.
    "#);
}

#[test]
fn a_run_that_read_its_input_says_nothing_of_it() {
    let workspace = TestWorkspace::small();
    let report = workspace.run(&[]);
    assert_eq!(account(&report, "snapshots"), [("received", 5), ("paired", 5)]);
    assert!(report["input-diagnosis"].is_null());
}

#[test]
fn names_that_differ_in_case_only_are_warnings_of_check() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("booked = \"text\"", "booked = \"text\"\nBooked = \"text\"")]);
    let output = workspace.ok(&["check", "study.toml"]);
    assert!(output.stderr.contains("warning: the input fields `booked`"), "{}", output.stderr);
    assert!(output.stderr.contains("differ in case only"), "{}", output.stderr);
}

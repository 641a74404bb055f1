//! Studies with errors: `understudy check` reports all of them at once, with line, reason and correction.

use std::fs;

use understudy_tests::TestWorkspace;

/// Output of `check` for the small study with edits.
fn check(changes: &[(&str, &str)]) -> String {
    let workspace = TestWorkspace::small();
    workspace.edit_study(changes);
    let output = workspace.understudy(&["check", "study.toml"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
    output.stderr
}

#[test]
fn a_valid_study_is_reported_as_valid() {
    let output = TestWorkspace::small().understudy(&["check", "study.toml"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.stdout, @r#"
    study.toml is valid: study "small"
      model       echo                     recorded 0.1.0
      comparator  recorded                 recorded 0.1.0
      metric      agreement                agreement 0.1.0, primary
    "#);
}

#[test]
fn a_missing_file_is_an_error() {
    let workspace = TestWorkspace::small();
    let output = workspace.understudy(&["check", "stduy.toml"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"cannot read stduy.toml: No such file or directory (os error 2); name a study.toml");
    let output = workspace.understudy(&["check", "."]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"cannot read .: it is a directory, not a regular file; name a study.toml");
}

#[test]
fn a_file_that_is_not_toml_is_an_error() {
    let workspace = TestWorkspace::small();
    let output = workspace.understudy(&["check", "snapshots.jsonl"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"
    snapshots.jsonl:1: invalid TOML: invalid key-value pair, expected key
    snapshots.jsonl:2: invalid TOML: invalid key-value pair, expected key
    snapshots.jsonl:3: invalid TOML: invalid key-value pair, expected key
    snapshots.jsonl:4: invalid TOML: invalid key-value pair, expected key
    snapshots.jsonl:5: invalid TOML: invalid key-value pair, expected key
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    ");
}

#[test]
fn missing_decisions_are_an_error() {
    insta::assert_snapshot!(check(&[("decisions = { file = \"decisions.jsonl\" }\n", "")]), @r#"
    study.toml:20: `sources.decisions` is missing; write { file = "records.jsonl" }, { stdin = true } or { http = true }. A shadow study compares with the decisions of the substrate: if there are none, use a canary release with tight controls instead
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    "#);
}

#[test]
fn a_missing_comparator_is_an_error() {
    let comparator = "[comparator]\nname = \"recorded\"\nplugin = \"PLUGINS/recorded.wasm\"\n\
                      grant = [\"decision.room\"]\nconfig = { field = \"decision.room\", form = \"label\" }\n";
    insta::assert_snapshot!(check(&[(comparator, "")]), @"
    study.toml:1: `comparator` is missing; write [comparator] exactly once, with name and plugin
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    ");
}

#[test]
fn granting_the_decision_to_a_model_is_an_error() {
    insta::assert_snapshot!(check(&[("grant = [\"booked\"]", "grant = [\"booked\", \"decision.room\"]")]), @"
    study.toml:27: `models.grant` contains `decision.room`, but a model must not read the decision that it is compared with; grant fields of [inputs.fields] only
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    ");
}

#[test]
fn granting_an_undeclared_field_is_an_error() {
    insta::assert_snapshot!(check(&[("grant = [\"booked\"]", "grant = [\"boked\"]")]), @"
    study.toml:27: `models.grant` contains `boked`, but [inputs.fields] does not declare this field; did you mean `booked`? declared: `booked`, `nights`
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    ");
}

#[test]
fn an_unknown_time_zone_is_an_error() {
    insta::assert_snapshot!(check(&[("\"UTC\"", "\"Europe/Amsterdm\"")]), @r#"
    study.toml:2: `time-zone` is "Europe/Amsterdm", which is not a time zone; did you mean "Europe/Amsterdam"?
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    "#);
    insta::assert_snapshot!(check(&[("\"UTC\"", "\"here\"")]), @r#"
    study.toml:2: `time-zone` is "here", which is not a time zone; write an IANA name such as "Europe/Amsterdam" or "UTC", or an offset such as "+01:00"
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    "#);
}

#[test]
fn duplicate_plugin_names_are_an_error() {
    insta::assert_snapshot!(check(&[("name = \"echo\"", "name = \"agreement\"")]), @"
    study.toml:37: two plugins are named `agreement`, on lines 24 and 36; give each plugin a different name
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    ");
}

#[test]
fn unordered_bins_are_an_error() {
    let bins = "field = \"nights\"\nbins = [7, 3, 30]";
    insta::assert_snapshot!(check(&[("field = \"booked\"\nvalues = [\"a\", \"b\"]", bins)]), @"
    study.toml:43: `conditions.bins` has 3 after 7; write a list of finite numbers in ascending order, at least one, such as [7, 30, 90]
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    ");
}

#[test]
fn unknown_keys_are_errors() {
    let changes =
        [("time-zone", "timezone"), ("horizon =", "horizn ="), ("grant", "grants"), ("[windows]", "[limit]")];
    insta::assert_snapshot!(check(&changes), @r#"
    study.toml:1: `windows` is missing; write [windows] with every = "week", or another interval
    study.toml:2: unknown key `timezone`; did you mean `time-zone`? keys allowed here: study, time-zone, register, metadata, follow-up, decisions, inputs, sources, mirror, models, comparator, metrics, conditions, windows, limits, log, threshold, scopes, blinding, ceiling, divergence, interim, swaps
    study.toml:15: unknown key `decisions.horizn`; did you mean `horizon`? keys allowed here: horizon, revisions, id, time, lateness, most-ahead, fields
    study.toml:27: unknown key `models.grants`; did you mean `grant`? keys allowed here: name, plugin, file, fields, labels, score-threshold, softmax, top, training-period, config, assets, grant
    study.toml:45: unknown key `limit`; did you mean `limits`? keys allowed here: study, time-zone, register, metadata, follow-up, decisions, inputs, sources, mirror, models, comparator, metrics, conditions, windows, limits, log, threshold, scopes, blinding, ceiling, divergence, interim, swaps
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    "#);
}

#[test]
fn all_errors_are_reported_at_once_with_their_lines() {
    let changes = [
        ("study = \"small\"", "study = \"a small one\""),
        ("\"UTC\"", "\"Europe/Amsterdm\""),
        ("nights = \"integer\"", "nights = \"int\""),
        ("\"1d\"", "\"1 day\""),
        ("decisions = { file = \"decisions.jsonl\" }\n", ""),
        ("grant = [\"booked\"]", "grant = [\"booked\", \"decision.room\"]"),
        ("name = \"recorded\"", "name = \"echo\""),
        ("values = [\"a\", \"b\"]", "bins = [3, 2]"),
        ("every = \"day\"", "every = \"fortnight\""),
    ];
    insta::assert_snapshot!(check(&changes), @r#"
    study.toml:1: `study` is "a small one"; write a name of letters, digits, - and _, such as "rooms-2"
    study.toml:2: `time-zone` is "Europe/Amsterdm", which is not a time zone; did you mean "Europe/Amsterdam"?
    study.toml:10: `inputs.fields.nights` is "int"; write one of "boolean", "integer", "number", "text", "timestamp", "json"
    study.toml:15: `decisions.horizon` is "1 day"; write a duration above zero, such as "30s", "15m", "24h" or "7d", up to "36500d"
    study.toml:20: `sources.decisions` is missing; write { file = "records.jsonl" }, { stdin = true } or { http = true }. A shadow study compares with the decisions of the substrate: if there are none, use a canary release with tight controls instead
    study.toml:26: `models.grant` contains `decision.room`, but a model must not read the decision that it is compared with; grant fields of [inputs.fields] only
    study.toml:30: two plugins are named `echo`, on lines 23 and 29; give each plugin a different name
    study.toml:41: `conditions.field` is `booked` of kind text, but `bins` needs a field of kind integer, number
    study.toml:42: `conditions.bins` has 2 after 3; write a list of finite numbers in ascending order, at least one, such as [7, 30, 90]
    study.toml:45: `windows.every` is "fortnight"; write one of "hour", "day", "week", "month"
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    "#);
}

#[test]
fn check_reports_unreadable_sources() {
    let workspace = TestWorkspace::small();
    fs::remove_file(workspace.path().join("decisions.jsonl")).expect("removed");
    workspace.edit_study(&[("snapshots.jsonl", ".")]);
    let output = workspace.understudy(&["check", "study.toml"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @r"
    study.toml:21: cannot read .: it is a directory; correct its path in `[sources]`
    study.toml:22: cannot read decisions.jsonl: No such file or directory (os error 2); correct its path in `[sources]`
    ");
}

#[test]
fn check_names_keys_that_no_record_has() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[
        ("nights = \"integer\"", "nigths = \"integer\""),
        ("[inputs]\nid = \"id\"", "[inputs]\nid = \"uid\""),
    ]);
    let output = workspace.understudy(&["check", "study.toml"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @r#"
    warning: snapshots.jsonl: none of the first 5 records has the key `nigths`, which [inputs] declares (fields); did you mean "nights"? their keys are "at", "booked", "id", "nights"
    snapshots.jsonl: none of the first 5 records has the key `uid`, which [inputs] declares (id); did you mean "id"? their keys are "at", "booked", "id", "nights"; no record can be read without it, so name one of them as `id`
    "#);
}

#[test]
fn check_decodes_the_first_records() {
    let workspace = TestWorkspace::small();
    let check = || {
        let output = workspace.understudy(&["check", "study.toml"]);
        format!("{}exit code {}", output.stderr, output.code)
    };
    let snapshots = fs::read_to_string(workspace.path().join("snapshots.jsonl")).expect("snapshots");
    let write = |edit: &dyn Fn(usize, &str) -> String| {
        workspace
            .write_lines("snapshots.jsonl", snapshots.lines().enumerate().map(|(at, line)| edit(at, line)));
    };
    write(&|_, line| line.replace("\"nights\":", "\"nights\":true,\"other\":"));
    insta::assert_snapshot!(check(), @r"
    snapshots.jsonl: none of the first 5 records can be decoded; line 1: field `nights`: expected an integer, found true
    exit code 1
    ");
    write(&|at, line| if at == 3 { line.replace("Z\"", "\"") } else { line.to_owned() });
    insta::assert_snapshot!(check(), @r#"
    warning: snapshots.jsonl: 1 of the first 5 records cannot be decoded; line 4: field `at`: "2026-03-04T10:00:00" has no time zone; write it with Z or an offset, such as "2026-05-01T09:30:00Z"
    exit code 0
    "#);
    write(&|at, _| {
        if at == 0 { "id,at,booked,nights".to_owned() } else { format!("s{at},2026-03-01T10:00:00Z,a,1") }
    });
    insta::assert_snapshot!(check(), @r#"
    snapshots.jsonl: none of the first 5 records can be decoded; line 1: not JSON: the word id at column 1; write strings in double quotes. Likely cause: the source is a table such as CSV; end its name in .csv or write format = "csv", and write as many cells in each row as in the header, with commas between them
    exit code 1
    "#);
    write(&|at, line| line.replacen("\"at\":\"", &format!("\"at\":177236640{at}000,\"was\":\""), 1));
    insta::assert_snapshot!(check(), @r#"
    snapshots.jsonl: none of the first 5 records can be decoded; line 1: field `at`: expected a time such as "2026-05-01T09:30:00Z", found 1772366400000, perhaps milliseconds since 1970, which is 2026-03-01T12:00:00Z. Likely cause: the times are numbers, perhaps seconds or milliseconds since 1970; write RFC 3339 with a zone, such as "2026-05-01T09:30:00Z"
    exit code 1
    "#);
}

#[test]
fn a_field_without_values_is_named_by_the_report() {
    let workspace = TestWorkspace::small();
    let snapshots = fs::read_to_string(workspace.path().join("snapshots.jsonl")).expect("snapshots");
    workspace.write_lines("snapshots.jsonl", snapshots.lines().map(|line| line.replace("nights", "nigths")));
    workspace.run(&[]);
    let report = workspace.ok(&["report", "run", "--format", "text"]).stdout;
    let about = report.lines().skip_while(|line| !line.starts_with("THE FIELD")).take(2);
    insta::assert_snapshot!(about.collect::<Vec<_>>().join("\n"), @"
    THE FIELD `nights` HAS NO VALUE in any of 5 snapshots, so nothing that depends on it is tested. The
    snapshots have the key `nigths`, which the study does not declare; write the same name in both.
    ");
    let values = workspace.report("run")["missing-values"].to_string();
    insta::assert_snapshot!(values, @r#"[{"field":"nights","missing":5,"records":5,"stream":"snapshots"}]"#);
}

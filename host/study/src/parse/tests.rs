//! Faults in the whole declaration and in its simple sections, as the terminal shows them.

use insta::assert_snapshot;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;

use super::*;
use crate::test_support::{VALID, edited, faults, read};
use crate::{Condition, Fault, Split};

const ROOMS: &str = include_str!("../../../../examples/hotel/rooms.toml");
const RATES: &str = include_str!("../../../../examples/hotel/rates.toml");

#[test]
fn a_study_is_live_if_records_are_pushed() {
    assert!(!read(&[]).is_live());
    let pushed = ("decisions = { file = \"assignments.jsonl\" }", "decisions = { http = true }");
    assert!(read(&[pushed]).is_live());
}

#[test]
fn long_answers_make_batches_smaller() {
    let limits = |text: &str| read(&[("[windows]", &format!("[limits]\n{text}\n[windows]"))]).limits;
    let few = limits("answer-kib = 64\nbatch-rows = 1000");
    assert_eq!((few.answer_bytes(), few.rows_per_batch()), (65_536, 1000));
    // 512 MiB of answers with 256 KiB each.
    let long = limits("answer-kib = 256\nbatch-rows = 4000");
    assert_eq!((long.answer_bytes(), long.rows_per_batch()), (262_144, 2048));
}

#[test]
fn a_study_has_the_values_of_its_file() {
    let study = parse(ROOMS).unwrap();
    assert_eq!(study.name, "hotel-rooms");
    assert_eq!(study.time_zone, TimeZone::UTC);
    assert_eq!(study.horizon, SignedDuration::from_hours(48));
    assert_eq!((study.inputs.id.as_str(), study.inputs.time.as_str()), ("id", "observed_at"));
    let fields: Vec<_> = study.inputs.fields.iter().map(|field| (field.name.as_str(), field.kind)).collect();
    assert_eq!(
        fields[..2],
        [("lead_time", FieldKind::Integer), ("adults", FieldKind::Integer)],
        "in the order of the file"
    );
    assert_eq!(study.snapshots_source, Source::File(FileSource::from_path("hotel-bookings.jsonl.gz")));
    assert_eq!(study.models.len(), 2);
    assert_eq!(study.models[1].grant, ["adults", "children", "market_segment", "customer_type"]);
    assert_eq!(study.comparator.config, serde_json::json!({ "field": "decision.room", "form": "label" }));
    assert_eq!(study.metrics[study.primary].name, "agreement");
    let names: Vec<_> = study.conditions.iter().map(|condition| condition.name.as_str()).collect();
    assert_eq!(names, ["day", "segment", "lead-time"]);
    let Condition { split: Split::Bins { edges, .. }, .. } = &study.conditions[2] else {
        panic!("{study:?}")
    };
    assert_eq!(*edges, [7.0, 30.0, 90.0, 180.0]);
    assert_eq!(study.windows, Windows { every: Every::Week, week_ends: Weekday::Sunday });
}

#[test]
fn the_other_example_is_a_number_study() {
    let study = parse(RATES).unwrap();
    assert_eq!(study.decisions.fields, [Field { name: "price".into(), kind: FieldKind::Number }]);
    assert_eq!(study.metrics[study.primary].name, "mean-absolute-error");
}

#[test]
fn omitted_keys_have_defaults() {
    let study = read(&[]);
    assert_eq!((study.inputs.lateness, study.decisions.lateness), (study.horizon, study.horizon));
    let hour = SignedDuration::from_hours(1);
    assert_eq!((study.inputs.most_ahead, study.decisions.most_ahead), (hour, hour));
    assert_eq!((study.primary, study.log.keep_raw, study.windows.week_ends), (0, true, Weekday::Sunday));
    assert_eq!(study.models[0].config, serde_json::json!({}));
    let limits = Limits {
        batch_rows: 1024,
        workers: 1,
        fuel_per_row: 10_000_000,
        call_timeout: SignedDuration::from_secs(1),
        memory_mib: 64,
        record_bytes: 1_048_576,
        join_buffer_mib: 1024,
        answer_kib: 128,
    };
    assert_eq!(study.limits, limits);
    assert_eq!(Limits::default(), limits);
    let bare = read(&[("[decisions.fields]\nroom = \"text\"\n", ""), ("[\"decision.room\"]", "[]")]);
    assert_eq!(bare.decisions.fields, []);
}

#[test]
fn ten_faults_are_reported_at_once() {
    let ten = edited(&[
        ("\"UTC\"", "\"Europe/Amsterdm\""),
        ("id = \"id\"\n", ""),
        ("lead_time = \"integer\"", "lead_time = \"int\""),
        ("horizon", "horizn"),
        ("snapshots = { file = \"bookings.jsonl\" }", "snapshots = \"bookings.jsonl\""),
        ("\"rules.wasm\"", "7"),
        ("\"segment\"]", "\"decision.room\"]"),
        ("name = \"agreement\"", "name = \"recorded\""),
        ("[7, 30]", "[30, 7]"),
        ("every = \"week\"", "every = \"year\""),
    ]);
    let faults = parse(&ten).unwrap_err().faults;
    assert_eq!(faults.as_slice().len(), 10);
    assert_snapshot!(faults, @r#"
    study.toml:2: `time-zone` is "Europe/Amsterdm", which is not a time zone; did you mean "Europe/Amsterdam"?
    study.toml:3: `inputs.id` is missing; write the key of a record's id, such as "id"
    study.toml:6: `inputs.fields.lead_time` is "int"; write one of "boolean", "integer", "number", "text", "timestamp", "json"
    study.toml:13: unknown key `decisions.horizn`; did you mean `horizon`? keys allowed here: horizon, revisions, id, time, lateness, most-ahead, fields
    study.toml:17: `sources.snapshots` is "bookings.jsonl"; write { file = "records.jsonl" }, { stdin = true } or { http = true }
    study.toml:21: `models.plugin` is 7; write the path of a component, such as "plugins/rules.wasm"; or "onnx", "xgboost", "lightgbm" or "catboost", with file = "model.onnx"; or "recorded", which answers with a field of the snapshot
    study.toml:22: `models.grant` contains `decision.room`, but a model must not read the decision that it is compared with; grant fields of [inputs.fields] only
    study.toml:28: two plugins are named `recorded`, on lines 23 and 27; give each plugin a different name
    study.toml:37: `conditions.bins` has 7 after 30; write a list of finite numbers in ascending order, at least one, such as [7, 30, 90]
    study.toml:39: `windows.every` is "year"; write one of "hour", "day", "week", "month"
    "#);
}

#[test]
fn an_empty_file_is_missing_every_required_key() {
    assert_snapshot!(parse("").unwrap_err().faults, @r#"
    study.toml:1: `study` is missing; write a name of letters, digits, - and _, such as "rooms-2"
    study.toml:1: `time-zone` is missing; write the time zone in which days begin, such as "Europe/Amsterdam", "UTC" or "+01:00"
    study.toml:1: `decisions` is missing; write [decisions] with the keys of a decision's id and time, such as id = "id" and time = "decided_at", with horizon = "2d", and its fields under [decisions.fields]
    study.toml:1: `inputs` is missing; write [inputs] with the keys of a snapshot's id and time, such as id = "id" and time = "observed_at", and its fields under [inputs.fields]
    study.toml:1: `sources` is missing; write [sources] with snapshots = { file = "snapshots.jsonl" } and decisions = { file = "decisions.jsonl" }
    study.toml:1: `models` is missing; write [[models]] once for each model, with name and plugin
    study.toml:1: `comparator` is missing; write [comparator] exactly once, with name and plugin
    study.toml:1: `metrics` is missing; write [[metrics]] once for each metric, with name and plugin, and primary = true in one of them
    study.toml:1: `windows` is missing; write [windows] with every = "week", or another interval
    "#);
}

#[test]
fn unknown_keys_are_reported_with_the_nearest_allowed_key() {
    let study = faults(&[
        ("time-zone", "owner = \"us\"\ntime-zone"),
        ("grant = [\"lead", "grants = [\"lead"),
        ("[windows]", "[log]\nkeep_raw = true\n[windows]\n\"quoted key\" = 1"),
    ]);
    assert_snapshot!(study, @r"
study.toml:2: unknown key `owner`; keys allowed here: study, time-zone, register, metadata, follow-up, decisions, inputs, sources, mirror, models, comparator, metrics, conditions, windows, limits, log, threshold, scopes, blinding, ceiling, divergence, interim, swaps
study.toml:24: unknown key `models.grants`; did you mean `grant`? keys allowed here: name, plugin, file, fields, labels, score-threshold, softmax, top, training-period, config, assets, grant
study.toml:41: unknown key `log.keep_raw`; did you mean `keep-raw`? keys allowed here: keep-raw, commit-wait, commit-rows, segment-rows, seal-every, replay-share, retain
study.toml:43: unknown key `windows.quoted key`; keys allowed here: every, week-ends
");
}

#[test]
fn a_misspelt_required_key_is_reported_once() {
    assert_snapshot!(faults(&[("[windows]", "[window]"), ("plugin = \"rules", "plug-in = \"rules")]), @r"
study.toml:22: unknown key `models.plug-in`; did you mean `plugin`? keys allowed here: name, plugin, file, fields, labels, score-threshold, softmax, top, training-period, config, assets, grant
study.toml:39: unknown key `window`; did you mean `windows`? keys allowed here: study, time-zone, register, metadata, follow-up, decisions, inputs, sources, mirror, models, comparator, metrics, conditions, windows, limits, log, threshold, scopes, blinding, ceiling, divergence, interim, swaps
");
}

#[test]
fn names_consist_of_letters_digits_and_dashes() {
    assert_snapshot!(faults(&[
        ("\"rooms\"", "\"hotel rooms\""),
        ("\"rules\"", "\"\""),
        ("\"recorded\"", "7"),
        ("\"segment\"\nfield", "\"ségment\"\nfield"),
    ]), @r#"
    study.toml:1: `study` is "hotel rooms"; write a name of letters, digits, - and _, such as "rooms-2"
    study.toml:21: `models.name` is ""; write a name of letters, digits, - and _, such as "rooms-2"
    study.toml:25: `comparator.name` is 7; write a name of letters, digits, - and _, such as "rooms-2"
    study.toml:32: `conditions.name` is "ségment"; write a name of letters, digits, - and _, such as "rooms-2"
    "#);
}

#[test]
fn time_zones() {
    let zone = |name: &str| read(&[("\"UTC\"", name)]).time_zone;
    assert_eq!(zone("\"Europe/Amsterdam\"").iana_name(), Some("Europe/Amsterdam"));
    assert_eq!(zone("\"-03:30\""), TimeZone::fixed(Offset::from_seconds(-12_600).unwrap()));
    let report = |name: &str| faults(&[("\"UTC\"", name)]).to_string();
    let wrong =
        ["\"Europe/Amsterdm\"", "\"new york\"", "\"+26:00\"", "\"CEST-ish\"", "\"Etc/Unknown\"", "1", "\"\""];
    assert_snapshot!(wrong.map(report).join("\n"), @r#"
    study.toml:2: `time-zone` is "Europe/Amsterdm", which is not a time zone; did you mean "Europe/Amsterdam"?
    study.toml:2: `time-zone` is "new york", which is not a time zone; did you mean "America/New_York"?
    study.toml:2: `time-zone` is "+26:00", which is not a time zone; write an IANA name such as "Europe/Amsterdam" or "UTC", or an offset such as "+01:00"
    study.toml:2: `time-zone` is "CEST-ish", which is not a time zone; write an IANA name such as "Europe/Amsterdam" or "UTC", or an offset such as "+01:00"
    study.toml:2: `time-zone` is "Etc/Unknown", which is not a time zone; write an IANA name such as "Europe/Amsterdam" or "UTC", or an offset such as "+01:00"
    study.toml:2: `time-zone` is 1; write the time zone in which days begin, such as "Europe/Amsterdam", "UTC" or "+01:00"
    study.toml:2: `time-zone` is ""; write the time zone in which days begin, such as "Europe/Amsterdam", "UTC" or "+01:00"
    "#);
}

#[test]
fn the_keys_of_a_stream() {
    assert_snapshot!(faults(&[
        ("id = \"id\"\ntime = \"observed_at\"", "id = \"at\"\ntime = \"at\"\nlateness = \"-1h\""),
        ("id = \"id\"\ntime = \"decided_at\"\n", "id = [\"id\"]\n"),
        ("segment = \"text\"", "segment = \"string\"\n\"decision.room\" = \"text\""),
    ]), @r#"
    study.toml:5: `inputs.time` is "at", and so is `id`; write the key of a record's time, such as "observed_at"
    study.toml:6: `inputs.lateness` is "-1h"; write a duration such as "30s", "15m", "24h" or "7d", up to "36500d"
    study.toml:9: `inputs.fields.segment` is "string"; write one of "boolean", "integer", "number", "text", "timestamp", "json"
    study.toml:10: `inputs.fields` has `decision.room`, but the prefix `decision.` is reserved for fields of the decision; rename the field in the snapshots, or remove it
    study.toml:13: `decisions.time` is missing; write the key of a record's time, such as "observed_at"
    study.toml:14: `decisions.id` is a list; write the key of a record's id, such as "id"
    "#);
    // The keys of the id and the time may be declared as fields.
    read(&[("segment = \"text\"", "segment = \"text\"\nid = \"text\"\nobserved_at = \"timestamp\"")]);
}

#[test]
fn a_horizon_is_above_zero_and_a_lateness_may_be_zero() {
    let report = |horizon: &str| faults(&[("\"2d\"", horizon)]).to_string();
    assert_snapshot!(["\"2x\"", "\"0s\"", "\"9999w\"", "172800"].map(report).join("\n"), @r#"
    study.toml:14: `decisions.horizon` is "2x"; write a duration above zero, such as "30s", "15m", "24h" or "7d", up to "36500d"
    study.toml:14: `decisions.horizon` is "0s"; write a duration above zero, such as "30s", "15m", "24h" or "7d", up to "36500d"
    study.toml:14: `decisions.horizon` is "9999w"; write a duration above zero, such as "30s", "15m", "24h" or "7d", up to "36500d"
    study.toml:14: `decisions.horizon` is 172800; write a duration above zero, such as "30s", "15m", "24h" or "7d", up to "36500d"
    "#);
    let study = read(&[("\"2d\"", "\"1d12h\"\nlateness = \"0s\"")]);
    assert_eq!(
        (study.inputs.lateness, study.decisions.lateness),
        (SignedDuration::from_hours(36), SignedDuration::ZERO)
    );
}

#[test]
fn decisions_are_required() {
    assert_snapshot!(faults(&[("decisions = { file = \"assignments.jsonl\" }\n", "")]), @r#"study.toml:17: `sources.decisions` is missing; write { file = "records.jsonl" }, { stdin = true } or { http = true }. A shadow study compares with the decisions of the substrate: if there are none, use a canary release with tight controls instead"#);
    let no_stream = VALID.find("[decisions]").unwrap()..VALID.find("[sources]").unwrap();
    assert_snapshot!(faults(&[(&VALID[no_stream], "")]), @r#"study.toml:1: `decisions` is missing; write [decisions] with the keys of a decision's id and time, such as id = "id" and time = "decided_at", with horizon = "2d", and its fields under [decisions.fields]"#);
}

#[test]
fn standard_input_is_at_most_one_source() {
    let stdin = "{ stdin = true }";
    let (bookings, assignments) = ("{ file = \"bookings.jsonl\" }", "{ file = \"assignments.jsonl\" }");
    assert_eq!(read(&[(bookings, stdin)]).snapshots_source, Source::Stdin);
    assert_snapshot!(faults(&[(bookings, stdin), (assignments, stdin)]), @r#"study.toml:19: `sources.snapshots` and `sources.decisions` are both standard input; write { file = "records.jsonl" } for one of them"#);
    assert_snapshot!(faults(&[(bookings, "\"-\""), (assignments, "{ file = \"a\", stdin = true }")]), @r#"
    study.toml:18: `sources.snapshots` is "-"; write { file = "records.jsonl" }, { stdin = true } or { http = true }
    study.toml:19: `sources.decisions` has `file` and `stdin`; write { file = "records.jsonl" }, { stdin = true } or { http = true }
    "#);
    assert_snapshot!(faults(&[(bookings, "{}"), (assignments, "{ stdin = false }")]), @r#"
    study.toml:18: `sources.snapshots` has none of `file`, `stdin` and `http`; write { file = "records.jsonl" }, { stdin = true } or { http = true }
    study.toml:19: `sources.decisions.stdin` is false; write true, or another source instead
    "#);
    assert_snapshot!(faults(&[(bookings, "{ path = \"bookings.jsonl\" }"), (assignments, "{ file = \"\" }")]), @r#"
    study.toml:18: unknown key `sources.snapshots.path`; keys allowed here: file, stdin, http, format
    study.toml:18: `sources.snapshots` has none of `file`, `stdin` and `http`; write { file = "records.jsonl" }, { stdin = true } or { http = true }
    study.toml:19: `sources.decisions.file` is ""; write a path such as "records.jsonl"
    "#);
}

#[test]
fn a_file_has_the_declared_format_or_that_of_its_ending() {
    let format = |declared: &str| {
        let study = read(&[("{ file = \"bookings.jsonl\" }", declared)]);
        match study.snapshots_source {
            Source::File(file) => file.format,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(format("{ file = \"bookings.csv.gz\" }"), RecordFormat::Csv);
    assert_eq!(format("{ file = \"bookings.txt\", format = \"csv\" }"), RecordFormat::Csv);
    assert_eq!(format("{ file = \"part-0\", format = \"parquet\" }"), RecordFormat::Parquet);
    assert_eq!(format("{ file = \"bookings.csv\", format = \"json-lines\" }"), RecordFormat::JsonLines);
    let bookings = "{ file = \"bookings.jsonl\" }";
    assert_snapshot!(faults(&[(bookings, "{ file = \"a\", format = \"tsv\" }")]), @r#"study.toml:18: `sources.snapshots.format` is "tsv"; write one of "json-lines", "csv", "parquet""#);
    assert_snapshot!(faults(&[(bookings, "{ stdin = true, format = \"csv\" }")]), @"study.toml:18: `sources.snapshots.format` is not allowed here: only a file has a format, and other sources are JSON Lines; remove it");
}

#[test]
fn only_weeks_have_a_last_day() {
    assert_snapshot!(faults(&[("every = \"week\"", "every = \"day\"\nweek-ends = \"friday\"")]), @r#"study.toml:41: `windows.week-ends` is not allowed here: only weeks have a last day; remove it, or write every = "week""#);
    assert_snapshot!(faults(&[("every = \"week\"", "week-ends = \"Friday\"")]), @r#"
    study.toml:39: `windows.every` is missing; write one of "hour", "day", "week", "month"
    study.toml:40: `windows.week-ends` is "Friday"; write one of "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
    "#);
    let study = read(&[("every = \"week\"", "every = \"week\"\nweek-ends = \"friday\"")]);
    assert_eq!(study.windows.week_ends, Weekday::Friday);
}

#[test]
fn limits_are_bounded() {
    let limits = "[limits]\nbatch-rows = 0\nworkers = 65\nfuel-per-row = 999\ncall-timeout = \"0s\"\nmemory-mib = 64.0\n\
                  record-bytes = \"1 MiB\"\n[log]\nkeep-raw = \"no\"\n[windows]";
    assert_snapshot!(faults(&[("[windows]", limits)]), @r#"
    study.toml:40: `limits.batch-rows` is 0; write a whole number from 1 to 65536
    study.toml:41: `limits.workers` is 65; write a whole number from 1 to 64
    study.toml:42: `limits.fuel-per-row` is 999; write a whole number from 1000 to 100000000000000
    study.toml:43: `limits.call-timeout` is "0s"; write a duration above zero, such as "30s", "15m", "24h" or "7d", up to "36500d"
    study.toml:44: `limits.memory-mib` is 64.0; write a whole number from 1 to 4096
    study.toml:45: `limits.record-bytes` is "1 MiB"; write a whole number from 64 to 67108864
    study.toml:47: `log.keep-raw` is "no"; write true or false
    "#);
    assert_snapshot!(faults(&[("time-zone", "limits = 3\nlog = []\ntime-zone")]), @"
    study.toml:2: `limits` is 3; write [limits] with the limits to change
    study.toml:3: `log` is an empty list; write [log] with the settings to change
    ");
    let study = read(&[(
        "[windows]",
        "[limits]\nworkers = 4\ncall-timeout = \"250ms\"\n[log]\nkeep-raw = false\n[windows]",
    )]);
    assert_eq!((study.limits.workers, study.limits.batch_rows, study.log.keep_raw), (4, 1024, false));
    assert_eq!(study.limits.call_timeout, SignedDuration::from_millis(250));
}

#[test]
fn syntax_errors_are_reported_once_and_hide_nothing_else() {
    // Faults that follow from a syntax error are not reported, nor are missing keys, which may be on a blanked line.
    let and = ("every = \"week\"", "every = \"year\"");
    let report = |from: &str, to: &str| faults(&[(from, to), and]).to_string();
    assert_snapshot!(report("\"2d\"", "2d"), @r#"
    study.toml:14: invalid TOML: `2d` at column 11 is neither a text in quotes nor a number, boolean or date; a text needs quotes: "2d"
    study.toml:40: `windows.every` is "year"; write one of "hour", "day", "week", "month"
    "#);
    assert_snapshot!(report("[inputs.fields]", "[inputs.fields"), @r#"
    study.toml:6: invalid TOML: unclosed table, expected `]`
    study.toml:40: `windows.every` is "year"; write one of "hour", "day", "week", "month"
    "#);
    assert_snapshot!(report("\"segment\"]", "\"segment\""), @r#"
    study.toml:24: invalid TOML: missing comma between array elements, expected `,`; the value that begins on line 23 may not be closed
    study.toml:40: `windows.every` is "year"; write one of "hour", "day", "week", "month"
    "#);
    assert_snapshot!(report("bookings.jsonl\" }", "bookings.jsonl\""), @r#"
    study.toml:19: invalid TOML: missing comma between key-value pairs, expected `,`; the value that begins on line 18 may not be closed
    study.toml:40: `windows.every` is "year"; write one of "hour", "day", "week", "month"
    "#);
    assert_snapshot!(report("[7, 30]", "[7 30]"), @r#"
    study.toml:38: invalid TOML: `7 30` at column 9 is neither a text in quotes nor a number, boolean or date; put a comma between two values, and quotes around a text
    study.toml:40: `windows.every` is "year"; write one of "hour", "day", "week", "month"
    "#);
    assert_snapshot!(report("[[metrics]]", "[comparator]"), @r#"
    study.toml:28: invalid TOML: duplicate key, at `comparator`; only tables in [[double brackets]] may be repeated, such as [[models]]
    study.toml:40: `windows.every` is "year"; write one of "hour", "day", "week", "month"
    "#);
    assert_snapshot!(faults(&[("[[metrics]]", "[comparator]"), ("\"week\"", "week")]), @r#"
    study.toml:28: invalid TOML: duplicate key, at `comparator`; only tables in [[double brackets]] may be repeated, such as [[models]]
    study.toml:40: invalid TOML: `week` at column 9 is neither a text in quotes nor a number, boolean or date; a text needs quotes: "week"
    "#);
    assert_snapshot!(report("horizon = \"2d\"", "horizon = \"2d\"\nhorizon = \"3d\""), @r#"
    study.toml:15: invalid TOML: duplicate key, at `horizon`
    study.toml:41: `windows.every` is "year"; write one of "hour", "day", "week", "month"
    "#);
    assert_snapshot!(report("[windows]", "windows"), @"
    study.toml:39: invalid TOML: key with no value, expected `=`
    study.toml:40: unknown key `conditions.every`; keys allowed here: name, field, values, bins, calendar
    ");
    assert_snapshot!(report("time-zone", "=\ntime\nzone :"), @r#"
    study.toml:2: invalid TOML: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
    study.toml:3: invalid TOML: key with no value, expected `=`
    study.toml:4: invalid TOML: key with no value, expected `=`
    study.toml:42: `windows.every` is "year"; write one of "hour", "day", "week", "month"
    "#);
    assert_snapshot!(report("[\"direct\", \"groups\"]", "[\n\"direct\"\n\"groups\",\n]"), @r#"
    study.toml:36: invalid TOML: missing comma between array elements, expected `,`; the value that begins on line 34 may not be closed
    study.toml:43: `windows.every` is "year"; write one of "hour", "day", "week", "month"
    "#);
    assert_snapshot!(report("grant", "config = { text = \"\"\"x }\ngrant"), @"study.toml:41: invalid TOML: unclosed inline table, expected `}`; the value that begins on line 23 may not be closed");
    assert_snapshot!(parse("study = \"x\"\n[limits]\nworkers = [\n1,\n2,\n\n").unwrap_err().faults, @"study.toml:5: invalid TOML: unclosed array, expected `]`; the value that begins on line 3 may not be closed");
    assert_snapshot!(parse("{ \"study\": \"rooms\" }").unwrap_err().faults, @"study.toml:1: invalid TOML: invalid key-value pair, expected key");
    assert_snapshot!(parse("\u{0}\u{1b}[31m").unwrap_err().faults, @r"study.toml:1: invalid TOML: invalid unquoted key, expected letters, numbers, `-`, `_`, at `\u{0}\u{1b}`");
}

proptest! {
    #[test]
    fn any_text_never_panics(text in any::<String>()) {
        check_result(&text)?;
    }

    #[test]
    fn a_study_of_known_words_never_panics(words in prop::collection::vec(word(), 0..60)) {
        check_result(&words.concat())?;
    }

    #[test]
    fn a_damaged_study_never_panics(slips in prop::collection::vec(slip(), 1..4)) {
        let mut text: Vec<char> = ROOMS.chars().collect();
        for (at, length, new) in slips {
            let at = at.index(text.len() + 1);
            let end = (at + length).min(text.len());
            text.splice(at..end, new.chars());
        }
        check_result(&text.into_iter().collect::<String>())?;
    }
}

/// Checks that a study is valid or has faults in order, each with a message and a line of the text.
fn check_result(text: &str) -> Result<(), TestCaseError> {
    let Err(unsound) = parse(text) else { return Ok(()) };
    let faults = unsound.faults;
    prop_assert!(!faults.as_slice().is_empty());
    prop_assert!(faults.as_slice().is_sorted_by_key(|fault| fault.line));
    for Fault { line, message } in faults.as_slice() {
        prop_assert!((1..=text.split('\n').count()).contains(line), "{line}: {message}");
        prop_assert!(!message.is_empty() && !message.contains(char::is_control), "{message:?}");
    }
    Ok(())
}

/// A replacement in a text: where, how many characters, and with what.
fn slip() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    (any::<prop::sample::Index>(), 0..40_usize, prop_oneof![Just(String::new()), word(), any::<String>()])
}

/// A word or symbol that occurs in declarations.
fn word() -> impl Strategy<Value = String> {
    const WORDS: &str = "[ ] [[ ]] { } , . ' # - 7 0.5 nan 2020-01-01 true \"2d\" \"a\" \"decision.room\" \"text\" \
                         study time-zone inputs decisions sources models comparator metrics conditions windows limits \
                         log id time fields horizon name plugin grant config assets primary field values bins calendar \
                         every week-ends file stdin snapshots";
    let words: Vec<_> = WORDS.split(' ').collect();
    prop_oneof![1 => Just("\n"), 1 => Just(" = "), 3 => prop::sample::select(words)].prop_map(str::to_owned)
}

//! Feeds of many shapes: each has a declaration that is right, or a question.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;
use understudy_study::parse;

use super::*;

/// 2026-11-30T00:00:00Z.
const NOW: Micros = Micros(1_795_996_800_000_000);

/// The time of a record in the middle of 2026: a record every ten minutes.
fn time(row: usize) -> String {
    let start: jiff::Timestamp = "2026-03-02T00:00:00Z".parse().expect("a time");
    (start + jiff::SignedDuration::from_mins(10 * row as i64)).to_string()
}

/// Lines of a feed of `rows` records.
fn lines(rows: usize, line: impl Fn(usize) -> String) -> Vec<u8> {
    (0..rows).map(|row| line(row) + "\n").collect::<String>().into_bytes()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of equal length");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("a vector takes all");
    writer.into_inner().expect("a vector takes all")
}

/// The arguments for two files.
fn arguments(snapshots: &Path, decisions: &Path) -> Init {
    Init {
        snapshots: snapshots.to_owned(),
        decisions: decisions.to_owned(),
        output: PathBuf::from("."),
        id: None,
        decision_id: None,
        time: None,
        decision_time: None,
        decision: None,
        form: None,
        time_zone: "UTC".to_owned(),
        name: None,
    }
}

/// What the command prints and writes, or asks. A declaration is valid, with its threshold, too.
fn outcome(arguments: &Init, folder: &Path) -> String {
    let initialized = match arguments.initialize(NOW) {
        Err(error) => return format!("{error:#}").replace(&format!("{}/", folder.display()), ""),
        Ok(Err(questions)) => {
            return questions.iter().map(|question| format!("{question}\n")).collect();
        }
        Ok(Ok(initialized)) => initialized,
    };
    let Initialized { draft, text } = initialized;
    let valid = |text: &str| {
        let study = parse(text)
            .map_err(|invalid| invalid.faults.to_string())
            .unwrap_or_else(|why| panic!("{why}\n{text}"));
        assert_eq!(study.warnings, [], "{text}");
    };
    valid(&text);
    let threshold = text.rfind("# [threshold]").expect("the threshold is open");
    valid(&format!(
        "{}{}",
        &text[..threshold],
        text[threshold..].replace("\n# ", "\n").replacen("# ", "", 1)
    ));
    let mut shown = printed(&draft);
    for note in &draft.notes {
        let _ = writeln!(shown, "note: {note}");
    }
    format!("{shown}\n{text}").replace(&format!("{}/", folder.display()), "")
}

/// The outcome for two files with these names and contents, and other arguments.
fn outcome_with(
    snapshots: (&str, Vec<u8>),
    decisions: (&str, Vec<u8>),
    edit: impl FnOnce(&mut Init),
) -> String {
    let folder = TempDir::new().expect("a temporary folder");
    let file = |(name, content): (&str, Vec<u8>)| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("the disk has room");
        path
    };
    let mut arguments = arguments(&file(snapshots), &file(decisions));
    edit(&mut arguments);
    outcome(&arguments, folder.path())
}

fn outcome_of(snapshots: (&str, Vec<u8>), decisions: (&str, Vec<u8>)) -> String {
    outcome_with(snapshots, decisions, |_| ())
}

const JSON: [&str; 2] = ["snapshots.jsonl", "decisions.jsonl"];

/// Snapshots of a yard's gate.
fn calls(rows: usize) -> Vec<u8> {
    lines(rows, |row| {
        let cargo = ["dry", "reefer", "hazardous"][row % 3];
        format!(r#"{{"id":"c{row}","at":"{}","cargo":"{cargo}","pallets":{}}}"#, time(row), row % 17)
    })
}

/// Decisions on them, with this value.
fn decided(rows: usize, value: impl Fn(usize) -> String) -> Vec<u8> {
    lines(rows, |row| format!(r#"{{"id":"c{row}","at":"{}","decision":{}}}"#, time(row), value(row)))
}

#[test]
fn the_hotel_has_a_declaration() {
    let hotel = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hotel");
    let mut arguments =
        arguments(&hotel.join("hotel-bookings.jsonl.gz"), &hotel.join("hotel-assignments.jsonl.gz"));
    insta::assert_snapshot!("hotel", outcome(&arguments, &hotel));
    arguments.decision = Some("price".to_owned());
    let price = outcome(&arguments, &hotel);
    assert!(
        price.contains("number: it holds numbers") && price.contains("what `historical_adr` says"),
        "{price}"
    );
}

#[test]
fn nested_json_becomes_fields_of_json() {
    let snapshots = lines(40, |row| {
        format!(
            r#"{{"call":{{"number":{row}}},"uuid":"u-{row}","seen":"{}","lorry":{{"axles":2}}}}"#,
            time(row)
        )
    });
    let decisions = lines(40, |row| {
        format!(r#"{{"uuid":"u-{row}","done":"{}","bay":"b{}","who":{{"name":"x"}}}}"#, time(row), row % 3)
    });
    let asked = outcome_of((JSON[0], snapshots.clone()), (JSON[1], decisions.clone()));
    insta::assert_snapshot!(asked, @"cannot guess which field is the decision: decisions have several fields: `bay`, `who`; name it with --decision");
    let named = |arguments: &mut Init| arguments.decision = Some("bay".to_owned());
    insta::assert_snapshot!("nested", outcome_with((JSON[0], snapshots), (JSON[1], decisions), named));
    let only_nested = |_| lines(40, |row| format!(r#"{{"call":{{"id":{row}}},"at":"{}"}}"#, time(row)));
    insta::assert_snapshot!(outcome_of((JSON[0], only_nested(0)), (JSON[1], only_nested(0))), @"
    cannot guess the id of the snapshots: no key at the top of the records holds a text or an integer in each of them, mostly different ones; the keys are `at`, `call`; write an id at the top of every record, the same in both feeds
    cannot guess the id of the decisions: no key at the top of the records holds a text or an integer in each of them, mostly different ones; the keys are `at`, `call`; write an id at the top of every record, the same in both feeds
    ");
}

#[test]
fn numeric_ids_are_ids() {
    let snapshots = lines(500, |row| {
        format!(r#"{{"nr":{},"time":"{}","open":{}}}"#, 7000 + row, time(row), row % 2 == 0)
    });
    let decisions = lines(500, |row| {
        format!(
            r#"{{"count":{},"call_id":{},"time":"{}","approved":{}}}"#,
            row % 5,
            7000 + row,
            time(row + 1),
            row % 3 == 0
        )
    });
    let named = |arguments: &mut Init| arguments.decision = Some("approved".to_owned());
    insta::assert_snapshot!("numeric_ids", outcome_with((JSON[0], snapshots), (JSON[1], decisions), named));
}

#[test]
fn epoch_times_are_refused_with_the_way_to_convert() {
    let records = |unit: u64, key: &str| {
        lines(30, move |row| {
            format!(r#"{{"id":{row},"{key}":{},"x":"a"}}"#, (1_777_627_800 + row as u64) * unit)
        })
    };
    let table =
        lines(
            31,
            |row| if row == 0 { "id,ts,x".to_owned() } else { format!("{row},{}.5,a", 1_777_627_800 + row) },
        );
    let asked = [
        outcome_of((JSON[0], records(1000, "ts")), (JSON[1], records(1, "decided_at"))),
        outcome_of(("s.csv", table.clone()), ("d.csv", table)),
    ];
    insta::assert_snapshot!(asked.join("\n"), @r#"
    cannot guess the time of the snapshots: `ts` holds numbers such as 1777627800000, perhaps milliseconds since 1970, which is 2026-05-01T09:30:00Z, and a time must be a text with a zone; convert them, for instance with `jq -c '."ts" |= (. / 1000 | todate)'`
    cannot guess the time of the decisions: `decided_at` holds numbers such as 1777627800, perhaps seconds since 1970, which is 2026-05-01T09:30:00Z, and a time must be a text with a zone; convert them, for instance with `jq -c '."decided_at" |= (. | todate)'`

    cannot guess the time of the snapshots: `ts` holds numbers such as 1777627801.5, perhaps seconds since 1970, which is 2026-05-01T09:30:01Z, and a time must be a text with a zone; convert them, for instance with `df["ts"] = pandas.to_datetime(df["ts"], unit="s", utc=True)`
    cannot guess the time of the decisions: `ts` holds numbers such as 1777627801.5, perhaps seconds since 1970, which is 2026-05-01T09:30:01Z, and a time must be a text with a zone; convert them, for instance with `df["ts"] = pandas.to_datetime(df["ts"], unit="s", utc=True)`
    "#);
}

#[test]
fn times_without_a_zone_are_refused_with_the_way_to_convert() {
    let records =
        lines(30, |row| format!(r#"{{"id":{row},"at":"{}","x":"a"}}"#, time(row).trim_end_matches('Z')));
    insta::assert_snapshot!(outcome_of((JSON[0], records.clone()), (JSON[1], records)), @r#"
    cannot guess the time of the snapshots: `at` holds times without a zone, such as "2026-03-02T00:00:00"; write the zone; if the times are UTC, for instance with `jq -c '."at" += "Z"'`
    cannot guess the time of the decisions: `at` holds times without a zone, such as "2026-03-02T00:00:00"; write the zone; if the times are UTC, for instance with `jq -c '."at" += "Z"'`
    "#);
}

#[test]
fn lists_in_changing_order_are_rankings() {
    let decisions =
        decided(
            300,
            |row| if row % 2 == 0 { r#"["b","a"]"#.to_owned() } else { r#"["a","c","b"]"#.to_owned() },
        );
    insta::assert_snapshot!("rankings", outcome_of((JSON[0], calls(300)), (JSON[1], decisions)));
    let single = decided(30, |_| r#"["a"]"#.to_owned());
    insta::assert_snapshot!(outcome_of((JSON[0], calls(30)), (JSON[1], single)), @"cannot guess the form of the decision: `decision` holds lists of one item at most; name it with --form ranking, --form label-set or --form json");
}

#[test]
fn several_decisions_of_an_id_are_revisions() {
    let decisions = lines(600, |row| {
        format!(r#"{{"id":"c{}","at":"{}","bay":"b{}"}}"#, row / 2, time(row / 2 + row % 2), row % 4)
    });
    insta::assert_snapshot!("revisions", outcome_of((JSON[0], calls(300)), (JSON[1], decisions)));
}

#[test]
fn copies_of_a_decision_are_no_revisions() {
    let decisions = lines(600, |row| {
        format!(r#"{{"id":"c{0}","at":"{1}","bay":"b{2}"}}"#, row / 2, time(row / 2), row / 2 % 4)
    });
    let outcome = outcome_of((JSON[0], calls(300)), (JSON[1], decisions));
    assert!(!outcome.contains("revisions"), "{outcome}");
    assert!(outcome.contains("300 decisions are identical to an earlier one"), "{outcome}");
}

#[test]
fn a_feed_without_times_is_a_question() {
    let records = lines(30, |row| format!(r#"{{"id":{row},"room":"a"}}"#));
    insta::assert_snapshot!(outcome_of((JSON[0], records.clone()), (JSON[1], records)), @r#"
    cannot guess the time of the snapshots: no key holds a time with a zone, such as "2026-05-01T09:30:00Z", in each of 30 records; the keys are `id`, `room`; write the time of each record beside its id
    cannot guess the time of the decisions: no key holds a time with a zone, such as "2026-05-01T09:30:00Z", in each of 30 records; the keys are `id`, `room`; write the time of each record beside its id
    "#);
}

#[test]
fn tables_of_csv_have_types_and_names_with_spaces() {
    let snapshots = lines(401, |row| match row {
        0 => "Booking ID, Seen At ,Room Type,Nights,Note".to_owned(),
        row => format!("{row:05},{},{},{},\"one, two\"", time(row), ["single", "double"][row % 2], row % 9),
    });
    let decisions = lines(401, |row| match row {
        0 => "Booking ID,Decided At,Room Assigned".to_owned(),
        row => format!("{row:05},{},{}", time(row + 3), ["single", "double"][usize::from(row % 5 == 0)]),
    });
    insta::assert_snapshot!("csv", outcome_of(("bookings.csv", snapshots), ("assignments.csv", decisions)));
}

#[test]
fn tables_with_semicolons_and_text_without_an_ending_are_named() {
    let table = |separator: &str| {
        lines(20, |row| {
            if row == 0 {
                ["id", "at", "x"].join(separator)
            } else {
                [&row.to_string(), &time(row), "a"].join(separator)
            }
        })
    };
    let asked = [
        outcome_of(("s.csv", table(";")), ("d.csv", table(";"))),
        outcome_of(("s.txt", table(",")), ("d.txt", table(","))),
        outcome_of(("s.jsonl", Vec::new()), ("d.jsonl", Vec::new())),
    ];
    insta::assert_snapshot!(asked.join("\n"), @r"
    cannot read s.csv: its columns are separated by semicolons; separate them by commas, and write numbers with a decimal point
    20 of 20 records of s.txt cannot be read; write one JSON object a line, or end the name of a table in .csv or .parquet: line 1: expected value at line 1 column 1
    s.jsonl has no records; name a file with some hundreds of them
    ");
}

#[test]
fn a_table_of_parquet_has_its_types() {
    let times = |rows: i64| -> ArrayRef {
        let values = (0..rows).map(|row| 1_777_627_800_000 + row * 600_000);
        Arc::new(TimestampMillisecondArray::from_iter_values(values).with_timezone("UTC"))
    };
    let snapshots = parquet(vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..400))),
        ("observed_at", times(400)),
        ("segment", Arc::new(StringArray::from_iter_values((0..400).map(|row| ["a", "b"][row % 2])))),
        ("queue", Arc::new(Int64Array::from_iter_values((0..400).map(|row| row % 23)))),
    ]);
    let decisions = parquet(vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..400))),
        ("decided_at", times(400)),
        ("minutes", Arc::new(Int64Array::from_iter_values((0..400).map(|row| row * row % 997)))),
    ]);
    insta::assert_snapshot!("parquet", outcome_of(("s.parquet", snapshots), ("d.parquet", decisions)));
}

#[test]
fn compressed_feeds_are_read() {
    let labels = |row: usize| format!("\"b{}\"", row % 3);
    let plain = outcome_of((JSON[0], calls(300)), (JSON[1], decided(300, labels)));
    let packed = outcome_of(
        ("snapshots.jsonl.gz", gzip(&calls(300))),
        ("decisions.jsonl.zst", gzip(&decided(300, labels))),
    );
    assert_eq!(packed.replace(".jsonl.gz", ".jsonl").replace(".jsonl.zst", ".jsonl"), plain);
}

#[test]
fn ids_that_do_not_match_are_shown() {
    let decisions = lines(30, |row| format!(r#"{{"id":"C-{row:03}","at":"{}","bay":"b"}}"#, time(row)));
    insta::assert_snapshot!(outcome_of((JSON[0], calls(30)), (JSON[1], decisions)), @r#"cannot guess the ids: 0 of 30 decisions have the id of a snapshot; snapshots have "c0" and "c1" in `id`, decisions "C-000" and "C-001" in `id`; name other keys with --id and --decision-id, or use the same ids in both feeds"#);
}

#[test]
fn a_few_snapshots_join_the_decisions_of_a_long_time() {
    let few = outcome_of((JSON[0], calls(30)), (JSON[1], decided(1000, |row| format!("\"b{}\"", row % 3))));
    assert!(few.contains("30 of 1,000 decisions have the id of a snapshot"), "{few}");
}

#[test]
fn lists_in_alphabetical_order_are_label_sets() {
    let sets = ["[]", r#"["a"]"#, r#"["a","c"]"#, r#"["b","c"]"#];
    let decisions = decided(300, |row| sets[row % 4].to_owned());
    insta::assert_snapshot!("label_sets", outcome_of((JSON[0], calls(300)), (JSON[1], decisions)));
}

#[test]
fn objects_are_json() {
    let actions = decided(300, |row| format!(r#"{{"move":"c{row}","to":{}}}"#, row % 3));
    let snapshots =
        lines(300, |row| format!(r#"{{"id":"c{row}","at":"{}","plan":{{"move":"x"}}}}"#, time(row)));
    insta::assert_snapshot!("json_actions", outcome_of((JSON[0], snapshots), (JSON[1], actions.clone())));
    insta::assert_snapshot!(outcome_of((JSON[0], calls(300)), (JSON[1], actions)), @"cannot guess a stand-in for the model: no field of the snapshots can be a JSON value; add a field of that form to the snapshots, or name another --decision or --form");
}

#[test]
fn numbers_are_numbers_and_codes_a_question() {
    let numbers = decided(300, |row| format!("{}.5", row % 17 + 3));
    insta::assert_snapshot!("numbers", outcome_of((JSON[0], calls(300)), (JSON[1], numbers)));
    let codes = decided(300, |row| format!("{}", row % 4));
    insta::assert_snapshot!(outcome_of((JSON[0], calls(300)), (JSON[1], codes)), @"cannot guess the form of the decision: `decision` holds 4 different integers, which may be names or quantities; name it with --form label, --form number or --form ranking");
}

#[test]
fn named_keys_have_to_exist() {
    let asked =
        outcome_with((JSON[0], calls(30)), (JSON[1], decided(30, |_| "1.5".to_owned())), |arguments| {
            arguments.id = Some("nr".to_owned());
            arguments.time = Some("cargo".to_owned());
        });
    insta::assert_snapshot!(asked, @r#"
    cannot guess the id of the snapshots: no record has the key `nr`; the keys are `at`, `cargo`, `id`, `pallets`; name one of them with --id
    cannot guess the id of the decisions: no record has the key `nr`; the keys are `at`, `decision`, `id`; name one of them with --decision-id
    cannot guess the time of the snapshots: `cargo` holds "dry", which is not a time; write RFC 3339 with a zone, such as "2026-05-01T09:30:00Z"; name another key with --time
    "#);
}

#[test]
fn ids_with_a_decimal_point_are_refused_with_the_way_to_convert() {
    let records = |point: &'static str, key: &'static str| {
        lines(40, move |row| {
            format!(r#"{{"id":{row}{point},"{key}":"{}","room":"{}"}}"#, time(row), ["a", "b"][row % 2])
        })
    };
    let table = |point: &'static str| {
        lines(41, move |row| match row {
            0 => "id,at,room".to_owned(),
            row => format!("{row}{point},{},{}", time(row), ["a", "b"][row % 2]),
        })
    };
    let asked = [
        outcome_of((JSON[0], records(".0", "at")), (JSON[1], records(".0", "at"))),
        outcome_of((JSON[0], records("", "at")), (JSON[1], records(".0", "at"))),
        outcome_of(("s.csv", table(".0")), ("d.csv", table(""))),
    ];
    insta::assert_snapshot!(asked.join("\n"), @r#"
    cannot guess the id of the snapshots: `id` holds numbers with a decimal point, such as 0.0, and an id is a text or an integer; write integers, for instance with `jq -c '."id" |= floor'`
    cannot guess the id of the decisions: `id` holds numbers with a decimal point, such as 0.0, and an id is a text or an integer; write integers, for instance with `jq -c '."id" |= floor'`

    cannot guess the id of the decisions: `id` holds numbers with a decimal point, such as 0.0, and an id is a text or an integer; write integers, for instance with `jq -c '."id" |= floor'`

    cannot guess the id of the snapshots: `id` holds numbers with a decimal point, such as 1.0, and an id is a text or an integer; write integers, for instance with `df["id"] = df["id"].astype("Int64")`
    "#);
}

#[test]
fn words_for_missing_numbers_and_unreadable_records_are_noted() {
    let table = |size: &str| {
        lines(101, |row| match row {
            0 => "id,at,age,rate,note,size".to_owned(),
            row => {
                let age = if row % 10 == 0 { "nan".to_owned() } else { row.to_string() };
                let [rate, note] = [["N/A", "0.5"], ["x", "none"]].map(|words| words[row % 2]);
                format!("{row},{},{age},{rate},{note},{size}", time(row))
            }
        })
    };
    let decisions = lines(100, |row| {
        let minutes = if row % 20 == 0 { "NaN".to_owned() } else { row.to_string() };
        format!(r#"{{"id":{},"at":"{}","minutes":{minutes}}}"#, row + 1, time(row + 1))
    });
    let folder = TempDir::new().expect("a folder");
    let [s, d] = ["s.csv", "d.jsonl"].map(|name| folder.path().join(name));
    fs::write(&s, table("7")).expect("written");
    fs::write(&d, &decisions).expect("written");
    let draft =
        arguments(&s, &d).initialize(NOW).expect("read").unwrap_or_else(|asked| panic!("{asked:?}")).draft;
    let notes = draft.notes.join("\n").replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(notes, @r#"
    `age` of the snapshots holds numbers and, in 10 of 100 records, words such as "nan", so its kind is text; write null or an empty cell for a missing value, and its kind is number
    `rate` of the snapshots holds numbers and, in 50 of 100 records, words such as "N/A", so its kind is text; write null or an empty cell for a missing value, and its kind is number
    5 of 100 records of FOLDER/d.jsonl cannot be read, so they are left out here, and a run rejects them; line 1: NaN at column 47; JSON has no NaN, write null
    "#);
    let asked = outcome_of(("s.csv", table("x")), ("d.jsonl", decisions));
    let begin = "cannot guess a stand-in for the model: no field of the snapshots can be a number; `age` of the snapshots holds \
                 numbers and, in 10 of 100 records, words such as \"nan\"";
    assert!(asked.starts_with(begin), "{asked}");
}

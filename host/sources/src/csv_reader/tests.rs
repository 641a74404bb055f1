//! Rows become records of JSON, whatever the blocks in which they are read.

use std::io::{self, Cursor};

use jiff::SignedDuration;
use proptest::prelude::*;
use understudy_study::{Field, FieldKind};

use super::*;

/// A stream with those of three fields that the header names.
fn stream(header: &str) -> Stream {
    let fields = [("nights", FieldKind::Integer), ("price", FieldKind::Number), ("extras", FieldKind::Json)];
    let fields = fields.into_iter().filter(|(name, _)| header.contains(name));
    Stream {
        id: "id".into(),
        time: "at".into(),
        lateness: SignedDuration::ZERO,
        most_ahead: SignedDuration::ZERO,
        fields: fields.map(|(name, kind)| Field { name: name.into(), kind }).collect(),
    }
}

/// Returns at most `1` bytes at a time.
struct Slow(Cursor<Vec<u8>>, usize);

impl Read for Slow {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = self.1.min(out.len());
        self.0.read(&mut out[..most])
    }
}

fn reader(text: &[u8], block: usize, max_bytes: usize) -> CsvReader {
    let slow = Slow(Cursor::new(text.to_vec()), block.max(1));
    let header = String::from_utf8_lossy(text).lines().next().unwrap_or_default().to_owned();
    CsvReader::new(Box::new(slow), "feed.csv".into(), Some(&stream(&header)), max_bytes)
}

/// Line, offset, text and fault of each record, a line for each.
fn read(text: &[u8], block: usize, max_bytes: usize, most: usize) -> Result<Vec<String>, String> {
    let mut reader = reader(text, block, max_bytes);
    let mut out = Vec::new();
    while let Some(lines) = reader.next_batch(most).map_err(|error| error.to_string())? {
        assert!(lines.len() <= most && !lines.is_empty());
        out.extend((0..lines.len()).map(|at| {
            let text = String::from_utf8_lossy(lines.text(at)).into_owned();
            let fault = lines.fault(at).map_or_else(String::new, |fault| format!(" <- {fault}"));
            format!("{} at {}: {text}{fault}", lines.line(at), lines.offset(at))
        }));
    }
    Ok(out)
}

const TABLE: &str = "\u{feff}id, at ,nights,price,extras,note\r\n\
b1,2026-05-01T09:30:00Z,2,104.98,\"[\"\"a\"\",\r\n 1]\",\"one, \"\"two\"\"\nthree\"\r\n\
\r\n\
7,2026-05-01T09:31:00Z,,.5,,\n\
b3,2026-05-01T09:32:00Z,two,NaN,x,\n\
b4,2026-05-01T09:33:00Z,2\n\
b5,2026-05-01T09:34:00Z,2,1,,\"last";

#[test]
fn rows_are_records_of_their_kinds_and_bad_ones_are_named() {
    let rows = read(TABLE.as_bytes(), 1000, 1000, 100).expect("the header is valid");
    insta::assert_snapshot!(rows.join("\n"), @r#"
    2 at 37: {"id":"b1","at":"2026-05-01T09:30:00Z","nights":2,"price":104.98,"extras":["a",   1],"note":"one, \"two\"\nthree"}
    6 at 109: {"id":"7","at":"2026-05-01T09:31:00Z","nights":null,"price":0.5,"extras":null,"note":null}
    7 at 138: {"id":"b3","at":"2026-05-01T09:32:00Z","nights":"two","price":"NaN","extras":"x","note":null} <- column 3 `nights`: expected an integer, found "two"; column 4 `price`: expected a number, found "NaN"; leave the cell empty if the value is missing; column 5 `extras`: expected JSON, found "x"
    8 at 173: b4,2026-05-01T09:33:00Z,2 <- the row has 3 cells, and the header 6; put quotes around a cell with a comma, a quote or a line break
    9 at 199: b5,2026-05-01T09:34:00Z,2,1,,"last <- a quote is not closed; close it, and write a quote within quotes twice
    "#);
    for block in [1, 2, 3, 7, 40] {
        for most in [1, 2] {
            assert_eq!(read(TABLE.as_bytes(), block, 1000, most).as_ref(), Ok(&rows), "{block} {most}");
        }
    }
}

#[test]
fn an_offset_begins_its_row() {
    let rows = read(TABLE.as_bytes(), 1000, 1000, 100).expect("the header is valid");
    let start = RowStart { line: 6, offset: 109 };
    let rest = Cursor::new(TABLE.as_bytes()[109..].to_vec());
    let mut first = reader(TABLE.as_bytes(), 9, 1000);
    first.columns().expect("the header is valid");
    let mut resumed = first.at_row(Box::new(rest), start);
    let lines = resumed.next_batch(100).expect("readable").expect("rows");
    assert_eq!((lines.len(), lines.line(0), lines.offset(0)), (3, 6, 109));
    assert!(rows[1].ends_with(std::str::from_utf8(lines.text(0)).expect("JSON")));
}

#[test]
fn a_row_beyond_the_limit_or_an_open_quote_spoils_no_other() {
    let long = "x".repeat(300);
    let text =
        format!("id,at\n{long},a\n1,2026-05-01T09:30:00Z\n\"{long}\n2,{long}\n3,2026-05-01T09:30:00Z\n");
    for block in [5, 64, 100_000] {
        let rows = read(text.as_bytes(), block, 100, 10).expect("the header is valid");
        let starts: Vec<&str> = rows.iter().map(|row| &row[..8]).collect();
        assert_eq!(starts, ["2 at 6: ", "3 at 309", "4 at 332", "5 at 634", "6 at 937"], "{block}");
        assert!(
            rows[0].contains("longer than 100 bytes") && rows[2].contains("longer than 100 bytes"),
            "{}",
            rows[2]
        );
        assert!(!rows[1].contains("<-") && !rows[4].contains("<-"));
    }
}

#[test]
fn a_last_row_that_grew_is_recognised_by_its_beginning() {
    let mut reader = reader(b"id,at\n", 100, 100);
    reader.columns().expect("the header is valid");
    let whole = b"12,2026-05-01T09:30:00Z\n";
    let partial = read(b"id,at\n12,2026-05-01T09", 100, 100, 1).expect("the header is valid");
    let record = partial[0].strip_prefix("2 at 6: ").expect("its position");
    assert!(reader.starts_with_partial_row(whole, record_digest(record.as_bytes())));
    assert!(reader.starts_with_partial_row(whole, record_digest(b"1")), "a row of one cell is kept as it is");
    assert!(!reader.starts_with_partial_row(whole, record_digest(b"13")));
}

#[test]
fn a_header_that_names_no_columns_of_the_stream_is_an_error() {
    let faults = [
        "",
        "id;at;room\n",
        "id\tat\n",
        "key,at\n",
        "id,at,id\n",
        "{\"id\":1}\n",
        "id\rat\r",
        "\"id,at\n1,2\n",
        "id,\u{fffd}at\n",
    ];
    let faults = faults.map(|header| read(header.as_bytes(), 4, 100, 1).expect_err(header));
    insta::assert_snapshot!(faults.join("\n"), @r#"
    cannot read feed.csv: it is empty; write the names of the columns into its first line
    cannot read feed.csv: its columns are separated by semicolons; separate them by commas, and write numbers with a decimal point
    cannot read feed.csv: its columns are separated by tabs; separate them by commas, and write numbers with a decimal point
    cannot read feed.csv: it has no column "id", which the study declares as the key of the id; its columns are "key", "at"
    cannot read feed.csv: its header has the column "id" twice; rename or remove one
    cannot read feed.csv: its first line is JSON and no header; write format = "json-lines" beside the file
    cannot read feed.csv: its lines end with a carriage return alone; end them with a line feed
    cannot read feed.csv: its first line is no header: a quote in it is not closed; correct it
    cannot read feed.csv: it has no column "at", which the study declares as the key of the time; its columns are "id", "�at"; did you mean "�at"?
    "#);
}

#[test]
fn a_field_without_a_column_is_an_error_with_the_nearest_name() {
    let stream = stream("nights,price");
    let text = b"id,at,night,price\n".to_vec();
    let mut reader = CsvReader::new(Box::new(Cursor::new(text)), "feed.csv".into(), Some(&stream), 100);
    let error = reader.next_batch(1).map(|_| ()).expect_err("a column is absent").to_string();
    insta::assert_snapshot!(error, @r#"cannot read feed.csv: it has no column "nights", which the study declares as a field; its columns are "id", "at", "night", "price"; did you mean "night"?"#);
}

proptest! {
    #[test]
    fn quoted_cells_come_back_as_they_are(
        cells in prop::collection::vec("[a-c\", \n\r]{0,9}", 1..12),
        block in 1usize..30,
    ) {
        let rows: String = cells.iter().map(|cell| format!("1,\"{}\"\n", cell.replace('"', "\"\""))).collect();
        let text = format!("id,at\n{rows}");
        let mut reader = reader(text.as_bytes(), block, 1000);
        let mut found = Vec::new();
        while let Some(lines) = reader.next_batch(3).expect("readable") {
            for at in 0..lines.len() {
                let record: serde_json::Value = serde_json::from_slice(lines.text(at)).expect("JSON");
                found.push(record["at"].as_str().unwrap_or_default().to_owned());
            }
        }
        let wanted: Vec<String> = cells.iter().map(|cell| cell.trim_matches([' ', '\n', '\r']).to_owned()).collect();
        prop_assert_eq!(found, wanted);
    }
}

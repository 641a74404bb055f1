//! The output is a stable permutation of the lines in order of time, with any buffer.

use std::fs;
use std::io::Read as _;

use jiff::SignedDuration;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn stream() -> Stream {
    Stream {
        id: "id".into(),
        time: "at".into(),
        lateness: SignedDuration::ZERO,
        most_ahead: SignedDuration::ZERO,
        fields: Vec::new(),
    }
}

fn options(stream: &Stream, buffer_bytes: usize) -> SortOptions<'_> {
    let (format, kind) = (RecordFormat::JsonLines, StreamKind::Snapshots);
    SortOptions { format, kind, stream, record_bytes: 1000, buffer_bytes }
}

fn sorted(text: &[u8], buffer_bytes: usize) -> (Vec<u8>, SortSummary) {
    let mut output = Vec::new();
    let stream = stream();
    let summary =
        sort_lines(text, &mut output, options(&stream, buffer_bytes), tempfile::tempfile, &mut || false);
    (output, summary.expect("the text can be sorted"))
}

fn record(id: u32, minute: u32) -> String {
    format!(r#"{{"id":{id},"at":"2026-03-02T10:{minute:02}:00Z"}}"#)
}

/// A line and the minute of its time, if it has a readable one.
fn line() -> impl Strategy<Value = (Option<u32>, String)> {
    prop_oneof![
        8 => (0u32..1000, 0u32..60).prop_map(|(id, minute)| (Some(minute), record(id, minute))),
        1 => (0u32..1000).prop_map(|id| (None, format!(r#"{{"id":{id},"at":"yesterday"}}"#))),
        1 => Just((None, String::new())),
        1 => Just((None, "not a record\r".to_owned())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_output_is_the_stable_order_of_the_lines(
        lines in prop::collection::vec(line(), 0..60),
        buffer in 200usize..4000,
        last_feed in any::<bool>(),
    ) {
        let mut text: String = lines.iter().map(|(_, line)| line.clone() + "\n").collect();
        if !last_feed && lines.last().is_some_and(|(_, line)| !line.is_empty()) {
            text.pop();
        }
        let mut inherited = None;
        let mut wanted: Vec<(Option<u32>, &str)> = Vec::new();
        for (minute, line) in &lines {
            inherited = minute.or(inherited);
            wanted.push((inherited, line));
        }
        wanted.sort_by_key(|(minute, _)| *minute);
        let wanted: String = wanted.iter().map(|(_, line)| (*line).to_owned() + "\n").collect();
        let (output, summary) = sorted(text.as_bytes(), buffer);
        prop_assert_eq!(String::from_utf8(output).unwrap(), wanted);
        prop_assert_eq!(summary.lines, lines.len() as u64);
        let unreadable = lines.iter().filter(|(minute, line)| minute.is_none() && !line.is_empty()).count();
        prop_assert_eq!(summary.unreadable, unreadable as u64);
        prop_assert_eq!(&summary, &sorted(text.as_bytes(), 1 << 20).1);
    }
}

#[test]
fn the_summary_counts_lines_that_are_out_of_order_or_unreadable() {
    let lines = [record(1, 5), record(2, 3), "{}".to_owned(), String::new(), record(3, 4), record(4, 5)];
    let (output, summary) = sorted(lines.join("\n").as_bytes(), 1 << 20);
    let wanted =
        [&lines[1], &lines[2], &lines[3], &lines[4], &lines[0], &lines[5]].map(|line| line.to_owned() + "\n");
    assert_eq!(String::from_utf8(output).unwrap(), wanted.concat());
    assert_eq!((summary.lines, summary.out_of_order, summary.unreadable), (6, 2, 1));
    let (line, reason) = summary.first_unreadable.expect("one line has no time");
    assert_eq!(line, 3);
    assert!(reason.contains("time is missing"), "{reason}");
}

#[test]
fn a_byte_order_mark_before_the_first_line_is_dropped() {
    let text = format!("\u{feff}{}\n{}", record(1, 5), record(2, 3));
    let (output, summary) = sorted(text.as_bytes(), 1 << 20);
    assert_eq!(String::from_utf8(output).unwrap(), format!("{}\n{}\n", record(2, 3), record(1, 5)));
    assert_eq!(summary.unreadable, 0);
}

#[test]
fn a_line_beyond_the_buffer_is_an_error_and_one_beyond_the_record_limit_keeps_its_place() {
    let long = "x".repeat(5000);
    let text = format!("{}\n{long}\n{}", record(1, 5), record(2, 3));
    let (output, summary) = sorted(text.as_bytes(), 10_000);
    assert_eq!(String::from_utf8(output).unwrap(), format!("{}\n{}\n{long}\n", record(2, 3), record(1, 5)));
    assert_eq!(summary.unreadable, 1);
    let text = format!("{}\n{}", record(1, 5), "x".repeat(3 << 20));
    let stream = stream();
    let fault = sort_lines(
        text.as_bytes(),
        &mut Vec::new(),
        options(&stream, 10_000),
        tempfile::tempfile,
        &mut || false,
    );
    let is_long =
        |fault: &SortFault| matches!(fault, SortFault::Read(SplitError::LongLine { line: 2, bytes: 10_000 }));
    assert!(fault.as_ref().is_err_and(is_long), "{fault:?}");
}

/// Sorts between files; the names of all files in the folder afterwards.
fn sort_between(
    folder: &TempDir,
    input: &str,
    output: &str,
    buffer: usize,
    stop: bool,
) -> (String, Vec<String>) {
    let stream = stream();
    let path = |name: &str| folder.path().join(name);
    let sorted = sort_file(&path(input), &path(output), options(&stream, buffer), || stop);
    let message = sorted.map_or_else(|error| error.to_string(), |summary| summary.lines.to_string());
    let message = message.replace(&folder.path().display().to_string(), "FOLDER");
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    (message, names)
}

#[test]
fn files_are_read_by_content_and_written_by_extension() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let lines: Vec<String> = (0..500).map(|id| record(id, id * 7 % 60) + "\n").collect();
    fs::write(path("plain"), lines.concat()).unwrap();
    sort_between(&folder, "plain", "sorted.gz", 2000, false);
    sort_between(&folder, "sorted.gz", "sorted.zst", 2000, false);
    sort_between(&folder, "sorted.zst", "sorted.jsonl", 2000, false);
    let wanted = sorted(lines.concat().as_bytes(), 1 << 20).0;
    assert_eq!(fs::read(path("sorted.jsonl")).unwrap(), wanted);
    let gzip = fs::read(path("sorted.gz")).unwrap();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut text).unwrap();
    assert_eq!(text, wanted);
    assert_eq!(zstd::decode_all(&fs::read(path("sorted.zst")).unwrap()[..]).unwrap(), wanted);
    // A file may replace itself.
    let (_, names) = sort_between(&folder, "plain", "plain", 2000, false);
    assert_eq!(fs::read(path("plain")).unwrap(), wanted);
    assert_eq!(names, ["plain", "sorted.gz", "sorted.jsonl", "sorted.zst"]);
}

#[test]
fn nothing_is_left_behind_by_a_sort_that_fails_or_is_stopped() {
    let folder = TempDir::new().unwrap();
    let lines: Vec<String> = (0..500).map(|id| record(id, id * 7 % 60) + "\n").collect();
    fs::write(folder.path().join("plain"), lines.concat()).unwrap();
    let (message, names) = sort_between(&folder, "plain", "sorted.gz", 2000, true);
    assert_eq!(
        (message.as_str(), &names[..]),
        ("the sort was stopped; nothing was written", &["plain".to_owned()][..])
    );
    let (message, names) = sort_between(&folder, "none", "sorted", 2000, false);
    assert!(message.starts_with("cannot read FOLDER/none: "), "{message}");
    assert_eq!(names, ["plain"]);
    let (message, _) = sort_between(&folder, "plain", "none/sorted", 2000, false);
    assert!(message.starts_with("cannot write FOLDER/none/sorted: "), "{message}");
}

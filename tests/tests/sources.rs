//! Sources in different encodings and conditions: compressed, truncated, empty, with other line ends, through
//! a pipe.

use std::fs;
use std::io::Write as _;

use arrow::array::AsArray as _;
use arrow::datatypes::UInt64Type;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use understudy_tests::process::{TestProcess, wait_until};
use understudy_tests::tables::{column, excluded_rows, open_rows, sealed, texts};
use understudy_tests::{CommandOutput, TestWorkspace, account, deterministic_part};

fn snapshots(workspace: &TestWorkspace) -> Vec<u8> {
    fs::read(workspace.path().join("snapshots.jsonl")).expect("the small study has snapshots")
}

/// The result of the small study, which must not depend on the kind of sources.
fn summary(report: &Value) -> Value {
    let mut summary = deterministic_part(report);
    summary.as_object_mut().expect("a report is an object").remove("declaration-digest");
    summary
}

/// A range of complete lines of a text, counted from 1.
fn lines(text: &[u8], from: usize, to: usize) -> Vec<u8> {
    text.split_inclusive(|byte| *byte == b'\n')
        .skip(from - 1)
        .take(to + 1 - from)
        .flatten()
        .copied()
        .collect()
}

/// Compresses without compression, so that the offset of each line in the file is known.
fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(text).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).expect("a vector takes all")
}

/// A frame of Zstandard that decoders pass over, as tools write it for an index.
const SKIPPABLE: &[u8] = b"\x50\x2a\x4d\x18\x05\0\0\0index";

#[test]
fn the_report_does_not_depend_on_the_encoding_of_records() {
    let workspace = TestWorkspace::small();
    let plain = summary(&workspace.run(&[]));
    assert_eq!(account(&plain, "snapshots"), [("received", 5), ("paired", 5)]);
    let text = snapshots(&workspace);
    let marked = [b"\xef\xbb\xbf", &text[..]].concat();
    let windows = String::from_utf8(text.clone()).expect("JSON is UTF-8").replace('\n', "\r\n");
    let blank = String::from_utf8(text.clone()).expect("JSON is UTF-8").replace('\n', "\n \n\n");
    let marked_lines = format!("\u{feff}{}", String::from_utf8_lossy(&text).replace('\n', "\n\u{feff}"));
    let dresses = [
        ("without the last line feed", text[..text.len() - 1].to_vec()),
        ("with the line ends of Windows", windows.into_bytes()),
        ("with blank lines", blank.into_bytes()),
        ("with a byte order mark", marked.clone()),
        ("gzip", gzip(&text)),
        ("gzip of two members", [gzip(&text[..100]), gzip(&text[100..])].concat()),
        ("gzip with a byte order mark", gzip(&marked)),
        ("zstd", zstd(&text)),
        ("zstd of two frames", [zstd(&text[..100]), zstd(&text[100..])].concat()),
        ("a byte order mark before every line", marked_lines.into_bytes()),
        ("gzip padded with zeros", [gzip(&text), vec![0; 512]].concat()),
        (
            "gzip with zeros between its members",
            [gzip(&text[..100]), vec![0; 7], gzip(&text[100..])].concat(),
        ),
        ("zstd behind a skippable frame", [SKIPPABLE.to_vec(), zstd(&text)].concat()),
        ("zstd with skippable frames", [zstd(&text[..100]), SKIPPABLE.to_vec(), zstd(&text[100..])].concat()),
    ];
    for (dress, bytes) in dresses {
        let workspace = TestWorkspace::small();
        workspace.write("snapshots.jsonl", bytes);
        assert_eq!(summary(&workspace.run(&[])), plain, "{dress}");
    }
}

#[test]
fn line_numbers_include_blank_lines() {
    let workspace = TestWorkspace::small();
    let text = String::from_utf8(snapshots(&workspace)).expect("JSON is UTF-8");
    workspace.write("snapshots.jsonl", format!("\n{}", text.replace('\n', "\r\n\r\n")));
    workspace.run(&[]);
    let logged = sealed(&workspace.path().join("run"), "snapshots").expect("five rows");
    let lines = column(&logged, "line");
    assert_eq!(lines.as_primitive::<UInt64Type>().values()[..], [2, 4, 6, 8, 10]);
    assert_eq!(texts(&logged, "raw"), text.lines().collect::<Vec<_>>());
}

#[test]
fn an_empty_source_is_valid() {
    for bytes in [b"".to_vec(), b"\n\n".to_vec(), gzip(b""), zstd(b"")] {
        let workspace = TestWorkspace::small();
        workspace.write("snapshots.jsonl", bytes);
        let report = workspace.run(&[]);
        assert_eq!(report["end"], "finished");
        assert_eq!(account(&report, "snapshots"), []);
        assert_eq!(account(&report, "decisions"), [("received", 5), ("waiting", 5)]);
    }
}

#[test]
fn a_missing_source_is_an_error() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("\"snapshots.jsonl\"", "\"data/snapshots.jsonl\"")]);
    let output = workspace.understudy(&["run", "study.toml", "--run", "run"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"cannot read data/snapshots.jsonl: No such file or directory (os error 2); correct its path in `[sources]`");
    assert!(!workspace.path().join("run").exists(), "nothing is made for a run that cannot begin");

    let workspace = TestWorkspace::small();
    workspace.edit_study(&[("\"decisions.jsonl\"", "\".\"")]);
    let output = workspace.understudy(&["run", "study.toml", "--run", "run"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"cannot read .: it is a directory; correct its path in `[sources]`");
}

#[test]
fn a_file_can_end_within_a_line() {
    let workspace = TestWorkspace::small();
    let text = snapshots(&workspace);
    workspace.write("snapshots.jsonl", &text[..text.len() - 20]);
    let report = workspace.run(&[]);
    assert_eq!(report["end"], "finished");
    assert_eq!(account(&report, "snapshots"), [("received", 5), ("rejected", 1), ("paired", 4)]);
    assert_eq!(account(&report, "decisions"), [("received", 5), ("paired", 4), ("waiting", 1)]);
    let [last] = &excluded_rows(&workspace.path().join("run"))[..] else { panic!("one record was refused") };
    let whole = lines(&text, 5, 5);
    assert_eq!((last.line, &last.raw[..]), (5, &whole[..whole.len() - 20]));
    insta::assert_snapshot!(last.detail, @"not JSON: the line ends in the middle of a record");
}

/// Runs the small study with truncated snapshots.
fn broken_off(bytes: &[u8]) -> (TestWorkspace, CommandOutput, Value) {
    let workspace = TestWorkspace::small();
    workspace.write("snapshots.jsonl", bytes);
    let output = workspace.understudy(&["run", "study.toml", "--run", "run"]);
    assert_eq!(output.code, 3, "{}{}", output.stdout, output.stderr);
    let report = workspace.report("run");
    (workspace, output, report)
}

#[test]
fn a_truncated_compressed_file_counts_up_to_its_end() {
    let text = snapshots(&TestWorkspace::small());
    // Within the fourth line. Zstandard decodes nothing from an incomplete block.
    let [head, tail] = [lines(&text, 1, 3), lines(&text, 4, 5)];
    let gzipped = gzip(&text);
    let second = zstd(&tail);
    let cuts = [
        gzipped[..gzipped.len() - tail.len() + 20].to_vec(),
        [gzip(&head), gzip(&tail)[..30].to_vec()].concat(),
        [gzip(&head), gzip(&tail)[..5].to_vec()].concat(),
        [zstd(&head), second[..second.len() / 2].to_vec()].concat(),
    ];
    for bytes in cuts {
        let (workspace, output, report) = broken_off(&bytes);
        insta::allow_duplicates! {
            insta::assert_snapshot!(output.stderr, @"
            written to run
            cannot read snapshots.jsonl after line 3: it ends in the middle of a compressed member; the lines before are processed. Restore the whole file and start again
            ");
        }
        let fault = output.stderr.lines().last().expect("the fault is said");
        assert_eq!(report["end"], json!({ "source-failed": [fault] }));
        assert_eq!(account(&report, "snapshots"), [("received", 3), ("paired", 3)]);
        assert_eq!(account(&report, "decisions"), [("received", 5), ("paired", 3), ("waiting", 2)]);
        let logged = sealed(&workspace.path().join("run"), "snapshots").expect("three rows");
        assert_eq!(texts(&logged, "id"), ["s1", "s2", "s3"]);
    }
}

#[test]
fn a_corrupt_compressed_file_counts_up_to_the_corruption() {
    let mut bytes = gzip(&snapshots(&TestWorkspace::small()));
    let checksum = bytes.len() - 8;
    bytes[checksum] ^= 1;
    let (_, output, report) = broken_off(&bytes);
    insta::assert_snapshot!(output.stderr, @"
    written to run
    cannot read snapshots.jsonl after line 5: corrupt gzip stream does not have a matching checksum; the lines before are processed. Restore the whole file and start again
    ");
    assert_eq!(account(&report, "snapshots"), [("received", 5), ("paired", 5)]);
}

#[test]
fn other_bytes_behind_a_compressed_file_have_a_message_of_their_own() {
    let text = snapshots(&TestWorkspace::small());
    for (compressed, behind) in
        [(gzip(&text), &b"-- end of dump"[..]), (zstd(&text), &b"\0\0\n"[..]), (gzip(&text), &text[..])]
    {
        let at = compressed.len() + behind.iter().take_while(|byte| **byte == 0).count();
        let (_, output, report) = broken_off(&[&compressed[..], behind].concat());
        let fault = format!(
            "cannot read snapshots.jsonl beyond line 5: its bytes from {at} on are neither gzip nor zstd nor padding; the lines \
             before are processed. Remove those bytes, or decompress the file yourself, and start a new run"
        );
        assert_eq!(output.stderr.lines().last(), Some(fault.as_str()));
        assert_eq!(account(&report, "snapshots"), [("received", 5), ("paired", 5)]);
    }
}

#[test]
fn other_formats_are_refused_by_name() {
    let text = snapshots(&TestWorkspace::small());
    let utf16: Vec<u8> = String::from_utf8_lossy(&text).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let formats = [
        (
            b"\xfd7zXZ\0\0\x04\xe6\xd6".to_vec(),
            "it is compressed with xz; decompress it first, or compress it with gzip or zstd",
        ),
        (
            b"PAR1\x15\x04\x15\x10".to_vec(),
            "it is a Parquet file; end its name in .parquet, or write format = \"parquet\" beside it",
        ),
        (
            [&b"\xff\xfe"[..], &utf16].concat(),
            "it is UTF-16 text; convert it to UTF-8 first, for instance with `iconv -t UTF-8`",
        ),
        (utf16, "it is UTF-16 text; convert it to UTF-8 first, for instance with `iconv -t UTF-8`"),
    ];
    for (bytes, what) in formats {
        let workspace = TestWorkspace::small();
        workspace.write("snapshots.jsonl", bytes);
        let fault = format!("cannot read snapshots.jsonl: {what}\n");
        let commands =
            [(&["check", "study.toml"][..], "study.toml:21: "), (&["run", "study.toml", "--run", "run"], "")];
        for (arguments, place) in commands {
            let output = workspace.understudy(arguments);
            let expected = (1, format!("{place}{fault}"));
            assert_eq!((output.code, output.stderr), expected, "{arguments:?}");
        }
        assert!(!workspace.path().join("run").exists(), "nothing is made for a run that cannot begin");
    }
}

#[test]
fn both_sources_can_be_truncated() {
    let workspace = TestWorkspace::small();
    for file in ["snapshots.jsonl", "decisions.jsonl"] {
        let text = fs::read(workspace.path().join(file)).expect("the small study has both");
        workspace.write(file, [gzip(&lines(&text, 1, 2)), gzip(&text)[..12].to_vec()].concat());
    }
    let output = workspace.understudy(&["run", "study.toml", "--run", "run", "--order", "snapshots-first"]);
    assert_eq!(output.code, 3, "{}{}", output.stdout, output.stderr);
    insta::assert_snapshot!(output.stderr, @"
    written to run
    cannot read snapshots.jsonl after line 2: it ends in the middle of a compressed member; the lines before are processed. Restore the whole file and start again
    cannot read decisions.jsonl after line 2: it ends in the middle of a compressed member; the lines before are processed. Restore the whole file and start again
    ");
    let report = workspace.report("run");
    assert_eq!(account(&report, "snapshots"), [("received", 2), ("paired", 2)]);
    assert_eq!(account(&report, "decisions"), [("received", 2), ("paired", 2)]);
}

#[test]
fn either_stream_can_come_in_pieces_from_standard_input() {
    let plain = summary(&TestWorkspace::small().run(&[]));
    for stream in ["snapshots", "decisions"] {
        let workspace = TestWorkspace::small();
        let file = format!("{stream}.jsonl");
        let text = fs::read(workspace.path().join(&file)).expect("the small study has both");
        workspace.edit_study(&[(&format!("file = \"{file}\""), "stdin = true")]);
        let run = workspace.path().join("run");
        let mut running = TestProcess::start(workspace.command(&["run", "study.toml", "--run", "run"]));
        // Three and a half lines: the complete ones are answered and logged while the pipe stays open.
        let half = lines(&text, 1, 3).len() + 20;
        text[..half].chunks(31).for_each(|piece| running.feed(piece));
        wait_until("three lines are in the log", || open_rows(&run, stream) == 3);
        running.feed(&text[half..]);
        wait_until("five lines are in the log", || open_rows(&run, stream) == 5);
        running.close_stdin();
        let output = running.wait_with_output();
        assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
        assert_eq!(summary(&workspace.report("run")), plain, "{stream}");
    }
}

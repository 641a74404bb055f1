//! The text form of the ledger, and the detection of every change of its bytes.

use std::{fs, thread};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::chained_lines::HASH;
use crate::signed_head::Verifier;
use understudy_records::join::ExclusionCounts;
use understudy_study::{InterferenceKind, PerStream, hexadecimal};

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

fn note(text: impl Into<String>) -> Event {
    Event::Note { who: "ana".to_owned(), text: text.into() }
}

/// A digest that is recognised by its letter.
fn digest(letter: &str) -> String {
    letter.repeat(64)
}

/// One event of each kind.
fn events() -> Vec<Event> {
    let segment = |file: &str, sequences| Segment {
        file: file.to_owned(),
        sha256: digest("d"),
        bytes: 4096,
        rows: 100,
        sequences,
    };
    let files = vec![FileDigest { file: "report.json".to_owned(), sha256: digest("e") }];
    let key = Some("vienna+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".to_owned());
    vec![
        Event::RunStarted {
            study: "rooms".to_owned(),
            seal: digest("a"),
            study_toml: digest("b"),
            version: "0.1.0".to_owned(),
            key,
            register: None,
        },
        Event::PluginLoaded {
            role: "model".to_owned(),
            name: "forest".to_owned(),
            sha256: digest("b"),
            assets: vec![Asset { name: "weights".to_owned(), sha256: digest("c") }],
        },
        Event::RecordsExcluded {
            snapshots: ExclusionCounts { rejected: 1, duplicate: 2, conflict: 3, late: 4 },
            decisions: ExclusionCounts::default(),
        },
        Event::RequestsShed { refused: 5, lost: 6 },
        Event::GroupSealed {
            group: 0,
            segments: vec![
                segment("snapshots/000000.parquet", Some((0, 99))),
                segment("excluded/000000.parquet", None),
            ],
            position: PerStream::from([110, 0]),
            ended: false,
        },
        Event::RunResumed {
            position: PerStream::from([110, 7]),
            interruption: "was cut off".to_owned(),
            truncated: PerStream::from([0, 2]),
            damaged: Vec::new(),
        },
        Event::SourceGap {
            stream: "decisions".to_owned(),
            reason: "the file is shorter than it was".to_owned(),
        },
        Event::Exposure {
            who: "ana \"the analyst\"".to_owned(),
            command: "understudy export, as CSV".to_owned(),
            rows: 12,
            ids: digest("f"),
            withheld: 3,
            since: Some("2026-04-20T06:00:00Z".parse().unwrap()),
        },
        Event::Disclosure {
            interference: InterferenceKind::ComparatorChange,
            who: "bo".to_owned(),
            text: "the rules changed".to_owned(),
            since: "2026-04-21T06:00:00Z".parse().unwrap(),
        },
        Event::ReviewSample {
            model: "forest".to_owned(),
            seed: digest("a"),
            strata: vec![SampledStratum { name: "elsewhere".to_owned(), disagreements: 41, drawn: 30 }],
        },
        Event::Review {
            who: "ana".to_owned(),
            model: "forest".to_owned(),
            id: "b-7".to_owned(),
            observed_at: "2026-03-01T10:00:00Z".parse().expect("a time"),
            stratum: "elsewhere".to_owned(),
            judgement: Judgement::SubstrateRight,
            failure_mode: Some(FailureMode::KnownGap),
            note: "no cot in that room".to_owned(),
        },
        Event::Verdict {
            file: FileDigest { file: "verdict.json".to_owned(), sha256: digest("g") },
            closed: true,
            position: PerStream::from([7, 6]),
            rulings: vec!["rules/all: NO-GO".to_owned()],
        },
        note("the rules changed at noon;\nsee ticket 7, \u{2014} käi"),
        Event::SegmentReduced {
            before: segment("snapshots/000000.parquet", Some((0, 99))),
            after: segment("snapshots/000000.parquet", Some((0, 99))),
            dropped_columns: vec!["raw".to_owned()],
        },
        Event::RunStopped { reason: StopReason::Interrupted, files: vec![] },
        Event::RunClosed { files },
    ]
}

/// A ledger of these events, all with the same time.
fn written(events: &[Event]) -> Vec<u8> {
    let mut text = String::new();
    let mut previous = NO_PREVIOUS.to_owned();
    for (number, event) in events.iter().enumerate() {
        let at = "2026-03-01T10:00:00.5Z".parse().expect("a time");
        let line = line(&Entry { entry: number as u64, at, previous, event: event.clone() });
        previous = hexadecimal(&Sha256::digest(&line));
        text += &line;
        text.push('\n');
    }
    text.into_bytes()
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// The line of the first fault.
fn first_fault(bytes: &[u8]) -> Option<usize> {
    check(bytes).1.first().map(|fault| fault.line)
}

/// The faults as text.
fn faults(bytes: &[u8]) -> String {
    let said = check(bytes).1.into_iter().map(|fault| format!("{}: {}", fault.line, fault.what));
    said.collect::<Vec<_>>().join("\n")
}

#[test]
fn entries_have_a_fixed_text_form() {
    let bytes = written(&events());
    assert_eq!(check(&bytes).0.into_iter().map(|entry| entry.event).collect::<Vec<_>>(), events());
    // The digests match `sha256sum` of the lines; only the first line shows a full digest.
    let text = String::from_utf8(bytes).expect("JSON is UTF-8");
    let shown = text.lines().enumerate().map(|(at, line)| match at {
        0 => line.to_owned(),
        _ => {
            let (start, rest) = line.split_once("\"previous\":\"").expect("each names the one before");
            let (body, _) = rest[64..].rsplit_once(HASH).expect("each has its hash");
            format!("{start}\"previous\":\"..{body}{HASH}..\"}}")
        }
    });
    let mut settings = insta::Settings::clone_current();
    for letter in ["a", "b", "c", "d", "e", "f"] {
        settings.add_filter(&format!("{letter}{{64}}"), format!("{letter}.."));
    }
    settings.bind(|| insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
    {"entry":0,"at":"2026-03-01T10:00:00.5Z","previous":"0000000000000000000000000000000000000000000000000000000000000000","kind":"run-started","study":"rooms","seal":"a..","study-toml":"b..","version":"0.1.0","key":"vienna+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k","hash":"39e29d18fd892120b2a36569ee5bb23dcf9d794424a2e45d753f94170bc13a6e"}
    {"entry":1,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"plugin-loaded","role":"model","name":"forest","sha256":"b..","assets":[{"name":"weights","sha256":"c.."}],"hash":".."}
    {"entry":2,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"records-excluded","snapshots":{"rejected":1,"duplicate":2,"conflict":3,"late":4},"decisions":{"rejected":0,"duplicate":0,"conflict":0,"late":0},"hash":".."}
    {"entry":3,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"requests-shed","refused":5,"lost":6,"hash":".."}
    {"entry":4,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"group-sealed","group":0,"segments":[{"file":"snapshots/000000.parquet","sha256":"d..","bytes":4096,"rows":100,"sequences":[0,99]},{"file":"excluded/000000.parquet","sha256":"d..","bytes":4096,"rows":100}],"position":{"snapshots":110,"decisions":0},"hash":".."}
    {"entry":5,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"run-resumed","position":{"snapshots":110,"decisions":7},"interruption":"was cut off","truncated":{"snapshots":0,"decisions":2},"hash":".."}
    {"entry":6,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"source-gap","stream":"decisions","reason":"the file is shorter than it was","hash":".."}
    {"entry":7,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"exposure","who":"ana \"the analyst\"","command":"understudy export, as CSV","rows":12,"ids":"f..","withheld":3,"since":"2026-04-20T06:00:00Z","hash":".."}
    {"entry":8,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"disclosure","interference":"comparator-change","who":"bo","text":"the rules changed","since":"2026-04-21T06:00:00Z","hash":".."}
    {"entry":9,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"review-sample","model":"forest","seed":"a..","strata":[{"name":"elsewhere","disagreements":41,"drawn":30}],"hash":".."}
    {"entry":10,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"review","who":"ana","model":"forest","id":"b-7","observed-at":"2026-03-01T10:00:00Z","stratum":"elsewhere","judgement":"substrate-right","failure-mode":"known-gap","note":"no cot in that room","hash":".."}
    {"entry":11,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"verdict","file":{"file":"verdict.json","sha256":"gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg"},"closed":true,"position":{"snapshots":7,"decisions":6},"rulings":["rules/all: NO-GO"],"hash":".."}
    {"entry":12,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"note","who":"ana","text":"the rules changed at noon;\nsee ticket 7, — käi","hash":".."}
    {"entry":13,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"segment-reduced","before":{"file":"snapshots/000000.parquet","sha256":"d..","bytes":4096,"rows":100,"sequences":[0,99]},"after":{"file":"snapshots/000000.parquet","sha256":"d..","bytes":4096,"rows":100,"sequences":[0,99]},"dropped-columns":["raw"],"hash":".."}
    {"entry":14,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"run-stopped","reason":"interrupted","files":[],"hash":".."}
    {"entry":15,"at":"2026-03-01T10:00:00.5Z","previous":"..","kind":"run-closed","files":[{"file":"report.json","sha256":"e.."}],"hash":".."}
    "#));
}

#[test]
fn a_changed_byte_is_found_in_its_line() {
    let bytes = written(&events()[..3]);
    assert_eq!(first_fault(&bytes), None);
    let mut changed = bytes.clone();
    let mut line = 1;
    for (place, byte) in bytes.iter().enumerate() {
        for to in (0..8).map(|bit| byte ^ (1 << bit)).chain(*b"\n\"} ") {
            if to != *byte {
                changed[place] = to;
                assert_eq!(first_fault(&changed), Some(line), "byte {place}, {byte:#x} to {to:#x}");
            }
        }
        changed[place] = *byte;
        line += usize::from(*byte == b'\n');
    }
}

#[test]
fn removed_inserted_and_swapped_lines_are_found() {
    let lines = lines(&written(&events()));
    for at in 0..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(at);
        // Only the signed head shows that the last lines are missing.
        let shows = (at + 1 < lines.len()).then_some(at + 1);
        assert_eq!(first_fault(&fewer.concat()), shows, "without line {}", at + 1);
        for to in 0..=lines.len() {
            let mut more = lines.clone();
            more.insert(to, lines[at].clone());
            // Of two equal lines, the second is the fault.
            let shows = if to == at { to + 2 } else { to + 1 };
            assert_eq!(first_fault(&more.concat()), Some(shows), "line {} at {to} too", at + 1);
            let mut swapped = lines.clone();
            if to < lines.len() && to != at {
                swapped.swap(at, to);
                assert_eq!(first_fault(&swapped.concat()), Some(at.min(to) + 1), "lines {at} and {to}");
            }
        }
    }
}

#[test]
fn a_truncated_ledger_is_opened_up_to_its_last_complete_line() {
    let folder = folder();
    let path = folder.path().join(LEDGER);
    let bytes = written(&events()[..3]);
    for length in 0..bytes.len() {
        let cut = &bytes[..length];
        let whole = cut.iter().filter(|byte| **byte == b'\n').count();
        let torn = !cut.is_empty() && !cut.ends_with(b"\n");
        assert_eq!(first_fault(cut), torn.then_some(whole + 1), "cut at {length}");
        // A new file each time: some systems sync at once when a file is overwritten.
        fs::write(&path, cut).expect("it can be written");
        let (_, entries) = Ledger::open(folder.path(), None).expect("what is left is whole");
        assert_eq!(entries.len(), whole, "cut at {length}");
        assert_eq!(fs::read(&path).expect("it is there"), lines(&bytes)[..whole].concat());
        fs::remove_file(&path).expect("it is there");
    }
}

#[test]
fn an_incomplete_line_of_another_process_is_removed_before_an_append() {
    let folder = folder();
    let path = folder.path().join(LEDGER);
    let ledger = Ledger::create(folder.path(), None).expect("a new ledger");
    ledger.append(note("one")).expect("it is whole");
    let whole = fs::read(&path).expect("it is there");
    // A line without its line feed is incomplete, too.
    for left in [1, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, [&whole[..], &whole[..left]].concat()).expect("it can be written");
        let entry = ledger.append(note("two")).expect("it is whole then");
        assert_eq!(entry.entry, 1, "{left} bytes were left");
        assert_eq!(faults(&fs::read(&path).expect("it is there")), "", "{left} bytes were left");
    }
    fs::write(&path, &whole[..whole.len() - 1]).expect("it can be written");
    assert_eq!(ledger.append(note("first")).expect("it is empty then").entry, 0);
}

#[test]
fn an_entry_can_follow_one_of_any_length() {
    let folder = folder();
    let (ledger, mut lengths) = (Ledger::create(folder.path(), None).expect("a new ledger"), vec![]);
    // Lengths around the sizes of the blocks that are read from the end.
    for step in [4096, 16384, 65536] {
        lengths.extend((step - 400..step + 8).step_by(24));
    }
    for (at, length) in lengths.iter().enumerate() {
        let entry = ledger.append(note("x".repeat(*length))).expect("it is whole");
        assert_eq!(entry.entry, at as u64);
    }
    let (_, entries) = Ledger::open(folder.path(), None).expect("it is whole");
    assert_eq!(entries.len(), lengths.len());
}

#[test]
fn concurrent_appends_keep_one_chain_and_one_head() {
    let folder = folder();
    let key = folder.path().join("key");
    fs::write(&key, Signer::generate("vienna").expect("a name").secret()).expect("it can be written");
    let signer = || Some(Signer::read(&key).expect("a key"));
    let first = Ledger::create(folder.path(), signer()).expect("a new ledger");
    let opened = Event::RunStarted {
        study: "rooms".to_owned(),
        seal: digest("a"),
        study_toml: digest("b"),
        version: "0.1.0".to_owned(),
        key: first.key(),
        register: None,
    };
    first.append(opened).expect("it is empty");
    let (second, _) = Ledger::open(folder.path(), signer()).expect("it is whole");
    let unsigned = Ledger::open(folder.path(), None).expect("it is whole").0;
    assert_eq!((first.key(), unsigned.key()), (second.key(), None));
    let verifier = Verifier::parse(&first.key().expect("it is signed")).expect("a key");
    thread::scope(|scope| {
        for (name, ledger) in [("a", first.clone()), ("b", first.clone()), ("c", second), ("d", unsigned)] {
            scope.spawn(move || {
                for at in 0..25 {
                    ledger.append(note(format!("{name}{at}"))).expect("it is whole");
                }
            });
        }
    });
    // Each appends after the entries of the others.
    assert_eq!(first.append(note("last")).expect("it is whole").entry, 101);
    let bytes = fs::read(folder.path().join(LEDGER)).expect("it is there");
    assert_eq!(faults(&bytes), "");
    let head = fs::read_to_string(folder.path().join(NOTE)).expect("it was signed");
    let lines = bytes.strip_suffix(b"\n").expect("whole lines").split(|byte| *byte == b'\n');
    assert_eq!(verifier.check(&head, lines), Ok(102));
}

#[test]
fn faults_are_described() {
    let lines = lines(&written(&events()[..4]));
    let replaced = |from: &str, to: &str| {
        let text = String::from_utf8(lines.concat()).expect("JSON is UTF-8");
        assert!(text.contains(from));
        text.replacen(from, to, 1).into_bytes()
    };
    // Even with recomputed hashes only entries are accepted.
    let forged = |line: &str| {
        let hash = hexadecimal(&Sha256::digest(line));
        [&lines[..3].concat(), format!("{line}{HASH}{hash}\"}}\n").as_bytes()].concat()
    };
    let (body, _) = str::from_utf8(&lines[3]).expect("UTF-8").rsplit_once(HASH).expect("a hash");
    let cases = [
        ("changed", replaced("\"model\"", "\"metric\"")),
        ("removed", lines[1..].concat()),
        ("inserted", [&lines[..2], &lines[1..]].concat().concat()),
        ("truncated", lines.concat()[..700].to_vec()),
        ("no entry", [&lines[..2].concat(), &b"{}\n"[..], &lines[2..].concat()].concat()),
        ("not UTF-8", [&lines[..3].concat(), &b"\xff\n"[..]].concat()),
        ("unknown kind", forged(&body.replace("\"requests-shed\"", "\"burnt\""))),
        ("extra field", forged(&format!("{body},\"more\":1"))),
        ("with spaces", forged(&body.replace("\"kind\":", "\"kind\": "))),
    ];
    let said = cases.map(|(what, bytes)| format!("{what}\n{}", faults(&bytes).replace(&digest("a"), "a..")));
    insta::assert_snapshot!(said.join("\n\n"), @"
    changed
    2: it was changed: its hash does not match
    3: it does not continue the line before: a line was changed, removed or inserted

    removed
    1: it does not continue the line before: a line was changed, removed or inserted
    1: it is entry 1, expected 0

    inserted
    3: it does not continue the line before: a line was changed, removed or inserted
    3: it is entry 1, expected 2

    truncated
    2: the line is incomplete

    no entry
    3: it has no hash
    4: it does not continue the line before: a line was changed, removed or inserted
    4: it is entry 2, expected 3

    not UTF-8
    4: it is not UTF-8

    unknown kind
    4: it cannot be parsed: unknown variant `burnt`, expected one of `run-started`, `plugin-loaded`, `group-sealed`, `records-excluded`, `requests-shed`, `determinism-checked`, `run-resumed`, `swap`, `swap-applied`, `swap-abandoned`, `source-gap`, `exposure`, `disclosure`, `interim-report`, `review-sample`, `review`, `verdict`, `note`, `segment-reduced`, `run-stopped`, `run-closed` at line 1 column 155; a newer version of understudy may have written it

    extra field
    4: it does not have the canonical form of an entry; a newer version of understudy may have written it

    with spaces
    4: it does not have the canonical form of an entry; a newer version of understudy may have written it
    ");
}

#[test]
fn a_faulty_ledger_is_rejected() {
    let folder = folder();
    let path = folder.path().join(LEDGER);
    let shown = |error: LedgerError| error.to_string().replace(&folder.path().display().to_string(), "RUN");
    let ledger = Ledger::create(folder.path(), None).expect("a new ledger");
    let lines = lines(&written(&events()[..4]));

    fs::write(&path, [&lines[0][..], &lines[2], &lines[3]].concat()).expect("it can be written");
    let opened = shown(Ledger::open(folder.path(), None).err().expect("it is not whole"));
    fs::write(&path, [&lines[0][..], &lines[1], b"{\"entry\":2}\n"].concat()).expect("it can be written");
    let appended = shown(ledger.append(note("more")).expect_err("the last line is no entry"));
    fs::remove_file(&path).expect("it is there");
    let gone = shown(ledger.append(note("more")).expect_err("it is gone"));
    insta::assert_snapshot!([opened, appended, gone].join("\n"), @r#"
    cannot use RUN/ledger.jsonl:2: it does not continue the line before: a line was changed, removed or inserted; run `understudy verify` for all faults, and restore the file from a copy
    cannot use RUN/ledger.jsonl:3: it has no hash; run `understudy verify` for all faults, and restore the file from a copy
    cannot open RUN/ledger.jsonl: No such file or directory (os error 2)
    "#);
}

//! The text form of a register, its recovery after a crash, concurrent appends, and the detection of every
//! change that an adversary can make.

use std::fs;
use std::sync::LazyLock;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::generate("ana").expect("randomness"));

/// A digest that is recognised by its number.
fn digest(number: usize) -> String {
    format!("{number:064}")
}

fn sealed(number: usize) -> RegisterEvent {
    RegisterEvent::StudySealed(RegisteredSeal {
        study: "rooms".to_owned(),
        seal: digest(number),
        declaration: digest(number),
        fields: digest(7),
        feed: digest(8),
        threshold: Some(format!("agreement at least 0.{number}")),
    })
}

/// Registers a seal, and returns its position.
fn register(path: &Path, number: usize, signer: Option<&Signer>) -> RegisterPosition {
    let mut register = Register::open(path, signer).unwrap();
    let position = register.content().next_position(signer.map(|signer| signer.verifier().to_string()));
    register.append(sealed(number), signer).unwrap();
    position
}

/// The lines of a register with these seals, and the position of each.
fn written(seals: usize, signer: Option<&Signer>) -> (Vec<u8>, Vec<RegisterPosition>) {
    let folder = folder();
    let path = folder.path().join("register");
    let positions = (0..seals).map(|number| register(&path, number, signer)).collect();
    (fs::read(&path).unwrap(), positions)
}

/// Why a seal is not in these lines; `Ok` if it is.
fn lookup(bytes: &[u8], position: &RegisterPosition, number: usize) -> Result<(), String> {
    let (content, faults) = RegisterContent::parse(complete_lines(bytes));
    match faults.first() {
        Some(fault) => Err(format!("{}: {}", fault.line, fault.what)),
        None => content.check_seal(position, &digest(number), |_| Ok(())),
    }
}

#[test]
fn entries_have_a_fixed_text_form() {
    let entry = |event| RegisterEntry {
        entry: 1,
        at: "2026-03-01T10:00:00Z".parse().unwrap(),
        previous: digest(9),
        event: RegisterRecord { event, signed: None },
    };
    let run = RegisterEvent::RunStarted { seal: digest(1), run: "ab".to_owned() };
    let opened = RegisterEvent::RegisterOpened { nonce: "cd".to_owned(), version: "0.1.0".to_owned() };
    let lines = [opened, sealed(1), run].map(|event| line(&entry(event)).replace(&"0".repeat(50), ".."));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_seal_is_found_at_its_position_only() {
    for signer in [None, Some(&*SIGNER)] {
        let (bytes, positions) = written(3, signer);
        for (number, position) in positions.iter().enumerate() {
            assert_eq!(lookup(&bytes, position, number), Ok(()));
            for other in (0..3).filter(|other| *other != number) {
                assert!(lookup(&bytes, position, other).is_err());
            }
        }
    }
}

#[test]
fn the_fault_of_a_register_without_the_seal_is_named() {
    let (bytes, positions) = written(3, Some(&SIGNER));
    let (other, _) = written(3, Some(&SIGNER));
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let fault = |bytes: &[u8]| lookup(bytes, &positions[1], 1).unwrap_err();
    // A register that begins with the same line and goes on with other seals.
    let folder = folder();
    let path = folder.path().join("register");
    let again = |seals: &[usize], signer: Option<&Signer>| {
        fs::write(&path, lines[0]).unwrap();
        for seal in seals {
            register(&path, *seal, signer);
        }
        fs::read(&path).unwrap()
    };
    let eve = Signer::generate("eve").unwrap();
    let rewritten = again(&[5, 1, 2], Some(&SIGNER));
    let faults = [
        fault(&other),
        fault(&lines[..2].concat()),
        fault(&rewritten),
        fault(b""),
        fault(&[lines[0], lines[1], lines[3]].concat()),
    ];
    fs::write(&path, lines[..2].concat()).unwrap();
    register(&path, 2, Some(&SIGNER));
    let left_out = fault(&fs::read(&path).unwrap());
    fs::write(&path, lines[..2].concat()).unwrap();
    register(&path, 1, Some(&eve));
    let signed_again = fault(&fs::read(&path).unwrap());
    fs::write(&path, lines[..2].concat()).unwrap();
    register(&path, 1, None);
    let unsigned = fault(&fs::read(&path).unwrap());
    let faults = [faults.join("\n"), left_out, signed_again, unsigned].join("\n");
    insta::with_settings!({ filters => [(r"[0-9a-f]{12}\.\.\.", "DIGEST"), (r"\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}", "+KEY")] }, {
        insta::assert_snapshot!(faults);
    });
}

#[test]
fn a_changed_description_of_a_seal_is_named() {
    let (bytes, positions) = written(1, None);
    let (content, _) = RegisterContent::parse(&bytes);
    let found = content.check_seal(&positions[0], &digest(0), |sealed| {
        if sealed.study == "yard" { Ok(()) } else { Err("study") }
    });
    insta::assert_snapshot!(found.unwrap_err(), @"entry 1 does not describe this seal: `study` was changed");
}

#[test]
fn a_run_is_found_under_its_seal() {
    let folder = folder();
    let path = folder.path().join("register");
    register(&path, 1, None);
    let mut opened = Register::open(&path, None).unwrap();
    let event = RegisterEvent::RunStarted { seal: digest(1), run: "ab".to_owned() };
    opened.append(event, None).unwrap();
    assert_eq!(opened.content().check_run(&digest(1), "ab"), Ok(2));
    assert!(opened.content().check_run(&digest(1), "cd").is_err());
    assert!(opened.content().check_run(&digest(2), "ab").is_err());
}

#[test]
fn a_seal_is_registered_once_and_before_its_runs() {
    let folder = folder();
    let path = folder.path().join("register");
    register(&path, 1, None);
    register(&path, 1, None);
    let mut bytes = fs::read(&path).unwrap();
    let (_, faults) = RegisterContent::parse(&bytes);
    assert_eq!(faults[0].what, "the seal is already in the register");
    bytes.clear();
    fs::write(&path, &bytes).unwrap();
    let mut opened = Register::open(&path, None).unwrap();
    opened.append(RegisterEvent::RunStarted { seal: digest(3), run: "ab".to_owned() }, None).unwrap();
    let (_, faults) = RegisterContent::parse(&fs::read(&path).unwrap());
    assert_eq!(faults[0].what, "no entry before has the seal of this run");
}

#[test]
fn a_file_that_is_no_register_is_not_changed() {
    let folder = folder();
    let path = folder.path().join("notes.txt");
    for content in
        ["a note without a line feed", "a note\n", "{\"entry\":", "{\"entry\":1,\"kind\":\"note\"}\nx"]
    {
        fs::write(&path, content).unwrap();
        let is_torn_start = content == "{\"entry\":";
        match Register::open(&path, None) {
            Ok(_) => assert!(is_torn_start, "{content}"),
            Err(error) => {
                assert!(matches!(error, RegisterError::NotARegister { .. }), "{error}");
                assert_eq!(fs::read_to_string(&path).unwrap(), content);
            }
        }
    }
}

#[test]
fn a_register_is_created_only_in_a_folder_that_exists() {
    let folder = folder();
    let missing = folder.path().join("share/register");
    let error = Register::open(&missing, None).map(drop).unwrap_err().to_string();
    let error = error.replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(error, @"cannot open the register FOLDER/share/register: the folder FOLDER/share does not exist; create it, or mount the share that has it");
    // A directory that is named has the register in it.
    let file = register_file(folder.path());
    register(&file, 1, None);
    assert!(folder.path().join("register.jsonl").is_file());
    assert_eq!(read_register(&file).unwrap().unwrap().entries().len(), 2);
    assert_eq!(read_register(&folder.path().join("none")).unwrap(), None);
}

#[test]
fn what_can_be_appended_to_can_be_opened() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    register(&path("old"), 1, None);
    fs::create_dir(path("folder")).unwrap();
    for (link, target) in [("link", "new"), ("lost", "none/new"), ("two", "lost"), ("loop", "loop")] {
        std::os::unix::fs::symlink(target, path(link)).unwrap();
    }
    let usable = ["old", "new", "link", "folder", "none/new", "lost", "two", "loop", "old/new"].map(|name| {
        let before: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        let is_appendable = ensure_appendable(&path(name)).is_ok();
        let after: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(before, after, "{name}");
        assert_eq!(is_appendable, Register::open(&path(name), None).is_ok(), "{name}");
        is_appendable
    });
    assert_eq!(usable, [true, true, true, false, false, false, false, false, false]);
    // A file system that takes no file.
    let refused = Path::new("/proc/register");
    assert!(ensure_appendable(refused).is_err() && Register::open(refused, None).is_err());
}

#[test]
fn a_broken_register_takes_no_entry() {
    let (bytes, _) = written(2, None);
    let folder = folder();
    let path = folder.path().join("register");
    let changed = String::from_utf8(bytes).unwrap().replace("at least 0.0", "at least 0.9");
    fs::write(&path, &changed).unwrap();
    let error = Register::open(&path, None).map(drop).unwrap_err().to_string();
    assert!(error.ends_with("register:2: it was changed: its hash does not match; run `understudy register verify` for all faults, and restore the file from a copy"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), changed);
}

#[test]
fn concurrent_seals_are_all_registered_in_order() {
    let folder = folder();
    let path = folder.path().join("register");
    let positions: Vec<_> = std::thread::scope(|scope| {
        let path = &path;
        let threads = (0..8).map(|number| scope.spawn(move || (number, register(path, number, None))));
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let bytes = fs::read(&path).unwrap();
    assert_eq!(RegisterContent::parse(&bytes).0.entries().len(), 9);
    for (number, position) in &positions {
        assert_eq!(lookup(&bytes, position, *number), Ok(()));
    }
}

static LINES: LazyLock<(Vec<u8>, Vec<RegisterPosition>)> = LazyLock::new(|| written(3, Some(&SIGNER)));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A register that was cut off anywhere has its complete lines, takes the next seal after them, and has the
    /// seals in these lines and no other.
    #[test]
    fn a_truncated_register_has_the_seals_of_its_complete_lines(end in 0..LINES.0.len()) {
        let (bytes, positions) = &*LINES;
        let folder = folder();
        let path = folder.path().join("register");
        fs::write(&path, &bytes[..end]).unwrap();
        let complete = bytes[..end].iter().filter(|byte| **byte == b'\n').count();
        let position = register(&path, 9, None);
        prop_assert_eq!(position.entry, complete.max(1) as u64);
        let now = fs::read(&path).unwrap();
        prop_assert_eq!(lookup(&now, &position, 9), Ok(()));
        for (number, position) in positions.iter().enumerate() {
            prop_assert_eq!(lookup(&now, position, number).is_ok(), number + 2 <= complete);
        }
    }

    /// No changed bit of the entries up to a seal leaves the seal in the register.
    #[test]
    fn a_changed_bit_before_a_seal_is_detected(at in 0..LINES.0.len(), bit in 0..8u32) {
        let (bytes, positions) = &*LINES;
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count();
        let last_line_feed = at == bytes.len() - 1;
        for (number, position) in positions.iter().enumerate() {
            let found = lookup(&changed, position, number);
            // Without its line feed the last line is incomplete, so only the last seal is missing.
            if !last_line_feed || number == positions.len() - 1 {
                prop_assert!(found.is_err(), "line {}, seal {}", line, number);
            }
        }
    }
}

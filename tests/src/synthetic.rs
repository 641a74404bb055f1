//! Synthetic streams of any length: ten snapshots per second of event time, with one decision each.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use crate::TestWorkspace;
use crate::study_toml::StudyToml;

/// The declaration: model and comparator read one field each; one metric, four conditions.
pub fn study() -> StudyToml {
    let study = StudyToml::new("synthetic").time_zone("Europe/Lisbon").horizon("15m");
    let fields = [
        ("zone", "text"),
        ("carrier", "text"),
        ("urgent", "boolean"),
        ("priority", "integer"),
        ("queue", "integer"),
        ("weight", "number"),
        ("length", "number"),
        ("speed", "number"),
    ];
    let study = fields.into_iter().fold(study, |study, (name, kind)| study.input(name, kind));
    study
        .decision("zone", "text")
        .model("echo", "zone")
        .comparator("recorded", "decision.zone")
        .metric("agreement")
        .condition("carrier", "carrier", &CARRIERS)
        .condition_rule("weight", "field = \"weight\"\nbins = [10, 20, 40]")
        .condition_rule("day", "calendar = \"weekend\"")
        .condition_rule("hour", "calendar = \"hour\"")
}

const ZONES: [&str; 8] = ["dock-1", "dock-2", "dock-3", "yard-1", "yard-2", "cold-1", "cold-2", "gate"];
const CARRIERS: [&str; 4] = ["north", "south", "east", "west"];

/// A reproducible stream of pseudo-random numbers (splitmix64: Steele, Lea, Flood 2014).
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number below `below`.
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// The time of a row, given in tenths of a second.
fn at(tenths: u64) -> String {
    let (day, rest) = (tenths / 864_000, tenths % 864_000);
    let (hour, minute, second) = (rest / 36_000, rest / 600 % 60, rest / 10 % 60);
    let (month, day) = (1 + day / 28, 1 + day % 28);
    format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{}Z", rest % 10)
}

/// A snapshot in a zone. Its other fields are random.
fn snapshot_in(zone: usize, row: u64, numbers: &mut Numbers) -> String {
    format!(
        "{{\"id\":\"r{row:07}\",\"at\":\"{}\",\"zone\":\"{}\",\"carrier\":\"{}\",\"urgent\":{},\"priority\":{},\"queue\":{},\
         \"weight\":{}.{},\"length\":{},\"speed\":{}.5}}\n",
        at(row),
        ZONES[zone],
        CARRIERS[numbers.next(4) as usize],
        numbers.next(4) == 0,
        numbers.next(5),
        numbers.next(300),
        numbers.next(60),
        numbers.next(10),
        numbers.next(20),
        numbers.next(90),
    )
}

/// A decision for a zone, `delay` tenths of a second after its snapshot.
fn decision_for(zone: usize, row: u64, delay: u64) -> String {
    format!("{{\"id\":\"r{row:07}\",\"at\":\"{}\",\"zone\":\"{}\"}}\n", at(row + delay), ZONES[zone])
}

/// A snapshot that depends on its row only.
pub fn snapshot(row: u64) -> String {
    snapshot_in(row as usize % 8, row, &mut Numbers(row))
}

/// The decision to [`snapshot`] of the same row: the same zone, except for every eleventh row.
pub fn decision(row: u64) -> String {
    let zone = row as usize % 8 + usize::from(row.is_multiple_of(11));
    decision_for(zone % 8, row, 100)
}

/// A workspace with the study and `rows` snapshots and decisions. About a tenth of the decisions differ from
/// the model.
pub fn workspace(rows: u64) -> TestWorkspace {
    let workspace = TestWorkspace::new();
    workspace.write("study.toml", study().to_string());
    let file = |name: &str| {
        BufWriter::new(File::create(workspace.path().join(name)).expect("the file can be created"))
    };
    let (mut snapshots, mut decisions) = (file("snapshots.jsonl"), file("decisions.jsonl"));
    let mut numbers = Numbers(7);
    for row in 0..rows {
        let zone = numbers.next(8) as usize;
        let decided = if numbers.next(10) == 0 { numbers.next(8) as usize } else { zone };
        let line = snapshot_in(zone, row, &mut numbers);
        snapshots.write_all(line.as_bytes()).expect("the disk has room");
        let line = decision_for(decided, row, 10 + numbers.next(3_000));
        decisions.write_all(line.as_bytes()).expect("the disk has room");
    }
    workspace
}

//! Synthetic streams of any length: ten flat fields a snapshot, one decision each, ten a second in event time.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use crate::Bench;

/// The study over them: a model and a comparator that each read one field, agreement, four conditions.
pub const STUDY: &str = r#"study = "synthetic"
time-zone = "Europe/Lisbon"

[inputs]
id = "id"
time = "at"

[inputs.fields]
zone = "text"
carrier = "text"
urgent = "boolean"
priority = "integer"
queue = "integer"
weight = "number"
length = "number"
speed = "number"

[decisions]
id = "id"
time = "at"
horizon = "15m"

[decisions.fields]
zone = "text"

[sources]
snapshots = { file = "snapshots.jsonl" }
decisions = { file = "decisions.jsonl" }

[[models]]
name = "echo"
plugin = "PLUGINS/recorded.wasm"
grant = ["zone"]
config = { field = "zone", form = "label" }

[comparator]
name = "recorded"
plugin = "PLUGINS/recorded.wasm"
grant = ["decision.zone"]
config = { field = "decision.zone", form = "label" }

[[metrics]]
name = "agreement"
plugin = "PLUGINS/agreement.wasm"

[[conditions]]
name = "carrier"
field = "carrier"
values = ["north", "south", "east", "west"]

[[conditions]]
name = "weight"
field = "weight"
bins = [10, 20, 40]

[[conditions]]
name = "day"
calendar = "weekend"

[[conditions]]
name = "hour"
calendar = "hour"

[windows]
every = "day"
"#;

const ZONES: [&str; 8] = ["dock-1", "dock-2", "dock-3", "yard-1", "yard-2", "cold-1", "cold-2", "gate"];
const CARRIERS: [&str; 4] = ["north", "south", "east", "west"];

/// A stream of numbers that is the same every time (splitmix64: Steele, Lea, Flood 2014).
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number, which is below `below`.
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// The time of a row: ten a second in event time.
fn at(tenths: u64) -> String {
    let (day, rest) = (tenths / 864_000, tenths % 864_000);
    let (hour, minute, second) = (rest / 36_000, rest / 600 % 60, rest / 10 % 60);
    let (month, day) = (1 + day / 28, 1 + day % 28);
    format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{}Z", rest % 10)
}

/// The line of a snapshot in a zone; what else it has is drawn.
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

/// The line of a decision for a zone, so many tenths of a second after its snapshot.
fn decision_for(zone: usize, row: u64, late: u64) -> String {
    format!("{{\"id\":\"r{row:07}\",\"at\":\"{}\",\"zone\":\"{}\"}}\n", at(row + late), ZONES[zone])
}

/// The line of a snapshot, which depends on its row alone.
pub fn snapshot(row: u64) -> String {
    snapshot_in(row as usize % 8, row, &mut Numbers(row))
}

/// The line of the decision to such a snapshot: the same zone, but for every eleventh row.
pub fn decision(row: u64) -> String {
    let zone = row as usize % 8 + usize::from(row.is_multiple_of(11));
    decision_for(zone % 8, row, 100)
}

/// A bench with a study and `rows` snapshots and decisions. Every tenth decision or so differs from the model.
pub fn bench(rows: u64) -> Bench {
    let bench = Bench::new();
    bench.write("study.toml", STUDY);
    let file =
        |name: &str| BufWriter::new(File::create(bench.path().join(name)).expect("a file can be made"));
    let (mut snapshots, mut decisions) = (file("snapshots.jsonl"), file("decisions.jsonl"));
    let mut numbers = Numbers(7);
    for row in 0..rows {
        let zone = numbers.next(8) as usize;
        let taken = if numbers.next(10) == 0 { numbers.next(8) as usize } else { zone };
        let line = snapshot_in(zone, row, &mut numbers);
        snapshots.write_all(line.as_bytes()).expect("the disk has room");
        let line = decision_for(taken, row, 10 + numbers.next(3_000));
        decisions.write_all(line.as_bytes()).expect("the disk has room");
    }
    bench
}

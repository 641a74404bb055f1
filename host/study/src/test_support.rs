//! A valid declaration that the tests edit.

use super::{Faults, Study, parse};

/// A short, valid declaration without two equal lines.
pub(super) const VALID: &str = r#"study = "rooms"
time-zone = "UTC"
[inputs]
id = "id"
time = "observed_at"
[inputs.fields]
lead_time = "integer"
segment = "text"
price = "number"
repeated = "boolean"
[decisions]
id = "id"
time = "decided_at"
horizon = "2d"
[decisions.fields]
room = "text"
[sources]
snapshots = { file = "bookings.jsonl" }
decisions = { file = "assignments.jsonl" }
[[models]]
name = "rules"
plugin = "rules.wasm"
grant = ["lead_time", "segment"]
[comparator]
name = "recorded"
plugin = "recorded.wasm"
grant = ["decision.room"]
[[metrics]]
name = "agreement"
plugin = "agreement.wasm"
[[conditions]]
name = "segment"
field = "segment"
values = ["direct", "groups"]
[[conditions]]
name = "lead-time"
field = "lead_time"
bins = [7, 30]
[windows]
every = "week"
"#;

/// The declaration after replacing the first occurrence of each text.
pub(super) fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(VALID.to_owned(), |study, (from, to)| {
        assert!(study.contains(from), "{from}");
        study.replacen(from, to, 1)
    })
}

/// The study after valid edits.
pub(super) fn read(edits: &[(&str, &str)]) -> Study {
    parse(&edited(edits)).unwrap()
}

/// The faults after invalid edits.
pub(super) fn faults(edits: &[(&str, &str)]) -> Faults {
    parse(&edited(edits)).unwrap_err().faults
}

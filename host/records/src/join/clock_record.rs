//! The record that set the clock of a stream, for messages.

/// The longest id in a message, in characters.
const MAX_ID_CHARS: usize = 80;

/// The record with the latest event time of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClockRecord {
    /// The record's line in its source, or its number in a stream of records; from 1.
    pub(super) position: u64,
    id: String,
}

impl ClockRecord {
    /// Makes another record the latest one. Reuses the memory of the id.
    pub(super) fn set(&mut self, position: u64, id: &str) {
        self.position = position;
        self.id.clear();
        self.id.push_str(id);
    }

    /// The position and the id, such as `line 17 with the id "a"`. `name` is what a position is called.
    pub(super) fn describe(&self, name: &str) -> String {
        let (position, id) = (self.position, &self.id);
        match id.char_indices().nth(MAX_ID_CHARS) {
            None => format!("{name} {position} with the id \"{id}\""),
            Some((end, _)) => format!("{name} {position} with the id \"{}...\"", &id[..end]),
        }
    }
}

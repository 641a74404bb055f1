//! Lines in memory, with the times to sort them by.

/// A line in the buffer.
#[derive(Clone, Copy)]
struct BufferedLine {
    time: i64,
    start: usize,
    len: usize,
}

/// Collects lines up to a size in bytes.
pub(super) struct SortBuffer {
    max_bytes: usize,
    bytes: Vec<u8>,
    lines: Vec<BufferedLine>,
}

impl SortBuffer {
    /// An empty buffer for lines and their times in `max_bytes` bytes.
    pub(super) fn new(max_bytes: usize) -> SortBuffer {
        SortBuffer { max_bytes, bytes: Vec::new(), lines: Vec::new() }
    }

    /// Whether a line of `len` bytes fits. Any line fits an empty buffer.
    pub(super) fn has_room(&self, len: usize) -> bool {
        let used = self.bytes.len() + self.lines.len() * size_of::<BufferedLine>();
        self.lines.is_empty() || used + len + size_of::<BufferedLine>() <= self.max_bytes
    }

    /// Adds a line.
    pub(super) fn push(&mut self, time: i64, line: &[u8]) {
        self.lines.push(BufferedLine { time, start: self.bytes.len(), len: line.len() });
        self.bytes.extend_from_slice(line);
    }

    /// The lines with their times, in order of time; lines with equal times in the order in which they came.
    pub(super) fn sorted(&mut self) -> impl Iterator<Item = (i64, &[u8])> {
        // In place, since a stable sort would need more memory; the place of a line keeps equal times in order. A line
        // without bytes begins where the next one does, and comes before it.
        if !self.lines.is_sorted_by_key(|line| line.time) {
            self.lines.sort_unstable_by_key(|line| (line.time, line.start, line.len));
        }
        self.lines.iter().map(|line| (line.time, &self.bytes[line.start..line.start + line.len]))
    }

    /// Removes all lines and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.lines.clear();
    }

    /// Whether there are no lines.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

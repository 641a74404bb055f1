//! The position of a record in its source.

/// Where a record is in its source, as the run log's columns `line`, `offset` and `digest` keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordPosition {
    /// The record's line in a file, or its number in a stream of records; counted from 1.
    pub line: u64,
    /// The byte at which the line begins in the decompressed file; 0 if the source is not a file.
    pub offset: u64,
    /// The [`record_digest`](super::record_digest) of the record's bytes.
    pub digest: u64,
}

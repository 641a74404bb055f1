//! Provides the fixtures that the tests of this module share.

use jiff::SignedDuration;

use understudy_study::Stream;

/// A stream whose records have the id under `id` and the time under `at`, and no fields.
pub(in crate::ingest) fn stream() -> Stream {
    Stream {
        id: "id".to_owned(),
        time: "at".to_owned(),
        lateness: SignedDuration::ZERO,
        most_ahead: SignedDuration::ZERO,
        fields: Vec::new(),
    }
}

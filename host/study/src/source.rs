//! The declared source of a stream's records.

use std::path::PathBuf;

/// Where the records of a stream come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// JSON Lines in a file, relative to the directory of `study.toml`; plain, gzip or zstd by its first bytes.
    File(PathBuf),
    /// JSON Lines on standard input.
    Stdin,
    /// HTTP requests to `understudy serve`.
    Http,
}

impl Source {
    /// Whether clients push records to the run, instead of the run pulling them.
    pub const fn is_pushed(&self) -> bool {
        match self {
            Source::Http => true,
            Source::File(_) | Source::Stdin => false,
        }
    }

    /// What the position of a record in the source is called, in messages.
    pub const fn position_name(&self) -> &'static str {
        match self {
            Source::File(_) | Source::Stdin => "line",
            Source::Http => "record",
        }
    }

    /// Whether reading can pause for any time without holding up a sender.
    pub const fn is_pausable(&self) -> bool {
        match self {
            Source::File(_) => true,
            Source::Stdin | Source::Http => false,
        }
    }
}

//! The declared source of a stream's records, and the format of its file.

use std::path::{Path, PathBuf};

/// Where the records of a stream come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(FileSource),
    /// JSON Lines on standard input.
    Stdin,
    /// HTTP requests to `understudy serve`.
    Http,
}

/// A file of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSource {
    /// The path, relative to the directory of `study.toml`.
    pub path: PathBuf,
    /// The declared format; without a declaration, that of the path's ending.
    pub format: RecordFormat,
}

impl FileSource {
    /// A file whose format its path's ending says.
    pub fn from_path(path: impl Into<PathBuf>) -> FileSource {
        let path = path.into();
        FileSource { format: RecordFormat::of_path(&path), path }
    }
}

/// The format of a file of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordFormat {
    /// One JSON object a line; plain, gzip or zstd by its first bytes.
    JsonLines,
    /// RFC 4180 with a header and commas; plain, gzip or zstd by its first bytes.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl RecordFormat {
    /// Every format.
    pub const ALL: [RecordFormat; 3] = [RecordFormat::JsonLines, RecordFormat::Csv, RecordFormat::Parquet];

    /// The name in `study.toml`, such as `json-lines`.
    pub const fn name(self) -> &'static str {
        match self {
            RecordFormat::JsonLines => "json-lines",
            RecordFormat::Csv => "csv",
            RecordFormat::Parquet => "parquet",
        }
    }

    /// The format by the ending of a path: `.csv`, also before `.gz` or `.zst`, and `.parquet`; otherwise JSON Lines.
    pub fn of_path(path: &Path) -> RecordFormat {
        let ends_in = |path: &Path, ending: &str| {
            path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
        };
        let is_compressed = ["gz", "zst", "zstd"].into_iter().any(|ending| ends_in(path, ending));
        let plain = path.with_extension("");
        if ends_in(if is_compressed { &plain } else { path }, "csv") {
            RecordFormat::Csv
        } else if ends_in(path, "parquet") {
            RecordFormat::Parquet
        } else {
            RecordFormat::JsonLines
        }
    }
}

impl Source {
    /// Whether the source has an end of its own, which nobody chooses while the study runs.
    pub const fn has_end(&self) -> bool {
        match self {
            Source::File(_) => true,
            Source::Stdin | Source::Http => false,
        }
    }

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
            Source::File(FileSource { format: RecordFormat::Parquet, .. }) => "row",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_a_path_says_its_format() {
        for (path, format) in [
            ("feed.jsonl", RecordFormat::JsonLines),
            ("feed.jsonl.gz", RecordFormat::JsonLines),
            ("feed", RecordFormat::JsonLines),
            ("csv", RecordFormat::JsonLines),
            ("feed.csv", RecordFormat::Csv),
            ("feed.CSV.gz", RecordFormat::Csv),
            ("a.b/feed.csv.zst", RecordFormat::Csv),
            ("feed.csv.jsonl", RecordFormat::JsonLines),
            ("feed.parquet", RecordFormat::Parquet),
            ("feed.parquet.gz", RecordFormat::JsonLines),
        ] {
            assert_eq!(RecordFormat::of_path(Path::new(path)), format, "{path}");
        }
    }
}

//! The layout of a run directory: file names and tables.

use understudy_study::StreamKind;

/// The file with the seal, in a run directory and beside a `study.toml`.
pub const SEAL: &str = "seal.json";
/// The file with the latest checkpoint.
pub const CHECKPOINT: &str = "checkpoint.bin";
/// The file with the figures.
pub const REPORT: &str = "report.json";
/// The folder of the interim reports.
pub const INTERIM: &str = "interim";
/// The file with the report as an HTML page.
pub const PAGE: &str = "report.html";
/// The file with the verdict.
pub const VERDICT: &str = "verdict.json";

/// The tables of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Accepted snapshots with the models' answers.
    Snapshots,
    /// Accepted decisions.
    Decisions,
    /// Excluded records of both streams, with the reason.
    Excluded,
    /// Joined pairs with the comparator's answer.
    Pairs,
}

impl Table {
    /// The table of the accepted records of a stream.
    pub const fn from_stream(kind: StreamKind) -> Table {
        match kind {
            StreamKind::Snapshots => Table::Snapshots,
            StreamKind::Decisions => Table::Decisions,
        }
    }

    /// All tables, in the order of their discriminants.
    pub const ALL: [Table; 4] = [Table::Snapshots, Table::Decisions, Table::Excluded, Table::Pairs];

    /// The name of the table's folder in the run directory.
    pub fn folder(self) -> &'static str {
        match self {
            Table::Snapshots => "snapshots",
            Table::Decisions => "decisions",
            Table::Excluded => "excluded",
            Table::Pairs => "pairs",
        }
    }
}

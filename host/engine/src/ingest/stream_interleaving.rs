//! The order in which a run reads two files.

/// The order in which two files are read. No statistic depends on it; memory use does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReadOrder {
    /// Both in step in event time, so that the join buffer stays small.
    #[default]
    InStep,
    /// All snapshots, then all decisions.
    SnapshotsFirst,
    /// All decisions, then all snapshots.
    DecisionsFirst,
}

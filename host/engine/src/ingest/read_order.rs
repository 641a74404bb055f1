//! The order in which a run reads two files.

/// In which order two files are read. Figures do not depend on it; memory does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReadOrder {
    /// Both in step in event time, so that the join buffer stays small.
    #[default]
    InStep,
    /// All the snapshots, then all the decisions.
    SnapshotsFirst,
    /// All the decisions, then all the snapshots.
    DecisionsFirst,
}

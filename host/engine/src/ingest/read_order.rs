//! The order in which a run reads two files.

/// In which order two files are read. Figures do not depend on it; memory does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReadOrder {
    /// StreamKind by side in event time, so that little has to wait.
    #[default]
    InStep,
    /// All the snapshots, then all the decisions.
    SnapshotsFirst,
    /// All the decisions, then all the snapshots.
    DecisionsFirst,
}

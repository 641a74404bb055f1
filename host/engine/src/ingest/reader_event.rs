//! What a reader thread sends to the coordinator, and why a reader cannot start.

use crate::batches::acks::PendingAck;
use understudy_records::batch::DecodedBatch;
use understudy_run_log::LogError;
use understudy_sources::SourceError;

/// DecodedBatch batches that may wait. Enough to keep the decoder busy, few enough to stay small.
pub(crate) const WAITING: usize = 4;

/// What a feed says.
pub enum ReaderEvent {
    /// Records, and who waits to be told what became of them.
    Batch(Box<DecodedBatch>, Vec<PendingAck>),
    /// There are no more, perhaps because the source broke off.
    End(Option<String>),
}

/// Why a feed cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The log of another run.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The system.
    #[error("no thread to read with: {0}")]
    Thread(std::io::Error),
}

//! Defines the messages of reader threads to the coordinator, and the errors of starting a reader.

use crate::batches::acks::PendingAck;
use understudy_records::batch::DecodedBatch;
use understudy_run_log::LogError;
use understudy_sources::SourceError;

/// Maximum number of waiting batches: enough to keep the decoder busy, few enough to stay small.
pub(crate) const READER_QUEUE_BATCHES: usize = 4;

/// A message of a reader thread.
pub enum ReaderEvent {
    /// Decoded records, with the acknowledgements of their deliveries.
    Batch(Box<DecodedBatch>, Vec<PendingAck>),
    /// The end of the source, with its error if it failed.
    End(Option<String>),
}

/// Why a reader cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// The source cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The log of the replayed run cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The operating system cannot start a thread.
    #[error("cannot start a reader thread: {0}")]
    Thread(std::io::Error),
}

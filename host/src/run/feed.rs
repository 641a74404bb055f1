//! The threads that read and decode, one for each stream.
//!
//! Always holds: batches arrive in the order of the source; the end is announced once, with what broke if something
//! did.

use std::path::Path;
use std::thread;

use tokio::sync::mpsc::{Receiver, channel};

use crate::batch::{Decoded, Decoder, Side};
use crate::source::{SourceError, open};
use crate::study::{Source, Study};

/// Decoded batches that may wait. Enough to keep the decoder busy, few enough to stay small.
const WAITING: usize = 4;

/// What a feed says.
pub enum Feed {
    /// Records.
    Batch(Box<Decoded>),
    /// There are no more, perhaps because the source broke off.
    End(Option<SourceError>),
}

/// Starts to read one side of a study.
///
/// # Errors
/// When its source cannot be opened, or the system gives no thread.
pub fn start(study: &Study, side: Side, folder: &Path) -> Result<Receiver<Feed>, FeedError> {
    let (source, stream): (&Source, _) = match side {
        Side::Snapshot => (&study.snapshots_source, &study.inputs),
        Side::Decision => (&study.decisions_source, &study.decisions),
    };
    let rows = study.limits.batch_rows;
    let mut reader = open(source, folder, study.limits.record_bytes)?;
    let mut decoder = Decoder::new(side, stream, rows);
    let (feed, batches) = channel(WAITING);
    let read = move || {
        loop {
            let said = match reader.next(rows) {
                Ok(Some(lines)) => Feed::Batch(Box::new(decoder.decode(&lines))),
                Ok(None) => Feed::End(None),
                Err(error) => Feed::End(Some(error)),
            };
            let last = matches!(said, Feed::End(_));
            if feed.blocking_send(said).is_err() || last {
                return;
            }
        }
    };
    thread::Builder::new().name(side.plural().to_owned()).spawn(read).map_err(FeedError::Thread)?;
    Ok(batches)
}

/// Why a feed cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The system.
    #[error("no thread to read with: {0}")]
    Thread(std::io::Error),
}

//! The threads that read and decode, one for each stream.
//!
//! Always holds: batches arrive in the order of the source; the end is announced once, with what broke if something
//! did; a file is read only while it is not ahead of the other stream in event time.

use std::path::Path;
use std::thread;

use tokio::sync::mpsc::{Receiver, channel};

use crate::ingest::read_order::Order;
use crate::ingest::push_intake::{Intake, Live};
use crate::batches::acks::Ticket;
use crate::ingest::replay_source;
use crate::plugins::load::Prepared;
use understudy_records::batch::{Decoded, Decoder, Mark};
use understudy_records::pairing::Pairing;
use understudy_run_log::LogError;
use understudy_sources::{SourceError, open};
use understudy_study::{Source, StreamKind, Study};

/// The two streams, being read.
pub struct Feeds {
    /// Snapshots and decisions; `None` once a stream has ended.
    pub(crate) receivers: [Option<Receiver<Feed>>; 2],
    order: Order,
    /// Which of them are files, which can wait for the other stream.
    files: [bool; 2],
    /// What is delivered, if something is.
    live: Option<Live>,
}

impl Feeds {
    /// Opens both sources, each behind the last record of it that the log holds.
    ///
    /// # Errors
    /// When one cannot be opened, or is not the one that was read.
    pub fn open(prepared: &Prepared, order: Order, after: [Option<Mark>; 2]) -> Result<Feeds, FeedError> {
        let study = &prepared.study;
        let folder: &Path = &prepared.folder;
        let (live, mut delivered) = Live::start(study, after)?;
        let mut open = |side: StreamKind| match delivered[side as usize].take() {
            Some(delivered) => Ok(Some(delivered)),
            None => start(study, side, folder, after[side as usize]).map(Some),
        };
        let files = [&study.snapshots_source, &study.decisions_source]
            .map(|source| matches!(source, Source::File(_)));
        Ok(Feeds { receivers: [open(StreamKind::Snapshots)?, open(StreamKind::Decisions)?], order, files, live })
    }

    /// Where records are delivered, if one of the sources is HTTP.
    pub fn intake(&self) -> Option<Intake> {
        self.live.as_ref().map(Live::intake)
    }

    /// Ends the reading: files at once; what was delivered before is still taken. False if there is nothing left to take.
    pub fn stop(&mut self) -> bool {
        let delivered = self.live.as_ref().map_or([false; 2], Live::stop);
        for side in StreamKind::ALL {
            if !delivered[side as usize] {
                self.receivers[side as usize] = None;
            }
        }
        self.receivers.iter().any(Option::is_some)
    }

    /// Takes what the log of another run holds, which has the same declaration.
    ///
    /// # Errors
    /// When it cannot be read, or the system gives no thread.
    pub fn logged(prepared: &Prepared, order: Order, run: &Path) -> Result<Feeds, FeedError> {
        let start = |side| replay_source::start(prepared, side, run).map(Some);
        Ok(Feeds {
            receivers: [start(StreamKind::Snapshots)?, start(StreamKind::Decisions)?],
            order,
            files: [true, true],
            live: None,
        })
    }

    /// Whether a side may be read now, as the streams' clocks stand.
    pub(crate) fn wants(&self, side: StreamKind, pairing: &Pairing) -> bool {
        let other = side.other();
        if self.receivers[other as usize].is_none() {
            return true;
        }
        match self.order {
            Order::SnapshotsFirst => side == StreamKind::Snapshots,
            Order::DecisionsFirst => side == StreamKind::Decisions,
            Order::InStep if self.files[side as usize] => pairing.clock(side) <= pairing.clock(other),
            Order::InStep => true,
        }
    }
}

/// Starts to read one side of a study.
///
/// # Errors
/// When its source cannot be opened, or the system gives no thread.
fn start(study: &Study, side: StreamKind, folder: &Path, after: Option<Mark>) -> Result<Receiver<Feed>, FeedError> {
    let (source, stream): (&Source, _) = match side {
        StreamKind::Snapshots => (&study.snapshots_source, &study.inputs),
        StreamKind::Decisions => (&study.decisions_source, &study.decisions),
    };
    let rows = study.limits.batch_rows;
    let mut reader = open(source, folder, study.limits.record_bytes, after)?;
    let mut decoder = Decoder::new(side, stream, rows);
    let (feed, batches) = channel(WAITING);
    let read = move || {
        loop {
            let said = match reader.next(rows) {
                Ok(Some(lines)) => Feed::Batch(Box::new(decoder.decode(&lines)), Vec::new()),
                Ok(None) => Feed::End(None),
                Err(error) => Feed::End(Some(error.to_string())),
            };
            let last = matches!(said, Feed::End(_));
            if feed.blocking_send(said).is_err() || last {
                return;
            }
        }
    };
    thread::Builder::new().name(side.name().to_owned()).spawn(read).map_err(FeedError::Thread)?;
    Ok(batches)
}

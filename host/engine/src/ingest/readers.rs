//! The threads that read and decode, one for each stream.
//!
//! Always holds: batches arrive in the order of the source; the end is announced once, with what broke if something
//! did; a file is read only while it is not ahead of the other stream in event time.

use std::path::Path;
use std::thread;

use tokio::sync::mpsc::{Receiver, channel};

use crate::ingest::push_intake::{IntakeHandle, PushIntake};
use crate::ingest::read_order::ReadOrder;
use crate::ingest::reader_event::ReaderError;
use crate::ingest::reader_event::ReaderEvent;
use crate::ingest::reader_event::WAITING;
use crate::ingest::replay_source;
use crate::plugins::load::LoadedStudy;
use understudy_records::batch::Decoder;
use understudy_records::join::IntervalJoin;
use understudy_sources::{RecordSource, SourcePosition, open};
use understudy_study::{PerStream, StreamKind, Study};

/// The two streams, being read.
pub struct Readers {
    /// Snapshots and decisions; `None` once a stream has ended.
    pub(crate) receivers: PerStream<Option<Receiver<ReaderEvent>>>,
    order: ReadOrder,
    /// Which of them are files, which can wait for the other stream.
    files: PerStream<bool>,
    /// What is delivered, if something is.
    live: Option<PushIntake>,
}

impl Readers {
    /// Opens both sources, each behind the last record of it that the log holds.
    ///
    /// # Errors
    /// When one cannot be opened, or is not the one that was read.
    pub fn open(
        prepared: &LoadedStudy,
        order: ReadOrder,
        after: PerStream<Option<SourcePosition>>,
    ) -> Result<Readers, ReaderError> {
        let study = &prepared.study;
        let folder: &Path = &prepared.folder;
        let (live, mut delivered) = PushIntake::start(study, after)?;
        let open = |side: StreamKind| match open(
            study.source(side),
            folder,
            study.limits.record_bytes,
            after[side],
        )? {
            Some(reader) => start(study, side, reader).map(Some),
            None => Ok(delivered[side].take()),
        };
        let files = PerStream::from_fn(|kind| study.source(kind).is_pausable());
        Ok(Readers { receivers: PerStream::try_from_fn(open)?, order, files, live })
    }

    /// Where records are delivered, if one of the sources is HTTP.
    pub fn intake(&self) -> Option<IntakeHandle> {
        self.live.as_ref().map(PushIntake::intake)
    }

    /// Ends the reading: files at once; what was delivered before is still taken. False if there is nothing left to take.
    pub fn stop(&mut self) -> bool {
        let delivered = self.live.as_ref().map_or(PerStream::default(), PushIntake::stop);
        for side in StreamKind::ALL {
            if !delivered[side] {
                self.receivers[side] = None;
            }
        }
        self.receivers.iter().any(Option::is_some)
    }

    /// Takes what the log of another run holds, which has the same declaration.
    ///
    /// # Errors
    /// When it cannot be read, or the system gives no thread.
    pub fn logged(prepared: &LoadedStudy, order: ReadOrder, run: &Path) -> Result<Readers, ReaderError> {
        let start = |side| replay_source::start(prepared, side, run).map(Some);
        Ok(Readers {
            receivers: PerStream::try_from_fn(start)?,
            order,
            files: PerStream::splat(true),
            live: None,
        })
    }

    /// Whether a side may be read now, as the streams' clocks stand.
    pub(crate) fn wants(&self, side: StreamKind, pairing: &IntervalJoin) -> bool {
        let other = side.other();
        if self.receivers[other].is_none() {
            return true;
        }
        match self.order {
            ReadOrder::SnapshotsFirst => side == StreamKind::Snapshots,
            ReadOrder::DecisionsFirst => side == StreamKind::Decisions,
            ReadOrder::InStep if self.files[side] => pairing.clock(side) <= pairing.clock(other),
            ReadOrder::InStep => true,
        }
    }
}

/// Starts a thread that reads and decodes a stream.
///
/// # Errors
/// When the operating system cannot start a thread.
fn start(
    study: &Study,
    side: StreamKind,
    mut reader: Box<dyn RecordSource>,
) -> Result<Receiver<ReaderEvent>, ReaderError> {
    let rows = study.limits.batch_rows;
    let mut decoder = Decoder::new(side, study.stream(side), rows);
    let (feed, batches) = channel(WAITING);
    let read = move || {
        loop {
            let said = match reader.next_batch(rows) {
                Ok(Some(lines)) => ReaderEvent::Batch(Box::new(decoder.decode(&lines)), Vec::new()),
                Ok(None) => ReaderEvent::End(None),
                Err(error) => ReaderEvent::End(Some(error.to_string())),
            };
            let last = matches!(said, ReaderEvent::End(_));
            if feed.blocking_send(said).is_err() || last {
                return;
            }
        }
    };
    thread::Builder::new().name(side.name().to_owned()).spawn(read).map_err(ReaderError::Thread)?;
    Ok(batches)
}

//! Reader threads, one per stream: they read and decode sources, aligned in event time.
//!
//! Invariants: batches keep the order of the source; the end is reported once, with the error if there was
//! one; a file is read only while its clock is not ahead of the other stream; records of the future are
//! rejected on arrival, and never when a log is replayed.

use std::path::{Path, PathBuf};
use std::thread;

use tokio::sync::mpsc::{Receiver, channel};

use crate::ingest::push_intake::{IntakeHandle, PushIntake};
use crate::ingest::read_order::ReadOrder;
use crate::ingest::reader_event::ReaderError;
use crate::ingest::reader_event::ReaderEvent;
use crate::ingest::reader_event::WAITING;
use crate::ingest::replay_source;
use crate::ingest::wall_clock::wall_clock;
use crate::plugins::load::LoadedStudy;
use understudy_records::batch::Decoder;
use understudy_records::join::IntervalJoin;
use understudy_sources::{RecordSource, SourcePosition, open, regular_file};
use understudy_study::{Micros, PerStream, StreamKind, Study};

/// The readers of both streams.
pub struct Readers {
    /// Per stream: its event queue; `None` once the stream has ended.
    pub(crate) receivers: PerStream<Option<Receiver<ReaderEvent>>>,
    order: ReadOrder,
    /// Per stream: whether it is a file, which can wait for the other stream.
    files: PerStream<bool>,
    /// Per stream: the path of the regular file that it is read from, whose records have to be in order of time.
    pub(crate) ordered_files: PerStream<Option<PathBuf>>,
    /// The push intake, if a stream comes over HTTP.
    live: Option<PushIntake>,
}

impl Readers {
    /// Opens both sources, each behind its last logged record.
    ///
    /// # Errors
    /// If a source cannot be opened, or is not the one that the log was written from.
    pub fn open(
        loaded_study: &LoadedStudy,
        order: ReadOrder,
        after: PerStream<Option<SourcePosition>>,
    ) -> Result<Readers, ReaderError> {
        let study = &loaded_study.study;
        let folder: &Path = &loaded_study.folder;
        let (live, mut delivered) = PushIntake::start(study, after)?;
        let open = |kind: StreamKind| match open(
            study.source(kind),
            study.stream(kind),
            folder,
            study.limits.record_bytes,
            after[kind],
        )? {
            Some(reader) => start(study, kind, reader).map(Some),
            None => Ok(delivered[kind].take()),
        };
        let files = PerStream::from_fn(|kind| study.source(kind).is_pausable());
        let ordered_files = PerStream::from_fn(|kind| regular_file(study.source(kind), folder));
        Ok(Readers { receivers: PerStream::try_from_fn(open)?, order, files, ordered_files, live })
    }

    /// The handle for deliveries, if a stream comes over HTTP.
    pub fn intake(&self) -> Option<IntakeHandle> {
        self.live.as_ref().map(PushIntake::intake)
    }

    /// Stops reading: files at once, deliveries after those already accepted. Returns false if nothing is
    /// left to process.
    pub fn stop(&mut self) -> bool {
        let delivered = self.live.as_ref().map_or(PerStream::default(), PushIntake::stop);
        for kind in StreamKind::ALL {
            if !delivered[kind] {
                self.receivers[kind] = None;
            }
        }
        self.receivers.iter().any(Option::is_some)
    }

    /// Reads the log of another run in place of the sources.
    ///
    /// # Errors
    /// When it cannot be read, or the system gives no thread.
    pub fn logged(loaded_study: &LoadedStudy, order: ReadOrder, run: &Path) -> Result<Readers, ReaderError> {
        let start = |kind| replay_source::start(loaded_study, kind, run).map(Some);
        Ok(Readers {
            receivers: PerStream::try_from_fn(start)?,
            order,
            files: PerStream::splat(true),
            ordered_files: PerStream::default(),
            live: None,
        })
    }

    /// Whether a stream should be polled now, given the clocks of both.
    pub(crate) fn wants(&self, kind: StreamKind, pairing: &IntervalJoin) -> bool {
        let other = kind.other();
        if self.receivers[other].is_none() {
            return true;
        }
        match self.order {
            ReadOrder::SnapshotsFirst => kind == StreamKind::Snapshots,
            ReadOrder::DecisionsFirst => kind == StreamKind::Decisions,
            ReadOrder::InStep if self.files[kind] => pairing.clock(kind) <= pairing.clock(other),
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
    kind: StreamKind,
    mut reader: Box<dyn RecordSource>,
) -> Result<Receiver<ReaderEvent>, ReaderError> {
    let rows = study.limits.rows_per_batch();
    let mut decoder = Decoder::new(kind, study.stream(kind), rows);
    let most_ahead = Micros::from_duration(study.stream(kind).most_ahead);
    let (feed, batches) = channel(WAITING);
    let read = move || {
        loop {
            let event = match reader.next_batch(rows) {
                Ok(Some(lines)) => {
                    let decoded = decoder.decode(&lines).reject_future(wall_clock(), most_ahead);
                    ReaderEvent::Batch(Box::new(decoded), Vec::new())
                }
                Ok(None) => ReaderEvent::End(None),
                Err(error) => ReaderEvent::End(Some(error.to_string())),
            };
            let last = matches!(event, ReaderEvent::End(_));
            if feed.blocking_send(event).is_err() || last {
                return;
            }
        }
    };
    thread::Builder::new().name(kind.name().to_owned()).spawn(read).map_err(ReaderError::Thread)?;
    Ok(batches)
}

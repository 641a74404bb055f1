//! Records that are delivered to a run while it goes on, each delivery waiting to be told what became of it.
//!
//! What waits on a side is gathered into one batch, decoded once, answered once and put on disk with one sync; while that
//! happens the next batch gathers.
//!
//! Always holds: a delivery is told its fate once, after its records are on disk, or not at all if they could not be put
//! there; records of one side are taken in the order in which they were delivered.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::batches::acks::DeliveryReceipt;
use crate::batches::acks::PendingAck;
use crate::ingest::reader_event::{ReaderError, ReaderEvent, WAITING};
use understudy_records::batch::{Decoder, Lines};
use understudy_sources::SourcePosition;
use understudy_study::{PerStream, Source, StreamKind, Study};

/// Records of one side, and where to tell what became of them.
struct Delivery {
    lines: Lines,
    told: oneshot::Sender<DeliveryReceipt>,
}

/// Why a delivery was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The study takes this side from elsewhere.
    #[error("the study takes its {} from elsewhere, see `[sources]`", .0.name())]
    Elsewhere(StreamKind),
    /// Nothing is taken any more.
    #[error("the run is ending and takes nothing any more")]
    Ending,
}

type DeliverySender = Mutex<Option<Sender<Delivery>>>;

/// Where records are delivered. Clones deliver to the same run.
#[derive(Clone)]
pub struct IntakeHandle {
    /// For each side its door, where the study takes it so.
    doors: PerStream<Option<Arc<DeliverySender>>>,
    /// The most records of one delivery.
    pub rows: usize,
}

impl IntakeHandle {
    /// Hands over at most [`IntakeHandle::rows`] records. Who waits is told when they are on disk, or that the run has failed by
    /// the other end being dropped.
    ///
    /// # Errors
    /// When they are not taken.
    pub fn deliver(
        &self,
        side: StreamKind,
        lines: Lines,
    ) -> Result<oneshot::Receiver<DeliveryReceipt>, DeliveryError> {
        assert!(lines.len() <= self.rows, "a delivery is no longer than a batch");
        let door = self.doors[side].as_ref().ok_or(DeliveryError::Elsewhere(side))?;
        let door = door.lock().unwrap_or_else(PoisonError::into_inner);
        let (told, receipt) = oneshot::channel();
        let sent = door.as_ref().map(|door| door.send(Delivery { lines, told }));
        sent.and_then(Result::ok).map(|()| receipt).ok_or(DeliveryError::Ending)
    }
}

/// The threads that gather and decode.
pub(crate) struct PushIntake {
    intake: IntakeHandle,
}

/// What is delivered, decoded.
pub(crate) type DeliveryQueues = PerStream<Option<tokio::sync::mpsc::Receiver<ReaderEvent>>>;

impl PushIntake {
    /// Starts a thread for each side of a study that is taken over HTTP. Records are numbered on from `after`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        study: &Study,
        after: PerStream<Option<SourcePosition>>,
    ) -> Result<(Option<PushIntake>, DeliveryQueues), ReaderError> {
        let rows = study.limits.batch_rows;
        let mut intake = IntakeHandle { doors: PerStream::default(), rows };
        let mut delivered = PerStream::default();
        for side in StreamKind::ALL {
            let (source, stream) = match side {
                StreamKind::Snapshots => (&study.snapshots_source, &study.inputs),
                StreamKind::Decisions => (&study.decisions_source, &study.decisions),
            };
            match source {
                Source::Http => {}
                Source::File(_) | Source::Stdin => continue,
            }
            let (door, deliveries) = channel();
            let (feed, batches) = tokio::sync::mpsc::channel(WAITING);
            let line = after[side].map_or(0, |position| position.number());
            let decoder = Decoder::new(side, stream, rows);
            let gatherer = MicroBatcher { deliveries, decoder, rows, line, left: None };
            let gather = move || gatherer.work(&feed);
            thread::Builder::new().name(side.name().to_owned()).spawn(gather).map_err(ReaderError::Thread)?;
            intake.doors[side] = Some(Arc::new(Mutex::new(Some(door))));
            delivered[side] = Some(batches);
        }
        let is_live = intake.doors.iter().any(Option::is_some);
        Ok((is_live.then_some(PushIntake { intake }), delivered))
    }

    /// Where records are delivered.
    pub fn intake(&self) -> IntakeHandle {
        self.intake.clone()
    }

    /// Takes no further delivery; those that were taken are still decoded. Gives which sides are delivered.
    pub fn stop(&self) -> PerStream<bool> {
        let shut =
            |door: &Arc<DeliverySender>| drop(door.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.intake.doors.as_ref().map(|door| door.as_ref().map(shut).is_some())
    }
}

/// Gathers what waits on one side.
struct MicroBatcher {
    deliveries: Receiver<Delivery>,
    decoder: Decoder,
    /// The most records of a batch.
    rows: usize,
    /// The number of the last record.
    line: u64,
    /// A delivery for which there was no room in the batch before.
    left: Option<Delivery>,
}

impl MicroBatcher {
    fn work(mut self, feed: &tokio::sync::mpsc::Sender<ReaderEvent>) {
        while let Some((lines, tickets)) = self.gather() {
            let decoded = self.decoder.decode(&lines);
            if feed.blocking_send(ReaderEvent::Batch(Box::new(decoded), tickets)).is_err() {
                return;
            }
        }
        // The run may have ended before its sources did.
        let _ = feed.blocking_send(ReaderEvent::End(None));
    }

    fn gather(&mut self) -> Option<(Lines, Vec<PendingAck>)> {
        let mut next = match self.left.take() {
            Some(left) => Some(left),
            None => Some(self.deliveries.recv().ok()?),
        };
        let (mut lines, mut tickets) = (Lines::default(), Vec::new());
        while let Some(delivery) = next {
            if lines.len() + delivery.lines.len() > self.rows {
                self.left = Some(delivery);
                break;
            }
            let first = self.line + 1;
            self.line += delivery.lines.len() as u64;
            lines.append_as(&delivery.lines, first);
            tickets.push(PendingAck { lines: first..self.line + 1, told: delivery.told });
            next = self.deliveries.try_recv().ok();
        }
        Some((lines, tickets))
    }
}

//! Accepts pushed deliveries and collects them into micro-batches.
//!
//! All waiting deliveries of a stream become one batch, which is decoded once, answered once and written with
//! one sync; meanwhile the next batch collects.
//!
//! Invariants: a delivery gets its receipt once, after its records are on disk, or never if they could not be
//! written; records of a stream are processed in the order of delivery.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::batches::acks::DeliveryReceipt;
use crate::batches::acks::PendingAck;
use crate::ingest::reader_event::{READER_QUEUE_BATCHES, ReaderError, ReaderEvent};
use crate::ingest::wall_clock::wall_clock;
use understudy_records::batch::{Decoder, Lines};
use understudy_sources::SourcePosition;
use understudy_study::{Micros, PerStream, Source, StreamKind, Study};

/// A delivery of records of one stream, and the channel for its receipt.
struct Delivery {
    lines: Lines,
    sender: oneshot::Sender<DeliveryReceipt>,
}

/// Why a delivery is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The study reads this stream from another source.
    #[error("the study reads its {} from another source, see `[sources]`", .0.name())]
    Elsewhere(StreamKind),
    /// The run is ending.
    #[error("the run is ending and accepts no more records")]
    Ending,
}

type DeliverySender = Mutex<Option<Sender<Delivery>>>;

/// Accepts deliveries. Clones belong to the same run.
#[derive(Clone)]
pub struct IntakeHandle {
    /// Per stream: its delivery channel, if the stream comes over HTTP.
    delivery_senders: PerStream<Option<Arc<DeliverySender>>>,
    /// Maximum number of records in a delivery.
    pub rows: usize,
}

impl IntakeHandle {
    /// Submits at most [`IntakeHandle::rows`] records. The receipt arrives once they are on disk; the channel
    /// closes without one if the run fails.
    ///
    /// # Errors
    /// When they are not taken.
    pub fn deliver(
        &self,
        kind: StreamKind,
        lines: Lines,
    ) -> Result<oneshot::Receiver<DeliveryReceipt>, DeliveryError> {
        assert!(lines.len() <= self.rows, "a delivery is no longer than a batch");
        let delivery_sender = self.delivery_senders[kind].as_ref().ok_or(DeliveryError::Elsewhere(kind))?;
        let delivery_sender = delivery_sender.lock().unwrap_or_else(PoisonError::into_inner);
        let (sender, receipt) = oneshot::channel();
        let sent =
            delivery_sender.as_ref().map(|delivery_sender| delivery_sender.send(Delivery { lines, sender }));
        sent.and_then(Result::ok).map(|()| receipt).ok_or(DeliveryError::Ending)
    }
}

/// The threads that collect and decode deliveries.
pub(crate) struct PushIntake {
    intake: IntakeHandle,
}

/// Per stream: the queue of decoded batches, if the stream comes over HTTP.
pub(crate) type DeliveryQueues = PerStream<Option<tokio::sync::mpsc::Receiver<ReaderEvent>>>;

impl PushIntake {
    /// Starts a thread per HTTP stream. Line numbers continue after the positions `after`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        study: &Study,
        after: PerStream<Option<SourcePosition>>,
    ) -> Result<(Option<PushIntake>, DeliveryQueues), ReaderError> {
        let rows = study.limits.rows_per_batch();
        let mut intake = IntakeHandle { delivery_senders: PerStream::default(), rows };
        let mut delivered = PerStream::default();
        for kind in StreamKind::ALL {
            let (source, stream) = match kind {
                StreamKind::Snapshots => (&study.snapshots_source, &study.inputs),
                StreamKind::Decisions => (&study.decisions_source, &study.decisions),
            };
            match source {
                Source::Http => {}
                Source::File(_) | Source::Stdin => continue,
            }
            let (delivery_sender, deliveries) = channel();
            let (feed, batches) = tokio::sync::mpsc::channel(READER_QUEUE_BATCHES);
            let line = after[kind].map_or(0, |position| position.number());
            let decoder = Decoder::new(kind, stream, rows);
            let most_ahead = Micros::from_duration(stream.most_ahead);
            let batcher = MicroBatcher { deliveries, decoder, most_ahead, rows, line, left: None };
            let collect = move || batcher.work(&feed);
            thread::Builder::new()
                .name(kind.name().to_owned())
                .spawn(collect)
                .map_err(ReaderError::Thread)?;
            intake.delivery_senders[kind] = Some(Arc::new(Mutex::new(Some(delivery_sender))));
            delivered[kind] = Some(batches);
        }
        let is_live = intake.delivery_senders.iter().any(Option::is_some);
        Ok((is_live.then_some(PushIntake { intake }), delivered))
    }

    /// The handle that accepts deliveries.
    pub fn intake(&self) -> IntakeHandle {
        self.intake.clone()
    }

    /// Rejects further deliveries; accepted ones are still decoded. Returns which streams come over HTTP.
    pub fn stop(&self) -> PerStream<bool> {
        let shut = |delivery_sender: &Arc<DeliverySender>| {
            drop(delivery_sender.lock().unwrap_or_else(PoisonError::into_inner).take())
        };
        self.intake
            .delivery_senders
            .as_ref()
            .map(|delivery_sender| delivery_sender.as_ref().map(shut).is_some())
    }
}

/// Collects the waiting deliveries of one stream into batches.
struct MicroBatcher {
    deliveries: Receiver<Delivery>,
    decoder: Decoder,
    /// How far an event time may lie ahead of this machine's clock.
    most_ahead: Micros,
    /// Maximum number of records in a batch.
    rows: usize,
    /// Number of the last line.
    line: u64,
    /// A delivery that did not fit into the previous batch.
    left: Option<Delivery>,
}

impl MicroBatcher {
    fn work(mut self, feed: &tokio::sync::mpsc::Sender<ReaderEvent>) {
        while let Some((lines, pending_acks)) = self.next_micro_batch() {
            let decoded = self.decoder.decode(&lines).reject_future(wall_clock(), self.most_ahead);
            if feed.blocking_send(ReaderEvent::Batch(Box::new(decoded), pending_acks)).is_err() {
                return;
            }
        }
        // The run may have ended before its sources.
        let _ = feed.blocking_send(ReaderEvent::End(None));
    }

    fn next_micro_batch(&mut self) -> Option<(Lines, Vec<PendingAck>)> {
        let mut next = match self.left.take() {
            Some(left) => Some(left),
            None => Some(self.deliveries.recv().ok()?),
        };
        let (mut lines, mut pending_acks) = (Lines::default(), Vec::new());
        while let Some(delivery) = next {
            if lines.len() + delivery.lines.len() > self.rows {
                self.left = Some(delivery);
                break;
            }
            let first = self.line + 1;
            self.line += delivery.lines.len() as u64;
            lines.append_as(&delivery.lines, first);
            pending_acks.push(PendingAck { lines: first..self.line + 1, sender: delivery.sender });
            next = self.deliveries.try_recv().ok();
        }
        Some((lines, pending_acks))
    }
}

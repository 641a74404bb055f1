//! Passes the records of regular files to the coordinator, which requires them in order of time.
//!
//! Invariants:
//! - The records of a file are processed in the order of their lines, up to the first one that is out of
//!   order.
//! - At most [`LEAP_WINDOW_LINES`](understudy_records::join::LEAP_WINDOW_LINES) lines are held back until more
//!   records say whether one of them leaps ahead. They are not in the log, so a resumed run reads them again.
//! - The processed batches depend on how the file is read; which records are excluded does not.

use std::path::PathBuf;

use crate::batches::acks::PendingAck;
use crate::pipeline::coordinator::Coordinator;
use understudy_records::batch::DecodedBatch;
use understudy_sources::SourceError;
use understudy_study::{PerStream, StreamKind};

/// The regular files among the sources, and the records that are held back.
pub(crate) struct FileStreams {
    /// Per stream: the path of its file; `None` if it does not come from a regular file.
    paths: PerStream<Option<PathBuf>>,
    /// Per stream: records that were read and are not processed yet.
    held: PerStream<Option<DecodedBatch>>,
}

impl FileStreams {
    /// No record is held back yet. `paths` are those of the regular files.
    pub(crate) fn new(paths: PerStream<Option<PathBuf>>) -> FileStreams {
        FileStreams { paths, held: PerStream::default() }
    }

    /// Processes a batch of either kind of source. Returns why the run has to end, if a file is out of order.
    ///
    /// # Errors
    /// When the spill store of the join buffer cannot be read or written.
    pub(crate) fn ingest(
        &mut self,
        coordinator: &mut Coordinator<'_>,
        decoded: DecodedBatch,
        pending_acks: Vec<PendingAck>,
    ) -> anyhow::Result<Option<SourceError>> {
        let kind = decoded.kind;
        if self.paths[kind].is_none() {
            coordinator.ingest(decoded, pending_acks)?;
            return Ok(None);
        }
        let batch = match self.held[kind].take() {
            Some(held) => held.append(decoded),
            None => decoded,
        };
        let read_to = Some(batch.last_line());
        self.process(coordinator, batch, read_to)
    }

    /// Processes the records that are held back at the end of a stream. Returns why the run has to end, if
    /// its file is out of order.
    ///
    /// # Errors
    /// When the spill store of the join buffer cannot be read or written.
    pub(crate) fn finish(
        &mut self,
        coordinator: &mut Coordinator<'_>,
        kind: StreamKind,
    ) -> anyhow::Result<Option<SourceError>> {
        match self.held[kind].take() {
            Some(held) => self.process(coordinator, held, None),
            None => Ok(None),
        }
    }

    /// Processes a batch in parts of at most `limits.batch-rows` records. `read_to` is the last line that was
    /// read; `None` at the end of the file.
    fn process(
        &mut self,
        coordinator: &mut Coordinator<'_>,
        mut batch: DecodedBatch,
        read_to: Option<u64>,
    ) -> anyhow::Result<Option<SourceError>> {
        let kind = batch.kind;
        let max_rows = coordinator.sealed_study.study.limits.rows_per_batch();
        let is_oversized = batch.records.len() > max_rows;
        while !batch.is_empty() {
            // The few rows beyond a full batch wait for the next one, so that batches stay large.
            if is_oversized && batch.records.len() < max_rows && read_to.is_some() {
                self.held[kind] = Some(batch);
                break;
            }
            let part = coordinator.ingest_file(batch, max_rows, read_to)?;
            if let (Some(order), Some(path)) = (part.out_of_order, &self.paths[kind]) {
                let position = coordinator.sealed_study.study.source(kind).position_name();
                return Ok(Some(SourceError::Order { name: path.display().to_string(), position, order }));
            }
            if part.rows < max_rows && !part.rest.is_empty() {
                self.held[kind] = Some(part.rest);
                break;
            }
            batch = part.rest;
        }
        Ok(None)
    }
}

//! The thread that seals closed groups.
//!
//! Always holds: groups are sealed in their order; a group stands in the ledger once its files are whole and on disk,
//! and only then are its open segments removed and the checkpoint of its end written.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::thread;

use super::ledger::{Event, Ledger, Segment};
use understudy_records::join::ExclusionCounts;
use super::retention::Retention;
use super::segments::{Sealed, seal};
use super::writer::Cut;
use super::{CHECKPOINT, LogError, RunDirectory, Table};
use understudy_study::PerStream;

/// A group whose segments are closed.
#[derive(Default)]
pub(super) struct Closed {
    /// Its number.
    pub group: u32,
    /// For each table its segment, if it has rows; in the order of [`Table::ALL`].
    pub segments: [Option<PathBuf>; 4],
    /// How its records ended.
    pub cut: Cut,
    /// The checkpoint of its end.
    pub checkpoint: Vec<u8>,
}

/// Seals groups.
pub struct Sealer {
    directory: RunDirectory,
    ledger: Ledger,
    /// The counts of refused records that the ledger has.
    refused: PerStream<ExclusionCounts>,
    /// What is to be dropped in time.
    retention: Option<Retention>,
}

impl Sealer {
    /// A sealer for a run whose ledger has these counts of refused records.
    pub fn new(directory: RunDirectory, ledger: Ledger, refused: PerStream<ExclusionCounts>) -> Sealer {
        Sealer { directory, ledger, refused, retention: None }
    }

    /// Drops what the study declares in time, too.
    pub fn retaining(self, retention: Option<Retention>) -> Sealer {
        Sealer { retention, ..self }
    }

    /// Seals groups as they are closed, until no more can come.
    pub(super) fn work(mut self, groups: &Receiver<Closed>) -> Result<(), LogError> {
        while let Ok(group) = groups.recv() {
            self.seal(group)?;
        }
        Ok(())
    }

    fn seal(&mut self, group: Closed) -> Result<(), LogError> {
        // Snapshots are the largest table, so the others are sealed beside it.
        let (first, rest) = group.segments.split_at(1);
        let sealed = thread::scope(|scope| {
            let beside = scope.spawn(|| rest.iter().map(seal_one).collect::<Result<Vec<_>, _>>());
            let first = seal_one(&first[0]);
            let beside = beside.join().map_err(|_| {
                LogError::Directory(
                    "a thread that seals has stopped; this is a fault in understudy".to_owned(),
                )
            })?;
            Ok::<_, LogError>([vec![first?], beside?].concat())
        })?;
        if group.cut.refused != self.refused {
            self.refused = group.cut.refused;
            let PerStream { snapshots, decisions } = self.refused;
            self.ledger.append(Event::RecordsExcluded { snapshots, decisions })?;
        }
        for event in group.cut.events {
            self.ledger.append(event)?;
        }
        let segments = Table::ALL.into_iter().zip(sealed).filter_map(|(table, sealed)| {
            let Sealed { sha256, bytes, rows, sequences } = sealed?;
            let file = format!("{}/{:06}.parquet", table.folder(), group.group);
            Some(Segment { file, sha256, bytes, rows, sequences })
        });
        let segments: Vec<Segment> = segments.collect();
        let entry = self.ledger.append(Event::GroupSealed {
            group: group.group,
            segments: segments.clone(),
            position: group.cut.covers,
        })?;
        for segment in group.segments.iter().flatten() {
            fs::remove_file(segment).map_err(LogError::io("remove", segment))?;
        }
        self.directory.write(CHECKPOINT, &group.checkpoint)?;
        if let Some(retention) = &mut self.retention {
            retention.sealed(&segments, entry.at);
            if let Some(settled) = group.cut.settled {
                retention.reduce(self.directory.path(), &self.ledger, Some(settled))?;
            }
        }
        Ok(())
    }
}

fn seal_one(segment: &Option<PathBuf>) -> Result<Option<Sealed>, LogError> {
    segment.as_deref().map(seal).transpose()
}

//! The thread that seals closed groups.
//!
//! Invariants: groups are sealed in order. A group is recorded in the ledger once its files are complete and
//! on disk. Only then are its open segments removed and the checkpoint of its end written.

use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::{fs, thread};

use crate::directory::RunDirectory;
use crate::error::LogError;
use crate::layout::{CHECKPOINT, Table};
use crate::ledger::{Event, Ledger, Segment};
use crate::retention::Retention;
use crate::segment_group::ClosedGroup;
use crate::segment_writer::{Sealed, seal};
use understudy_records::join::ExclusionCounts;
use understudy_study::PerStream;

/// Seals closed groups and, if declared, reduces old segments.
pub struct Sealer {
    directory: RunDirectory,
    ledger: Ledger,
    /// The counts of excluded records in the ledger.
    exclusions: PerStream<ExclusionCounts>,
    /// The segments to reduce later, if the study declares `log.retain`.
    retention: Option<Retention>,
}

impl Sealer {
    /// A sealer for a run whose ledger has these counts of excluded records.
    pub fn new(directory: RunDirectory, ledger: Ledger, exclusions: PerStream<ExclusionCounts>) -> Sealer {
        Sealer { directory, ledger, exclusions, retention: None }
    }

    /// Also reduces segments as the study declares.
    pub fn retaining(self, retention: Option<Retention>) -> Sealer {
        Sealer { retention, ..self }
    }

    /// Seals groups as they are closed, until all senders are dropped.
    pub(super) fn work(mut self, groups: &Receiver<ClosedGroup>) -> Result<(), LogError> {
        while let Ok(group) = groups.recv() {
            self.seal(group)?;
        }
        Ok(())
    }

    fn seal(&mut self, group: ClosedGroup) -> Result<(), LogError> {
        // The snapshot table is the largest, so the others are sealed in parallel with it.
        let (first, rest) = group.segments.split_at(1);
        let sealed = thread::scope(|scope| {
            let beside = scope.spawn(|| rest.iter().map(seal_one).collect::<Result<Vec<_>, _>>());
            let first = seal_one(&first[0]);
            let beside = beside.join().map_err(|_| {
                LogError::Directory(
                    "a thread that seals segments panicked; this is a bug in understudy".to_owned(),
                )
            })?;
            Ok::<_, LogError>([vec![first?], beside?].concat())
        })?;
        if group.boundary.excluded != self.exclusions {
            self.exclusions = group.boundary.excluded;
            let PerStream { snapshots, decisions } = self.exclusions;
            self.ledger.append(Event::RecordsExcluded { snapshots, decisions })?;
        }
        for event in group.boundary.events {
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
            position: group.boundary.position,
            ended: group.boundary.ended,
        })?;
        for segment in group.segments.iter().flatten() {
            fs::remove_file(segment).map_err(LogError::io("remove", segment))?;
        }
        self.directory.write(CHECKPOINT, &group.checkpoint)?;
        if let Some(retention) = &mut self.retention {
            retention.sealed(&segments, entry.at);
            if let Some(settled) = group.boundary.settled {
                retention.reduce(self.directory.path(), &self.ledger, Some(settled))?;
            }
        }
        Ok(())
    }
}

fn seal_one(segment: &Option<PathBuf>) -> Result<Option<Sealed>, LogError> {
    segment.as_deref().map(seal).transpose()
}

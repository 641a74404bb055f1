//! Lists the segment files of a table.
//!
//! Invariants: each group is listed once, and a sealed segment takes precedence over the open one that it was
//! written from.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::LogError;
use crate::layout::Table;

/// A segment file of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFile {
    /// The number of its group.
    pub group: u32,
    /// Its path.
    pub path: PathBuf,
    /// Whether it is sealed, as Parquet.
    pub sealed: bool,
}

/// Lists the segments of a table by group. If a group has an open and a sealed segment, the sealed one is
/// listed.
///
/// # Errors
/// If the folder cannot be read. A table without a folder has no segments.
pub fn segments(run: &Path, table: Table) -> Result<Vec<SegmentFile>, LogError> {
    let folder = run.join(table.folder());
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LogError::io("read", &folder)(error)),
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(LogError::io("read", &folder))?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u32>().ok());
        let sealed = match path.extension().and_then(|kind| kind.to_str()) {
            Some("parquet") => true,
            Some("arrows") => false,
            _ => continue,
        };
        if let Some(group) = stem
            && (sealed || !found.contains_key(&group))
        {
            found.insert(group, SegmentFile { group, path, sealed });
        }
    }
    Ok(found.into_values().collect())
}

//! Reads the first records of a feed.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value as Json};
use understudy_report::{count, counted};
use understudy_sources::open_undeclared;
use understudy_study::{FileSource, RecordFormat};

use super::feed_sample::Sample;

/// The records of a feed that are looked at.
const MOST_RECORDS: usize = 100_000;
/// The longest record, in bytes: the default of `limits.record-bytes`.
const RECORD_BYTES: usize = 1 << 20;
/// The records that are read at once.
const BATCH: usize = 4096;
/// The least share of records that have to be readable.
const LEAST_READABLE: f64 = 0.9;

/// The first records of a file.
///
/// # Errors
/// When the file, or most of its records, cannot be read.
pub(super) fn read_feed(path: &Path, stream: &'static str) -> anyhow::Result<Sample> {
    let file = FileSource::from_path(path);
    let mut reader = open_undeclared(&file, RECORD_BYTES)?;
    let mut sample = Sample::new(stream, file.format != RecordFormat::JsonLines);
    let mut unreadable = 0;
    let mut first_fault: Option<String> = None;
    'feed: while let Some(lines) = reader.next_batch(BATCH)? {
        for at in 0..lines.len() {
            if sample.records + unreadable == MOST_RECORDS {
                sample.is_whole = false;
                break 'feed;
            }
            let record = match lines.fault(at) {
                Some(fault) => Err(fault.to_owned()),
                None => serde_json::from_slice::<Map<String, Json>>(lines.text(at))
                    .map_err(|error| json_fault(lines.text(at), &error)),
            };
            match record {
                Ok(record) => sample.push(record),
                Err(fault) => {
                    unreadable += 1;
                    first_fault.get_or_insert(format!("line {}: {fault}", lines.line(at)));
                }
            }
        }
    }
    let shown = path.display();
    let total = sample.records + unreadable;
    if total == 0 {
        bail!("{shown} has no records; name a file with some hundreds of them");
    }
    if (sample.records as f64) < LEAST_READABLE * total as f64 {
        let counted = counted(total as u64, "record", "records");
        return Err(anyhow::anyhow!(first_fault.unwrap_or_default())).with_context(|| {
            format!(
                "{unreadable} of {counted} of {shown} cannot be read; write one JSON object a line, or end the name of a table in .csv \
                 or .parquet"
            )
        });
    }
    if let Some(fault) = first_fault {
        sample.notes.push(format!(
            "{} of {} of {shown} cannot be read, so they are left out here, and a run rejects them; {fault}",
            count(unreadable as u64),
            counted(total as u64, "record", "records")
        ));
    }
    let is_text = file.format == RecordFormat::Csv;
    Ok(if is_text { sample.with_types() } else { sample }.with_word_notes())
}

/// Why a line is no JSON object. Numbers that JSON does not have are named, since programs write them for missing values.
fn json_fault(text: &[u8], error: &serde_json::Error) -> String {
    let rest = text.get(error.column().saturating_sub(1)..).unwrap_or_default();
    let word = ["NaN", "Infinity"].into_iter().find(|word| rest.starts_with(word.as_bytes()));
    match word {
        Some(word) => format!("{word} at column {}; JSON has no {word}, write null", error.column()),
        None => error.to_string(),
    }
}

//! Decodes lines of JSON into columns.
//!
//! Invariants: every line of a batch becomes exactly one row of [`Records`] or one [`ExcludedRecord`]; which
//! of the two does not depend on the other lines. So a batch with a malformed line is decoded in pieces
//! around it, by the same rules.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, StringBuilder};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{Field, Schema, SchemaRef, TimestampMicrosecondType};
use arrow::json::ReaderBuilder;
use arrow::json::reader::Decoder as JsonDecoder;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::fields::{fields_schema, record_batch};
use super::line_fault::line_fault;
use super::lines::Lines;
use super::values::{ColumnRole, FaultSink, ROLE, RowFault, ValueDecoderFactory};
use super::{ExcludedRecord, Exclusion, ExclusionReason, RecordPosition};
use understudy_study::{Micros, Stream, StreamKind};

/// Decoded records as columns with the same number of rows.
#[derive(Clone, Debug)]
pub struct Records {
    /// The ids as text.
    pub ids: StringArray,
    /// The event times in microseconds since 1970-01-01T00:00:00Z.
    pub times: Vec<i64>,
    /// The declared fields, in declaration order.
    pub fields: RecordBatch,
    /// The text of each record.
    pub raw: StringArray,
    /// The [`record_digest`] of each record; tells a duplicate from a conflict.
    pub digests: Vec<u64>,
    /// The line of each record in its source, from 1.
    pub lines: Vec<u64>,
    /// The byte of the decompressed source at which each line begins.
    pub offsets: Vec<u64>,
}

impl Records {
    /// The number of records.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The record that the join excludes, with its bytes.
    pub fn excluded(&self, kind: StreamKind, exclusion: &Exclusion) -> ExcludedRecord {
        let row = exclusion.row as usize;
        let position =
            RecordPosition { line: self.lines[row], offset: self.offsets[row], digest: self.digests[row] };
        ExcludedRecord {
            kind,
            position,
            reason: exclusion.reason,
            detail: exclusion.detail.clone(),
            counted_at: (exclusion.reason != ExclusionReason::Rejected).then(|| Micros(self.times[row])),
            scopes: None,
            raw: self.raw.value(row).as_bytes().to_vec(),
        }
    }

    /// The rows for which `keep` is true; `keep` has one value per row.
    pub fn filter(self, keep: &[bool]) -> Records {
        if keep.iter().all(|k| *k) {
            return self;
        }
        let mask = BooleanArray::from(keep.to_vec());
        let text = |column: &StringArray| {
            let kept = arrow::compute::filter(column, &mask).expect("the mask has one value per row");
            kept.as_string::<i32>().clone()
        };
        Records {
            ids: text(&self.ids),
            times: kept(&self.times, keep),
            fields: filter_record_batch(&self.fields, &mask).expect("the mask has one value per row"),
            raw: text(&self.raw),
            digests: kept(&self.digests, keep),
            lines: kept(&self.lines, keep),
            offsets: kept(&self.offsets, keep),
        }
    }
}

/// The xxh3-64 digest of a record's bytes.
pub fn record_digest(text: &[u8]) -> u64 {
    xxh3_64(text)
}

/// Whether a digest is the digest of a non-empty prefix of a text.
pub fn begins_with(text: &[u8], digest: u64) -> bool {
    let mut hash = Xxh3::new();
    text.iter().any(|byte| {
        hash.update(std::slice::from_ref(byte));
        hash.digest() == digest
    })
}

fn kept<T: Copy>(values: &[T], keep: &[bool]) -> Vec<T> {
    values.iter().zip(keep).filter(|(_, keep)| **keep).map(|(value, _)| *value).collect()
}

/// The result of decoding a batch of lines.
#[derive(Clone, Debug)]
pub struct DecodedBatch {
    /// The stream of the lines.
    pub kind: StreamKind,
    /// The decoded records, in the order of the lines.
    pub records: Records,
    /// The rejected lines, in order.
    pub excluded: Vec<ExcludedRecord>,
}

/// Decodes the lines of one stream.
pub struct Decoder {
    kind: StreamKind,
    stream: Stream,
    max_rows: usize,
    schema: SchemaRef,
    fields: SchemaRef,
    json: JsonDecoder,
    sink: FaultSink,
}

impl Decoder {
    /// A decoder for one stream of a study and batches of at most `max_rows` lines.
    pub fn new(kind: StreamKind, stream: &Stream, max_rows: usize) -> Decoder {
        let schema = decoded_schema(stream);
        let fields = fields_schema(stream);
        let sink = FaultSink::default();
        let json = json_decoder(&schema, &sink, max_rows);
        Decoder { kind, stream: stream.clone(), max_rows, schema, fields, json, sink }
    }

    /// Decodes a batch of lines.
    pub fn decode(&mut self, lines: &Lines) -> DecodedBatch {
        assert!(lines.len() <= self.max_rows, "the batch is larger than `max_rows`");
        let utf8 = lines.is_utf8();
        let mut excluded = Vec::new();
        let mut parts = DecodedParts::default();
        let mut fed: Vec<usize> = Vec::with_capacity(lines.len());
        for index in 0..lines.len() {
            match self.unreadable(lines, index, utf8) {
                Some(reason) => excluded.push(self.reject(lines, index, reason)),
                None if self.feed(lines.text(index), fed.len()) => fed.push(index),
                None => {
                    // The decoder is stuck in the malformed line: a new one decodes the lines before it.
                    excluded.push(self.reject(lines, index, line_fault(lines.text(index))));
                    self.json = json_decoder(&self.schema, &self.sink, self.max_rows);
                    for (count, &good) in fed.iter().enumerate() {
                        self.feed(lines.text(good), count);
                    }
                    self.flush(lines, &mut fed, &mut parts, &mut excluded);
                }
            }
        }
        self.flush(lines, &mut fed, &mut parts, &mut excluded);
        self.finish(lines, parts, excluded)
    }

    /// Why a line cannot be passed to the JSON decoder; `None` if it can.
    fn unreadable(&self, lines: &Lines, index: usize, utf8: bool) -> Option<String> {
        let text = lines.text(index);
        if let Some(fault) = lines.fault(index) {
            return Some(fault.to_owned());
        }
        if !utf8 && std::str::from_utf8(text).is_err() {
            return Some(line_fault(text));
        }
        // `arrow-json` accepts JSON without commas, so a strict parser checks the grammar.
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
        (!is_json || text.first() != Some(&b'{')).then(|| line_fault(text))
    }

    /// Passes one line to the JSON decoder, which has `before` records. False unless the line is exactly one
    /// record.
    fn feed(&mut self, text: &[u8], before: usize) -> bool {
        let whole = self.json.decode(text).is_ok_and(|read| read == text.len());
        whole && !self.json.has_partial_record() && self.json.len() == before + 1
    }

    /// Converts the lines that were fed into columns.
    fn flush(
        &mut self,
        lines: &Lines,
        fed: &mut Vec<usize>,
        parts: &mut DecodedParts,
        excluded: &mut Vec<ExcludedRecord>,
    ) {
        if fed.is_empty() {
            return;
        }
        let flushed = self.json.flush();
        let faults = std::mem::take(&mut *self.sink.lock().unwrap_or_else(PoisonError::into_inner));
        match flushed {
            Ok(Some(batch)) => {
                let good = self.valid_rows(lines, fed, faults, excluded);
                let batch = filter_record_batch(&batch, &BooleanArray::from(good.clone()))
                    .expect("the mask has one value per row");
                parts.batches.push(batch);
                parts.rows.extend(kept(fed, &good));
            }
            // Some errors appear only when the tape is closed, such as half a surrogate pair: decode line by
            // line.
            Ok(None) | Err(_) => {
                self.json = json_decoder(&self.schema, &self.sink, self.max_rows);
                if let [only] = fed[..] {
                    let reason = line_fault(lines.text(only));
                    excluded.push(self.reject(lines, only, reason));
                } else {
                    for &index in &*fed {
                        self.feed(lines.text(index), 0);
                        self.flush(lines, &mut vec![index], parts, excluded);
                    }
                }
            }
        }
        fed.clear();
    }

    /// Which of the fed lines have no faults; the others are rejected.
    fn valid_rows(
        &self,
        lines: &Lines,
        fed: &[usize],
        faults: Vec<RowFault>,
        excluded: &mut Vec<ExcludedRecord>,
    ) -> Vec<bool> {
        let mut good = vec![true; fed.len()];
        let mut messages: HashMap<usize, Vec<String>> = HashMap::new();
        for fault in faults {
            good[fault.row] = false;
            messages.entry(fault.row).or_default().push(fault.message);
        }
        for (row, messages) in messages {
            excluded.push(self.reject(lines, fed[row], messages.join("; ")));
        }
        good
    }

    fn reject(&self, lines: &Lines, index: usize, detail: String) -> ExcludedRecord {
        let position = RecordPosition {
            line: lines.line(index),
            offset: lines.offset(index),
            digest: record_digest(lines.text(index)),
        };
        ExcludedRecord {
            kind: self.kind,
            position,
            reason: ExclusionReason::Rejected,
            detail,
            counted_at: None,
            scopes: None,
            raw: lines.text(index).to_vec(),
        }
    }

    fn finish(&self, lines: &Lines, parts: DecodedParts, mut excluded: Vec<ExcludedRecord>) -> DecodedBatch {
        excluded.sort_by_key(|r| r.position.line);
        let batch = match &parts.batches[..] {
            [] => RecordBatch::new_empty(self.schema.clone()),
            [one] => one.clone(),
            many => concat_batches(&self.schema, many).expect("all parts have the same schema"),
        };
        let ids = batch.column(0).as_string::<i32>().clone();
        let times = batch.column(1).as_primitive::<TimestampMicrosecondType>().values().to_vec();
        let columns = self.field_columns(&batch);
        let fields = record_batch(self.fields.clone(), columns, batch.num_rows())
            .expect("the columns were decoded for this schema");
        let bytes = parts.rows.iter().map(|&row| lines.text(row).len()).sum();
        let mut raw = StringBuilder::with_capacity(parts.rows.len(), bytes);
        for &row in &parts.rows {
            raw.append_value(std::str::from_utf8(lines.text(row)).expect("checked before it was decoded"));
        }
        let raw = raw.finish();
        let digests = parts.rows.iter().map(|&row| record_digest(lines.text(row))).collect();
        let numbers = parts.rows.iter().map(|&row| lines.line(row)).collect();
        let offsets = parts.rows.iter().map(|&row| lines.offset(row)).collect();
        let records = Records { ids, times, fields, raw, digests, lines: numbers, offsets };
        DecodedBatch { kind: self.kind, records, excluded }
    }

    /// The declared fields; the id (as text) and the time (as a timestamp) may be among them.
    fn field_columns(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let mut next = 2;
        let mut column = |name: &str| {
            if name == self.stream.id {
                return batch.column(0).clone();
            }
            if name == self.stream.time {
                return batch.column(1).clone();
            }
            next += 1;
            batch.column(next - 1).clone()
        };
        self.stream.fields.iter().map(|field| column(&field.name)).collect()
    }
}

#[derive(Default)]
struct DecodedParts {
    batches: Vec<RecordBatch>,
    /// The line index of each row.
    rows: Vec<usize>,
}

fn json_decoder(schema: &SchemaRef, sink: &FaultSink, max_rows: usize) -> JsonDecoder {
    ReaderBuilder::new(schema.clone())
        // One more, so that a second value on the last line is detected.
        .with_batch_size(max_rows + 1)
        .with_decoder_factory(Arc::new(ValueDecoderFactory(sink.clone())))
        .build_decoder()
        .expect("a flat schema of types that arrow-json knows")
}

/// The id, the time, and the declared fields that are neither.
fn decoded_schema(stream: &Stream) -> SchemaRef {
    let column = |key: &str, role: ColumnRole| {
        let role_name = HashMap::from([(ROLE.to_owned(), role.name().to_owned())]);
        Field::new(key, role.data_type(), true).with_metadata(role_name)
    };
    let own = [column(&stream.id, ColumnRole::Id), column(&stream.time, ColumnRole::Time)];
    let others = stream.fields.iter().filter(|f| f.name != stream.id && f.name != stream.time);
    let others = others.map(|f| column(&f.name, ColumnRole::Value(f.kind)));
    Arc::new(Schema::new(own.into_iter().chain(others).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests;

//! The spill store of the join buffer: rows that do not fit into memory, in a [`redb`] database with one
//! entry a row.
//!
//! Invariants: a row is read back bit for bit as it was written; settled rows are not written.
//!
//! The join looks rows up one by one in no order, and reads each row once. That asks for a store with fast
//! single-row reads, in one file, without threads of its own. The store holds nothing that the log does not.
//! Its file has no name and disappears with the process.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, UInt16Array, UInt64Array};
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef, UInt16Type, UInt64Type};
use arrow::row::{RowConverter, SortField};
use redb::backends::FileBackend;
use redb::{Database, Durability, ReadableDatabase as _, Table, TableDefinition, WriteTransaction};

use crate::batches::messages::{DecisionRows, SnapshotRows};
use crate::seal::sealed_study::SealedStudy;
use understudy_records::batch::{AnswerSchema, Answers, fields_schema, record_batch};
use understudy_records::join::{RowState, Slot};
use understudy_statistics::scoring::WindowClock;
use understudy_study::{PerStream, Study};

const ROWS: TableDefinition<'_, (Slot, u32), &[u8]> = TableDefinition::new("rows");
/// Bytes of database pages that are cached in memory.
const CACHE_BYTES: usize = 32 << 20;
/// Commits per sync to disk. Pages of earlier commits can be reused only after a sync.
const COMMITS_PER_SYNC: u32 = 32;

/// The spill store cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot spill the join buffer to {}: {reason}; free disk space there, or raise `limits.join-buffer-mib`",
    folder.display()
)]
pub struct SpillError {
    folder: PathBuf,
    reason: String,
}

/// The spilled rows.
pub struct SpillStore {
    folder: PathBuf,
    database: Option<Database>,
    commits: u32,
    /// Batches whose rows are to be deleted with the next transaction.
    evicted: Vec<Slot>,
    snapshot_layout: RowLayout,
    decision_layout: RowLayout,
    /// What the answers of each model consist of.
    schemas: Vec<AnswerSchema>,
    conditions: usize,
    clock: WindowClock,
}

impl SpillStore {
    /// An empty store, without a file. For each stream, `fields` are the indices of the declared fields that
    /// pairs need.
    pub fn new(sealed_study: &SealedStudy, fields: &PerStream<Vec<usize>>, folder: &Path) -> SpillStore {
        let study = &sealed_study.study;
        let schema = |stream, indices: &[usize]| {
            Arc::new(fields_schema(stream).project(indices).expect("the indices are those of fields"))
        };
        let schemas: Vec<AnswerSchema> =
            sealed_study.models.iter().map(|model| model.plugin.answer_schema()).collect();
        let conditions = study.conditions.len();
        let own = [DataType::UInt64, DataType::Int64, DataType::Utf8];
        let answers = schemas.iter().flat_map(|schema| Answers::column_fields("", *schema));
        let snapshot = own.clone().into_iter().chain(vec![DataType::UInt16; conditions]);
        let snapshot = snapshot.chain(answers.map(|field| field.data_type().clone()));
        SpillStore {
            folder: folder.to_owned(),
            database: None,
            commits: 0,
            evicted: Vec::new(),
            snapshot_layout: RowLayout::new(snapshot.collect(), schema(&study.inputs, &fields.snapshots)),
            decision_layout: RowLayout::new(own[..2].to_vec(), schema(&study.decisions, &fields.decisions)),
            schemas,
            conditions,
            clock: clock(study),
        }
    }

    /// Reads inferred snapshots, in the order of `rows`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn read_snapshots(&self, rows: &[(Slot, u32)]) -> Result<SnapshotRows, SpillError> {
        let (columns, fields) = self.read(&self.snapshot_layout, rows)?;
        let times = columns[1].as_primitive::<Int64Type>().values().to_vec();
        let conditions = columns[3..3 + self.conditions].iter();
        let conditions = conditions.map(|column| column.as_primitive::<UInt16Type>().values().to_vec());
        let mut rest = columns[3 + self.conditions..].iter();
        let answers = self.schemas.iter().map(|schema| {
            let own: Vec<&ArrayRef> = rest.by_ref().take(schema.column_names("").len()).collect();
            Answers::from_columns(*schema, &own).expect("the columns were made of answers")
        });
        let mut clock = self.clock.clone();
        Ok(SnapshotRows {
            sequences: columns[0].as_primitive::<UInt64Type>().values().to_vec(),
            ids: columns[2].as_string::<i32>().clone(),
            windows: times.iter().map(|time| clock.window(*time)).collect(),
            times,
            conditions: conditions.collect(),
            answers: answers.collect(),
            fields,
        })
    }

    /// Reads decisions, in the order of `rows`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn read_decisions(&self, rows: &[(Slot, u32)]) -> Result<DecisionRows, SpillError> {
        let (columns, fields) = self.read(&self.decision_layout, rows)?;
        Ok(DecisionRows {
            sequences: columns[0].as_primitive::<UInt64Type>().values().to_vec(),
            times: columns[1].as_primitive::<Int64Type>().values().to_vec(),
            fields,
        })
    }

    fn read(
        &self,
        layout: &RowLayout,
        wanted: &[(Slot, u32)],
    ) -> Result<(Vec<ArrayRef>, RecordBatch), SpillError> {
        let folder = &self.folder;
        let database = self.database.as_ref().expect("a row on disk was written");
        let transaction = database.begin_read().map_err(spill_error(folder))?;
        let table = transaction.open_table(ROWS).map_err(spill_error(folder))?;
        let mut found = Vec::with_capacity(wanted.len());
        for row in wanted {
            found.push(
                table.get(row).map_err(spill_error(folder))?.expect("a row that is not settled was written"),
            );
        }
        Ok(layout.columns(found.iter().map(|row| row.value())))
    }

    /// Deletes the rows of a batch with the next transaction.
    pub fn remove(&mut self, slot: Slot) {
        self.evicted.push(slot);
    }

    /// Begins a transaction, which deletes evicted rows first.
    ///
    /// # Errors
    /// When the database cannot be created or written.
    pub fn begin(&mut self) -> Result<SpillTransaction<'_>, SpillError> {
        if self.database.is_none() {
            self.database = Some(self.open()?);
        }
        let folder = &self.folder;
        let mut transaction =
            self.database.as_ref().expect("opened above").begin_write().map_err(spill_error(folder))?;
        self.commits += 1;
        let durability = match self.commits % COMMITS_PER_SYNC {
            0 => Durability::Immediate,
            _ => Durability::None,
        };
        transaction.set_durability(durability).map_err(spill_error(folder))?;
        {
            let mut table = transaction.open_table(ROWS).map_err(spill_error(folder))?;
            for slot in self.evicted.drain(..) {
                table.retain_in((slot, 0)..=(slot, u32::MAX), |_, _| false).map_err(spill_error(folder))?;
            }
        }
        Ok(SpillTransaction {
            transaction,
            folder,
            snapshot_layout: &self.snapshot_layout,
            decision_layout: &self.decision_layout,
        })
    }

    /// Creates the database in a file whose name is removed at once.
    fn open(&self) -> Result<Database, SpillError> {
        let path = self.folder.join(format!("join-buffer-{}.tmp", std::process::id()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(spill_error(&self.folder))?;
        fs::remove_file(&path).map_err(spill_error(&self.folder))?;
        let backend = FileBackend::new(file).map_err(spill_error(&self.folder))?;
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES).create_with_backend(backend).map_err(spill_error(&self.folder))
    }
}

/// A transaction that writes rows.
pub struct SpillTransaction<'o> {
    transaction: WriteTransaction,
    folder: &'o Path,
    snapshot_layout: &'o RowLayout,
    decision_layout: &'o RowLayout,
}

impl SpillTransaction<'_> {
    /// Writes the rows of a batch of inferred snapshots that are not settled.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn write_snapshots(
        &mut self,
        slot: Slot,
        batch: &SnapshotRows,
        states: &[RowState],
    ) -> Result<(), SpillError> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from(batch.sequences.clone())),
            Arc::new(Int64Array::from(batch.times.clone())),
            Arc::new(batch.ids.clone()),
        ];
        columns.extend(
            batch.conditions.iter().map(|values| Arc::new(UInt16Array::from(values.clone())) as ArrayRef),
        );
        for answers in &batch.answers {
            columns.extend(answers.columns("").into_iter().map(|(_, column)| column));
        }
        self.write(slot, self.snapshot_layout, columns, &batch.fields, states)
    }

    /// Writes the rows of a batch of decisions that are not settled.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn write_decisions(
        &mut self,
        slot: Slot,
        batch: &DecisionRows,
        states: &[RowState],
    ) -> Result<(), SpillError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from(batch.sequences.clone())),
            Arc::new(Int64Array::from(batch.times.clone())),
        ];
        self.write(slot, self.decision_layout, columns, &batch.fields, states)
    }

    fn write(
        &self,
        slot: Slot,
        layout: &RowLayout,
        mut columns: Vec<ArrayRef>,
        fields: &RecordBatch,
        states: &[RowState],
    ) -> Result<(), SpillError> {
        columns.extend_from_slice(fields.columns());
        let rows = layout.converter.convert_columns(&columns).expect("the columns have the layout's types");
        let mut table: Table<'_, (Slot, u32), &[u8]> =
            self.transaction.open_table(ROWS).map_err(spill_error(self.folder))?;
        let is_needed = |row: usize| states.get(row).is_some_and(|state| *state != RowState::Settled);
        for (row, bytes) in rows.iter().enumerate().filter(|(row, _)| is_needed(*row)) {
            table.insert((slot, row as u32), bytes.data()).map_err(spill_error(self.folder))?;
        }
        Ok(())
    }

    /// Makes the written rows visible to readers.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn commit(self) -> Result<(), SpillError> {
        self.transaction.commit().map_err(spill_error(self.folder))
    }
}

/// The encoding of the rows of one stream: its own columns, then the buffered fields.
struct RowLayout {
    converter: RowConverter,
    own: usize,
    fields: SchemaRef,
}

impl RowLayout {
    fn new(own: Vec<DataType>, fields: Arc<Schema>) -> RowLayout {
        let types = own.iter().chain(fields.fields().iter().map(|field| field.data_type()));
        let sorts = types.map(|kind| SortField::new(kind.clone())).collect();
        let converter = RowConverter::new(sorts).expect("the log's types can be rows");
        RowLayout { converter, own: own.len(), fields }
    }

    /// Decodes rows into the stream's own columns and the buffered fields.
    fn columns<'r>(&self, rows: impl ExactSizeIterator<Item = &'r [u8]>) -> (Vec<ArrayRef>, RecordBatch) {
        let count = rows.len();
        let parser = self.converter.parser();
        let mut columns = self
            .converter
            .convert_rows(rows.map(|row| parser.parse(row)))
            .expect("the rows were written by this converter");
        let fields = columns.split_off(self.own);
        let fields = record_batch(self.fields.clone(), fields, count)
            .expect("the converter gives the types that it took");
        (columns, fields)
    }
}

fn clock(study: &Study) -> WindowClock {
    WindowClock::new(study.windows, study.time_zone.clone())
}

fn spill_error<E: Into<redb::Error>>(folder: &Path) -> impl FnOnce(E) -> SpillError + use<'_, E> {
    |error| SpillError { folder: folder.to_owned(), reason: error.into().to_string() }
}

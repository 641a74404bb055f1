//! Rows that wait on disk, once there are too many for memory: in [`redb`], one entry a row.
//!
//! A pair is found row by row, in no order, and each row is read once: so the store is one that finds single rows fast, in
//! one file, without threads of its own. It holds nothing that the log does not: the file has no name, and is gone with
//! the process.
//!
//! Always holds: a row is read back as it was written, to the bit; rows that have met their partner are not written.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchOptions, UInt16Array, UInt64Array,
};
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef, UInt16Type, UInt64Type};
use arrow::row::{RowConverter, SortField};
use redb::backends::FileBackend;
use redb::{Database, Durability, ReadableDatabase as _, Table, TableDefinition, WriteTransaction};

use crate::inference::worker_pool::{Shown, Taken};
use crate::plugins::load::Prepared;
use understudy_records::batch::{Answers, fields_schema};
use understudy_records::pairing::Slot;
use understudy_statistics::scoring::WindowClock;
use understudy_study::{Form, Study};

const ROWS: TableDefinition<'_, (Slot, u32), &[u8]> = TableDefinition::new("rows");
/// Pages that may be held in memory.
const CACHE: usize = 32 << 20;
/// Pages of earlier commits can be used again only after one that is put on disk.
const SYNC_EVERY: u32 = 32;

/// Why rows cannot wait on disk.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot keep the records that wait for their partner in {}: {why}; free some space there, or allow more memory with \
     `limits.waiting-mib`",
    folder.display()
)]
pub struct OverflowError {
    folder: PathBuf,
    why: String,
}

/// Rows on disk.
pub struct Overflow {
    folder: PathBuf,
    database: Option<Database>,
    commits: u32,
    /// Batches whose rows are no longer wanted.
    dropped: Vec<Slot>,
    shown: Layout,
    taken: Layout,
    forms: Vec<Form>,
    conditions: usize,
    clock: WindowClock,
}

impl Overflow {
    /// Nothing yet, and no file. `fields` are the places of the declared fields that are held of each side.
    pub fn new(prepared: &Prepared, fields: &[Vec<usize>; 2], folder: &Path) -> Overflow {
        let study = &prepared.study;
        let held = |stream, places: &[usize]| {
            Arc::new(fields_schema(stream).project(places).expect("the places are those of fields"))
        };
        let forms: Vec<Form> = prepared.models.iter().map(|model| model.plugin.form).collect();
        let conditions = study.conditions.len();
        let own = [DataType::UInt64, DataType::Int64, DataType::Utf8];
        let answers = forms.iter().flat_map(|form| Answers::column_fields("", *form));
        let shown = own.clone().into_iter().chain(vec![DataType::UInt16; conditions]);
        let shown = shown.chain(answers.map(|field| field.data_type().clone()));
        Overflow {
            folder: folder.to_owned(),
            database: None,
            commits: 0,
            dropped: Vec::new(),
            shown: Layout::new(shown.collect(), held(&study.inputs, &fields[0])),
            taken: Layout::new(own[..2].to_vec(), held(&study.decisions, &fields[1])),
            forms,
            conditions,
            clock: clock(study),
        }
    }

    /// Answered snapshots, in the order asked for.
    pub fn shown(&self, rows: &[(Slot, u32)]) -> Result<Shown, OverflowError> {
        let (columns, fields) = self.read(&self.shown, rows)?;
        let times = columns[1].as_primitive::<Int64Type>().values().to_vec();
        let conditions = columns[3..3 + self.conditions].iter();
        let conditions = conditions.map(|column| column.as_primitive::<UInt16Type>().values().to_vec());
        let answers =
            columns[3 + self.conditions..].chunks_exact(3).zip(&self.forms).map(|(columns, form)| {
                Answers::from_columns(*form, [&columns[0], &columns[1], &columns[2]])
                    .expect("the columns were made of answers")
            });
        let mut clock = self.clock.clone();
        Ok(Shown {
            sequences: columns[0].as_primitive::<UInt64Type>().values().to_vec(),
            ids: columns[2].as_string::<i32>().clone(),
            windows: times.iter().map(|time| clock.window(*time)).collect(),
            times,
            conditions: conditions.collect(),
            answers: answers.collect(),
            fields,
        })
    }

    /// Decisions, in the order asked for.
    pub fn taken(&self, rows: &[(Slot, u32)]) -> Result<Taken, OverflowError> {
        let (columns, fields) = self.read(&self.taken, rows)?;
        Ok(Taken {
            sequences: columns[0].as_primitive::<UInt64Type>().values().to_vec(),
            times: columns[1].as_primitive::<Int64Type>().values().to_vec(),
            fields,
        })
    }

    fn read(
        &self,
        layout: &Layout,
        wanted: &[(Slot, u32)],
    ) -> Result<(Vec<ArrayRef>, RecordBatch), OverflowError> {
        let folder = &self.folder;
        let database = self.database.as_ref().expect("what is read was written");
        let reading = database.begin_read().map_err(failed(folder))?;
        let table = reading.open_table(ROWS).map_err(failed(folder))?;
        let mut found = Vec::with_capacity(wanted.len());
        for row in wanted {
            found.push(table.get(row).map_err(failed(folder))?.expect("a row that waits was written"));
        }
        Ok(layout.columns(found.iter().map(|row| row.value())))
    }

    /// The rows of a batch are no longer wanted.
    pub fn remove(&mut self, slot: Slot) {
        self.dropped.push(slot);
    }

    /// Begins to write.
    pub fn fill(&mut self) -> Result<Filling<'_>, OverflowError> {
        if self.database.is_none() {
            self.database = Some(self.open()?);
        }
        let folder = &self.folder;
        let mut writing =
            self.database.as_ref().expect("opened above").begin_write().map_err(failed(folder))?;
        self.commits += 1;
        let durability = match self.commits % SYNC_EVERY {
            0 => Durability::Immediate,
            _ => Durability::None,
        };
        writing.set_durability(durability).map_err(failed(folder))?;
        {
            let mut table = writing.open_table(ROWS).map_err(failed(folder))?;
            for slot in self.dropped.drain(..) {
                table.retain_in((slot, 0)..=(slot, u32::MAX), |_, _| false).map_err(failed(folder))?;
            }
        }
        Ok(Filling { writing, folder, shown: &self.shown, taken: &self.taken })
    }

    /// A file without a name.
    fn open(&self) -> Result<Database, OverflowError> {
        let path = self.folder.join(format!("waiting-{}.tmp", std::process::id()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(failed(&self.folder))?;
        fs::remove_file(&path).map_err(failed(&self.folder))?;
        let backend = FileBackend::new(file).map_err(failed(&self.folder))?;
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE).create_with_backend(backend).map_err(failed(&self.folder))
    }
}

/// Rows being written.
pub struct Filling<'o> {
    writing: WriteTransaction,
    folder: &'o Path,
    shown: &'o Layout,
    taken: &'o Layout,
}

impl Filling<'_> {
    /// Writes the rows of a batch of answered snapshots that are not paired.
    pub fn shown(&mut self, slot: Slot, shown: &Shown, paired: &[bool]) -> Result<(), OverflowError> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from(shown.sequences.clone())),
            Arc::new(Int64Array::from(shown.times.clone())),
            Arc::new(shown.ids.clone()),
        ];
        columns.extend(
            shown.conditions.iter().map(|values| Arc::new(UInt16Array::from(values.clone())) as ArrayRef),
        );
        for answers in &shown.answers {
            columns.extend(answers.columns("").map(|(_, column)| column));
        }
        self.write(slot, self.shown, columns, &shown.fields, paired)
    }

    /// Writes the rows of a batch of decisions that are not paired.
    pub fn taken(&mut self, slot: Slot, taken: &Taken, paired: &[bool]) -> Result<(), OverflowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from(taken.sequences.clone())),
            Arc::new(Int64Array::from(taken.times.clone())),
        ];
        self.write(slot, self.taken, columns, &taken.fields, paired)
    }

    fn write(
        &self,
        slot: Slot,
        layout: &Layout,
        mut columns: Vec<ArrayRef>,
        fields: &RecordBatch,
        paired: &[bool],
    ) -> Result<(), OverflowError> {
        columns.extend_from_slice(fields.columns());
        let rows = layout.converter.convert_columns(&columns).expect("the columns have the layout's types");
        let mut table: Table<'_, (Slot, u32), &[u8]> =
            self.writing.open_table(ROWS).map_err(failed(self.folder))?;
        for (row, bytes) in rows.iter().enumerate().filter(|(row, _)| paired.get(*row) == Some(&false)) {
            table.insert((slot, row as u32), bytes.data()).map_err(failed(self.folder))?;
        }
        Ok(())
    }

    /// Ends the writing.
    pub fn finish(self) -> Result<(), OverflowError> {
        self.writing.commit().map_err(failed(self.folder))
    }
}

/// How the rows of a side are written: its own columns, then the fields that are held.
struct Layout {
    converter: RowConverter,
    own: usize,
    fields: SchemaRef,
}

impl Layout {
    fn new(own: Vec<DataType>, fields: Arc<Schema>) -> Layout {
        let types = own.iter().chain(fields.fields().iter().map(|field| field.data_type()));
        let sorts = types.map(|kind| SortField::new(kind.clone())).collect();
        let converter = RowConverter::new(sorts).expect("the log's types can be rows");
        Layout { converter, own: own.len(), fields }
    }

    /// The own columns and the fields of some rows.
    fn columns<'r>(&self, rows: impl ExactSizeIterator<Item = &'r [u8]>) -> (Vec<ArrayRef>, RecordBatch) {
        let count = rows.len();
        let parser = self.converter.parser();
        let mut columns = self
            .converter
            .convert_rows(rows.map(|row| parser.parse(row)))
            .expect("the rows were written by this converter");
        let fields = columns.split_off(self.own);
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let fields = RecordBatch::try_new_with_options(self.fields.clone(), fields, &options)
            .expect("the converter gives the types that it took");
        (columns, fields)
    }
}

fn clock(study: &Study) -> WindowClock {
    WindowClock::new(study.windows, study.time_zone.clone())
}

fn failed<E: Into<redb::Error>>(folder: &Path) -> impl FnOnce(E) -> OverflowError + use<'_, E> {
    |error| OverflowError { folder: folder.to_owned(), why: error.into().to_string() }
}

//! Decodes rows of the log into the records and answers that they were written from.
//!
//! Invariants: decoding returns exactly what was logged.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, TimestampMicrosecondType, UInt32Type, UInt64Type};

use crate::batches::messages::{ModelOutput, RowLatencies};
use crate::log_schema::record_tables::{GENERATION, SCOPES, known_scope_names};
use crate::log_schema::schema::schemas;
use crate::plugins::loaded_plugin::LoadedPlugin;
use crate::plugins::plugin_versions::PluginVersions;
use crate::seal::sealed_study::SealedStudy;
use understudy_records::batch::{
    AnswerSchema, Answers, ExcludedRecord, ExclusionReason, Reason, RecordPosition, Records, fields_schema,
    record_batch,
};
use understudy_run_log::Table;
use understudy_sandbox::{AnsweredBatch, DeciderPlugin};
use understudy_study::{Micros, Nanos, Scope, Stream, StreamKind};

/// A logged row that does not have the form of the study's rows.
#[derive(Debug, thiserror::Error)]
#[error("cannot decode the log's {table}: {what}")]
pub struct DecodeError {
    table: &'static str,
    what: String,
}

/// Records of one stream with their sequence numbers.
pub struct DecodedRows {
    /// Sequence number of each row.
    pub sequences: Vec<u64>,
    /// The records; without their text if that column was not read.
    pub records: Records,
}

/// The columns of a table except the records' text, which is most of the data and rarely needed.
pub fn columns(sealed_study: &SealedStudy, table: Table) -> Vec<String> {
    let schemas = schemas(sealed_study);
    let fields = schemas[table as usize].fields();
    fields.iter().map(|field| field.name().clone()).filter(|name| name != "raw").collect()
}

/// Decodes the records of a stream.
///
/// # Errors
/// When a column is missing or of another type.
pub fn records(stream: &Stream, kind: StreamKind, batch: &RecordBatch) -> Result<DecodedRows, DecodeError> {
    let (time, prefix) = match kind {
        StreamKind::Snapshots => ("observed_at", "input."),
        StreamKind::Decisions => ("decided_at", "decision."),
    };
    let columns = Columns { table: kind.name(), batch };
    let mut fields: Vec<ArrayRef> = Vec::with_capacity(stream.fields.len());
    for field in &stream.fields {
        fields.push(columns.column(&format!("{prefix}{}", field.name))?.clone());
    }
    let fields = record_batch(fields_schema(stream), fields, batch.num_rows())
        .map_err(|error| columns.fault(error.to_string()))?;
    let records = Records {
        ids: columns.text("id")?.clone(),
        times: columns.times(time)?,
        fields,
        raw: match batch.column_by_name("raw") {
            Some(_) => columns.text("raw")?.clone(),
            None => StringArray::new_null(batch.num_rows()),
        },
        digests: columns.numbers("digest")?,
        lines: columns.numbers("line")?,
        offsets: columns.numbers("offset")?,
    };
    Ok(DecodedRows { sequences: columns.numbers("sequence")?, records })
}

/// The first row whose generation column contradicts the plugin versions.
///
/// # Errors
/// When the column is missing or of another type.
pub fn first_generation_mismatch(
    versions: &PluginVersions,
    kind: StreamKind,
    sequences: &[u64],
    batch: &RecordBatch,
) -> Result<Option<usize>, DecodeError> {
    let columns = Columns { table: kind.name(), batch };
    let column = columns.column(GENERATION)?;
    let logged = column
        .as_primitive_opt::<UInt32Type>()
        .ok_or_else(|| columns.fault(format!("the column `{GENERATION}` is of another type")))?;
    let differs =
        |(sequence, logged): (&u64, &u32)| versions.generation_of_record(kind, *sequence) != *logged;
    Ok(sequences.iter().zip(logged.values()).position(differs))
}

/// Decodes, per model, its answers to a batch of snapshots.
///
/// # Errors
/// When a column is missing or of another type.
pub fn answers(sealed_study: &SealedStudy, batch: &RecordBatch) -> Result<Vec<ModelOutput>, DecodeError> {
    let columns = Columns { table: StreamKind::Snapshots.name(), batch };
    let answers = |model: &LoadedPlugin<DeciderPlugin>| {
        let name = format!("model.{}", model.name);
        let answers = columns.answers(&name, model.plugin.answer_schema())?;
        let nanos = columns.numbers(&format!("{name}.nanos"))?;
        let latencies = RowLatencies::from_rows(nanos.into_iter().map(Nanos));
        Ok(ModelOutput { output: answered_batch(answers), latencies })
    };
    sealed_study.models.iter().map(answers).collect()
}

/// Excluded records with their sequence numbers; without their own text if that was not read. `scopes` are the
/// declared ones.
///
/// # Errors
/// When a column is missing or of another type.
pub fn excluded_records(
    scopes: &[Scope],
    batch: &RecordBatch,
) -> Result<Vec<(u64, ExcludedRecord)>, DecodeError> {
    let columns = Columns { table: "excluded records", batch };
    let (known_scopes, scopes) = (known_scope_names(scopes), columns.text(SCOPES)?);
    let scope = |name: &str| {
        let index = known_scopes.iter().position(|known| known == name);
        index.map(|index| index as u16).ok_or_else(|| columns.fault(format!("no scope is called \"{name}\"")))
    };
    let (streams, reasons, details) =
        (columns.text("stream")?, columns.text("reason")?, columns.text("detail")?);
    let [sequences, lines, offsets, digests] =
        ["sequence", "line", "offset", "digest"].map(|name| columns.numbers(name));
    let (sequences, lines, offsets, digests) = (sequences?, lines?, offsets?, digests?);
    let counted_at = columns.optional_times("counted_at")?;
    let raw = batch.column_by_name("raw").and_then(|column| column.as_binary_opt::<i32>());
    let row = |row: usize| {
        let unknown = |what: &str, value: &str| columns.fault(format!("no {what} is called \"{value}\""));
        let kind = StreamKind::ALL.into_iter().find(|kind| kind.name() == streams.value(row));
        let reason = ExclusionReason::ALL.into_iter().find(|reason| reason.name() == reasons.value(row));
        let record = ExcludedRecord {
            kind: kind.ok_or_else(|| unknown("stream", streams.value(row)))?,
            position: RecordPosition { line: lines[row], offset: offsets[row], digest: digests[row] },
            reason: reason.ok_or_else(|| unknown("reason", reasons.value(row)))?,
            detail: details.value(row).to_owned(),
            counted_at: counted_at[row],
            scopes: match scopes.is_valid(row) {
                true => Some(scopes.value(row).split(' ').map(scope).collect::<Result<_, _>>()?),
                false => None,
            },
            raw: raw.map(|raw| raw.value(row).to_vec()).unwrap_or_default(),
        };
        Ok((sequences[row], record))
    };
    (0..batch.num_rows()).map(row).collect()
}

/// Restores an answered batch, with its failures.
fn answered_batch(answers: Answers) -> AnsweredBatch {
    let failure = |(row, reason): &(u32, Reason)| match reason {
        Reason::Broke(why) => Some((*row, why.clone())),
        Reason::Abstained(_) | Reason::Failed(_) | Reason::Blinded => None,
    };
    let broken = answers.unanswered.iter().filter_map(failure).collect();
    AnsweredBatch { answers, broken }
}

/// Typed access to columns by name.
struct Columns<'b> {
    table: &'static str,
    batch: &'b RecordBatch,
}

impl<'b> Columns<'b> {
    fn fault(&self, what: String) -> DecodeError {
        DecodeError { table: self.table, what }
    }

    fn column(&self, name: &str) -> Result<&'b ArrayRef, DecodeError> {
        self.batch.column_by_name(name).ok_or_else(|| self.fault(format!("the column {name} is missing")))
    }

    fn typed<T>(&self, name: &str, found: Option<T>) -> Result<T, DecodeError> {
        found.ok_or_else(|| {
            let column = self.batch.column_by_name(name);
            let found = column.map_or(DataType::Null, |column| column.data_type().clone());
            self.fault(format!("the column {name} is of type {found}"))
        })
    }

    fn text(&self, name: &str) -> Result<&'b StringArray, DecodeError> {
        self.typed(name, self.column(name)?.as_string_opt::<i32>())
    }

    fn numbers(&self, name: &str) -> Result<Vec<u64>, DecodeError> {
        let column = self.typed(name, self.column(name)?.as_primitive_opt::<UInt64Type>())?;
        Ok(column.values().to_vec())
    }

    fn times(&self, name: &str) -> Result<Vec<i64>, DecodeError> {
        let column = self.typed(name, self.column(name)?.as_primitive_opt::<TimestampMicrosecondType>())?;
        Ok(column.values().to_vec())
    }

    fn optional_times(&self, name: &str) -> Result<Vec<Option<Micros>>, DecodeError> {
        let column = self.typed(name, self.column(name)?.as_primitive_opt::<TimestampMicrosecondType>())?;
        Ok(column.iter().map(|time| time.map(Micros)).collect())
    }

    fn answers(&self, name: &str, schema: AnswerSchema) -> Result<Answers, DecodeError> {
        let names = schema.column_names(name);
        let columns = names.iter().map(|name| self.column(name)).collect::<Result<Vec<_>, _>>()?;
        Answers::from_columns(schema, &columns)
            .ok_or_else(|| self.fault(format!("the columns {name}.* are no answers")))
    }
}

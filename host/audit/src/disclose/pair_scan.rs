//! Scans the pair table for answers, without evaluating any pair.
//!
//! Invariants: only the columns that tell agreement, conditions and time are read; a batch has the columns
//! that decided rows have for them; rows that may not be shown are left out.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use arrow::array::{
    Array as _, ArrayRef, AsArray as _, DictionaryArray, RecordBatch, StringArray, UInt16Array,
};
use arrow::compute::{cast, concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Field, Schema, UInt16Type, UInt64Type};
use rustc_hash::FxHashMap;

use crate::disclose::decided_rows::DisclosureCutoff;
use understudy_engine::{BLINDED, SealedStudy, conditions};
use understudy_records::batch::{AnswerSchema, Answers};
use understudy_run_log::{RowGroup, RowSelection, ScanOptions, Table, row_groups};

/// Scans the pairs of one run.
pub(crate) struct PairScan<'r> {
    sealed_study: &'r SealedStudy,
    run: &'r Path,
    cutoff: DisclosureCutoff,
}

impl<'r> PairScan<'r> {
    /// A scan over the pairs that may be shown.
    pub fn new(sealed_study: &'r SealedStudy, run: &'r Path, cutoff: DisclosureCutoff) -> PairScan<'r> {
        PairScan { sealed_study, run, cutoff }
    }

    /// The row groups of the pair table, in the order in which their pairs were made.
    ///
    /// # Errors
    /// If a segment cannot be read.
    pub fn groups(&self) -> anyhow::Result<Vec<RowGroup>> {
        Ok(row_groups(self.run, Table::Pairs, "observed_at")?)
    }

    /// Passes all pairs to `each`: `id`, `observed_at`, `condition.*`, `comparator.*`, and `model.NAME.*` of
    /// all models.
    ///
    /// # Errors
    /// If the log cannot be read; or the error of `each`.
    pub fn for_each(&self, mut each: impl FnMut(RecordBatch) -> anyhow::Result<()>) -> anyhow::Result<()> {
        for group in self.groups()? {
            if let Some(pairs) = self.read(&group)? {
                each(self.with_model_answers(pairs)?)?;
            }
        }
        Ok(())
    }

    /// The pairs of a row group without the models' answers; `None` if it has none that may be shown.
    ///
    /// # Errors
    /// If the row group cannot be read.
    pub fn read(&self, group: &RowGroup) -> anyhow::Result<Option<RecordBatch>> {
        let study = &self.sealed_study.study;
        let mut columns = ["id", "snapshot", "observed_at"].map(str::to_owned).to_vec();
        columns.extend(study.conditions.iter().map(|condition| format!("condition.{}", condition.name)));
        columns.extend(self.sealed_study.comparator.plugin.answer_schema().column_names("comparator"));
        if self.sealed_study.blinding.is_some() {
            columns.push(BLINDED.to_owned());
            columns.extend(self.model_columns());
        }
        let mut batches = Vec::new();
        for batch in group.read(Table::Pairs, columns)? {
            let batch = self.cutoff.apply(batch)?;
            if batch.num_rows() > 0 {
                batches.push(self.with_condition_codes(&batch)?);
            }
        }
        let Some(first) = batches.first() else { return Ok(None) };
        Ok(Some(concat_batches(&first.schema(), &batches)?))
    }

    /// Replaces each condition by a dictionary whose codes are the indices of the condition's values in the
    /// study.
    fn with_condition_codes(&self, batch: &RecordBatch) -> anyhow::Result<RecordBatch> {
        let study = &self.sealed_study.study;
        let known = conditions(study);
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let name = field.name().strip_prefix("condition.");
            let at = name.and_then(|name| study.conditions.iter().position(|own| own.name == name));
            let Some(at) = at else {
                fields.push(field.as_ref().clone());
                columns.push(column.clone());
                continue;
            };
            let values = known.values(at);
            let codes: FxHashMap<&str, u16> =
                values.iter().enumerate().map(|(code, value)| (value.as_str(), code as u16)).collect();
            let texts = cast(column, &DataType::Utf8)?;
            let code = |text: Option<&str>| text.and_then(|text| codes.get(text)).copied();
            let coded: UInt16Array = texts.as_string::<i32>().iter().map(code).collect();
            if coded.null_count() > 0 {
                bail!(
                    "the pair table has a value of condition \"{}\" that the study does not have",
                    study.conditions[at].name
                );
            }
            let values: ArrayRef = Arc::new(StringArray::from_iter_values(values));
            let column = DictionaryArray::<UInt16Type>::try_new(coded, values)?;
            fields.push(Field::new(field.name(), column.data_type().clone(), false));
            columns.push(Arc::new(column));
        }
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
    }

    /// The columns of the answers of all models.
    fn model_columns(&self) -> impl Iterator<Item = String> {
        let models = self.sealed_study.models.iter();
        models.flat_map(|model| model.plugin.answer_schema().column_names(&model_column(&model.name)))
    }

    /// Adds the models' answers: those of the snapshots or, where an id is blinded, those of the pairs.
    ///
    /// # Errors
    /// If the snapshots cannot be read, or one of them is missing.
    pub fn with_model_answers(&self, pairs: RecordBatch) -> anyhow::Result<RecordBatch> {
        let numbers =
            pairs.column_by_name("snapshot").and_then(|column| column.as_primitive_opt::<UInt64Type>());
        let numbers = numbers.context("the pair table has no snapshot numbers")?.values().clone();
        let blinded = pairs.column_by_name(BLINDED).and_then(|column| column.as_boolean_opt());
        let mut columns = vec!["sequence".to_owned()];
        columns.extend(self.model_columns());
        let wanted: BTreeSet<u64> = numbers.iter().copied().collect();
        let options =
            ScanOptions::new(Table::Snapshots, columns).select(RowSelection::Numbers("sequence", wanted));
        let snapshots: Vec<RecordBatch> = options.open(self.run)?.collect::<Result<_, _>>()?;
        let mut places: FxHashMap<u64, (usize, usize)> = FxHashMap::default();
        for (at, batch) in snapshots.iter().enumerate() {
            let sequences = batch.column_by_name("sequence").and_then(|c| c.as_primitive_opt::<UInt64Type>());
            let sequences = sequences.context("the log's snapshots have no sequence numbers")?.values();
            places.extend(sequences.iter().enumerate().map(|(row, sequence)| (*sequence, (at, row))));
        }
        // Blinded snapshots are answered after their decision, so the pair table has their answers.
        let blinded_pairs = blinded.map(|blinded| filter_record_batch(&pairs, blinded)).transpose()?;
        let mut next_blinded = 0;
        let mut picks = Vec::with_capacity(pairs.num_rows());
        for (row, number) in numbers.iter().enumerate() {
            if blinded.is_some_and(|blinded| blinded.value(row)) {
                picks.push((snapshots.len(), next_blinded));
                next_blinded += 1;
            } else {
                picks.push(*places.get(number).with_context(|| {
                    format!("the snapshot with sequence number {number} is missing; run `understudy verify` for details")
                })?);
            }
        }
        let mut fields: Vec<Field> =
            pairs.schema_ref().fields().iter().map(|field| field.as_ref().clone()).collect();
        let mut columns = pairs.columns().to_vec();
        if blinded.is_some() {
            let kept: Vec<usize> =
                (0..fields.len()).filter(|at| !fields[*at].name().starts_with("model.")).collect();
            columns = kept.iter().map(|at| columns[*at].clone()).collect();
            fields = kept.into_iter().map(|at| fields[at].clone()).collect();
        }
        for model in &self.sealed_study.models {
            let (name, schema) = (model_column(&model.name), model.plugin.answer_schema());
            let sources: Vec<Answers> = snapshots
                .iter()
                .chain(&blinded_pairs)
                .map(|batch| answers(batch, &name, schema))
                .collect::<anyhow::Result<_>>()?;
            let sources: Vec<&Answers> = sources.iter().collect();
            for (field, column) in Answers::gather(&sources, &picks).columns(&name) {
                fields.push(field.with_nullable(true));
                columns.push(column);
            }
        }
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
    }
}

/// The prefix of a model's columns.
pub(crate) fn model_column(name: &str) -> String {
    format!("model.{name}")
}

/// The answers in the columns `NAME.answer`, `NAME.unanswered` and so on of a batch.
///
/// # Errors
/// If a column is missing, or the columns do not hold answers of this schema.
pub(crate) fn answers(batch: &RecordBatch, name: &str, schema: AnswerSchema) -> anyhow::Result<Answers> {
    let column =
        |name: &String| batch.column_by_name(name).with_context(|| format!("the log has no column {name}"));
    let names = schema.column_names(name);
    let columns = names.iter().map(column).collect::<anyhow::Result<Vec<_>>>()?;
    Answers::from_columns(schema, &columns)
        .with_context(|| format!("the columns {name}.* do not hold answers"))
}

//! `understudy model check`: compares a trained model with the predictions of its own library.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};

use super::super::Exit;
use super::super::output::print_out;
use super::arguments::ModelArguments;
use super::comparison::{Comparison, default_column, missing_labels_advice, rounded_integer};
use super::rows::InputTable;
use understudy_engine::load_lowered_model;
use understudy_records::batch::{AnswerColumn, Answers, Reason};
use understudy_report::counted;

/// The format whose exports may have another precision than the library.
const ONNX: &str = "onnx";
/// Rows of a call.
const BATCH: usize = 1024;

/// Compare a trained model with predictions of the library that trained it.
///
/// Prints how many answers are equal to the bit, the greatest difference, and the first rows that differ. Exit
/// codes: 0 all labels are equal and no number differs by more than the tolerance, 1 otherwise.
#[derive(clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    model: ModelArguments,
    /// Rows: CSV with a header if the name ends in .csv, Parquet if it ends in .parquet, otherwise JSON Lines. An empty cell
    /// of CSV and null are missing.
    #[arg(long, value_name = "FILE")]
    rows: PathBuf,
    /// Predictions in the same formats, one for each row in the same order.
    #[arg(long, value_name = "FILE")]
    expect: PathBuf,
    /// Column of the predictions: labels or numbers. By default the first column that is not an index of pandas.
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Column of the predictions with the probability of the label.
    #[arg(long, value_name = "NAME")]
    confidence: Option<String>,
    /// Greatest difference of a number or a confidence; relative to the prediction if its absolute value is above 1.
    #[arg(long, value_name = "NUMBER", default_value_t = 1e-5)]
    tolerance: f64,
}

impl Check {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let (imported, _) = self.model.import()?;
        let plugin = load_lowered_model(imported.bytes)?;
        let rows = InputTable::read(&self.rows)?;
        let expected = InputTable::read(&self.expect)?;
        ensure!(rows.rows() > 0, "{} has no rows; add at least one row", self.rows.display());
        ensure!(
            rows.rows() == expected.rows(),
            "{} has {}, and {} has {}; write one prediction for each row, in the same order",
            self.rows.display(),
            counted(rows.rows() as u64, "row", "rows"),
            self.expect.display(),
            expected.rows()
        );
        let batch = rows.batch(&plugin.reads)?;
        let mut instance = plugin.instance();
        let pieces: Vec<Answers> = (0..rows.rows())
            .step_by(BATCH)
            .map(|start| instance.decide(&batch.slice(start, BATCH.min(rows.rows() - start))).answers)
            .collect();
        let picks: Vec<(usize, usize)> = (0..rows.rows()).map(|row| (row / BATCH, row % BATCH)).collect();
        let answers = Answers::gather(&pieces.iter().collect::<Vec<_>>(), &picks);

        let first = default_column(expected.names()).map(String::as_str).unwrap_or_default();
        let compared = self.column.as_deref().unwrap_or(first);
        let mut comparison = Comparison::default();
        let mut forgotten = None;
        let predictions = self.predictions(&expected, compared)?;
        match &answers.decisions {
            AnswerColumn::Labels { names, codes } => {
                for (row, (code, expected)) in codes.iter().zip(predictions).enumerate() {
                    if let Some(reason) = answers.reason(row) {
                        comparison.add_unanswered(row, explanation(reason));
                        continue;
                    }
                    let found = names.value(*code as usize);
                    comparison.add(row, Some(found) == expected.as_deref(), 0.0, || {
                        (found.to_owned(), expected.clone().unwrap_or_default())
                    });
                }
                let answered = (0..codes.len()).filter(|row| answers.reason(*row).is_none());
                let answered = distinct(answered.map(|row| names.value(codes[row] as usize)));
                let labels = &imported.summary.labels;
                let answered = if labels.is_empty() { &answered } else { labels };
                forgotten = missing_labels_advice(
                    answered,
                    &distinct(predictions.iter().flatten().map(String::as_str)),
                );
            }
            AnswerColumn::Numbers(numbers) => {
                self.compare_numbers(&mut comparison, predictions, &answers, numbers)?;
            }
            AnswerColumn::Rankings { .. } => {
                bail!("cannot compare rankings; leave out --top, which gives the label of the first class")
            }
            AnswerColumn::LabelSets { .. } | AnswerColumn::Json { .. } => {
                bail!("cannot compare {}: predictions are labels or numbers", answers.form().with_article())
            }
        }
        let several = match expected.names().len() {
            0 | 1 => String::new(),
            _ if self.column.is_some() => String::new(),
            _ => format!(" (column `{compared}`; choose another with --column)"),
        };
        print_out(format_args!("answers: {}{several}", comparison.summary()))?;
        let mut passed = comparison.passed();
        let mut is_near = comparison.is_near();
        print_details(&comparison)?;
        if let Some(text) = forgotten {
            print_out(format_args!("{text}"))?;
        }
        if let Some(column) = &self.confidence {
            let confidence = answers.confidence.as_ref().context(
                "the model has no confidences; remove --confidence, or export it with probabilities",
            )?;
            let mut comparison = Comparison::default();
            let predictions = self.predictions(&expected, column)?;
            self.compare_numbers(&mut comparison, predictions, &answers, confidence)?;
            print_out(format_args!("confidences: {}", comparison.summary()))?;
            print_details(&comparison)?;
            passed &= comparison.passed();
            is_near |= comparison.is_near();
        }
        for name in &imported.summary.rounded {
            if let Some((row, number)) = rows.column(name).and_then(rounded_integer) {
                print_out(format_args!(
                    "column `{name}` has {number} in row {}, which the model reads as the 32-bit float {}",
                    row + 1,
                    f64::from(number as f32)
                ))?;
            }
        }
        if is_near && imported.summary.format == ONNX {
            print_out(format_args!(
                "arithmetic of 32 bits may explain it: compare with ONNX Runtime, as the page on trained models shows"
            ))?;
        }
        Ok(if passed { Exit::Done } else { Exit::Failed })
    }

    fn predictions<'t>(
        &self,
        expected: &'t InputTable,
        column: &str,
    ) -> anyhow::Result<&'t [Option<String>]> {
        expected.column(column).with_context(|| {
            let (path, names) = (self.expect.display(), expected.names().join(", "));
            format!("{path} has no column `{column}`; it has {names}; name one of them")
        })
    }

    fn compare_numbers(
        &self,
        comparison: &mut Comparison,
        predictions: &[Option<String>],
        answers: &Answers,
        numbers: &[f64],
    ) -> anyhow::Result<()> {
        for (row, text) in predictions.iter().enumerate() {
            let text = text.as_deref().unwrap_or_default();
            let expected: f64 = text.parse().with_context(|| {
                format!(
                    "row {} of {} is {text:?}, expected a number; name a column of numbers",
                    row + 1,
                    self.expect.display()
                )
            })?;
            if let Some(reason) = answers.reason(row) {
                comparison.add_unanswered(row, explanation(reason));
                continue;
            }
            let found = numbers[row];
            let difference = (found - expected).abs() / expected.abs().max(1.0);
            comparison.equal_bits += usize::from(found.to_bits() == expected.to_bits());
            comparison
                .add(row, difference <= self.tolerance, difference, || (found.to_string(), text.to_owned()));
        }
        comparison.has_numbers = true;
        Ok(())
    }
}

fn print_details(comparison: &Comparison) -> anyhow::Result<()> {
    comparison.details().iter().try_for_each(|line| print_out(format_args!("{line}")))
}

/// The different texts, in ascending order.
fn distinct<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    texts.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
}

/// Why a row has no answer, without the kind of the reason.
fn explanation(reason: &Reason) -> &str {
    match reason {
        Reason::Abstained(why) | Reason::Failed(why) | Reason::Broke(why) => why,
        Reason::Blinded => "the model is blinded",
    }
}

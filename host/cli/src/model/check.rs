//! `understudy model check`: compares a trained model with the predictions of its own library.

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};

use super::super::Exit;
use super::super::output::print_out;
use super::arguments::ModelArguments;
use super::rows::TextTable;
use understudy_engine::load_lowered_model;
use understudy_records::batch::{AnswerColumn, Answers};
use understudy_report::counted;

/// Rows of a call.
const BATCH: usize = 1024;
/// Rows that are printed if they differ.
const SHOWN: usize = 5;

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
    /// Column of the predictions: labels or numbers. The first column by default.
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
        let rows = TextTable::read(&self.rows)?;
        let expected = TextTable::read(&self.expect)?;
        ensure!(rows.rows() > 0, "{} has no rows; write at least one", self.rows.display());
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

        let first = expected.names().first().map(String::as_str).unwrap_or_default();
        let mut comparison = Comparison::default();
        let predictions = self.predictions(&expected, self.column.as_deref().unwrap_or(first))?;
        match &answers.decisions {
            AnswerColumn::Labels { names, codes } => {
                for (row, (code, expected)) in codes.iter().zip(predictions).enumerate() {
                    let found = answers.reason(row).is_none().then(|| names.value(*code as usize));
                    comparison.add(row, found == expected.as_deref(), 0.0, || {
                        (found.unwrap_or("no answer").to_owned(), expected.clone().unwrap_or_default())
                    });
                }
            }
            AnswerColumn::Numbers(numbers) => {
                let found = |row: usize| answers.reason(row).is_none().then(|| numbers[row]);
                self.compare_numbers(&mut comparison, predictions, found)?;
            }
            AnswerColumn::Rankings { .. } => {
                bail!("cannot compare rankings; leave out --top, which gives the label of the first class")
            }
            AnswerColumn::LabelSets { .. } | AnswerColumn::Json { .. } => {
                bail!("cannot compare {}: predictions are labels or numbers", answers.form().with_article())
            }
        }
        print_out(format_args!("answers: {}", comparison.summary()))?;
        let mut passed = comparison.passed();
        print_examples(&comparison)?;
        if let Some(column) = &self.confidence {
            let confidence = answers.confidence.as_ref().context(
                "the model has no confidences; remove --confidence, or export it with probabilities",
            )?;
            let found = |row: usize| answers.reason(row).is_none().then(|| confidence[row]);
            let mut comparison = Comparison::default();
            self.compare_numbers(&mut comparison, self.predictions(&expected, column)?, found)?;
            print_out(format_args!("confidences: {}", comparison.summary()))?;
            print_examples(&comparison)?;
            passed &= comparison.passed();
        }
        Ok(if passed { Exit::Done } else { Exit::Failed })
    }

    fn predictions<'t>(&self, expected: &'t TextTable, column: &str) -> anyhow::Result<&'t [Option<String>]> {
        expected.column(column).with_context(|| {
            let (path, names) = (self.expect.display(), expected.names().join(", "));
            format!("{path} has no column `{column}`; it has {names}; name one of them")
        })
    }

    fn compare_numbers(
        &self,
        comparison: &mut Comparison,
        predictions: &[Option<String>],
        found: impl Fn(usize) -> Option<f64>,
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
            let Some(found) = found(row) else {
                comparison.add(row, false, f64::INFINITY, || ("no answer".to_owned(), text.to_owned()));
                continue;
            };
            let difference = (found - expected).abs() / expected.abs().max(1.0);
            comparison.equal_bits += usize::from(found.to_bits() == expected.to_bits());
            comparison
                .add(row, difference <= self.tolerance, difference, || (found.to_string(), text.to_owned()));
        }
        comparison.has_numbers = true;
        Ok(())
    }
}

/// The result of a comparison.
#[derive(Default)]
struct Comparison {
    rows: usize,
    equal: usize,
    /// Numbers that are equal to the bit.
    equal_bits: usize,
    has_numbers: bool,
    greatest: f64,
    /// The first rows that differ, from 1: the answer and the prediction.
    examples: Vec<(usize, String, String)>,
}

impl Comparison {
    fn add(&mut self, row: usize, is_equal: bool, difference: f64, texts: impl FnOnce() -> (String, String)) {
        self.rows += 1;
        self.equal += usize::from(is_equal);
        self.greatest = self.greatest.max(difference);
        if !is_equal && self.examples.len() < SHOWN {
            let (found, expected) = texts();
            self.examples.push((row + 1, found, expected));
        }
    }

    fn passed(&self) -> bool {
        self.equal == self.rows
    }

    fn summary(&self) -> String {
        let rows = counted(self.rows as u64, "row", "rows");
        if self.has_numbers {
            format!(
                "{} of {rows} within the tolerance, {} equal to the bit, greatest difference {:e}",
                self.equal, self.equal_bits, self.greatest
            )
        } else {
            format!("{} of {rows} equal", self.equal)
        }
    }
}

fn print_examples(comparison: &Comparison) -> anyhow::Result<()> {
    for (row, found, expected) in &comparison.examples {
        print_out(format_args!("  row {row}: {found}, expected {expected}"))?;
    }
    Ok(())
}

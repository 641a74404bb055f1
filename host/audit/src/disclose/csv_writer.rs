//! Writes decided rows as CSV (RFC 4180, with line feeds).
//!
//! Invariants: a null is an empty cell, and an empty text is a quoted one (`""`), so the two can be told apart. Without
//! the spreadsheet form, a reader gets every text as it is. In the spreadsheet form no text is read as a formula, and a
//! reader that removes one apostrophe at the start of a cell gets every text as it is.

use std::borrow::Cow;
use std::io::{BufWriter, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::FormatOptions;

use crate::disclose::cell_text::cell_texts;

/// How texts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsvText {
    /// As they are, for programs.
    Exact,
    /// With an apostrophe before each text that a spreadsheet would read as a formula, and before each that begins with
    /// an apostrophe.
    Spreadsheet,
}

/// Writes batches of one schema, with a header.
pub(crate) struct CsvWriter<W: Write> {
    out: BufWriter<W>,
    text: CsvText,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// If `out` cannot be written.
    pub fn new(out: W, schema: &SchemaRef, text: CsvText) -> anyhow::Result<CsvWriter<W>> {
        let mut writer = CsvWriter { out: BufWriter::new(out), text };
        let heads = schema.fields().iter().map(|field| writer.text_cell(field.name())).collect();
        writer.line(heads)?;
        Ok(writer)
    }

    /// Writes the rows of a batch.
    ///
    /// # Errors
    /// If the output cannot be written, or a value has no text.
    pub fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        let mut rows = vec![Vec::with_capacity(batch.num_columns()); batch.num_rows()];
        for column in batch.columns() {
            let is_text = is_text(column.data_type());
            for (row, cell) in rows.iter_mut().zip(cell_texts(column, &FormatOptions::new())?) {
                row.push(match cell {
                    None => String::new(),
                    Some(text) if is_text => self.text_cell(&text),
                    Some(number) => number,
                });
            }
        }
        rows.into_iter().try_for_each(|row| self.line(row))
    }

    /// The output, with everything written to it.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn finish(self) -> anyhow::Result<W> {
        Ok(self.out.into_inner().map_err(|error| error.into_error())?)
    }

    fn line(&mut self, cells: Vec<String>) -> anyhow::Result<()> {
        Ok(self.out.write_all((cells.join(",") + "\n").as_bytes())?)
    }

    /// A text as a cell: quoted if it is empty or contains a comma, a quotation mark or a line break.
    fn text_cell(&self, text: &str) -> String {
        let text = match self.text {
            CsvText::Exact => Cow::Borrowed(text),
            CsvText::Spreadsheet => spreadsheet_text(text),
        };
        match text.is_empty() || text.contains([',', '"', '\r', '\n']) {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text.into_owned(),
        }
    }
}

/// Whether the cells of a column are texts, not numbers, times or truth values.
fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::List(_) | DataType::Map(..) => {
            true
        }
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// A text that no spreadsheet reads as a formula. A negative number is not a formula and is unchanged.
fn spreadsheet_text(text: &str) -> Cow<'_, str> {
    // The characters that OWASP lists for CSV injection, with their full-width forms; and the apostrophe, so that no two
    // texts become equal.
    let starts = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\''];
    match text.starts_with(starts) && !is_negative_number(text) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

fn is_negative_number(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('-') else { return false };
    digits.starts_with(|c: char| c.is_ascii_digit()) && digits.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, ListBuilder, StringArray, StringBuilder};
    use proptest::prelude::*;

    use super::*;

    /// The cells of a CSV file, each with whether it is quoted.
    fn read(text: &str) -> Vec<Vec<(String, bool)>> {
        let (mut rows, mut row, mut cell, mut quoted, mut open) =
            (Vec::new(), Vec::new(), String::new(), false, false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '"' if open && chars.peek() == Some(&'"') => cell.push(chars.next().unwrap()),
                '"' => (open, quoted) = (!open, true),
                ',' | '\n' if !open => {
                    row.push((std::mem::take(&mut cell), std::mem::take(&mut quoted)));
                    if c == '\n' {
                        rows.push(std::mem::take(&mut row));
                    }
                }
                c => cell.push(c),
            }
        }
        rows
    }

    fn written(columns: Vec<(&str, ArrayRef)>, text: CsvText) -> String {
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, true)),
        )
        .unwrap();
        let mut writer = CsvWriter::new(Vec::new(), &batch.schema(), text).unwrap();
        writer.write(&batch).unwrap();
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn nulls_and_empty_texts_are_different_cells() {
        let texts = StringArray::from(vec![Some("a"), Some(""), None]);
        let numbers = Float64Array::from(vec![Some(-1.5), None, Some(0.0)]);
        let mut rankings = ListBuilder::new(StringBuilder::new());
        rankings.append_value(["x", "a, \"b\""].map(Some));
        rankings.append_value([] as [Option<&str>; 0]);
        rankings.append_null();
        let columns: Vec<(&str, ArrayRef)> =
            vec![("t", Arc::new(texts)), ("n", Arc::new(numbers)), ("r", Arc::new(rankings.finish()))];
        assert_eq!(
            written(columns, CsvText::Exact),
            "t,n,r\na,-1.5,\"[\"\"x\"\",\"\"a, \\\"\"b\\\"\"\"\"]\"\n\"\",,[]\n,0.0,\n"
        );
    }

    #[test]
    fn spreadsheets_get_no_formula_and_programs_get_the_text() {
        let texts = [
            "=1+1", "+49 30", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'a", "-5", "-5.25", "-1e3", "a=b",
            "",
        ];
        let columns = |texts: &[&str]| -> Vec<(&str, ArrayRef)> {
            let numbers = Int64Array::from_iter_values((0..texts.len() as i64).map(|number| -number));
            vec![("t", Arc::new(StringArray::from(texts.to_vec()))), ("n", Arc::new(numbers))]
        };
        let cells = |text| {
            let rows = read(&written(columns(&texts), text));
            rows.into_iter().skip(1).map(|row| row[0].0.clone()).collect::<Vec<_>>()
        };
        assert_eq!(cells(CsvText::Exact), texts);
        assert_eq!(
            cells(CsvText::Spreadsheet),
            [
                "'=1+1",
                "'+49 30",
                "'-2+3",
                "'@SUM(A1)",
                "'\t=1",
                "'\r=1",
                "'＝1",
                "''a",
                "-5",
                "-5.25",
                "-1e3",
                "a=b",
                ""
            ]
        );
        assert!(written(columns(&["a", "b"]), CsvText::Spreadsheet).ends_with("b,-1\n"));
    }

    proptest! {
        #[test]
        fn every_text_comes_back(texts in prop::collection::vec(prop::option::of("[-=+@'\",\r\n\t0-9.ea]{0,5}|\\PC{0,5}"), 1..6)) {
            for form in [CsvText::Exact, CsvText::Spreadsheet] {
                let columns: Vec<(&str, ArrayRef)> = vec![("t", Arc::new(StringArray::from(texts.clone())))];
                let rows = read(&written(columns, form));
                let read: Vec<Option<String>> = rows.into_iter().skip(1).map(|mut row| match row.remove(0) {
                    (cell, false) if cell.is_empty() => None,
                    (cell, _) if form == CsvText::Spreadsheet => {
                        Some(cell.strip_prefix('\'').map_or(cell.clone(), str::to_owned))
                    }
                    (cell, _) => Some(cell),
                }).collect();
                prop_assert_eq!(&read, &texts);
            }
        }
    }
}

//! The columns of a CSV file, and rows as objects of JSON with a key for each column.

use understudy_study::{FieldKind, Stream, nearest};

use crate::csv_cell::{append_cell, append_string, column_kind};
use crate::csv_row::RowParser;

/// The number of columns that a message lists.
const LISTED: usize = 20;

/// The columns of a file, by its header.
#[derive(Clone)]
pub(crate) struct CsvColumns {
    columns: Vec<CsvColumn>,
}

#[derive(Clone)]
struct CsvColumn {
    name: String,
    kind: FieldKind,
    /// The name as a key of JSON, with the colon.
    key: Vec<u8>,
}

impl CsvColumns {
    /// The columns that a header names.
    ///
    /// # Errors
    /// Why the header names no columns of the stream.
    pub(crate) fn from_header(names: &[String], stream: Option<&Stream>) -> Result<CsvColumns, String> {
        let first = names.first().map(String::as_str).unwrap_or_default();
        if first.starts_with('{') {
            return Err(
                "its first line is JSON and no header; write format = \"json-lines\" beside the file"
                    .to_owned(),
            );
        }
        for (separator, what) in [(';', "semicolons"), ('\t', "tabs"), ('|', "vertical bars")] {
            if names.len() == 1 && first.contains(separator) {
                return Err(format!(
                    "its columns are separated by {what}; separate them by commas, and write numbers with a decimal point"
                ));
            }
        }
        if first.contains('\r') {
            return Err("its lines end with a carriage return alone; end them with a line feed".to_owned());
        }
        let repeated = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        if let Some((_, name)) = repeated {
            return Err(format!("its header has the column {name:?} twice; rename or remove one"));
        }
        if let Some(fault) = absent_columns(names, stream).into_iter().next() {
            return Err(fault);
        }
        let column = |name: &String| {
            let mut key = Vec::new();
            append_string(&mut key, name);
            key.push(b':');
            CsvColumn { name: name.clone(), kind: column_kind(stream, name), key }
        };
        Ok(CsvColumns { columns: names.iter().map(column).collect() })
    }

    /// Writes the row that was parsed into `out`, as an object of JSON. Returns the faults of its cells, if there are any.
    ///
    /// # Errors
    /// Why the row has no cells for these columns.
    pub(crate) fn record(
        &self,
        row: &RowParser,
        cells: usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<String>, String> {
        if cells != self.columns.len() {
            return Err(format!(
                "the row has {cells} cells, and the header {}; put quotes around a cell with a comma, a quote or a line break",
                self.columns.len()
            ));
        }
        let mut faults = Vec::new();
        out.clear();
        for (at, column) in self.columns.iter().enumerate() {
            let Some(cell) = row.cell(at) else {
                return Err(format!(
                    "column {} `{}`: not UTF-8; convert the file first",
                    at + 1,
                    column.name
                ));
            };
            out.push(if at == 0 { b'{' } else { b',' });
            out.extend_from_slice(&column.key);
            if let Err(fault) = append_cell(out, column.kind, cell) {
                faults.push(format!("column {} `{}`: {fault}", at + 1, column.name));
            }
        }
        out.push(b'}');
        Ok((!faults.is_empty()).then(|| faults.join("; ")))
    }
}

/// A fault for each column that the study declares and a table lacks. All rows of a table have the same columns, so no row could have
/// the value.
pub(crate) fn absent_columns(names: &[String], stream: Option<&Stream>) -> Vec<String> {
    let Some(stream) = stream else { return Vec::new() };
    let keys = [(&stream.id, "as the key of the id"), (&stream.time, "as the key of the time")];
    let fields = stream.fields.iter().map(|field| (&field.name, "as a field"));
    let absent = keys.into_iter().chain(fields).filter(|(name, _)| !names.contains(name));
    absent
        .map(|(name, role)| {
            let similar = nearest(name, names.iter().map(String::as_str));
            let advice = similar.map_or_else(String::new, |similar| format!("; did you mean {similar:?}?"));
            format!(
                "it has no column {name:?}, which the study declares {role}; its columns are {}{advice}",
                name_list(names)
            )
        })
        .collect()
}

/// Names of columns, for messages.
pub(crate) fn name_list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("{name:?}")).collect();
    format!("{}{}", shown.join(", "), if names.len() > LISTED { ", ..." } else { "" })
}

//! Warns of names that differ in case only.
//!
//! Invariants: such names are valid, so they are warnings and no faults.
//!
//! Most names become columns of the run's Parquet files. Tools that do not tell case apart cannot tell such columns apart:
//! Spark refuses the file (`COLUMN_ALREADY_EXISTS`), DuckDB renames the second column.

use std::collections::HashMap;

use super::table_reader::TableReader;

/// What happens to names that become columns.
pub(super) const COLUMNS: &str =
    "Spark cannot read a file with both as columns, and DuckDB renames the second";
/// What happens to names that only people read.
pub(super) const LABELS: &str = "readers of the report may confuse them";

/// Warns of each of these names that differs from an earlier one in case only. `sort` is the kind of item in the singular,
/// such as "plugin", and
/// `consequence` what happens to such names. Each name comes with its line.
pub(super) fn warn_of_similar_names<'n>(
    root: &TableReader<'_>,
    sort: &str,
    consequence: &str,
    names: impl IntoIterator<Item = (&'n str, usize)>,
) {
    let mut earlier: HashMap<String, (&str, usize)> = HashMap::new();
    for (name, line) in names {
        let (first, first_line) = *earlier.entry(name.to_lowercase()).or_insert((name, line));
        if first != name {
            root.warn(
                line,
                format!(
                    "the {sort}s `{first}`, line {first_line}, and `{name}` differ in case only; {consequence}. Rename \
                     one of them"
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::read;

    fn warnings(edits: &[(&str, &str)]) -> String {
        let line = |warning: &crate::Fault| format!("{}: {}\n", warning.line, warning.message);
        read(edits).warnings.iter().map(line).collect()
    }

    #[test]
    fn names_that_differ_in_case_only_are_warnings() {
        assert_eq!(warnings(&[]), "");
        insta::assert_snapshot!(
            warnings(&[
                ("repeated = \"boolean\"\n", "Segment = \"text\"\n\"MÜLL\" = \"text\"\n\"müll\" = \"text\"\n"),
                ("room = \"text\"\n", "room = \"text\"\nROOM = \"text\"\nRoom = \"text\"\n"),
                ("name = \"agreement\"", "name = \"Rules\""),
                ("name = \"lead-time\"", "name = \"SEGMENT\""),
                (
                    "[windows]",
                    "[[scopes]]\nname = \"Direct\"\nwhere = { segment = \"direct\" }\n[[scopes]]\nname = \"direct\"\n\
                     where = { segment = \"direct\" }\n[windows]",
                ),
            ]),
            @"
        10: the input fields `segment`, line 8, and `Segment` differ in case only; Spark cannot read a file with both as columns, and DuckDB renames the second. Rename one of them
        12: the input fields `MÜLL`, line 11, and `müll` differ in case only; Spark cannot read a file with both as columns, and DuckDB renames the second. Rename one of them
        19: the decision fields `room`, line 18, and `ROOM` differ in case only; Spark cannot read a file with both as columns, and DuckDB renames the second. Rename one of them
        20: the decision fields `room`, line 18, and `Room` differ in case only; Spark cannot read a file with both as columns, and DuckDB renames the second. Rename one of them
        32: the plugins `rules`, line 24, and `Rules` differ in case only; Spark cannot read a file with both as columns, and DuckDB renames the second. Rename one of them
        39: the conditions `segment`, line 35, and `SEGMENT` differ in case only; Spark cannot read a file with both as columns, and DuckDB renames the second. Rename one of them
        46: the scopes `Direct`, line 43, and `direct` differ in case only; readers of the report may confuse them. Rename one of them
        "
        );
    }

    #[test]
    fn a_name_may_occur_in_several_places() {
        // A field of both streams, a field and a condition, and names that only look alike.
        let edits = [
            ("room = \"text\"", "room = \"text\"\nSegment = \"text\""),
            ("price", "segrnent"),
            ("\"rules\"", "\"Segment\""),
        ];
        assert_eq!(warnings(&edits.map(|(from, to)| (from, to))), "");
    }
}

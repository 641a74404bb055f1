//! Says in a sentence that no record has a value of a declared field, which nearly always is a difference of names.

use crate::format::counted;
use crate::model::report::Report;
use crate::model::run_summary::MissingValues;

/// A sentence for each field that is missing in all accepted records of its stream.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    let absent = report.missing_values.iter().filter(|values| values.missing == values.records);
    absent.map(sentence).collect()
}

fn sentence(MissingValues { stream, field, records, .. }: &MissingValues) -> String {
    format!(
        "THE FIELD `{field}` HAS NO VALUE in any of {}, so nothing that depends on it is tested. Correct its name in study.toml or in \
         the source.",
        counted(*records, stream.trim_end_matches('s'), stream)
    )
}

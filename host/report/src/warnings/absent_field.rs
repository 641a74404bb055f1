//! Says in a sentence that no record has a value of a declared field, which nearly always is a difference of names.

use crate::format::counted;
use crate::model::report::Report;
use crate::model::run_summary::MissingValues;
use crate::value_text::value_text;
use understudy_records::diagnosis::MisspeltField;

/// A sentence for each field that is missing in all accepted records of its stream.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    // A key of a record is part of the record, so it is shown after the end only.
    let misspelt = report.input_diagnosis.iter().filter(|_| report.end.is_final());
    let misspelt: Vec<_> = misspelt.flat_map(|diagnosis| &diagnosis.misspelt).collect();
    let absent = report.missing_values.iter().filter(|values| values.missing == values.records);
    let similar = |values: &MissingValues| {
        misspelt.iter().find(|found| found.stream == values.stream && found.field == values.field).copied()
    };
    absent.map(|values| sentence(values, similar(values))).collect()
}

fn sentence(values: &MissingValues, similar: Option<&MisspeltField>) -> String {
    let MissingValues { stream, field, records, .. } = values;
    let remedy = match similar {
        Some(MisspeltField { key, .. }) => format!(
            "The {stream} have the key `{}`, which the study does not declare; write the same name in both.",
            value_text(key)
        ),
        None => "Correct its name in study.toml or in the source.".to_owned(),
    };
    format!(
        "THE FIELD `{field}` HAS NO VALUE in any of {}, so nothing that depends on it is tested. {remedy}",
        counted(*records, stream.trim_end_matches('s'), stream)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run_summary::RunEnd;
    use crate::terminal::fixture;
    use understudy_records::diagnosis::InputDiagnosis;

    #[test]
    fn a_similar_key_is_named_after_the_end_only() {
        let values = |field: &str, missing| MissingValues {
            stream: "snapshots".into(),
            field: field.into(),
            missing,
            records: 7,
        };
        let similar = MisspeltField {
            stream: "snapshots".into(),
            field: "nights".into(),
            key: "nigths\u{202e}".into(),
            records: 7,
        };
        let report = |end| Report {
            end,
            missing_values: vec![values("nights", 7), values("price", 6), values("room", 7)],
            input_diagnosis: Some(InputDiagnosis {
                misspelt: vec![similar.clone()],
                ..InputDiagnosis::default()
            }),
            ..fixture::empty()
        };
        insta::assert_snapshot!(sentences(&report(RunEnd::Finished)).join("\n"), @r"
        THE FIELD `nights` HAS NO VALUE in any of 7 snapshots, so nothing that depends on it is tested. The snapshots have the key `nigths\u{202e}`, which the study does not declare; write the same name in both.
        THE FIELD `room` HAS NO VALUE in any of 7 snapshots, so nothing that depends on it is tested. Correct its name in study.toml or in the source.
        ");
        assert!(!sentences(&report(RunEnd::Interrupted)).join("\n").contains("nigths"));
    }
}

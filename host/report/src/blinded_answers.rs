//! Counts the missing answers to blinded snapshots, which the models are asked about once their decisions are known.
//!
//! Invariants: the missing answers of a model are its abstentions and failures, and these.

use crate::format::{count, counted};
use crate::model::report::{ModelReport, Report};
use crate::model::run_summary::MissingKind;

/// The missing answers of a model to blinded snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlindedUnanswered {
    /// The abstentions.
    pub abstained: u64,
    /// The failures.
    pub failed: u64,
}

impl BlindedUnanswered {
    /// All of them.
    pub fn total(self) -> u64 {
        self.abstained.saturating_add(self.failed)
    }
}

/// The missing answers of a model to blinded snapshots.
pub fn blinded_unanswered(report: &Report, model: &ModelReport) -> BlindedUnanswered {
    let missing = |kind: MissingKind| -> u64 {
        let groups = report.missing_answers.iter();
        groups
            .filter(|group| group.plugin == model.plugin.name && group.kind == kind)
            .map(|group| group.count)
            .sum()
    };
    BlindedUnanswered {
        abstained: missing(MissingKind::Abstained).saturating_sub(model.abstained),
        failed: missing(MissingKind::Failed).saturating_sub(model.failed),
    }
}

/// A sentence on the missing answers of a model to blinded snapshots; `None` if there are none.
pub fn blinded_sentence(report: &Report, model: &ModelReport) -> Option<String> {
    let missing = blinded_unanswered(report, model);
    let parts = [(missing.abstained, "abstained"), (missing.failed, "failed")];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| {
            format!("{what} on {}", counted(number, "blinded snapshot", "blinded snapshots"))
        })
        .collect();
    (!parts.is_empty()).then(|| {
        let all = BlindedUnanswered {
            abstained: model.abstained.saturating_add(missing.abstained),
            failed: model.failed.saturating_add(missing.failed),
        };
        format!(
            "{} also {}, once their decisions were known: {} abstentions and {} failures in all.",
            model.plugin.name,
            parts.join(" and "),
            count(all.abstained),
            count(all.failed)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run_summary::MissingAnswers;
    use crate::terminal::fixture::hotel;

    #[test]
    fn failures_on_blinded_snapshots_are_counted_beside_the_others() {
        let mut report = hotel();
        let name = report.models[0].plugin.name.clone();
        (report.models[0].failed, report.models[0].abstained, report.models[0].blinded) = (24, 0, 250);
        let missing = |kind, count| MissingAnswers {
            plugin: name.clone(),
            kind,
            reason: Some("a reason".to_owned()),
            count,
            first_id: "b-1".to_owned(),
            example: None,
        };
        report.missing_answers = vec![missing(MissingKind::Failed, 20), missing(MissingKind::Failed, 4)];
        assert_eq!(blinded_sentence(&report, &report.models[0]), None);
        report.missing_answers.push(missing(MissingKind::Failed, 6));
        insta::assert_snapshot!(blinded_sentence(&report, &report.models[0]).unwrap(), @"booked-room also failed on 6 blinded snapshots, once their decisions were known: 0 abstentions and 30 failures in all.");
        assert_eq!(blinded_unanswered(&report, &report.models[0]).total(), 6);
    }
}

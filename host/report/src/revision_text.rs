//! Sentences about revised decisions, the same for every rendering.

use crate::format::{UNDEFINED, count, counted, number_text};
use crate::model::report::Report;
use crate::model::revisions::{CountingDecision, RevisionNumbers, RevisionReport};
use crate::value_text::value_text;
use understudy_statistics::verdict::{RevisedAgreement, RevisedSlice, Verdict, VerdictRevisions};

/// What the report says about revised decisions, sentence by sentence.
pub fn revision_sentences(report: &Report, revisions: &RevisionReport) -> Vec<String> {
    let RevisionReport { counts, version, overall, .. } = revisions;
    let RevisionNumbers { pairs, decisions, known, changed } = *overall;
    let counting = match (counts, version) {
        (CountingDecision::First, _) => "the first one counts, by event time".to_owned(),
        (CountingDecision::Last, None) => "the last one counts, by event time".to_owned(),
        (CountingDecision::Last, Some(version)) => format!("the last one counts, by the field `{version}`"),
    };
    let of_all = counted(report.accounting.snapshots.paired, "pair", "pairs");
    if pairs == 0 {
        return vec![format!("None of {of_all} has more than one decision. If one had, {counting}.")];
    }
    let mut sentences = vec![format!(
        "{} of {of_all} {} more than one decision; {counting}. {} not count.",
        count(pairs),
        if pairs == 1 { "has" } else { "have" },
        counted(decisions, "other decision does", "other decisions do"),
    )];
    let both = format!(
        "The comparator answered both the first and the last decision of {}",
        counted(known, "pair", "pairs")
    );
    sentences.push(match changed {
        Some(changed) => format!("{both}; its answer changed in {}.", count(changed)),
        None => format!("{both}."),
    });
    sentences
}

/// What a verdict says about the revised decisions of the whole run.
pub fn revised_sentence(verdict: &Verdict, revisions: &VerdictRevisions) -> String {
    let RevisedSlice { pairs, decisions, .. } = revisions.overall;
    let of_all = counted(verdict.accounting.snapshots.paired, "pair", "pairs");
    if pairs == 0 {
        return format!(
            "None of {of_all} has more than one decision; the {} one would count.",
            revisions.counts
        );
    }
    format!(
        "{} of {of_all} {} more than one decision. The {} one counts; {} not. {}.",
        count(pairs),
        if pairs == 1 { "has" } else { "have" },
        revisions.counts,
        counted(decisions, "other does", "others do"),
        agreement_text(&revisions.overall)
    )
}

/// The condition and value of revised decisions: `kind = room`.
pub fn revised_slice_name(slice: &RevisedSlice) -> String {
    let part = |part: &Option<String>| part.as_deref().map(value_text).unwrap_or_default();
    format!("{} = {}", part(&slice.condition), part(&slice.value))
}

/// The agreement of each model before and after the revision.
fn agreement_text(slice: &RevisedSlice) -> String {
    let value = |value: Option<f64>| value.map_or(UNDEFINED.to_owned(), number_text);
    let model = |agreement: &RevisedAgreement| {
        format!(
            "{}: {} against the first and {} against the last decision",
            agreement.model,
            value(agreement.first),
            value(agreement.last)
        )
    };
    let models: Vec<String> = slice.models.iter().map(model).collect();
    format!("{} over {} with both answers", models.join(", "), counted(slice.known, "pair", "pairs"))
}

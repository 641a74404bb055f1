//! Sentences at the head of a report that its figures may not mean what a reader expects.

mod absent_field;
pub(crate) mod input_diagnosis;
mod label_mismatch;
mod plugin_failure;
mod training_overlap;

use crate::model::report::Report;

/// All warnings, the most important first.
pub(crate) fn sentences(report: &Report) -> Vec<String> {
    let sentences = [
        input_diagnosis::sentences(report),
        plugin_failure::sentences(report),
        absent_field::sentences(report),
        label_mismatch::sentences(report),
        training_overlap::sentences(report),
    ];
    sentences.concat()
}

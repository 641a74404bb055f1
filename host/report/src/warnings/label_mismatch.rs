//! Says in a sentence that a model and the substrate have no label in common, which nearly always is a difference of names.

use std::collections::BTreeSet;

use crate::format::{count, counted};
use crate::model::divergence::AnswerDistribution;
use crate::model::report::{ModelReport, Report};
use crate::value_text::listed_value;

/// The number of labels of each side that a sentence names.
const NAMED: usize = 3;
/// The least number of answers that show that labels differ by name.
const LEAST_ANSWERS: u64 = 20;

/// A sentence for each model of a final report that never gives any label of the substrate.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    report.models.iter().filter_map(sentence).collect()
}

fn sentence(model: &ModelReport) -> Option<String> {
    let AnswerDistribution::Label { agreeing: 0, answers, metrics: Some(_), .. } =
        &model.answer_distributions.overall
    else {
        return None;
    };
    let answered = answers.iter().filter(|pair| pair.model.is_some());
    let pairs: u64 = answered.clone().map(|pair| pair.pairs).sum();
    let own: BTreeSet<&str> = answered.filter_map(|pair| pair.model.as_deref()).collect();
    let substrate: BTreeSet<&str> = answers.iter().map(|pair| pair.substrate.as_str()).collect();
    (pairs >= LEAST_ANSWERS && own.is_disjoint(&substrate)).then(|| {
        format!(
            "NO ANSWER OF {} EQUALS ANY DECISION, over {}: its labels are {}, and those of the substrate are {}. Configure the \
             model or the comparator so that both use the same labels.",
            model.plugin.name,
            counted(pairs, "pair", "pairs"),
            named(&own),
            named(&substrate)
        )
    })
}

fn named(labels: &BTreeSet<&str>) -> String {
    let first: Vec<String> =
        labels.iter().take(NAMED).map(|label| listed_value(label, &[", ", " and "])).collect();
    match labels.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {} more", first.join(", "), count(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::divergence::AnswerPair;
    use crate::terminal::fixture;

    fn warnings_of(cells: &[(Option<&str>, &str, u64)]) -> Vec<String> {
        let mut report = fixture::hotel();
        for model in &mut report.models {
            let AnswerDistribution::Label { agreeing, answers, .. } = &mut model.answer_distributions.overall
            else {
                panic!("labels")
            };
            *answers = cells
                .iter()
                .map(|(model, substrate, pairs)| AnswerPair {
                    model: model.map(str::to_owned),
                    substrate: (*substrate).to_owned(),
                    pairs: *pairs,
                })
                .collect();
            let equal = answers.iter().filter(|pair| pair.model.as_ref() == Some(&pair.substrate));
            *agreeing = equal.map(|pair| pair.pairs).sum();
        }
        sentences(&report)
    }

    #[test]
    fn labels_of_other_names_are_named() {
        let found = warnings_of(&[
            (Some("0"), "A", 15),
            (Some("1"), "B", 5),
            (Some("2"), "C, D", 1),
            (Some("3"), "E", 1),
        ]);
        insta::assert_snapshot!(found[0], @r#"NO ANSWER OF booked-room EQUALS ANY DECISION, over 22 pairs: its labels are 0, 1, 2 and 1 more, and those of the substrate are A, B, "C, D" and 1 more. Configure the model or the comparator so that both use the same labels."#);
        // Each model has a sentence.
        assert!(found.len() == 2 && found[1].contains("room-rules"), "{found:?}");
    }

    #[test]
    fn labels_in_common_or_few_answers_are_no_mismatch() {
        for cells in [
            &[(Some("a"), "b", 30), (Some("b"), "a", 30)][..],
            &[(Some("a"), "a", 1), (Some("x"), "b", 90)],
            &[(Some("0"), "a", 19)],
            &[(None, "a", 90)],
            &[],
        ] {
            assert_eq!(warnings_of(cells), Vec::<String>::new(), "{cells:?}");
        }
    }
}

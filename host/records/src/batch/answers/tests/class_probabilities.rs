//! Answers with class probabilities.

use super::*;

/// A label with its class probabilities.
type Classified<'a> = (&'a str, &'a [(&'static str, f64)]);

/// Labels with class probabilities; `None` is an unanswered row.
fn classified(rows: &[Option<Classified<'_>>]) -> Answers {
    let mut names = Dictionary::default();
    let (mut offsets, mut codes, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in rows {
        for (class, probability) in row.iter().flat_map(|(_, classes)| *classes) {
            codes.push(names.code(class));
            values.push(*probability);
        }
        offsets.push(codes.len() as u32);
    }
    let probabilities = Probabilities { names: names.finish(), offsets, codes, values };
    let labels = labels(&rows.iter().map(|row| row.map(|(label, _)| label)).collect::<Vec<_>>());
    Answers { probabilities: Some(probabilities), ..labels }
}

fn classes(answers: &Answers, row: usize) -> Vec<(&str, f64)> {
    answers.probabilities.as_ref().expect("probabilities").row(row).collect()
}

#[test]
fn probabilities_are_gathered_with_their_rows() {
    let first = classified(&[Some(("a", &[("a", 0.75), ("b", 0.25)])), None]);
    let second = classified(&[Some(("b", &[("b", 1.0)])), Some(("c", &[("c", 0.5), ("a", 0.5)]))]);
    let none = Answers::unanswered(first.schema(), 1, &Reason::Blinded);
    let without = labels(&[Some("d")]);
    let picks = [(1, 1), (2, 0), (0, 0), (0, 1), (3, 0), (1, 0)];
    let gathered = Answers::gather(&[&first, &second, &none, &without], &picks);
    let expected: [&[(&str, f64)]; 6] =
        [&[("c", 0.5), ("a", 0.5)], &[], &[("a", 0.75), ("b", 0.25)], &[], &[], &[("b", 1.0)]];
    for (row, expected) in expected.into_iter().enumerate() {
        assert_eq!(classes(&gathered, row), expected, "row {row}");
    }
    let names = &gathered.probabilities.as_ref().expect("probabilities").names;
    assert_eq!(names.len(), 3, "each class once: {names:?}");
    let own = &first.probabilities.as_ref().expect("probabilities").names;
    let size = own.get_array_memory_size() + 4 * (3 + 2) + 8 * 2;
    assert_eq!(first.bytes() - Answers { probabilities: None, ..first.clone() }.bytes(), size);
}

#[test]
fn probabilities_are_read_back_from_their_column() {
    let answers = classified(&[Some(("a", &[("b", 0.25), ("a", 0.75)])), None, Some(("b", &[("b", 1.0)]))]);
    let columns = answers.columns("m");
    let names: Vec<&str> = columns.iter().map(|(field, _)| field.name().as_str()).collect();
    assert_eq!(names, ["m.answer", "m.unanswered", "m.confidence", "m.probabilities"]);
    assert_eq!(answers.schema().column_names("m"), names);
    let columns: Vec<&ArrayRef> = columns.iter().map(|(_, column)| column).collect();
    let read = Answers::from_columns(answers.schema(), &columns).expect("valid columns");
    assert!(answers.differing(&read).is_empty());
    assert_eq!(classes(&read, 0), [("b", 0.25), ("a", 0.75)], "in the order of the plugin");

    assert_eq!(Answers::from_columns(AnswerForm::Label, &columns), None, "a column too many");
    assert_eq!(Answers::from_columns(answers.schema(), &columns[..3]), None, "a column too few");
    let others = classified(&[None, Some(("a", &[("a", 1.0)])), Some(("b", &[("b", 1.0)]))]);
    let other = others.columns("m");
    let columns = [columns[0], columns[1], columns[2], &other[3].1];
    assert_eq!(Answers::from_columns(answers.schema(), &columns), None, "those of other rows");
}

#[test]
fn answers_with_other_probabilities_differ() {
    let one = classified(&[Some(("a", &[("a", 0.75), ("b", 0.25)])), Some(("a", &[("a", 1.0)]))]);
    let other = classified(&[Some(("a", &[("a", 0.5), ("b", 0.5)])), Some(("a", &[("a", 1.0)]))]);
    assert_eq!(one.differing(&other), [0]);
    assert!(one.differing_values(&other).is_empty());
    assert_eq!(one.differing(&Answers { probabilities: None, ..one.clone() }), [0, 1]);
}

#[test]
fn a_confidence_is_the_reported_one_or_the_probability_of_the_label() {
    let answers = classified(&[Some(("a", &[("b", 0.25), ("a", 0.75)])), None, Some(("c", &[("b", 1.0)]))]);
    let confidences = |answers: &Answers| [0, 1, 2].map(|row| answers.confidence_at(row));
    assert_eq!(confidences(&answers), [Some(0.75), None, Some(0.0)]);
    let sure = Answers { confidence: Some(vec![0.5, 0.0, f64::NAN]), ..answers };
    assert_eq!(confidences(&sure), [Some(0.5), None, Some(0.0)]);
    assert_eq!(confidences(&Answers { probabilities: None, ..sure }), [Some(0.5), None, None]);
    assert_eq!(Answers::from_numbers(vec![1.0]).confidence_at(0), None);
}

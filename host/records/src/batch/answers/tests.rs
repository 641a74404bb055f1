//! Gathering rows of answers, and writing them to columns and reading them back.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, Float64Array};
use arrow::datatypes::Float64Type;
use proptest::prelude::*;

use super::*;

mod class_probabilities;

fn labels(rows: &[Option<&str>]) -> Answers {
    let mut names: Vec<&str> = rows.iter().flatten().copied().collect();
    names.push("never given");
    names.sort_unstable();
    names.dedup();
    let code =
        |label: &Option<&str>| label.map_or(0, |l| names.binary_search(&l).expect("collected above") as u32);
    Answers {
        decisions: AnswerColumn::Labels {
            codes: rows.iter().map(code).collect(),
            names: Names::from_iter_values(&names),
        },
        confidence: None,
        probabilities: None,
        unanswered: unanswered(rows.iter().map(Option::is_none)),
    }
}

fn unanswered(missing: impl Iterator<Item = bool>) -> Vec<(u32, Reason)> {
    let missing = missing.enumerate().filter(|(_, missing)| *missing);
    missing.map(|(row, _)| (row as u32, Reason::Abstained(format!("row {row}")))).collect()
}

fn rankings(rows: &[&[&'static str]]) -> Answers {
    let names = ["p", "q", "r", "s"];
    let mut offsets = vec![0];
    let mut codes = Vec::new();
    for row in rows {
        codes.extend(
            row.iter().map(|name| names.iter().position(|n| n == name).expect("a known name") as u32),
        );
        offsets.push(codes.len() as u32);
    }
    let decisions = AnswerColumn::Rankings { names: Names::from_iter_values(names), offsets, codes };
    Answers { confidence: Some(vec![0.5; rows.len()]), ..Answers::from_values(decisions) }
}

fn shown(answers: &Answers) -> Vec<Option<String>> {
    let (_, column) = &answers.columns("")[0];
    column.as_string::<i32>().iter().map(|label| label.map(str::to_owned)).collect()
}

proptest! {
    #[test]
    fn gathering_returns_the_picked_rows(
        sources in prop::collection::vec(prop::collection::vec(prop::option::of("[a-d]{1,2}"), 1..8), 1..5),
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..30),
    ) {
        let all: Vec<Answers> = sources.iter().map(|rows| labels(&rows.iter().map(Option::as_deref).collect::<Vec<_>>())).collect();
        let picks: Vec<(usize, usize)> = picks
            .iter()
            .map(|(source, row)| { let s = source.index(all.len()); (s, row.index(sources[s].len())) })
            .collect();
        let gathered = Answers::gather(&all.iter().collect::<Vec<_>>(), &picks);
        let wanted: Vec<_> = picks.iter().map(|&(s, r)| sources[s][r].clone()).collect();
        prop_assert_eq!(shown(&gathered), wanted);
        for (at, &(source, row)) in picks.iter().enumerate() {
            prop_assert_eq!(gathered.reason(at), all[source].reason(row));
        }
        let AnswerColumn::Labels { names, .. } = &gathered.decisions else { panic!("labels") };
        let distinct: std::collections::BTreeSet<_> = names.iter().flatten().collect();
        prop_assert_eq!(distinct.len(), names.len(), "a name stands twice");
    }
}

#[test]
fn numbers_and_rankings_are_gathered() {
    let numbers = Answers {
        decisions: AnswerColumn::Numbers(vec![1.0, 2.0, 3.0]),
        confidence: None,
        probabilities: None,
        unanswered: unanswered([false, true, false].into_iter()),
    };
    let gathered = Answers::gather(&[&numbers], &[(0, 2), (0, 1)]);
    let columns = gathered.columns("model.m");
    let [(_, column), (_, reasons), _] = &columns[..] else { panic!("three columns") };
    assert_eq!(column.as_primitive::<Float64Type>().iter().collect::<Vec<_>>(), [Some(3.0), None]);
    let reasons: Vec<_> = reasons.as_string::<i32>().iter().collect();
    assert_eq!(reasons, [None, Some("abstained: row 1")]);

    let (first, second) = (rankings(&[&["p", "q"], &[]]), rankings(&[&["s", "p", "r"]]));
    let gathered = Answers::gather(&[&first, &second], &[(1, 0), (0, 1), (0, 0)]);
    let columns = gathered.columns("model.m");
    let [(field, column), .., (_, confidence)] = &columns[..] else { panic!("three columns") };
    assert_eq!(field.name(), "model.m.answer");
    let rows: Vec<String> = (0..3)
        .map(|row| {
            column
                .as_list::<i32>()
                .value(row)
                .as_string::<i32>()
                .iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(">")
        })
        .collect();
    assert_eq!(rows, ["s>p>r", "", "p>q"]);
    assert_eq!(confidence.as_primitive::<Float64Type>().values().to_vec(), [0.5; 3]);
}

#[test]
fn a_missing_confidence_stays_missing_beside_a_present_one() {
    let sure = rankings(&[&["p"]]);
    let unsure = Answers { confidence: None, ..rankings(&[&["q"]]) };
    let columns = Answers::gather(&[&sure, &unsure], &[(1, 0), (0, 0)]).columns("");
    let (_, confidence) = &columns[2];
    assert_eq!(confidence.as_primitive::<Float64Type>().iter().collect::<Vec<_>>(), [None, Some(0.5)]);
}

#[test]
fn unanswered_rows_exist_in_every_form() {
    for form in FORMS {
        let none = Answers::unanswered(form, 3, &Reason::Failed("trapped".into()));
        assert_eq!((none.form(), none.rows()), (form, 3));
        let columns = none.columns("");
        let [(_, answers), (_, reasons), _] = &columns[..] else { panic!("three columns") };
        assert_eq!(answers.null_count(), 3);
        assert_eq!(reasons.as_string::<i32>().value(2), "failed: trapped");
    }
}

#[test]
fn answers_are_compared_by_value_not_by_code() {
    let one = labels(&[Some("b"), Some("a"), None, Some("c")]);
    // The same names in a different dictionary.
    let coded = Answers::gather(&[&one], &[(0, 0), (0, 1), (0, 2), (0, 3)]);
    assert!(one.differing(&coded).is_empty());
    let AnswerColumn::Labels { codes, .. } = &one.decisions else { panic!("labels") };
    let AnswerColumn::Labels { codes: others, .. } = &coded.decisions else { panic!("labels") };
    assert_ne!(codes, others, "the dictionaries are other ones");
    assert_eq!(one.differing(&labels(&[Some("b"), Some("c"), None, None])), [1, 3]);
    assert_eq!(one.differing(&labels(&[Some("b"), Some("a")])), [2, 3], "a row that is not there differs");

    let numbers = |numbers: &[f64]| Answers {
        decisions: AnswerColumn::Numbers(numbers.to_vec()),
        confidence: None,
        probabilities: None,
        unanswered: Vec::new(),
    };
    assert_eq!(numbers(&[0.0, 1.5]).differing(&numbers(&[-0.0, 1.5])), [0], "to the bit");
    let sure = Answers { confidence: Some(vec![0.5, 1.0]), ..numbers(&[0.0, 1.5]) };
    assert_eq!(sure.differing(&numbers(&[0.0, 1.5])), [0, 1], "confidence is part of an answer");
    let other = Answers { unanswered: vec![(2, Reason::Failed("no".to_owned()))], ..one.clone() };
    assert_eq!(one.differing(&other), [2], "so is the reason for none");
}

#[test]
fn a_reason_is_parsed_from_its_own_text() {
    let cases = [
        (Reason::Abstained(String::new()), "abstained"),
        (Reason::Abstained("too few: rows".to_owned()), "abstained: too few: rows"),
        (Reason::Failed("no file".to_owned()), "failed: no file"),
        (Reason::Broke("trap".to_owned()), "broke: trap"),
        (Reason::Blinded, "blinded"),
    ];
    for (reason, text) in cases {
        assert_eq!(reason.to_string(), text);
        assert_eq!(Reason::parse(text), Some(reason), "{text}");
    }
    for text in ["", "failed", "broke", "blinded: x", "unknown: x"] {
        assert_eq!(Reason::parse(text), None, "{text:?}");
    }
}

#[test]
fn the_size_counts_every_code_offset_confidence_and_reason() {
    let AnswerColumn::Labels { names, .. } = labels(&[Some("a")]).decisions else { panic!("labels") };
    let name_bytes = names.get_array_memory_size();
    let coded = Answers {
        decisions: AnswerColumn::Labels { names: names.clone(), codes: vec![0; 3] },
        confidence: Some(vec![0.5; 5]),
        probabilities: None,
        unanswered: unanswered([true, true].into_iter()),
    };
    assert_eq!(coded.bytes(), name_bytes + 3 * 4 + 5 * 8 + 2 * 64);
    assert_eq!(Answers::from_numbers(vec![1.0; 3]).bytes(), 3 * 8);
    let ranked = Answers {
        decisions: AnswerColumn::Rankings { names, offsets: vec![0, 1, 3], codes: vec![0; 7] },
        confidence: None,
        probabilities: None,
        unanswered: Vec::new(),
    };
    assert_eq!(ranked.bytes(), name_bytes + (3 + 7) * 4);
}

#[test]
fn answers_that_differ_in_every_column_differ() {
    let one = Answers { confidence: Some(vec![0.5, 0.5]), ..Answers::from_numbers(vec![1.0, 2.0]) };
    let other = Answers {
        confidence: Some(vec![0.4, 0.5]),
        unanswered: vec![(1, Reason::Blinded)],
        ..Answers::from_numbers(vec![1.5, 2.0])
    };
    assert_eq!(one.differing(&other), [0, 1]);
}

#[test]
fn differing_values_ignore_confidence_and_reasons() {
    let one = Answers {
        confidence: Some(vec![0.5; 4]),
        unanswered: vec![(3, Reason::Failed("no".to_owned()))],
        ..Answers::from_numbers(vec![1.0, 2.0, 3.0, 0.0])
    };
    let other = Answers {
        confidence: None,
        probabilities: None,
        unanswered: vec![(3, Reason::Blinded)],
        ..Answers::from_numbers(vec![1.0, 2.5, 3.5, 0.0])
    };
    assert_eq!(one.differing_values(&other), [1, 2]);
    assert!(one.differing_values(&one).is_empty());
}

#[test]
fn failures_are_counted_without_abstentions_and_blinded_rows() {
    let reasons = [
        Reason::Abstained(String::new()),
        Reason::Failed(String::new()),
        Reason::Broke(String::new()),
        Reason::Blinded,
        Reason::Failed(String::new()),
    ];
    let unanswered = (0..).zip(reasons).collect();
    assert_eq!(Answers { unanswered, ..Answers::from_numbers(vec![0.0; 6]) }.failed(), 3);
}

#[test]
fn answers_are_read_back_from_their_columns() {
    let read = |answers: &Answers| {
        let columns = answers.columns("");
        let columns: Vec<&ArrayRef> = columns.iter().map(|(_, column)| column).collect();
        Answers::from_columns(answers.schema(), &columns)
    };
    let numbers = Answers {
        confidence: Some(vec![0.25, 0.5, 1.0]),
        unanswered: vec![(1, Reason::Blinded)],
        ..Answers::from_numbers(vec![1.5, 0.0, -2.0])
    };
    assert_eq!(read(&numbers), Some(numbers));
    let plain = Answers::from_numbers(vec![1.5, 2.5]);
    assert_eq!(read(&plain), Some(plain));
    let text = |ranking: &[&str]| ranking.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let ranked = Answers::from_rankings(&[text(&["a", "b"]), text(&[]), text(&["b", "c", "a"])]);
    assert_eq!(read(&ranked), Some(ranked));
    let labelled = labels(&[Some("b"), None, Some("a")]);
    let again = read(&labelled).expect("a label or a reason for each row");
    assert!(labelled.differing(&again).is_empty());

    let partial = Answers { confidence: Some(vec![f64::NAN, 0.5]), ..Answers::from_numbers(vec![1.0, 2.0]) };
    let confidence = read(&partial).and_then(|answers| answers.confidence).expect("a confidence");
    assert!(confidence[0].is_nan() && confidence[1] == 0.5, "{confidence:?}");
    let without = Answers { confidence: Some(vec![f64::NAN; 2]), ..partial };
    assert_eq!(read(&without).and_then(|answers| answers.confidence), None);
}

#[test]
fn a_row_needs_either_an_answer_or_a_reason() {
    let read = |values: [Option<f64>; 2], reasons: [Option<&str>; 2]| {
        let values: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
        let reasons: ArrayRef = Arc::new(StringArray::from(reasons.to_vec()));
        let confidence: ArrayRef = Arc::new(Float64Array::new_null(2));
        Answers::from_columns(AnswerForm::Number, &[&values, &reasons, &confidence])
    };
    assert!(read([Some(1.0), None], [None, Some("blinded")]).is_some());
    assert_eq!(read([Some(1.0), None], [None, None]), None, "neither");
    assert_eq!(read([Some(1.0), None], [Some("blinded"), None]), None, "the reason of another row");
    assert_eq!(read([Some(1.0), None], [Some("blinded"), Some("blinded")]), None, "both");
    assert_eq!(read([Some(1.0), None], [None, Some("asleep")]), None, "an unknown reason");
}

const FORMS: [AnswerForm; 5] =
    [AnswerForm::Label, AnswerForm::Number, AnswerForm::Ranking, AnswerForm::LabelSet, AnswerForm::Json];

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

proptest! {
    #[test]
    fn sets_and_json_values_are_gathered_and_read_back(
        sets in prop::collection::vec(prop::collection::btree_set("[a-d]{0,2}", 0..4), 1..12),
        picks in prop::collection::vec((0usize..2, any::<prop::sample::Index>()), 0..20),
        missing: prop::sample::Index,
    ) {
        let sets: Vec<Vec<String>> = sets.into_iter().map(|set| set.into_iter().collect()).collect();
        let json: Vec<String> = sets.iter().map(|set| serde_json::to_string(set).unwrap()).collect();
        let without = vec![(missing.index(sets.len()) as u32, Reason::Blinded)];
        for answers in [Answers::from_label_sets(&sets), Answers::from_json(json.iter().map(String::as_str))] {
            let sources = [answers.clone(), Answers { unanswered: without.clone(), ..answers }];
            let picks: Vec<_> = picks.iter().map(|(source, row)| (*source, row.index(sets.len()))).collect();
            let gathered = Answers::gather(&[&sources[0], &sources[1]], &picks);
            let columns = gathered.columns("");
            let columns: Vec<&ArrayRef> = columns.iter().map(|(_, column)| column).collect();
            let read = Answers::from_columns(gathered.schema(), &columns).expect("valid columns");
            prop_assert!(gathered.differing(&read).is_empty());
            let nominal = read.nominal();
            let AnswerColumn::Labels { names, codes } = &nominal.decisions else { panic!("labels") };
            for (at, &(source, row)) in picks.iter().enumerate() {
                prop_assert_eq!(read.reason(at), sources[source].reason(row));
                if read.reason(at).is_none() {
                    prop_assert_eq!(names.value(codes[at] as usize), &json[row]);
                }
            }
        }
    }
}

#[test]
fn sets_with_the_same_letters_are_different() {
    let sets = Answers::from_label_sets(&[texts(&["a", "b"]), texts(&["a\",\"b"]), texts(&[]), texts(&[""])]);
    let nominal = sets.nominal();
    let AnswerColumn::Labels { names, codes } = &nominal.decisions else { panic!("labels") };
    assert_eq!((names.len(), &codes[..]), (4, &[0, 1, 2, 3][..]));
    assert_eq!(sets.differing(&Answers::gather(&[&sets], &[(0, 0), (0, 0), (0, 2), (0, 3)])), [1]);
}

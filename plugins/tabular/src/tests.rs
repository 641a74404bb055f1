use tabular_program::{
    AnswerRule, Columns, Field, FieldKind, Input, Instruction, Kind, LoweredModel, Output, Program, Scores,
    Step, Values,
};
use understudy_sdk::{AnswerValues, Asset, Kind as SdkKind, Reason, native};

use super::{Column, ColumnarModel as _, Form, Tabular};

/// A model whose outputs are its inputs: two scores, then an integer.
fn tabular(answer: AnswerRule) -> Tabular {
    let scores = Columns { kind: Kind::Float, start: 0, width: 2 };
    let class = Columns { kind: Kind::Integer, start: 0, width: 1 };
    let program = Program {
        inputs: vec![
            Input { name: "scores".to_owned(), columns: scores },
            Input { name: "class".to_owned(), columns: class },
        ],
        outputs: vec![
            Output { name: "scores".to_owned(), columns: scores },
            Output { name: "class".to_owned(), columns: class },
            Output { name: "first".to_owned(), columns: Columns { width: 1, ..scores } },
        ],
        planes: [0, 1, 2, 0, 0],
        ..Program::default()
    };
    let field = |name: &str, kind, required| Field { name: name.to_owned(), kind, required };
    let fields = vec![
        field("one", FieldKind::Number, false),
        field("two", FieldKind::Number, true),
        field("class", FieldKind::Integer, true),
    ];
    let bytes = LoweredModel { fields, answer, program }.to_bytes();
    native::model("{}", vec![Asset { name: "model".to_owned(), bytes }]).unwrap()
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The answers as text, their confidences, and the unanswered rows with their reasons.
type TextAnswers = (Vec<String>, Option<Vec<f64>>, Vec<(u32, String)>);

/// The answers to three rows: scores 0.25 and 0.75 of class 1, 0.5 and 0.5 of class 0, missing and 2 of class 7.
fn answers(answer: AnswerRule) -> TextAnswers {
    let tabular = tabular(answer);
    let columns = [
        Column::numbers([0.25, 0.5, 0.0]).with_missing([2]),
        Column::numbers([0.75, 0.5, 2.0]),
        Column::integers([1, 0, 7]),
    ];
    let answers = native::decide(&tabular, 3, &columns).unwrap();
    let values = match answers.values {
        AnswerValues::Numbers(numbers) => numbers.iter().map(f64::to_string).collect(),
        AnswerValues::Labels(labels) => {
            let name = |code: &u32| {
                let bounds = &labels.names.offsets[*code as usize..*code as usize + 2];
                String::from_utf8(labels.names.bytes[bounds[0] as usize..bounds[1] as usize].to_vec())
                    .unwrap()
            };
            labels.codes.iter().map(name).collect()
        }
        AnswerValues::Rankings(rankings) => {
            let name = |code: &u32| {
                let bounds = &rankings.names.offsets[*code as usize..*code as usize + 2];
                std::str::from_utf8(&rankings.names.bytes[bounds[0] as usize..bounds[1] as usize]).unwrap()
            };
            let ranking = |bounds: &[u32]| {
                let codes = &rankings.codes[bounds[0] as usize..bounds[1] as usize];
                codes.iter().map(name).collect::<Vec<_>>().join(" > ")
            };
            rankings.offsets.windows(2).map(ranking).collect()
        }
        other => panic!("a trained model does not answer {other:?}"),
    };
    let reason = |(row, reason): (u32, Reason)| match reason {
        Reason::Failed(why) | Reason::Abstained(why) => (row, why),
    };
    (values, answers.confidence, answers.unanswered.into_iter().map(reason).collect())
}

#[test]
fn a_number_that_is_not_finite_is_no_answer() {
    let (values, confidence, unanswered) = answers(AnswerRule::Number { output: 2 });
    assert_eq!((&values[..2], confidence), (&texts(&["0.25", "0.5"])[..], None));
    assert_eq!(unanswered, [(2, "the answer is NaN, expected a finite number".to_owned())]);
}

#[test]
fn a_label_has_the_probability_of_its_column() {
    let scores = |labels: &[&str]| Some(Scores { output: 0, labels: texts(labels), probabilities: false });
    let rule = |names: &[&str], scores| AnswerRule::Label { output: 1, names: texts(names), scores };
    let (values, confidence, unanswered) = answers(rule(&["low", "high"], scores(&["1", "0"])));
    assert_eq!(values[..2], texts(&["high", "low"])[..]);
    assert_eq!(confidence.unwrap()[..2], [0.25, 0.5], "column 0 belongs to class 1");
    assert_eq!(unanswered, [(2, "the label \"7\" has no score".to_owned())]);

    let (values, confidence, unanswered) = answers(rule(&[], scores(&[])));
    assert_eq!(values[..2], texts(&["1", "0"])[..]);
    assert_eq!(confidence.unwrap()[..2], [0.75, 0.5], "the largest score");
    assert_eq!(unanswered.len(), 1, "NaN and 2 are no probabilities: {unanswered:?}");

    let (values, confidence, unanswered) = answers(rule(&["low", "high"], None));
    assert_eq!((&values[..2], confidence), (&texts(&["high", "low"])[..], None));
    assert_eq!(unanswered, [(2, "the class 7 has no label; there are 2".to_owned())]);
}

#[test]
fn the_label_of_the_largest_score_and_of_a_threshold() {
    let labels = texts(&["a", "b"]);
    let (values, confidence, unanswered) = answers(AnswerRule::LargestScore {
        output: 0,
        labels: labels.clone(),
        confidence: true,
        probabilities: false,
    });
    assert_eq!((&values[..2], &confidence.unwrap()[..2]), (&texts(&["b", "a"])[..], &[0.75, 0.5][..]));
    assert_eq!(unanswered, [(2, "the largest score is NaN".to_owned())]);

    let threshold =
        |confidence| AnswerRule::Threshold { output: 2, threshold: 0.5, labels: labels.clone(), confidence };
    let (values, confidence, unanswered) = answers(threshold(true));
    assert_eq!((&values[..2], &confidence.unwrap()[..2]), (&texts(&["a", "b"])[..], &[0.75, 0.5][..]));
    assert_eq!(unanswered, [(2, "the score is NaN".to_owned())]);
    assert_eq!(answers(threshold(false)).1, None);
}

/// For each of the three rows of [`answers`] the classes with their probabilities.
fn class_probabilities(answer: AnswerRule) -> Option<Vec<String>> {
    let tabular = tabular(answer);
    let columns = [
        Column::numbers([0.25, 0.5, 0.0]).with_missing([2]),
        Column::numbers([0.75, 0.5, 2.0]),
        Column::integers([1, 0, 1]),
    ];
    let answers = native::decide(&tabular, 3, &columns).unwrap();
    assert_eq!(tabular.has_probabilities(), answers.probabilities.is_some());
    let found = answers.probabilities?;
    let class = |at: usize| {
        let bounds = &found.names.offsets[found.codes[at] as usize..found.codes[at] as usize + 2];
        let name = std::str::from_utf8(&found.names.bytes[bounds[0] as usize..bounds[1] as usize]).unwrap();
        format!("{name} {}", found.values[at])
    };
    let row = |ends: &[u32]| (ends[0] as usize..ends[1] as usize).map(class).collect::<Vec<_>>().join(", ");
    Some(found.offsets.windows(2).map(row).collect())
}

#[test]
fn labels_have_the_probabilities_of_their_classes() {
    let largest = |probabilities| AnswerRule::LargestScore {
        output: 0,
        labels: texts(&["a", "b"]),
        confidence: true,
        probabilities,
    };
    let expected = || Some(texts(&["a 0.25, b 0.75", "a 0.5, b 0.5", ""]));
    assert_eq!(class_probabilities(largest(true)), expected());
    assert_eq!(class_probabilities(largest(false)), None, "scores that do not add up to 1");
    let threshold = |confidence| AnswerRule::Threshold {
        output: 2,
        threshold: 0.5,
        labels: texts(&["low", "high"]),
        confidence,
    };
    let of_threshold = class_probabilities(threshold(true));
    assert_eq!(of_threshold, Some(texts(&["low 0.75, high 0.25", "low 0.5, high 0.5", ""])));
    assert_eq!(class_probabilities(threshold(false)), None);
    let label = |names: &[&str], labels: &[&str]| AnswerRule::Label {
        output: 1,
        names: texts(names),
        scores: Some(Scores { output: 0, labels: texts(labels), probabilities: true }),
    };
    assert_eq!(class_probabilities(label(&["a", "b"], &[])), expected());
    let of_values = class_probabilities(label(&["a", "b"], &["1", "0"]));
    assert_eq!(of_values, Some(texts(&["b 0.25, a 0.75", "b 0.5, a 0.5", ""])));
    assert_eq!(class_probabilities(label(&[], &[])), None, "the classes have no names");
    assert_eq!(class_probabilities(label(&["a"], &["1", "0"])), None, "class 1 has no name");
}

#[test]
fn a_row_whose_probabilities_do_not_add_up_is_no_answer() {
    let rule = AnswerRule::LargestScore {
        output: 0,
        labels: texts(&["a", "b"]),
        confidence: true,
        probabilities: true,
    };
    let columns = [
        Column::numbers([0.25, 0.25, 0.25]),
        Column::numbers([0.75, 0.5, 0.7502]),
        Column::integers([0, 0, 0]),
    ];
    let answers = native::decide(&tabular(rule), 3, &columns).unwrap();
    let found = answers.probabilities.unwrap();
    assert_eq!(found.offsets, [0, 2, 2, 4]);
    assert!((found.values[2..].iter().sum::<f64>() - 1.0).abs() < 1e-12, "divided by their sum: {found:?}");
    let [(1, Reason::Failed(why))] = &answers.unanswered[..] else { panic!("{:?}", answers.unanswered) };
    assert_eq!(why, "the probabilities of the classes add up to 0.75, expected 1");
}

/// A model of three scores and a class, whose outputs are the scores, the class, and the name of the class.
fn with_class_names(answer: AnswerRule) -> Tabular {
    let scores = Columns { kind: Kind::Float, start: 0, width: 3 };
    let class = Columns { kind: Kind::Integer, start: 0, width: 1 };
    let name = Columns { kind: Kind::Text, start: 0, width: 1 };
    let table = Values::Texts { values: texts(&["b", "a", "c"]) };
    let output = |columns| Output { name: String::new(), columns };
    let program = Program {
        inputs: [scores, class].map(|columns| Input { name: String::new(), columns }).into(),
        outputs: [scores, class, name].map(output).into(),
        steps: vec![Instruction {
            origin: "names".to_owned(),
            step: Step::Lookup { table, width: 1, index: class, to: name },
        }],
        planes: [0, 1, 3, 0, 1],
        ..Program::default()
    };
    let field = |(name, kind): (&str, FieldKind)| Field { name: name.to_owned(), kind, required: false };
    let number = FieldKind::Number;
    let fields = [("one", number), ("two", number), ("three", number), ("class", FieldKind::Integer)];
    let fields = fields.map(field).into();
    let bytes = LoweredModel { fields, answer, program }.to_bytes();
    native::model("{}", vec![Asset { name: "model".to_owned(), bytes }]).unwrap()
}

#[test]
fn a_row_without_an_answer_changes_no_other_answer() {
    let label = |output, labels: &[&str]| AnswerRule::Label {
        output,
        names: Vec::new(),
        scores: Some(Scores { output: 0, labels: texts(labels), probabilities: true }),
    };
    let largest = |confidence| AnswerRule::LargestScore {
        output: 0,
        labels: texts(&["b", "a", "c"]),
        confidence,
        probabilities: confidence,
    };
    let mut rng = fastrand::Rng::with_seed(11);
    for rule in [label(1, &["2", "0", "1"]), label(2, &["c", "b", "a"]), largest(true), largest(false)] {
        let tabular = with_class_names(rule);
        for rows in (0..60).chain([128, 300]) {
            let mut columns = [vec![], vec![], vec![]];
            for _ in 0..rows {
                let values = [(0.25, 0.75), (0.5, 0.5), (1.0, 0.0), (0.25, 0.25)][rng.usize(..4)];
                // Sums that differ from 1 by more than the contract allows are corrected.
                let rest = 1.0 - values.0 - values.1 + [0.0, 0.0, 0.0, 1e-5][rng.usize(..4)];
                let start = rng.usize(..3);
                for (place, value) in [values.0, values.1, rest].into_iter().enumerate() {
                    columns[(start + place) % 3].push(value);
                }
            }
            let classes: Vec<i64> = (0..rows).map(|_| rng.i64(..3)).collect();
            let decide = |more: u32| {
                let scores = columns.iter().map(|column| {
                    let values = column.iter().copied().chain((0..more).map(|_| 0.0));
                    Column::numbers(values).with_missing(rows..rows + more)
                });
                let classes = classes.iter().copied().chain((0..more).map(|_| 0));
                let columns: Vec<Column> = scores.chain([Column::integers(classes)]).collect();
                native::decide(&tabular, rows + more, &columns).unwrap()
            };
            // The answers without the last row, which has no scores.
            let mut expected = decide(1);
            assert_eq!(expected.unanswered.pop().unwrap().0, rows);
            let (AnswerValues::Labels(labels), rows) = (&mut expected.values, rows as usize) else {
                panic!("the answers are labels")
            };
            labels.codes.truncate(rows);
            expected.confidence.iter_mut().for_each(|confidence| confidence.truncate(rows));
            expected.probabilities.iter_mut().for_each(|classes| classes.offsets.truncate(rows + 1));
            assert_eq!(format!("{:?}", decide(0)), format!("{expected:?}"));
        }
    }
}

#[test]
fn labels_are_ranked_by_their_scores() {
    let ranking = |count| AnswerRule::Ranking { output: 0, labels: texts(&["a", "b"]), count };
    let (values, confidence, unanswered) = answers(ranking(2));
    assert_eq!(
        (&values[..2], confidence),
        (&texts(&["b > a", "a > b"])[..], None),
        "equal scores keep their order"
    );
    assert_eq!(unanswered, [(2, "a score is NaN".to_owned())]);
    assert_eq!(answers(ranking(1)).0[..2], texts(&["b", "a"])[..]);
}

#[test]
fn fields_are_those_of_the_model() {
    let tabular = tabular(AnswerRule::Number { output: 2 });
    let fields: Vec<_> =
        tabular.reads().into_iter().map(|field| (field.name, field.kind, field.required)).collect();
    let expected =
        [("one", SdkKind::Number, false), ("two", SdkKind::Number, true), ("class", SdkKind::Integer, true)];
    assert_eq!(fields, expected.map(|(name, kind, required)| (name.to_owned(), kind, required)));
    assert_eq!(tabular.form(), Form::Number);
}

#[test]
fn an_asset_that_is_no_model_is_refused() {
    let fault = |assets| native::model::<Tabular>("{}", assets).err().unwrap();
    assert_eq!(fault(vec![]), "the asset `model` is missing; give a lowered model");
    let asset = Asset { name: "model".to_owned(), bytes: b"onnx".to_vec() };
    assert_eq!(fault(vec![asset]), "the bytes are not a lowered model; import the model file");
}

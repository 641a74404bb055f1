use understudy_sdk::{AnswerValues, native};

use super::*;

fn recorded(config: &str) -> Result<Recorded, String> {
    native::model(config, vec![])
}

/// Converts one column. Returns the answers as text, and the unanswered rows with their reasons.
fn convert(config: &str, rows: u32, column: Column) -> (Vec<String>, Vec<(u32, Reason)>) {
    let answers = recorded(config).unwrap().decide(rows, &[column]).unwrap();
    let slice = |bytes: &[u8], offsets: &[u32], code: u32| {
        let [start, end] = [code, code + 1].map(|at| offsets[at as usize] as usize);
        String::from_utf8(bytes[start..end].to_vec()).unwrap()
    };
    let texts = match &answers.values {
        AnswerValues::Labels(labels) => {
            labels.codes.iter().map(|code| slice(&labels.names.bytes, &labels.names.offsets, *code)).collect()
        }
        AnswerValues::Numbers(numbers) => numbers.iter().map(f64::to_string).collect(),
        AnswerValues::Rankings(rankings) => {
            let name = |code: &u32| slice(&rankings.names.bytes, &rankings.names.offsets, *code);
            let codes = |ends: &[u32]| &rankings.codes[ends[0] as usize..ends[1] as usize];
            rankings
                .offsets
                .windows(2)
                .map(|ends| codes(ends).iter().map(name).collect::<Vec<_>>().join(">"))
                .collect()
        }
        AnswerValues::LabelSets(sets) => {
            let name = |code: &u32| slice(&sets.names.bytes, &sets.names.offsets, *code);
            let codes = |ends: &[u32]| &sets.codes[ends[0] as usize..ends[1] as usize];
            sets.offsets
                .windows(2)
                .map(|ends| codes(ends).iter().map(name).collect::<Vec<_>>().join("+"))
                .collect()
        }
        AnswerValues::Json(json) => {
            json.codes.iter().map(|code| slice(&json.names.bytes, &json.names.offsets, *code)).collect()
        }
    };
    (texts, answers.unanswered)
}

#[test]
fn text_integers_and_booleans_become_labels() {
    let label =
        |kind: &str, column| convert(&format!(r#"{{"field": "f", "form": "label"{kind}}}"#), 2, column).0;
    assert_eq!(label("", Column::text(["c", "a"])), ["c", "a"]);
    assert_eq!(label(r#", "kind": "text""#, Column::text(["c", "c"])), ["c", "c"]);
    assert_eq!(label(r#", "kind": "integer""#, Column::integers([-7, 12])), ["-7", "12"]);
    assert_eq!(label(r#", "kind": "boolean""#, Column::booleans([true, false])), ["true", "false"]);
}

#[test]
fn numbers_become_numbers() {
    let (numbers, unanswered) =
        convert(r#"{"field": "f", "form": "number"}"#, 2, Column::numbers([110.0, -0.5]));
    assert_eq!((numbers, unanswered.len()), (vec!["110".to_owned(), "-0.5".to_owned()], 0));
}

#[test]
fn arrays_and_single_strings_become_rankings() {
    let json = Column::json([r#"["b", "a"]"#, r#""c""#, "[]"]);
    assert_eq!(convert(r#"{"field": "f", "form": "ranking"}"#, 3, json).0, ["b>a", "c", ""]);
    let text = Column::text(["b", "a"]);
    assert_eq!(convert(r#"{"field": "f", "form": "ranking", "kind": "text"}"#, 2, text).0, ["b", "a"]);
}

#[test]
fn integers_are_items_as_they_are_labels() {
    let json = Column::json(["[12, \"a\", -7]", "41", "[9223372036854775807]", "[\"12\", 7]"]);
    let (rankings, unanswered) = convert(r#"{"field": "f", "form": "ranking"}"#, 4, json);
    assert_eq!(rankings, ["12>a>-7", "41", "9223372036854775807", "12>7"]);
    assert!(unanswered.is_empty(), "{unanswered:?}");
    let integers = Column::integers([41, -7]);
    let config = r#"{"field": "f", "form": "ranking", "kind": "integer"}"#;
    assert_eq!(convert(config, 2, integers).0, ["41", "-7"]);
    let Reason::Failed(twice) =
        &convert(r#"{"field": "f", "form": "ranking"}"#, 1, Column::json([r#"[7, "7"]"#])).1[0].1
    else {
        panic!()
    };
    assert_eq!(twice, "the ranking repeats `7`");
}

#[test]
fn a_decision_of_another_shape_fails_only_its_row() {
    let long = format!("{{\"ranking\":\"{}\"}}", "é".repeat(200));
    let json = Column::json(["[1.5]", r#"["a", "a"]"#, r#"["a"]"#, "[null]", &long, "[9223372036854775808]"]);
    let (rankings, unanswered) = convert(r#"{"field": "f", "form": "ranking"}"#, 6, json);
    assert_eq!(rankings, ["", "", "a", "", "", ""]);
    let shape = |found: &str| {
        format!("field `f`: the field holds neither a string or an integer nor an array of these: {found}")
    };
    let reasons: Vec<(u32, String)> = unanswered
        .into_iter()
        .map(|(row, reason)| match reason {
            Reason::Failed(why) => (row, why),
            other => panic!("{other:?}"),
        })
        .collect();
    let cut: String = long.chars().take(80).chain(['…']).collect();
    assert_eq!(
        reasons,
        [
            (0, shape("[1.5]")),
            (1, "the ranking repeats `a`".to_owned()),
            (3, shape("[null]")),
            (4, shape(&cut)),
            (5, shape("[9223372036854775808]")),
        ]
    );
}

#[test]
fn abstains_from_a_decision_without_the_field() {
    let column = Column::text(["", "a"]).with_missing([0]);
    let (_, unanswered) = convert(r#"{"field": "decision.room", "form": "label"}"#, 2, column);
    let [(0, Reason::Abstained(reason))] = &unanswered[..] else { panic!("{unanswered:?}") };
    assert_eq!(reason, "the decision has no `decision.room`");
}

#[test]
fn reads_only_the_declared_field() {
    let recorded = recorded(r#"{"field": "decision.room", "form": "ranking"}"#).unwrap();
    let [Field { name, kind, required }] = &recorded.reads()[..] else { panic!() };
    assert_eq!((&name[..], *kind, *required), ("decision.room", Kind::Json, false));
    assert_eq!(recorded.form(), Form::Ranking);
    assert_eq!(recorded.decide(0, &[]).unwrap_err(), "expected 1 column, found 0");
}

#[test]
fn invalid_configurations_are_rejected() {
    let refused = |config| recorded(config).err().unwrap();
    assert_eq!(refused(r#"{"form": "label"}"#), "config: missing field `field`");
    assert_eq!(
        refused(r#"{"field": "f", "form": "class"}"#),
        "config: unknown variant `class`, expected one of `label`, `number`, `ranking`, `label-set`, `json`"
    );
    assert_eq!(
        refused(r#"{"field": "f", "form": "label", "knid": "text"}"#),
        "config: unknown field `knid`, expected one of `field`, `form`, `kind`, `probabilities`"
    );
    assert_eq!(
        refused(r#"{"field": "f", "form": "label", "kind": "json"}"#),
        "config: form `label` needs kind text, integer or boolean"
    );
    assert_eq!(
        refused(r#"{"field": "f", "form": "number", "kind": "text"}"#),
        "config: form `number` needs kind number, also for integer fields"
    );
    assert_eq!(
        refused(r#"{"field": "f", "form": "ranking", "kind": "number"}"#),
        "config: form `ranking` needs kind json, text or integer"
    );
}

#[test]
fn labels_can_have_recorded_probabilities() {
    let config = r#"{"field": "f", "form": "label", "probabilities": "p"}"#;
    let plugin = recorded(config).unwrap();
    assert!(plugin.has_probabilities());
    assert_eq!(plugin.reads().iter().map(|field| &field.name[..]).collect::<Vec<_>>(), ["f", "p"]);
    let mut classes = Column::json([r#"{"b": 0.25, "a": 0.75}"#, r#"{"a": 0.5}"#, "[1]", "{}"]);
    classes.missing = Some(vec![3]);
    let answers = plugin.decide(4, &[Column::text(["b", "b", "a", "a"]), classes]).unwrap();
    let found = answers.probabilities.expect("probabilities");
    assert_eq!(
        (&found.names.bytes[..2], &found.codes[..], &found.values[..]),
        (&b"ab"[..], &[0, 1][..], &[0.75, 0.25][..])
    );
    let reasons: Vec<String> = answers.unanswered.iter().map(|(_, reason)| format!("{reason:?}")).collect();
    assert_eq!(reasons[0], r#"Reason::Failed("the sum of the probabilities is 0.5, expected 1")"#);
    assert!(reasons[1].starts_with(r#"Reason::Failed("field `p`: invalid type: sequence"#), "{}", reasons[1]);
    assert_eq!(reasons[2], r#"Reason::Abstained("the snapshot has no `p`")"#);

    let refused = recorded(r#"{"field": "f", "form": "number", "probabilities": "p"}"#);
    assert_eq!(refused.err().as_deref(), Some("config: `probabilities` needs form `label`"));
}

#[test]
fn arrays_become_sets_without_an_order() {
    let config = r#"{"field": "f", "form": "label-set"}"#;
    let (sets, unanswered) =
        convert(config, 5, Column::json([r#"["b", "a", "b"]"#, "7", "[]", "[7, \"a\"]", "{}"]));
    assert_eq!(sets[..4], ["a+b", "7", "", "7+a"]);
    assert!(
        matches!(&unanswered[..], [(4, Reason::Failed(why))] if why.contains("holds neither a string")),
        "{unanswered:?}"
    );
    let text = convert(r#"{"field": "f", "form": "label-set", "kind": "text"}"#, 1, Column::text(["b"]));
    assert_eq!(text.0, ["b"]);
    let integer =
        convert(r#"{"field": "f", "form": "label-set", "kind": "integer"}"#, 1, Column::integers([3]));
    assert_eq!(integer.0, ["3"]);
}

#[test]
fn json_values_are_answers_as_they_are() {
    let (values, unanswered) = convert(
        r#"{"field": "f", "form": "json"}"#,
        2,
        Column::json([r#"{"b": 1, "a": [2.50, null]}"#, "\"x\""]),
    );
    assert_eq!(
        (values, unanswered.len()),
        (vec![r#"{"a":[2.5,null],"b":1}"#.to_owned(), "\"x\"".to_owned()], 0)
    );
}

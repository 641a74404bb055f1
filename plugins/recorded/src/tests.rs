use understudy_sdk::{Decisions, native};

use super::*;

fn recorded(config: &str) -> Result<Recorded, String> {
    native::decider(config, vec![])
}

/// What a comparator of this configuration makes of a column: the answers as text, the reasons of those left open.
fn said(config: &str, rows: u32, column: Column) -> (Vec<String>, Vec<(u32, Reason)>) {
    let answers = recorded(config).unwrap().decide(rows, &[column]).unwrap();
    let slice = |bytes: &[u8], offsets: &[u32], code: u32| {
        let [start, end] = [code, code + 1].map(|at| offsets[at as usize] as usize);
        String::from_utf8(bytes[start..end].to_vec()).unwrap()
    };
    let texts = match &answers.decisions {
        Decisions::Labels(labels) => {
            labels.codes.iter().map(|code| slice(&labels.names.bytes, &labels.names.offsets, *code)).collect()
        }
        Decisions::Numbers(numbers) => numbers.iter().map(f64::to_string).collect(),
        Decisions::Rankings(rankings) => {
            let name = |code: &u32| slice(&rankings.names.bytes, &rankings.names.offsets, *code);
            let codes = |ends: &[u32]| &rankings.codes[ends[0] as usize..ends[1] as usize];
            rankings
                .offsets
                .windows(2)
                .map(|ends| codes(ends).iter().map(name).collect::<Vec<_>>().join(">"))
                .collect()
        }
    };
    (texts, answers.unanswered)
}

#[test]
fn a_label_is_made_of_text_integers_or_booleans() {
    let label =
        |kind: &str, column| said(&format!(r#"{{"field": "f", "form": "label"{kind}}}"#), 2, column).0;
    assert_eq!(label("", Column::text(["c", "a"])), ["c", "a"]);
    assert_eq!(label(r#", "kind": "text""#, Column::text(["c", "c"])), ["c", "c"]);
    assert_eq!(label(r#", "kind": "integer""#, Column::integers([-7, 12])), ["-7", "12"]);
    assert_eq!(label(r#", "kind": "boolean""#, Column::booleans([true, false])), ["true", "false"]);
}

#[test]
fn a_number_is_a_number() {
    let (numbers, open) = said(r#"{"field": "f", "form": "number"}"#, 2, Column::numbers([110.0, -0.5]));
    assert_eq!((numbers, open.len()), (vec!["110".to_owned(), "-0.5".to_owned()], 0));
}

#[test]
fn a_ranking_is_an_array_or_what_was_chosen() {
    let json = Column::json([r#"["b", "a"]"#, r#""c""#, "[]"]);
    assert_eq!(said(r#"{"field": "f", "form": "ranking"}"#, 3, json).0, ["b>a", "c", ""]);
    let text = Column::text(["b", "a"]);
    assert_eq!(said(r#"{"field": "f", "form": "ranking", "kind": "text"}"#, 2, text).0, ["b", "a"]);
}

#[test]
fn a_decision_of_another_shape_fails_its_row_alone() {
    let json = Column::json(["[1]", r#"["a", "a"]"#, r#"["a"]"#]);
    let (rankings, open) = said(r#"{"field": "f", "form": "ranking"}"#, 3, json);
    assert_eq!(rankings, ["", "", "a"]);
    let [(0, Reason::Failed(shape)), (1, Reason::Failed(twice))] = &open[..] else { panic!("{open:?}") };
    assert_eq!(shape, "field `f`: the decision is neither a string nor an array of strings");
    assert_eq!(twice, "the ranking has `a` twice");
}

#[test]
fn a_decision_without_the_field_is_abstained_from() {
    let column = Column::text(["", "a"]).without([0]);
    let (_, open) = said(r#"{"field": "decision.room", "form": "label"}"#, 2, column);
    let [(0, Reason::Abstained(reason))] = &open[..] else { panic!("{open:?}") };
    assert_eq!(reason, "the decision has no `decision.room`");
}

#[test]
fn it_reads_the_one_field() {
    let recorded = recorded(r#"{"field": "decision.room", "form": "ranking"}"#).unwrap();
    let [Field { name, kind, required }] = &recorded.reads()[..] else { panic!() };
    assert_eq!((&name[..], *kind, *required), ("decision.room", Kind::Json, false));
    assert_eq!(recorded.form(), Form::Ranking);
    assert_eq!(recorded.decide(0, &[]).unwrap_err(), "1 column was to come, but 0 did");
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    let refused = |config| recorded(config).err().unwrap();
    assert_eq!(refused(r#"{"form": "label"}"#), "config: missing field `field`");
    assert_eq!(
        refused(r#"{"field": "f", "form": "class"}"#),
        "config: unknown variant `class`, expected one of `label`, `number`, `ranking`"
    );
    assert_eq!(
        refused(r#"{"field": "f", "form": "label", "knid": "text"}"#),
        "config: unknown field `knid`, expected one of `field`, `form`, `kind`"
    );
    assert_eq!(
        refused(r#"{"field": "f", "form": "label", "kind": "json"}"#),
        "config: a label is made of the kind text, integer or boolean"
    );
    assert_eq!(
        refused(r#"{"field": "f", "form": "number", "kind": "text"}"#),
        "config: a number is made of the kind number, which an integer field is too"
    );
    assert_eq!(
        refused(r#"{"field": "f", "form": "ranking", "kind": "number"}"#),
        "config: a ranking is made of the kind json or text"
    );
}

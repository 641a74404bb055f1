use super::*;
use crate::{Input, Output};

/// A model that answers the one number that it reads.
fn model() -> LoweredModel {
    let columns = Columns { kind: Kind::Float, start: 0, width: 1 };
    let program = Program {
        inputs: vec![Input { name: "x".to_owned(), columns }],
        outputs: vec![Output { name: "y".to_owned(), columns }],
        planes: [0, 0, 1, 0, 0],
        ..Program::default()
    };
    let field = Field { name: "price".to_owned(), kind: FieldKind::Number, required: false };
    LoweredModel { fields: vec![field], answer: AnswerRule::Number { output: 0 }, program }
}

fn fault(change: impl FnOnce(&mut LoweredModel)) -> String {
    let mut model = model();
    change(&mut model);
    LoweredModel::from_bytes(&model.to_bytes()).unwrap_err().to_string()
}

#[test]
fn a_model_is_its_bytes() {
    let model = model();
    let bytes = model.to_bytes();
    assert_eq!(LoweredModel::from_bytes(&bytes), Ok(model.clone()));
    for length in 0..bytes.len() {
        assert!(LoweredModel::from_bytes(&bytes[..length]).is_err());
    }
    assert!(LoweredModel::from_bytes(&model.program.to_bytes()).is_err(), "a program alone is no model");
    assert!(Program::from_bytes(&bytes).is_err(), "a model is no program");
}

#[test]
fn fields_and_answers_fit_the_form() {
    assert_eq!(fault(|model| model.fields.clear()), "0 fields for 1 columns");
    assert_eq!(
        fault(|model| model.fields[0].kind = FieldKind::Text),
        "field \"price\" of type Text is read as Float"
    );
    assert_eq!(
        fault(|model| model.answer = AnswerRule::Number { output: 1 }),
        "the answer is invalid: there is no output 1"
    );
    let threshold = |labels: &[&str]| AnswerRule::Threshold {
        output: 0,
        threshold: 0.5,
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        confidence: true,
    };
    assert_eq!(
        fault(|model| model.answer = threshold(&["a", "a"])),
        "the answer is invalid: two labels are equal"
    );
    assert_eq!(
        fault(|model| model.answer = threshold(&["a", "b", "c"])),
        "the answer is invalid: the output has another kind or number of columns"
    );
    let mut sound = model();
    sound.answer = threshold(&["a", "b"]);
    assert_eq!(sound.check(), Ok(()));
}

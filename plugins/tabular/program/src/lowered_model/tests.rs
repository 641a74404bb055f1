use super::*;
use crate::{Input, Instruction, Output, Port, Step};

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
fn a_model_with_subgraphs_is_marked() {
    let mut neural = model();
    let from = neural.program.outputs[0].columns;
    let to = Columns { start: 1, ..from };
    let port = |columns| Port { dimensions: vec![1, 1], columns };
    let step = Step::Subgraph { file: vec![1, 2], inputs: vec![port(from)], outputs: vec![port(to)] };
    neural.program.steps = vec![Instruction { origin: "Conv".to_owned(), step }];
    neural.program.outputs[0].columns = to;
    neural.program.planes[2] = 2;
    let bytes = neural.to_bytes();
    assert_eq!(&bytes[..8], b"USTFNEUR");
    assert_eq!(LoweredModel::from_bytes(&bytes), Ok(neural.clone()));
    let other = [b"USTFMODL", &bytes[8..]].concat();
    let fault = LoweredModel::from_bytes(&other).unwrap_err().to_string();
    assert_eq!(fault, "the lowered model is marked for another model runtime; import the model file again");
    let Step::Subgraph { outputs, .. } = &mut neural.program.steps[0].step else { panic!("a subgraph") };
    outputs[0].dimensions = vec![2];
    let fault = LoweredModel::from_bytes(&neural.to_bytes()).unwrap_err().to_string();
    assert!(fault.ends_with("should have 2 columns"), "{fault}");
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

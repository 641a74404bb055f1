use std::io::Read as _;

use fastrand::Rng;
use flate2::read::GzDecoder;
use tabular_engine::{Buffers, Model, OutputColumns, Source, SourceColumn};
use tabular_program::{Kind, Program};

use super::*;

/// A model with rows and the library's predictions: see tests/oracles/tabular/boosters.py.
#[derive(Default)]
struct Case {
    name: String,
    model: Vec<u8>,
    columns: Vec<Column>,
    outputs: Vec<Vec<f64>>,
}

enum Column {
    Numbers(Vec<f64>),
    Texts(Vec<u32>, Vec<u8>),
}

/// The fields of a message: numbers and bytes.
fn fields(bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut rest = bytes;
    let mut fields = Vec::new();
    while let [key, tail @ ..] = rest {
        let (mut length, mut shift, mut position) = (0, 0, 0);
        loop {
            let byte = tail[position];
            position += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        let (value, after) = tail[position..].split_at(length);
        fields.push((key >> 3, value));
        rest = after;
    }
    fields
}

fn cases() -> Vec<Case> {
    let numbers = |bytes: &[u8]| -> Vec<f64> {
        bytes.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    let mut file = Vec::new();
    GzDecoder::new(&include_bytes!("../tests/boosters.cases.gz")[..]).read_to_end(&mut file).unwrap();
    fields(&file)
        .into_iter()
        .map(|(_, case)| {
            let mut read = Case::default();
            for (number, bytes) in fields(case) {
                match number {
                    1 => read.name = String::from_utf8(bytes.to_vec()).unwrap(),
                    2 => read.model = bytes.to_vec(),
                    3 => read.columns.push(Column::Numbers(numbers(bytes))),
                    4 => {
                        let (mut offsets, mut text) = (vec![0], Vec::new());
                        for value in bytes.split(|byte| *byte == 0) {
                            text.extend_from_slice(value);
                            offsets.push(text.len() as u32);
                        }
                        read.columns.push(Column::Texts(offsets, text));
                    }
                    _ => read.outputs.push(numbers(bytes)),
                }
            }
            read
        })
        .collect()
}

fn import(file: &[u8]) -> Result<ImportedModel, BoosterError> {
    match file {
        _ if file.starts_with(b"tree") => lightgbm::import(file),
        _ if catboost::is_model(file) => catboost::import(file),
        _ => xgboost::import(file),
    }
}

/// The outputs of a program, one row after the other.
fn run(program: Program, columns: &[Column], rows: usize) -> Vec<Vec<f64>> {
    let model = Model::new(Program::from_bytes(&program.to_bytes()).unwrap()).unwrap();
    let sources: Vec<SourceColumn> = columns
        .iter()
        .map(|column| {
            let values = match column {
                Column::Numbers(values) => Source::Doubles(values),
                Column::Texts(offsets, bytes) => Source::Texts { offsets, bytes },
            };
            SourceColumn { values, missing: &[] }
        })
        .collect();
    let answers = model.run(rows, &sources, &mut Buffers::default()).unwrap();
    let doubles = |output: &OutputColumns| -> Vec<f64> {
        match output {
            OutputColumns::Integers(values) => values.iter().map(|value| *value as f64).collect(),
            OutputColumns::Floats(values) => values.iter().map(|value| f64::from(*value)).collect(),
            OutputColumns::Doubles(values) => values.clone(),
            other => panic!("{other:?}"),
        }
    };
    let by_row = |values: Vec<f64>| {
        let width = values.len() / rows;
        (0..rows * width).map(|cell| values[cell % width * rows + cell / width]).collect()
    };
    answers.outputs.iter().map(|output| by_row(doubles(output))).collect()
}

#[test]
fn predictions_match_the_libraries() {
    let mut wrong = Vec::new();
    for case in cases() {
        let import = import(&case.model).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let outputs = run(import.program, &case.columns, 32);
        assert_eq!(outputs.len(), case.outputs.len(), "{}", case.name);
        // XGBoost has 32 bits. Its transformations have another exponential, and linear models another order of additions.
        let limit = match &case.name[..] {
            "xgboost-squared" | "xgboost-base-score" | "xgboost-absolute" | "xgboost-quantile"
            | "xgboost-targets" | "xgboost-vector" | "xgboost-rank" | "xgboost-category"
            | "xgboost-one-hot" | "xgboost-frame" | "xgboost-early" | "xgboost-hinge" => 0.0,
            name if name.starts_with("xgboost") => 1e-6,
            // CatBoost has an exponential of its own.
            name if name.starts_with("catboost") => 1e-12,
            _ => 1e-14,
        };
        for (found, expected) in outputs.iter().zip(&case.outputs) {
            assert_eq!(found.len(), expected.len(), "{}", case.name);
            let error = |(found, expected): (&f64, &f64)| (found - expected).abs() / expected.abs().max(1.0);
            let greatest = found.iter().zip(expected).map(error).fold(0.0, f64::max);
            if greatest > limit {
                wrong.push(format!("{}: {greatest}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_import_names_features_and_task() {
    let all = cases();
    let case = |name: &str| import(&all.iter().find(|case| case.name == name).unwrap().model).unwrap();
    let frame = case("xgboost-frame");
    assert_eq!(frame.feature_names, ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(frame.task, Task::Numbers(1));
    let kinds: Vec<Kind> = frame.program.inputs.iter().map(|input| input.columns.kind).collect();
    assert_eq!(kinds, [Kind::Float, Kind::Float, Kind::Float, Kind::Text, Kind::Float, Kind::Float]);
    let multi = case("lightgbm-multi");
    assert_eq!((multi.task, &multi.objective[..], multi.trees), (Task::Classes(3), "multiclass", 12));
    assert_eq!(multi.program.inputs[0].columns.kind, Kind::Double);
}

#[test]
fn cut_and_changed_files_are_refused_or_run() {
    let mut rng = Rng::with_seed(5);
    let mut refused = 0;
    for case in cases() {
        for attempt in 0..40 {
            let mut changed = case.model.clone();
            if attempt < 10 {
                changed.truncate(rng.usize(..changed.len()));
            } else {
                for _ in 0..rng.usize(1..4) {
                    let position = rng.usize(..changed.len());
                    changed[position] =
                        if rng.bool() { b"0123456789-.,[]{}\" =eE"[rng.usize(..22)] } else { rng.u8(..) };
                }
            }
            match import(&changed) {
                Ok(import) => {
                    let program = import.program;
                    if program.inputs.iter().map(|input| input.columns.width as usize).sum::<usize>()
                        == case.columns.len()
                    {
                        let kind = |program: &Program| {
                            program.inputs.iter().all(|input| input.columns.kind != Kind::Text)
                        };
                        let numbers = case.columns.iter().all(|column| matches!(column, Column::Numbers(_)));
                        if kind(&program) == numbers {
                            run(program, &case.columns, 32);
                        }
                    }
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 800, "{refused}");
}

#[test]
fn what_is_not_supported_is_named() {
    let fault = |file: &[u8]| import(file).unwrap_err().to_string();
    assert_eq!(
        fault(b"{\"learner\": {\"objective\": {\"name\": \"survival:new\"}}}"),
        "read as a model of XGBoost: objective \"survival:new\" is not supported; train the model without it"
    );
    assert_eq!(
        fault(b"CB"),
        "read as a model of XGBoost: the file is neither JSON nor UBJSON; save the model again"
    );
    assert_eq!(
        fault(b"tree\nversion=v4\n"),
        "read as a model of LightGBM: the file ends before the line \"end of trees\"; save the model again"
    );
}

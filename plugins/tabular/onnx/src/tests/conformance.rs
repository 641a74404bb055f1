//! Models with the outputs that other implementations give: see tests/oracles/tabular.

use std::collections::BTreeMap;

use neural_engine::NeuralEngine;
use tabular_engine::{Buffers, Model, Source, SourceColumn};

use super::case_file::{self, Case, Difference};
use super::{answers, proto, tensor};
use crate::graph_lowering::{Preference, lower_with};
use tabular_program::Values;

/// The difference over all outputs of a case.
fn difference(case: &Case) -> Difference {
    let answers = answers(case, case.inputs.len(), Preference::Engine);
    let outputs = answers.unwrap_or_else(|error| panic!("{}: {error}", case.name)).outputs;
    assert_eq!(outputs.len(), case.outputs.len(), "{}", case.name);
    outputs.iter().zip(&case.outputs).fold(Difference::default(), |sum, (found, expected)| {
        let own = case_file::difference(found, &expected.values);
        Difference {
            bits: sum.bits.saturating_add(own.bits),
            values: sum.values + own.values,
            greatest: sum.greatest.max(own.greatest),
        }
    })
}

#[test]
fn tree_operators_match_onnxruntime_to_the_bit() {
    check(include_bytes!("../../tests/tree-operators.cases.gz"), |name| {
        // A probit has another logarithm; ONNX Runtime computes a softmax of doubles partly in 32 bits.
        if name.contains("PROBIT") {
            1e-5
        } else if name.contains("3-double") {
            1e-7
        } else {
            0.0
        }
    });
}

#[test]
fn exports_match_onnxruntime() {
    // ONNX Runtime adds products of matrices in another order, with fused operations where the machine has them.
    let products = [
        "voting",
        "stacking",
        "calibrated",
        "logistic",
        "logistic-binary",
        "linear",
        "tweedie",
        "sgd",
        "linear-svc",
        "lda",
        "naive-bayes",
        "mlp",
        "mlp-regressor",
        "pca",
        "polynomial",
        "robust",
        "power",
        "min-max",
        "select",
        "normalizer",
        "kbins",
        "pipe-logistic",
        "pipe-infrequent",
        "double",
        "knn-distance",
        "knn-minkowski",
        "knn-cdist",
        "one-vs-rest",
        "text-tf-idf",
        "text-counts",
        "text-characters",
    ];
    check(include_bytes!("../../tests/exports.cases.gz"), |name| match name {
        // ONNX Runtime's operator has another exponential than its trees.
        "xgb-gamma" | "xgb-poisson" | "lgb-poisson" | "hgbr-poisson" => 1e-7,
        // A product of 60 kernels, which ONNX Runtime adds in another order, times weights of alternating signs.
        "gaussian-process" => 1e-5,
        name if products.contains(&name) => 1e-6,
        _ => 0.0,
    });
}

#[test]
fn support_vector_machines_match_onnxruntime() {
    // ONNX Runtime adds products of matrices in another order. The products of a linear kernel are large and cancel out.
    check(include_bytes!("../../tests/support-vectors.cases.gz"), |name| match name {
        "svr-linear" => 2e-5,
        _ => 5e-6,
    });
}

#[test]
fn text_and_distances_match_onnxruntime() {
    // ONNX Runtime computes distances from products of matrices.
    check(include_bytes!("../../tests/text-operators.cases.gz"), |name| match name {
        "distance euclidean" | "distance sqeuclidean" => 1e-5,
        _ => 0.0,
    });
}

/// Operators in forms that node tests lack, each in the neural engine.
#[test]
fn operators_of_nets_match_onnxruntime() {
    let cases = case_file::parse(include_bytes!("../../tests/net-operators.cases.gz"));
    let mut faults = Vec::new();
    for case in &cases {
        match outcome_of_rows(case, 1e-5, Preference::Neural) {
            Outcome::Passed { is_neural: true } => {}
            Outcome::Passed { is_neural: false } => faults.push(format!("{}: the engine runs it", case.name)),
            Outcome::Refused(reasons) => faults.push(format!("{}: {reasons:?}", case.name)),
            Outcome::Wrong(why) => faults.push(why),
        }
    }
    assert!(
        !cases.is_empty() && faults.is_empty(),
        "{} of {}\n{}",
        faults.len(),
        cases.len(),
        faults.join("\n")
    );
}

#[test]
fn nets_match_onnxruntime() {
    let cases = case_file::parse(include_bytes!("../../tests/nets.cases.gz"));
    for case in &cases {
        // A net of dense layers needs no neural engine.
        let expected = case.name != "perceptron";
        for preference in [Preference::Engine, Preference::Neural] {
            match outcome_of_rows(case, 1e-5, preference) {
                Outcome::Passed { is_neural } => {
                    assert!(is_neural == expected || preference == Preference::Neural, "{}", case.name);
                }
                Outcome::Refused(reasons) => panic!("{} with {preference:?}: {reasons:?}", case.name),
                Outcome::Wrong(why) => panic!("{preference:?}: {why}"),
            }
        }
    }
    assert_eq!(cases.len(), 9);
}

/// Two rows in another order have their answers in that order.
#[test]
fn rows_of_a_net_do_not_depend_on_each_other() {
    for case in case_file::parse(include_bytes!("../../tests/nets.cases.gz")) {
        let mut swapped = Case {
            name: case.name.clone(),
            model: case.model.clone(),
            inputs: case.inputs.clone(),
            outputs: Vec::new(),
        };
        for input in &mut swapped.inputs {
            let raw = input.raw.as_mut().unwrap();
            let length = raw.len() / input.dimensions[0] as usize;
            let (first, rest) = raw.split_at_mut(length);
            first.swap_with_slice(&mut rest[..length]);
        }
        let run = |case: &Case| answers(case, case.inputs.len(), Preference::Engine).unwrap().outputs;
        for (found, expected) in run(&swapped).iter().zip(run(&case)) {
            let width = (expected.len() / case.inputs[0].dimensions[0] as usize) as u32;
            let moved: Vec<u32> =
                (width..2 * width).chain(0..width).chain(2 * width..expected.len() as u32).collect();
            let expected = tensor::select(&expected, &moved);
            assert_eq!(case_file::difference(found, &expected).bits, 0, "{}", case.name);
        }
    }
}

/// rten has 32 bits for integers, and a table has an end.
#[test]
fn a_row_with_another_integer_fails_alone() {
    let cases = case_file::parse(include_bytes!("../../tests/nets.cases.gz"));
    let case = cases.iter().find(|case| case.name == "embeddings").unwrap();
    let proto = proto::Model::parse(&case.model).unwrap();
    let program = lower_with(&proto, Preference::Neural).unwrap().program;
    let model = Model::with_graphs(program, &NeuralEngine).unwrap();
    let (codes, numbers) = ([[3, 1 << 40, 10, -1], [0; 4], [9; 4]], [[0.5_f32; 4]; 2]);
    let column = |values| SourceColumn { values, missing: &[] };
    let codes = codes.iter().map(|codes| column(Source::Integers(codes)));
    let sources: Vec<SourceColumn> =
        codes.chain(numbers.iter().map(|numbers| column(Source::Floats(numbers)))).collect();
    let answers = model.run(4, &sources, &mut Buffers::default()).unwrap();
    let failed: Vec<u32> = answers.failures.iter().map(|failure| failure.row).collect();
    assert_eq!(failed, [1, 2], "{:?}", answers.failures);
    let message = &answers.failures[0].message;
    assert!(message.contains("1099511627776 is outside of the"), "{message}");
}

/// A case whose inputs are known to have rows.
fn outcome_of_rows(case: &Case, limit: f64, preference: Preference) -> Outcome {
    match answers(case, case.inputs.len(), preference) {
        Err(error) => Outcome::Refused(vec![error.to_string()]),
        Ok(answers) => {
            let differences = answers
                .outputs
                .iter()
                .zip(&case.outputs)
                .map(|(found, expected)| case_file::difference(found, &expected.values).greatest);
            let greatest = differences.fold(0.0, f64::max);
            if greatest > limit || answers.outputs.len() != case.outputs.len() {
                Outcome::Wrong(format!("{}: {greatest}", case.name))
            } else {
                Outcome::Passed { is_neural: answers.is_neural }
            }
        }
    }
}

/// How a case ends.
enum Outcome {
    /// Whether the neural engine computes it.
    Passed {
        is_neural: bool,
    },
    /// Why each way to run the case is refused.
    Refused(Vec<String>),
    Wrong(String),
}

/// Runs a case of which only the shapes of one call are known, which do not say what a row is: with its inputs as rows,
/// with all but the first as constants, and with all of them as constants.
fn outcome(case: &Case, limit: f64, preference: Preference) -> Outcome {
    let mut reasons = Vec::new();
    let mut variants = vec![case.inputs.len(), case.inputs.len().min(1), 0];
    variants.dedup();
    let tried = variants.len();
    let mut is_neural = false;
    for constants in variants {
        let run = || answers(case, constants, preference);
        let answers = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
            Ok(Ok(answers)) => answers,
            Ok(Err(error)) => {
                reasons.push(error.to_string());
                continue;
            }
            Err(panic) => {
                let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                return Outcome::Wrong(format!("{} with {constants} inputs: panic {message}", case.name));
            }
        };
        is_neural |= answers.is_neural;
        let differences = answers.outputs.iter().zip(&case.outputs).map(|(found, expected)| {
            // A value that is the same for all rows.
            let all: Vec<u32> = (0..expected.values.len().min(found.len()) as u32).collect();
            let found = tensor::select(found, &all);
            case_file::difference(&found, &expected.values).greatest
        });
        let greatest = differences.fold(0.0, f64::max);
        if greatest > limit {
            return Outcome::Wrong(format!("{} with {constants} inputs: {greatest}", case.name));
        }
    }
    if reasons.len() < tried { Outcome::Passed { is_neural } } else { Outcome::Refused(reasons) }
}

/// ONNX's own node tests: none is answered wrongly.
#[test]
fn node_tests_pass_or_are_refused() {
    let cases = case_file::parse(include_bytes!("../../tests/node-tests.cases.gz"));
    let mut wrong = Vec::new();
    let (mut passed, mut refused) = (BTreeMap::new(), BTreeMap::new());
    for case in &cases {
        match outcome(case, 1e-6, Preference::Engine) {
            Outcome::Passed { .. } => *passed.entry(operator(case)).or_insert(0) += 1,
            Outcome::Refused(mut reasons) => {
                refused.insert(&case.name[..], reasons.pop().unwrap_or_default());
            }
            Outcome::Wrong(difference) => wrong.push(difference),
        }
    }
    // What is refused, and the node tests' share of it.
    let reasons = [
        ("training", 8),
        ("it reduces an empty axis", 13),
        ("does not take Boolean", 2),
        ("fmod=1", 4),
        ("a power of kind Integer", 4),
        ("its mask", 2),
        ("one constant text", 1),
        ("only a scan over constant vectors", 4),
    ];
    for (reason, count) in reasons {
        let found = refused.values().filter(|found| found.contains(reason)).count();
        assert_eq!(found, count, "{reason}: {refused:#?}");
    }
    assert_eq!(refused.len(), reasons.iter().map(|(_, count)| count).sum::<usize>(), "{refused:#?}");
    assert_eq!(passed.values().sum::<usize>(), 446, "{passed:#?}");
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The node tests of operators that only the neural engine has, and all others that it has: none is answered wrongly there.
#[test]
fn node_tests_pass_in_the_neural_engine_or_are_refused() {
    let files: [&[u8]; 2] = [
        include_bytes!("../../tests/node-tests.cases.gz"),
        include_bytes!("../../tests/net-node-tests.cases.gz"),
    ];
    let mut wrong = Vec::new();
    let mut passed = BTreeMap::new();
    for case in files.iter().flat_map(|file| case_file::parse(file)) {
        // Some expected values have four decimals.
        match outcome(&case, 1e-4, Preference::Neural) {
            Outcome::Passed { is_neural: true } => *passed.entry(operator(&case)).or_insert(0) += 1,
            Outcome::Passed { is_neural: false } | Outcome::Refused(_) => {}
            Outcome::Wrong(why) => wrong.push(why),
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((passed.len(), passed.values().sum::<usize>()), (85, 422), "{passed:#?}");
}

/// Prints two lines for each case of the file that the environment variable `CASES` names, one for each preference: the
/// preference, the name, the operator, `passed`, `refused` or `wrong`, the engine, and why, separated by tabs. `LIMIT` is
/// the largest difference.
#[test]
#[ignore = "a command of tests/oracles/tabular, which makes the file"]
fn report_of_a_case_file() {
    let file = std::env::var("CASES").expect("CASES names a case file");
    let limit = std::env::var("LIMIT").map_or(1e-6, |limit| limit.parse().expect("LIMIT is a number"));
    for case in case_file::parse(&std::fs::read(file).unwrap()) {
        for (preference, name) in [(Preference::Engine, "engine"), (Preference::Neural, "neural")] {
            let (outcome, engine, why) = match outcome(&case, limit, preference) {
                Outcome::Passed { is_neural: false } => ("passed", "tabular", String::new()),
                Outcome::Passed { is_neural: true } => ("passed", "neural", String::new()),
                Outcome::Refused(reasons) => ("refused", "", reasons.into_iter().next().unwrap_or_default()),
                Outcome::Wrong(why) => ("wrong", "", why),
            };
            let why = why.replace(['\t', '\n'], " ");
            println!("case\t{name}\t{}\t{}\t{outcome}\t{engine}\t{why}", case.name, operator(&case));
        }
    }
}

/// Prints a line for each case of the files that the environment variable `CASES` names, separated by colons: its name, the number of
/// rows, how many of them have the bits of all expected outputs, and the greatest difference; or why it is refused.
#[test]
#[ignore = "a command of tests/oracles/tabular, which makes the files"]
fn report_of_exports() {
    let files = std::env::var("CASES").expect("CASES names case files");
    for case in files.split(':').flat_map(|file| case_file::parse(&std::fs::read(file).unwrap())) {
        let name = &case.name;
        let outputs = match answers(&case, case.inputs.len(), Preference::Engine) {
            Ok(answers) => answers.outputs,
            Err(error) => {
                println!("export\t{name}\trefused\t{error}");
                continue;
            }
        };
        let rows =
            case.inputs.first().and_then(|input| input.dimensions.first()).copied().unwrap_or(1) as usize;
        let (mut equal, mut greatest) = (0, 0.0_f64);
        for row in 0..rows {
            let differences = outputs.iter().zip(&case.outputs).map(|(found, expected)| {
                let cells = |values: &Values| {
                    let width = values.len() / rows;
                    let positions: Vec<u32> =
                        (row * width..(row + 1) * width).map(|cell| cell as u32).collect();
                    tensor::select(values, &positions)
                };
                case_file::difference(&cells(found), &cells(&expected.values))
            });
            let (bits, largest) = differences.fold((0, 0.0), |(bits, largest), difference| {
                (difference.bits.saturating_add(bits), difference.greatest.max(largest))
            });
            equal += usize::from(bits == 0);
            greatest = greatest.max(largest);
        }
        println!("export\t{name}\t{rows}\t{equal}\t{greatest:e}");
    }
}

/// The operator of a case's last node.
fn operator(case: &Case) -> String {
    let model = proto::Model::parse(&case.model).unwrap();
    model.graph.nodes.last().map(proto::Node::full_operator).unwrap_or_default()
}

/// Checks that all outputs of all cases are within a limit.
fn check(file: &[u8], limit: impl Fn(&str) -> f64) {
    let cases = case_file::parse(file);
    let mut wrong = Vec::new();
    for case in &cases {
        let difference = difference(case);
        if difference.greatest > limit(&case.name) {
            wrong.push(format!("{}: {difference:?}", case.name));
        }
    }
    assert!(
        !cases.is_empty() && wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

//! Models with the outputs that other implementations give: see tests/oracles/tabular.

use std::collections::BTreeMap;

use super::case_file::{self, Case, Difference};
use super::{answers, proto, tensor};
use tabular_program::Values;

/// The difference over all outputs of a case.
fn difference(case: &Case) -> Difference {
    let outputs = answers(case, case.inputs.len()).unwrap_or_else(|error| panic!("{}: {error}", case.name));
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

/// How a case ends.
enum Outcome {
    Passed,
    /// Why each way to run the case is refused.
    Refused(Vec<String>),
    Wrong(String),
}

/// Runs a case of which only the shapes of one call are known, which do not say what a row is: with its inputs as rows,
/// with all but the first as constants, and with all of them as constants.
fn outcome(case: &Case, limit: f64) -> Outcome {
    let mut reasons = Vec::new();
    let mut variants = vec![case.inputs.len(), case.inputs.len().min(1), 0];
    variants.dedup();
    let tried = variants.len();
    for constants in variants {
        let outputs = match answers(case, constants) {
            Ok(outputs) => outputs,
            Err(error) => {
                reasons.push(error.to_string());
                continue;
            }
        };
        let differences = outputs.iter().zip(&case.outputs).map(|(found, expected)| {
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
    if reasons.len() < tried { Outcome::Passed } else { Outcome::Refused(reasons) }
}

/// ONNX's own node tests: none is answered wrongly.
#[test]
fn node_tests_pass_or_are_refused() {
    let cases = case_file::parse(include_bytes!("../../tests/node-tests.cases.gz"));
    let mut wrong = Vec::new();
    let (mut passed, mut refused) = (BTreeMap::new(), BTreeMap::new());
    for case in &cases {
        match outcome(case, 1e-6) {
            Outcome::Passed => *passed.entry(operator(case)).or_insert(0) += 1,
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
        ("a matrix of", 4),
        ("transA=1", 2),
        ("its mask", 2),
        ("one constant text", 1),
        ("only a scan over constant vectors", 4),
    ];
    for (reason, count) in reasons {
        let found = refused.values().filter(|found| found.contains(reason)).count();
        assert_eq!(found, count, "{reason}: {refused:#?}");
    }
    assert_eq!(refused.len(), reasons.iter().map(|(_, count)| count).sum::<usize>(), "{refused:#?}");
    assert_eq!(passed.values().sum::<usize>(), 440, "{passed:#?}");
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Prints a line for each case of the file that the environment variable `CASES` names: its name, its operator, `passed`,
/// `refused` or `wrong`, and why, separated by tabs. `LIMIT` is the largest difference.
#[test]
#[ignore = "a command of tests/oracles/tabular, which makes the file"]
fn report_of_a_case_file() {
    let file = std::env::var("CASES").expect("CASES names a case file");
    let limit = std::env::var("LIMIT").map_or(1e-6, |limit| limit.parse().expect("LIMIT is a number"));
    for case in case_file::parse(&std::fs::read(file).unwrap()) {
        let (outcome, why) = match outcome(&case, limit) {
            Outcome::Passed => ("passed", String::new()),
            Outcome::Refused(reasons) => ("refused", reasons.into_iter().next().unwrap_or_default()),
            Outcome::Wrong(why) => ("wrong", why),
        };
        println!("case\t{}\t{}\t{outcome}\t{}", case.name, operator(&case), why.replace(['\t', '\n'], " "));
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
        let outputs = match answers(&case, case.inputs.len()) {
            Ok(outputs) => outputs,
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

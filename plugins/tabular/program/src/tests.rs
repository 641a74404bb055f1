use super::*;

/// A program with one input of two floats, an ensemble of two trees, and a comparison of its sum.
fn program() -> Program {
    let from = Columns { kind: Kind::Float, start: 0, width: 2 };
    let to = Columns { kind: Kind::Float, start: 2, width: 1 };
    let label = Columns { kind: Kind::Boolean, start: 0, width: 1 };
    let leaf = |child| Node { column: 0, rank: 0, child };
    let ensemble = Ensemble {
        aggregate: Aggregate::Sum,
        start: FloatValues::Floats { values: vec![0.0] },
        tests: vec![
            Test::Order {
                feature: 0,
                thresholds: FloatValues::Floats { values: vec![-1.0, 2.5] },
                missing: 3,
                zero_missing: false,
            },
            Test::Membership {
                feature: 1,
                members: FloatValues::Floats { values: vec![4.0] },
                sets: 1,
                bits: vec![1, 0, 0],
                truncating: true,
            },
        ],
        trees: vec![
            Tree { nodes: 5, leaves: 3, target: Some(0) },
            Tree { nodes: 1, leaves: 1, target: None },
        ],
        nodes: vec![
            Node { column: 0, rank: 2, child: 1 },
            leaf(0),
            Node { column: 1, rank: 1, child: 3 },
            leaf(1),
            leaf(2),
            leaf(0),
        ],
        values: FloatValues::Floats { values: vec![1.0, 2.0, 3.0, 0.5] },
    };
    Program {
        inputs: vec![Input { name: "X".to_owned(), columns: from }],
        outputs: vec![Output { name: "Y".to_owned(), columns: label }],
        planes: [1, 0, 3, 0, 0],
        steps: vec![
            Instruction { origin: "Trees".to_owned(), step: Step::Trees { from, ensemble: 0, to } },
            Instruction {
                origin: "Compare".to_owned(),
                step: Step::Compare {
                    comparison: Comparison::Greater,
                    left: Operand::Columns { columns: to },
                    right: Operand::Constants { values: Values::Floats { values: vec![1.0] } },
                    to: label,
                },
            },
        ],
        ensembles: vec![ensemble],
    }
}

#[test]
fn a_form_is_read_as_it_was_written() {
    let program = program();
    assert_eq!(Program::from_bytes(&program.to_bytes()).unwrap(), program);
}

#[test]
fn another_version_and_other_bytes_are_refused() {
    let mut bytes = program().to_bytes();
    bytes[4] = 9;
    let error = Program::from_bytes(&bytes).unwrap_err().to_string();
    assert_eq!(error, "the lowered model has version 9, expected 3; import the model file again");
    let error = Program::from_bytes(b"ONNX").unwrap_err().to_string();
    assert_eq!(error, "the bytes are not a lowered model; import the model file");
}

#[test]
fn any_cut_is_refused_and_any_flip_is_refused_or_a_valid_form() {
    let bytes = program().to_bytes();
    for length in 0..bytes.len() {
        Program::from_bytes(&bytes[..length]).unwrap_err();
    }
    let mut longer = bytes.clone();
    longer.push(0);
    Program::from_bytes(&longer).unwrap_err();
    for position in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[position] ^= 1 << bit;
            if let Ok(program) = Program::from_bytes(&bytes) {
                assert_eq!(program.to_bytes(), bytes, "byte {position}, bit {bit}");
            }
        }
    }
}

#[test]
fn a_false_length_costs_no_memory() {
    let mut bytes = program().to_bytes();
    bytes.truncate(8);
    bytes.extend_from_slice(&u32::MAX.to_le_bytes());
    bytes.extend_from_slice(&[0; 64]);
    let error = Program::from_bytes(&bytes).unwrap_err().to_string();
    assert!(error.contains("byte 12: a list is longer"), "{error}");
}

/// The message about a program after a change.
fn fault(change: impl FnOnce(&mut Program)) -> String {
    let mut program = program();
    change(&mut program);
    program.check().unwrap_err().to_string()
}

#[test]
fn loops_and_missing_nodes_are_refused() {
    let child = |child| fault(|program| program.ensembles[0].nodes[2].child = child);
    for (number, part) in
        [(0, "not after it"), (2, "not after it"), (4, "not after it"), (u32::MAX, "not after it")]
    {
        assert!(child(number).contains(part), "{number}: {}", child(number));
    }
    assert!(fault(|program| program.ensembles[0].nodes[1].child = 3).contains("no valid leaf"));
    assert!(fault(|program| program.ensembles[0].nodes[2].column = 2).contains("no rank column 2"));
    assert!(fault(|program| program.ensembles[0].trees[1].nodes = 2).contains("more nodes than there are"));
    assert!(fault(|program| program.ensembles[0].trees.truncate(1)).contains("belong to no tree"));
    assert!(fault(|program| program.ensembles[0].trees[0].target = Some(1)).contains("no target 1"));
    assert!(fault(|program| program.ensembles[0].trees[1].leaves = 2).contains("expected 5"));
}

#[test]
fn thresholds_ascend() {
    for values in [vec![1.0, 1.0], vec![2.0, 1.0], vec![f32::NAN], vec![-0.0, 0.0]] {
        let message = fault(|program| {
            if let Test::Order { thresholds, .. } = &mut program.ensembles[0].tests[0] {
                *thresholds = FloatValues::Floats { values };
            }
        });
        assert!(message.contains("not ascending"), "{message}");
    }
}

#[test]
fn columns_are_written_once_before_they_are_read() {
    assert!(fault(|program| program.steps.swap(0, 1)).contains("read before it is written"));
    assert!(fault(|program| program.planes[2] = 2).contains("outside the plane"));
    assert!(fault(|program| program.planes[0] = u32::MAX).contains("more than 1048576"));
    let overlap = fault(|program| {
        if let Step::Trees { to, .. } = &mut program.steps[0].step {
            to.start = 1;
        }
    });
    assert!(overlap.contains("read and written"), "{overlap}");
    let kinds = fault(|program| {
        if let Step::Compare { right, .. } = &mut program.steps[1].step {
            *right = Operand::Constants { values: Values::Doubles { values: vec![1.0] } };
        }
    });
    assert!(kinds.contains("at Compare: kinds differ"), "{kinds}");
}

#[test]
fn counts_of_terms_fit_their_columns() {
    let text = Columns { kind: Kind::Text, start: 0, width: 1 };
    let to = Columns { kind: Kind::Float, start: 0, width: 2 };
    let terms = |change: &dyn Fn(&mut Step)| {
        let mut step = Step::Terms {
            from: text,
            tokens: Some(TokenRule {
                split: TokenSplit::Matches { pattern: r"\w+".to_owned() },
                least: 1,
                marks: false,
            }),
            terms: Values::Texts { values: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()] },
            lengths: vec![1, 2],
            columns: vec![0, 1],
            skips: 0,
            once: false,
            weights: vec![1.0, 2.0],
            to,
        };
        change(&mut step);
        let program = Program {
            inputs: vec![Input { name: "text".to_owned(), columns: text }],
            planes: [0, 0, 2, 0, 1],
            steps: vec![Instruction { origin: "Terms".to_owned(), step }],
            ..Program::default()
        };
        let bytes = program.to_bytes();
        Program::from_bytes(&bytes).map(|read| assert_eq!(read, program)).map_err(|error| error.to_string())
    };
    assert_eq!(terms(&|_| ()), Ok(()));
    let fault = |change: &dyn Fn(&mut Step)| terms(change).unwrap_err();
    let with = |expected: &str, change: &dyn Fn(&mut Step)| {
        let fault = fault(change);
        assert!(fault.contains(expected), "{fault}");
    };
    macro_rules! set {
        ($field:ident, $value:expr) => {
            &|step: &mut Step| {
                if let Step::Terms { $field, .. } = step {
                    *$field = $value;
                }
            }
        };
    }
    with("the lengths of terms do not fit", set!(lengths, vec![1, 1]));
    with("the lengths of terms do not fit", set!(lengths, vec![3, 0]));
    with("a term has no column", set!(columns, vec![0, 2]));
    with("weights do not fit", set!(weights, vec![1.0]));
    with("kinds differ", set!(terms, Values::Integers { values: vec![1, 2, 3] }));
    let unclosed = || {
        let split = TokenSplit::Separators { patterns: vec!["(".to_owned()] };
        Some(TokenRule { split, least: 1, marks: false })
    };
    with("a `(` has no `)`", set!(tokens, unclosed()));
}

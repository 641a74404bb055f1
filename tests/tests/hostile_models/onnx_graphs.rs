//! ONNX files: cycles, sizes that are not true, trees that loop, and small files that expand.

use super::protocol_buffer::{
    field, field_of_length, file, file_with_input, floats, integer_attribute, integer_list, integers, node,
    tensor, typed_value,
};
use super::{LARGEST, MODEST, refusals};

/// A tree of two columns. `children` are those of its three nodes if the condition holds, then if not.
fn tree(children: [[u64; 3]; 2], changed: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let texts: Vec<u8> =
        ["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"].iter().flat_map(|mode| field(9, mode)).collect();
    let values: Vec<u8> = [vec![7 << 3 | 5], 1.0_f32.to_le_bytes().to_vec()].concat().repeat(3);
    let weight = [field(1, "target_weights"), vec![7 << 3 | 5], 1.0_f32.to_le_bytes().to_vec()].concat();
    let mut attributes = vec![
        ("nodes_treeids", integer_list("nodes_treeids", &[0, 0, 0])),
        ("nodes_nodeids", integer_list("nodes_nodeids", &[0, 1, 2])),
        ("nodes_featureids", integer_list("nodes_featureids", &[0, 1, 0])),
        ("nodes_truenodeids", integer_list("nodes_truenodeids", &children[0])),
        ("nodes_falsenodeids", integer_list("nodes_falsenodeids", &children[1])),
        ("nodes_modes", [field(1, "nodes_modes"), texts].concat()),
        ("nodes_values", [field(1, "nodes_values"), values].concat()),
        ("n_targets", integer_attribute("n_targets", 1)),
        ("target_treeids", integer_list("target_treeids", &[0])),
        ("target_nodeids", integer_list("target_nodeids", &[2])),
        ("target_ids", integer_list("target_ids", &[0])),
        ("target_weights", weight),
    ];
    for (name, attribute) in changed {
        let place = attributes.iter_mut().find(|(known, _)| known == name).expect("a known attribute");
        place.1.clone_from(attribute);
    }
    let attributes: Vec<Vec<u8>> = attributes.into_iter().map(|(_, attribute)| attribute).collect();
    let mut tree = node("TreeEnsembleRegressor", &["X"], "Y", &attributes);
    tree.extend(field(7, "ai.onnx.ml"));
    file(&[tree], &[])
}

#[test]
fn cycles_and_wrong_kinds_are_refused() {
    let cycle =
        [node("Add", &["X", "B"], "A", &[]), node("Neg", &["A"], "B", &[]), node("Exp", &["B"], "Y", &[])];
    let add = node("Add", &["X", "h"], "Y", &[]);
    let text = [tensor("h", 8, &[1]), field(6, "a")].concat();
    let of_kind =
        |kind| file_with_input(&typed_value("X", kind, &[0, 2]), &[node("Neg", &["X"], "Y", &[])], &[]);
    let axis = [field(1, "axis"), field(4, "one"), vec![0xa0, 0x01, 3]].concat();
    insta::assert_snapshot!(refusals(
        "onnx",
        MODEST,
        [
            ("cycle.onnx", file(&cycle, &[])),
            ("unknown-value.onnx", file(&[node("Neg", &["Z"], "Y", &[])], &[])),
            (
                "computed-twice.onnx",
                file(&[node("Neg", &["X"], "Y", &[]), node("Exp", &["X"], "Y", &[])], &[])
            ),
            ("text-and-number.onnx", file(std::slice::from_ref(&add), &[text])),
            ("element-type.onnx", file(&[add], &[tensor("h", 99, &[1])])),
            ("input-type.onnx", of_kind(77)),
            ("input-complex.onnx", of_kind(14)),
            ("input-no-tensor.onnx", file_with_input(&field(1, "X"), &[node("Neg", &["X"], "Y", &[])], &[])),
            ("attribute-kind.onnx", file(&[node("Concat", &["X", "X"], "Y", &[axis])], &[])),
            ("no-operator.onnx", file(&[node("Conv", &["X"], "Y", &[])], &[])),
        ]
    ));
}

#[test]
fn sizes_that_are_not_true_are_refused() {
    let add = || node("Add", &["X", "h"], "Y", &[]);
    let shaped = |numbers: &[u64]| {
        file(
            &[node("ConstantOfShape", &["s"], "h", &[]), node("Add", &["X", "h"], "Y", &[])],
            &[integers("s", numbers)],
        )
    };
    let wide =
        |width| file_with_input(&typed_value("X", 1, &[0, width]), &[node("Neg", &["X"], "Y", &[])], &[]);
    insta::assert_snapshot!(refusals(
        "onnx",
        MODEST,
        [
            ("product.onnx", file(&[add()], &[floats("h", &[1 << 31, 1 << 31], &[1.0])])),
            ("product-overflow.onnx", file(&[add()], &[floats("h", &[1 << 62, 4], &[1.0])])),
            ("negative.onnx", file(&[add()], &[floats("h", &[u64::MAX], &[1.0])])),
            ("short.onnx", file(&[add()], &[floats("h", &[1 << 20], &[1.0])])),
            ("constant-of-shape.onnx", shaped(&[1 << 40, 1 << 40])),
            ("constant-of-shape-31.onnx", shaped(&[1 << 31])),
            ("expand.onnx", file(&[node("Expand", &["X", "s"], "Y", &[])], &[integers("s", &[1 << 30, 2])])),
            (
                "reshape.onnx",
                file(&[node("Reshape", &["X", "s"], "Y", &[])], &[integers("s", &[0, 1 << 62])])
            ),
            ("input-40.onnx", wide(1 << 40)),
            ("input-30.onnx", wide(1 << 30)),
            ("graph-length.onnx", field_of_length(7, 1 << 31, b"abc")),
            ("graph-length-63.onnx", field_of_length(7, u64::MAX >> 1, b"abc")),
            ("number-length.onnx", vec![0x80; 100]),
        ]
    ));
}

#[test]
fn trees_that_loop_or_do_not_exist_are_refused() {
    let sound = [[1, 2, 0], [2, 2, 0]];
    let with = |name: &'static str, attribute: Vec<u8>| tree(sound, &[(name, attribute)]);
    insta::assert_snapshot!(refusals(
        "onnx",
        MODEST,
        [
            ("loop.onnx", tree([[1, 0, 0], [2, 2, 0]], &[])),
            ("itself.onnx", tree([[0, 2, 0], [0, 2, 0]], &[])),
            ("child.onnx", tree([[1 << 31, 2, 0], [2, 2, 0]], &[])),
            ("feature.onnx", with("nodes_featureids", integer_list("nodes_featureids", &[1 << 40, 0, 0]))),
            ("tree-number.onnx", with("nodes_treeids", integer_list("nodes_treeids", &[0, 1 << 62, 0]))),
            ("lengths.onnx", with("nodes_nodeids", integer_list("nodes_nodeids", &[0]))),
            ("targets-40.onnx", with("n_targets", integer_attribute("n_targets", 1 << 40))),
            ("targets-30.onnx", with("n_targets", integer_attribute("n_targets", 1 << 30))),
            ("target.onnx", with("target_ids", integer_list("target_ids", &[7]))),
            // 2^31 nodes, of which the file has few bytes.
            (
                "nodes.onnx",
                with(
                    "nodes_treeids",
                    [field(1, "nodes_treeids"), field_of_length(8, 1 << 31, &[0])].concat()
                )
            ),
        ]
    ));
}

#[test]
fn small_files_that_expand_are_refused() {
    let doubled = |first: &str, axis: u64, last: &[Vec<u8>]| {
        let names: Vec<String> = (0..40).map(|step| format!("c{step}")).collect();
        let mut nodes = Vec::new();
        let mut from = first;
        for name in &names {
            nodes.push(node("Concat", &[from, from], name, &[integer_attribute_of_kind("axis", axis)]));
            from = name;
        }
        nodes.extend_from_slice(last);
        nodes
    };
    let sum = [node("ReduceSum", &["c39"], "R", &[]), node("Add", &["X", "R"], "Y", &[])];
    let columns = doubled("X", 1, &[node("Neg", &["c39"], "Y", &[])]);
    insta::assert_snapshot!(refusals(
        "onnx",
        MODEST,
        [
            ("columns.onnx", file(&columns, &[])),
            ("constants.onnx", file(&doubled("k", 0, &sum), &[floats("k", &[4], &[1.0, 2.0, 3.0, 4.0])])),
        ]
    ));

    // 2,000 constants of 2^20 values each.
    let names: Vec<String> = (0..2000).map(|at| format!("b{at}")).collect();
    let mut nodes: Vec<Vec<u8>> =
        names.iter().map(|name| node("ConstantOfShape", &["s"], name, &[])).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    nodes.extend([
        node("Sum", &names, "Z", &[]),
        node("ReduceSum", &["Z"], "R", &[]),
        node("Add", &["X", "R"], "Y", &[]),
    ]);
    insta::assert_snapshot!(refusals(
        "onnx",
        LARGEST,
        [("initializers.onnx", file(&nodes, &[integers("s", &[1 << 20])])),]
    ));

    let mut graph = Vec::new();
    for _ in 0..20_000 {
        graph = field(1, field(5, field(6, &graph)));
    }
    let mut shallow = Vec::new();
    for _ in 0..10 {
        shallow = field(1, field(5, field(6, &shallow)));
    }
    insta::assert_snapshot!(refusals(
        "onnx",
        MODEST,
        [("subgraphs.onnx", field(7, shallow)), ("subgraphs-20000.onnx", field(7, graph)),]
    ));
}

/// An attribute of one integer that says its kind.
fn integer_attribute_of_kind(name: &str, value: u64) -> Vec<u8> {
    [integer_attribute(name, value), vec![0xa0, 0x01, 2]].concat()
}

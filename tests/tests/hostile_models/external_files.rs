//! Files that a model names: only those inside of its folder are read, and not if they are too large.

use std::fs;
use std::os::unix::fs::symlink;

use understudy_tests::{TestWorkspace, make_pipe};

use super::protocol_buffer::{field, file_with_input, integer, node, tensor, typed_value};
use super::{MODEST, refusal};

/// A graph whose constant is in another file.
fn external(location: &str, further: &[(&str, &str)]) -> Vec<u8> {
    let entry = |key: &str, value: &str| field(13, [field(1, key), field(2, value)].concat());
    let mut constant = [tensor("h", 1, &[1]), entry("location", location), integer(14, 1)].concat();
    for (key, value) in further {
        constant.extend(entry(key, value));
    }
    file_with_input(&typed_value("X", 1, &[0, 1]), &[node("Add", &["X", "h"], "Y", &[])], &[constant])
}

/// A file of a length without content.
fn sparse_file(workspace: &TestWorkspace, name: &str, length: u64) {
    let file = fs::File::create(workspace.path().join(name)).expect("the folder can be written");
    file.set_len(length).expect("the file system has sparse files");
}

#[test]
fn files_outside_of_the_folder_are_refused() {
    let workspace = TestWorkspace::small();
    workspace.write("secret.bin", [0; 4]);
    workspace.write("model/small.bin", [0; 4]);
    symlink("../secret.bin", workspace.path().join("model/link.bin")).expect("a link");
    symlink("..", workspace.path().join("model/up")).expect("a link");
    make_pipe(&workspace.path().join("model/pipe.bin"));
    sparse_file(&workspace, "model/sparse.bin", 100 << 30);
    sparse_file(&workspace, "model/sparse-2.bin", (512 << 20) + 1);
    let all = u64::MAX.to_string();
    let files = [
        ("absolute.onnx", external("/etc/hostname", &[])),
        ("parent.onnx", external("../secret.bin", &[])),
        ("inner-parent.onnx", external("sub/../../secret.bin", &[])),
        ("backslash.onnx", external("..\\secret.bin", &[])),
        ("nul.onnx", external("small.bin\0", &[])),
        ("empty.onnx", external("", &[])),
        ("folder.onnx", external(".", &[])),
        ("link.onnx", external("link.bin", &[])),
        ("folder-link.onnx", external("up/secret.bin", &[])),
        ("pipe.onnx", external("pipe.bin", &[])),
        ("sparse.onnx", external("sparse.bin", &[])),
        ("sparse-2.onnx", external("sparse-2.bin", &[])),
        ("offset.onnx", external("small.bin", &[("offset", "4611686018427387904"), ("length", "4")])),
        ("length.onnx", external("small.bin", &[("offset", "1"), ("length", &all)])),
        ("offset-text.onnx", external("small.bin", &[("offset", "-1")])),
        ("itself.onnx", external("itself.onnx", &[])),
    ];
    let mut said = String::new();
    for (name, bytes) in files {
        let path = format!("model/{name}");
        workspace.write(&path, bytes);
        said += &(refusal(&workspace, "onnx", &path, MODEST) + "\n");
    }
    insta::assert_snapshot!(said);
}

#[test]
fn files_that_are_too_large_are_not_read() {
    let workspace = TestWorkspace::small();
    sparse_file(&workspace, "large.onnx", 100 << 30);
    let output = workspace.understudy(&["model", "show", "large.onnx"]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"cannot read large.onnx: it has 102400 MiB, more than the 512 MiB that are read; name the file of a trained model");
}

#[test]
fn an_mlmodel_names_only_its_own_files() {
    let workspace = TestWorkspace::small();
    workspace.write("secret.lgb", super::sound_file("mlflow/model.lgb"));
    let deep: String = (1..200).map(|depth| " ".repeat(depth) + "a:\n").collect();
    let described = |data: &str| format!("flavors:\n  lightgbm:\n    data: {data}\n");
    let nested = described("model.lgb") + "signature:\n  inputs: '" + &"[".repeat(100_000) + "'\n";
    let files = [
        ("parent", described("../secret.lgb")),
        ("absolute", described("/etc/passwd")),
        ("itself", described("MLmodel")),
        ("missing", described("model.lgb")),
        ("nested", format!("flavors:\n{deep}")),
        ("signature", nested),
    ];
    let mut said = String::new();
    for (name, text) in files {
        workspace.write(&format!("{name}/MLmodel"), text);
        if name == "signature" {
            workspace.write("signature/model.lgb", super::sound_file("mlflow/model.lgb"));
        }
        said += &(refusal(&workspace, "lightgbm", name, MODEST) + "\n");
    }
    insta::assert_snapshot!(said);
}

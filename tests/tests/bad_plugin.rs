//! Studies with unsuitable plugins: `understudy check` names the plugin, the reason and the line to change.

use understudy_tests::{TestWorkspace, plugin};

/// Output of `check` for the small study with edits.
fn check(changes: &[(&str, &str)]) -> String {
    let workspace = TestWorkspace::small();
    workspace.edit_study(changes);
    refused(&workspace)
}

fn refused(workspace: &TestWorkspace) -> String {
    let output = workspace.understudy(&["check", "study.toml"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
    output.stderr
}

/// Output of `check` if the model's file has these bytes.
fn model(bytes: &[u8]) -> String {
    let workspace = TestWorkspace::small();
    workspace.write("model.wasm", bytes);
    workspace.edit_study(&[("PLUGINS/recorded.wasm", "model.wasm")]);
    refused(&workspace)
}

/// Output of `check` if the model is a component given as text.
fn component(text: &str) -> String {
    model(&wat::parse_str(text).expect("the text is Wasm"))
}

#[test]
fn an_undeclared_field_is_an_error() {
    insta::assert_snapshot!(check(&[("field = \"booked\", form", "field = \"reserved\", form")]), @r#"
    study.toml:26: model "echo" reads `reserved`, which the study does not declare; add reserved = "text" to [inputs.fields]
    study.toml:27: model "echo" is not granted `reserved`, which it reads; write grant = ["booked", "reserved"]
    "#);
    insta::assert_snapshot!(check(&[("field = \"decision.room\"", "field = \"decision.suite\"")]), @r#"
    study.toml:32: comparator "recorded" reads `decision.suite`, which the study does not declare; add suite = "text" to [decisions.fields]
    study.toml:33: comparator "recorded" is not granted `decision.suite`, which it reads; write grant = ["decision.room", "decision.suite"]
    "#);
}

#[test]
fn a_field_without_a_grant_is_an_error() {
    insta::assert_snapshot!(check(&[("grant = [\"booked\"]\n", "")]), @r#"study.toml:24: model "echo" is not granted `booked`, which it reads; write grant = ["booked"]"#);
    let nights = "field = \"nights\", kind = \"integer\", form";
    insta::assert_snapshot!(check(&[("field = \"booked\", form", nights)]), @r#"study.toml:27: model "echo" is not granted `nights`, which it reads; write grant = ["booked", "nights"]"#);
}

#[test]
fn missing_grants_of_a_plugin_are_reported_together() {
    let changes = [
        ("PLUGINS/recorded.wasm", &*plugin("room_rules").display().to_string()),
        ("config = { field = \"booked\", form = \"label\" }\n", ""),
        ("nights = \"integer\"", "adults = \"integer\"\nchildren = \"integer\"\nmarket_segment = \"text\""),
    ];
    insta::assert_snapshot!(check(&changes), @r#"
    study.toml:28: model "echo" reads `customer_type`, which the study does not declare; add customer_type = "text" to [inputs.fields]
    study.toml:29: model "echo" is not granted `adults`, `children`, `market_segment`, `customer_type`, which it reads; write grant = ["booked", "adults", "children", "market_segment", "customer_type"]
    "#);
}

#[test]
fn a_model_cannot_read_the_decision() {
    insta::assert_snapshot!(check(&[("field = \"booked\", form", "field = \"decision.room\", form")]), @r#"study.toml:26: model "echo" reads `decision.room`, and a model is never shown the decision: that would leak its target into its input; let it read fields of the snapshot only"#);
}

#[test]
fn a_comparator_must_read_the_decision() {
    let changes =
        [("field = \"decision.room\"", "field = \"booked\""), ("[\"decision.room\"]", "[\"booked\"]")];
    insta::assert_snapshot!(check(&changes), @r#"study.toml:32: comparator "recorded" neither reads nor is granted a field of the decision, so the models would be compared with the snapshots; let it read fields of [decisions.fields], such as `decision.room`"#);
}

#[test]
fn a_field_of_another_kind_is_an_error() {
    let changes = [("booked = \"text\"", "booked = \"integer\""), ("[\"a\", \"b\"]", "[1, 2]")];
    insta::assert_snapshot!(check(&changes), @r#"
    study.toml:26: model "echo" reads `booked` as text, and [inputs.fields] declares it as integer; write booked = "text" there if that is what the records hold
    snapshots.jsonl: none of the first 5 records can be decoded; line 1: field `booked`: expected an integer, found "a"
    "#);
    insta::assert_snapshot!(check(&[("room = \"text\"", "room = \"json\"")]), @r#"study.toml:32: comparator "recorded" reads `decision.room` as text, and [decisions.fields] declares it as json; write room = "text" there if that is what the records hold"#);
}

#[test]
fn a_missing_file_is_an_error() {
    insta::assert_snapshot!(check(&[("PLUGINS/recorded.wasm", "plugins/echo.wasm")]), @r#"study.toml:26: model "echo": cannot read plugins/echo.wasm: No such file or directory (os error 2); build the plugin, or correct the path"#);
    insta::assert_snapshot!(check(&[("PLUGINS/recorded.wasm", "./")]), @r#"study.toml:26: model "echo": cannot read ./: it is a directory, not a regular file; build the plugin, or correct the path"#);
    insta::assert_snapshot!(check(&[("grant = [\"booked\"]", "assets = { weights = \"weights.bin\" }\ngrant = [\"booked\"]")]), @r#"study.toml:24: model "echo": cannot read its asset `weights`, weights.bin: No such file or directory (os error 2); correct the path"#);
}

#[test]
fn a_file_that_is_not_a_component_is_an_error() {
    insta::assert_snapshot!(model(b""), @r#"study.toml:26: model "echo": model.wasm is not Wasm: a component begins with the bytes "\0asm"; name the .wasm file"#);
    insta::assert_snapshot!(model(b"#!/bin/sh\n"), @r#"study.toml:26: model "echo": model.wasm is not Wasm: a component begins with the bytes "\0asm"; name the .wasm file"#);
    insta::assert_snapshot!(component("(module)"), @r#"study.toml:26: model "echo": model.wasm is a core module, not a component; make it one with `understudy pack model.wasm --output COMPONENT.wasm`"#);
    let whole = wat::parse_str("(component (core module))").expect("the text is Wasm");
    insta::assert_snapshot!(model(&whole[..whole.len() - 2]), @r#"study.toml:26: model "echo": model.wasm is not a valid component: failed to parse WebAssembly module: wasm component contains an invalid module section: section range 10..18 is out of bounds (bound = 16); rebuild it"#);
}

#[test]
fn a_plugin_with_imports_is_an_error() {
    insta::assert_snapshot!(component(r#"(component (import "roll-dice" (func (result u32))))"#), @r#"study.toml:26: model "echo": model.wasm imports `roll-dice`; a plugin imports nothing: build it for wasm32-unknown-unknown, without WASI"#);
    let wasi = r#"
        (component
            (import "wasi:cli/environment@0.2.0" (instance
                (export "get-environment" (func (result (list (tuple string string)))))))
            (import "wasi:clocks/wall-clock@0.2.0" (instance)))
    "#;
    insta::assert_snapshot!(component(wasi), @r#"study.toml:26: model "echo": model.wasm imports `wasi:cli/environment@0.2.0`, `wasi:clocks/wall-clock@0.2.0`; a plugin imports nothing: build it for wasm32-unknown-unknown, without WASI"#);
}

#[test]
fn a_component_of_another_role_is_an_error() {
    insta::assert_snapshot!(check(&[("PLUGINS/recorded.wasm", &plugin("agreement").display().to_string())]), @r#"study.toml:26: model "echo": WORKSPACE/target/plugins/agreement.wasm is a metric, so it cannot be a model; name a component that exports `understudy:shadow/decider@0.1.0`"#);
    insta::assert_snapshot!(check(&[("PLUGINS/agreement.wasm", &plugin("recorded").display().to_string())]), @r#"study.toml:38: metric "agreement": WORKSPACE/target/plugins/recorded.wasm is a model or a comparator, so it cannot be a metric; name a component that exports `understudy:shadow/scorer@0.1.0`"#);
    insta::assert_snapshot!(component("(component)"), @r#"study.toml:26: model "echo": model.wasm is a component of another kind, so it cannot be a model; name a component that exports `understudy:shadow/decider@0.1.0`"#);
}

#[test]
fn a_rejected_configuration_is_an_error() {
    insta::assert_snapshot!(check(&[("field = \"booked\", form = \"label\"", "field = \"booked\", form = \"class\"")]), @r#"study.toml:28: model "echo": cannot configure it: `config.form` at column 37 is "class"; write "label", "number", "ranking", "label-set" or "json""#);
    insta::assert_snapshot!(check(&[("config = { field = \"booked\", form = \"label\" }\n", "")]), @r#"
    study.toml:24: model "echo": cannot configure it: `config` lacks `field`; write a text of at least 1 character there
    study.toml:24: model "echo": cannot configure it: `config` lacks `form`; write "label", "number", "ranking", "label-set" or "json" there
    "#);
}

#[test]
fn another_answer_form_is_an_error() {
    let nights = [
        ("field = \"booked\", form = \"label\"", "field = \"nights\", form = \"number\""),
        ("[\"booked\"]", "[\"nights\"]"),
    ];
    insta::assert_snapshot!(check(&nights), @r#"study.toml:26: model "echo" answers with a number, and comparator "recorded" with a label, which cannot be compared; let them answer in one form"#);
    insta::assert_snapshot!(check(&[("PLUGINS/agreement.wasm", &plugin("mean_absolute_error").display().to_string())]), @r#"study.toml:38: metric "agreement" does not score a label, which is what comparator "recorded" answers with; choose another metric"#);
}

#[test]
fn all_errors_are_reported_at_once_with_their_lines() {
    let workspace = TestWorkspace::small();
    workspace.write("other.wasm", wat::parse_str("(component)").expect("the text is Wasm"));
    let overlap = plugin("top_k_overlap").display().to_string();
    workspace.edit_study(&[
        ("field = \"booked\", form = \"label\"", "field = \"decision.room\", form = \"label\""),
        (
            "[comparator]",
            "[[models]]\nname = \"other\"\nplugin = \"other.wasm\"\n\n\
             [[models]]\nname = \"length\"\nplugin = \"PLUGINS/recorded.wasm\"\ngrant = [\"booked\"]\n\
             config = { field = \"nights\", form = \"number\" }\n\n[comparator]",
        ),
        ("grant = [\"decision.room\"]\n", ""),
        ("PLUGINS/agreement.wasm\"", "agrement.wasm\"\n\n[[metrics]]\nname = \"overlap\"\nplugin = \"OVERLAP\"\nconfig = { k = 1 }\nprimary = true"),
        ("OVERLAP", &overlap),
    ]);
    insta::assert_snapshot!(refused(&workspace), @r#"
    study.toml:26: model "echo" reads `decision.room`, and a model is never shown the decision: that would leak its target into its input; let it read fields of the snapshot only
    study.toml:32: model "other": other.wasm is a component of another kind, so it cannot be a model; name a component that exports `understudy:shadow/decider@0.1.0`
    study.toml:36: model "length" answers with a number, and comparator "recorded" with a label, which cannot be compared; let them answer in one form
    study.toml:37: model "length" is not granted `nights`, which it reads; write grant = ["booked", "nights"]
    study.toml:40: comparator "recorded" is not granted `decision.room`, which it reads; write grant = ["decision.room"]
    study.toml:47: metric "agreement": cannot read agrement.wasm: No such file or directory (os error 2); build the plugin, or correct the path
    study.toml:51: metric "overlap" does not score a label, which is what comparator "recorded" answers with; choose another metric
    "#);
}

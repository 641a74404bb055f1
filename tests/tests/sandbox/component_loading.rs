//! Only components without imports that export the interface of their role can be loaded.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use understudy_sandbox::{ComponentFile, DeciderPlugin, PluginRole, SandboxError, ScorerPlugin};
use understudy_tests::{plugin, root};
use wit_component::DecodedWasm;

use super::fixture::{BUDGET, sandbox};

/// The file names in a folder, without extension.
fn names(folder: &Path, counts: impl Fn(&Path) -> bool) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let stem = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    paths.filter(|path| counts(path)).map(stem).collect()
}

/// The names of the components of the crates in a folder.
fn crates(folder: &str) -> BTreeSet<String> {
    let names = names(&root().join(folder), |path| path.join("Cargo.toml").is_file());
    names.into_iter().map(|name| name.replace('-', "_")).collect()
}

fn components(folder: &str) -> BTreeSet<String> {
    names(&root().join(folder), |path| path.extension().is_some_and(|extension| extension == "wasm"))
}

#[test]
fn components_and_plugin_crates_correspond() {
    assert_eq!(components("target/plugins"), crates("plugins"));
    assert_eq!(components("target/plugins/guests"), crates("tests/guests"));
}

#[test]
fn no_plugin_of_the_repository_has_imports() {
    let plugins = components("target/plugins");
    assert!(!plugins.is_empty());
    for name in plugins {
        let bytes = fs::read(plugin(&name)).expect("it was built");
        let decoded = wit_component::decode(&bytes).expect("it is a component");
        let DecodedWasm::Component(resolve, world) = decoded else { panic!("{name} is no component") };
        let imports = resolve.worlds[world].imports.keys();
        let imports: Vec<String> = imports.map(|key| resolve.name_world_key(key)).collect();
        assert_eq!(imports, Vec::<String>::new(), "{name}");
    }
}

/// The error of loading `bytes` as a model.
fn load_error(bytes: &[u8]) -> String {
    load_error_as(PluginRole::Model, bytes)
}

fn load_error_as(role: PluginRole, bytes: &[u8]) -> String {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("plugin.wasm");
    fs::write(&path, bytes).expect("it can be written");
    let load = || -> Result<(), SandboxError> {
        let (sandbox, file) = (sandbox(BUDGET), ComponentFile::read(&path)?);
        match role {
            PluginRole::Metric => {
                ScorerPlugin::load(&sandbox, &file, "{}".into(), [].into(), None).map(|_| ())
            }
            _ => DeciderPlugin::load(&sandbox, &file, role, "{}".into(), [].into(), None).map(|_| ()),
        }
    };
    let error = load().expect_err("it is no plugin").to_string();
    error.replace(&folder.path().display().to_string(), "FOLDER")
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is Wasm")
}

#[test]
fn imports_are_rejected_by_name() {
    insta::assert_snapshot!(load_error(&wat(r#"(component (import "roll-dice" (func (result u32))))"#)), @"FOLDER/plugin.wasm imports `roll-dice`; a plugin imports nothing: build it for wasm32-unknown-unknown, without WASI");
    let wasi = r#"
        (component
            (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result u64)))))
            (import "wasi:filesystem/types@0.2.0" (instance)))
    "#;
    insta::assert_snapshot!(load_error(&wat(wasi)), @"FOLDER/plugin.wasm imports `wasi:random/random@0.2.0`, `wasi:filesystem/types@0.2.0`; a plugin imports nothing: build it for wasm32-unknown-unknown, without WASI");
    let many: String = (0..1000).map(|number| format!("(import \"f-{number}\" (func))")).collect();
    insta::assert_snapshot!(load_error(&wat(&format!("(component {many})"))), @"FOLDER/plugin.wasm imports `f-0`, `f-1`, `f-2`, `f-3`, `f-4`, `f-5`, `f-6`, `f-7`, `f-8`, `f-9` and 990 others; a plugin imports nothing: build it for wasm32-unknown-unknown, without WASI");
    // Any import counts: a type, a module, a component.
    insta::assert_snapshot!(load_error(&wat(r#"(component (import "t" (type (sub resource))))"#)), @"FOLDER/plugin.wasm imports `t`; a plugin imports nothing: build it for wasm32-unknown-unknown, without WASI");
    insta::assert_snapshot!(load_error(&wat(r#"(component (import "m" (core module)))"#)), @"FOLDER/plugin.wasm imports `m`; a plugin imports nothing: build it for wasm32-unknown-unknown, without WASI");
    insta::assert_snapshot!(load_error(&wat(r#"(component (import "c" (component)))"#)), @"FOLDER/plugin.wasm is not a valid component: failed to parse WebAssembly module: root-level component imports are not supported; rebuild it");
}

#[test]
fn files_that_are_not_components_are_rejected() {
    insta::assert_snapshot!(load_error(b""), @r#"FOLDER/plugin.wasm is not Wasm: a component begins with the bytes "\0asm"; name the .wasm file"#);
    insta::assert_snapshot!(load_error(b"\0asm"), @r#"FOLDER/plugin.wasm is not Wasm: a component begins with the bytes "\0asm"; name the .wasm file"#);
    insta::assert_snapshot!(load_error("Γειά σου, Κόσμε".as_bytes()), @r#"FOLDER/plugin.wasm is not Wasm: a component begins with the bytes "\0asm"; name the .wasm file"#);
    insta::assert_snapshot!(load_error(&wat("(module)")), @"FOLDER/plugin.wasm is a core module, not a component; make it one with `understudy pack FOLDER/plugin.wasm --output COMPONENT.wasm`");
    insta::assert_snapshot!(load_error(&wat("(component)")), @"FOLDER/plugin.wasm is a component of another kind, so it cannot be a model; name a component that exports `understudy:shadow/decider@0.1.0`");
}

#[test]
fn disabled_wasm_features_are_rejected() {
    let parts = [
        "(memory 1 1 shared)",
        "(memory i64 1)",
        "(type (struct))",
        "(tag)",
        "(func (param v128) (result v128) local.get 0 local.get 0 local.get 0 i8x16.relaxed_laneselect)",
        "(func $f return_call $f)",
    ];
    for part in parts {
        let message = load_error(&wat(&format!("(component (core module {part}))")));
        assert!(message.starts_with("FOLDER/plugin.wasm is not a valid component: "), "{part}: {message}");
    }
}

#[test]
fn damaged_components_are_rejected() {
    let whole = fs::read(plugin("booked_room")).expect("it was built");
    for share in 1..8 {
        let message = load_error(&whole[..whole.len() * share / 8]);
        assert!(message.starts_with("FOLDER/plugin.wasm is "), "{message}");
    }
    // Within the code.
    let mut changed = whole.clone();
    changed[whole.len() / 4..][..64].fill(0xff);
    let message = load_error(&changed);
    assert!(message.starts_with("FOLDER/plugin.wasm is not a valid component: "), "{message}");
}

#[test]
fn a_plugin_in_another_role_is_rejected() {
    let (metric, model) = (fs::read(plugin("agreement")), fs::read(plugin("booked_room")));
    let (metric, model) = (metric.expect("it was built"), model.expect("it was built"));
    insta::assert_snapshot!(load_error_as(PluginRole::Model, &metric), @"FOLDER/plugin.wasm is a metric, so it cannot be a model; name a component that exports `understudy:shadow/decider@0.1.0`");
    insta::assert_snapshot!(load_error_as(PluginRole::Comparator, &metric), @"FOLDER/plugin.wasm is a metric, so it cannot be a comparator; name a component that exports `understudy:shadow/decider@0.1.0`");
    insta::assert_snapshot!(load_error_as(PluginRole::Metric, &model), @"FOLDER/plugin.wasm is a model or a comparator, so it cannot be a metric; name a component that exports `understudy:shadow/scorer@0.1.0`");
}

#[test]
fn an_interface_with_other_types_is_rejected() {
    let hollow = r#"
        (component
            (instance $nothing)
            (export "understudy:shadow/decider@0.1.0" (instance $nothing)))
    "#;
    insta::assert_snapshot!(load_error(&wat(hollow)), @"its `understudy:shadow/decider@0.1.0` differs from the host's: no exported instance named `understudy:shadow/columns@0.1.0`; build it against the host's wit/shadow.wit");
    let function = r#"
        (component
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (instance $d (export "describe" (func $f)) (export "configure" (func $f)) (export "decide" (func $f)))
            (instance $none)
            (export "understudy:shadow/columns@0.1.0" (instance $none))
            (export "understudy:shadow/answers@0.1.0" (instance $none))
            (export "understudy:shadow/setup@0.1.0" (instance $none))
            (export "understudy:shadow/decider@0.1.0" (instance $d)))
    "#;
    insta::assert_snapshot!(load_error(&wat(function)), @"its `understudy:shadow/decider@0.1.0` differs from the host's: failed to convert function to given type: type mismatch with parameters: expected 2-tuple, found 0-tuple; build it against the host's wit/shadow.wit");
}

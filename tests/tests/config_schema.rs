//! Configurations in `study.toml` that do not fit the schema of their plugin: each value is named with line and column.

use std::path::Path;

use understudy_tests::study_toml::StudyToml;
use understudy_tests::{CommandOutput, TestWorkspace};

/// A study with one metric of each configuration.
fn study(metrics: &[(&str, &str)]) -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let mut study = StudyToml::small().to_string();
    for (at, (metric, config)) in metrics.iter().enumerate() {
        study += &format!("\n[[metrics]]\nname = \"m{at}\"\nplugin = \"{metric}\"\n{config}\n");
    }
    workspace.write("study.toml", study);
    workspace
}

fn refused(workspace: &TestWorkspace, arguments: &[&str]) -> String {
    let output = workspace.understudy(arguments);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{}", output.stderr);
    output.stderr.trim_end().to_owned()
}

#[test]
fn a_configuration_that_does_not_fit_is_named_with_line_and_column() {
    let workspace = study(&[
        ("top-k-overlap", "config = { k = \"3\" }"),
        ("top-k-overlap", "config = { kk = 3 }"),
        ("top-k-overlap", "config = { k = 1001 }"),
        ("top-k-overlap", "config = {}"),
        ("top-k-overlap", ""),
        ("quantile-loss", "[metrics.config]\nquantile = 1"),
        ("kappa", "config = { labels = [\"a\",\n  7] }"),
        ("within-tolerance", "config = { absolute = -1, relativ = 0.5 }"),
        ("agreement", "config = { k = 1 }"),
    ]);
    let errors = refused(&workspace, &["check", "study.toml"]);
    insta::assert_snapshot!(errors, @"");
    // Every command that loads the study says the same.
    assert_eq!(refused(&workspace, &["run", "study.toml", "--run", "run"]), errors);
    assert_eq!(refused(&workspace, &["seal", "study.toml"]), errors);
}

#[test]
fn models_and_comparators_are_checked_with_the_other_errors_of_a_study() {
    let workspace = TestWorkspace::small();
    workspace.edit_study(&[
        ("field = \"booked\", form = \"label\"", "field = \"\", form = \"class\", knid = \"text\""),
        ("field = \"decision.room\"", "field = [\"decision.room\"]"),
        ("horizon = \"1d\"", "horizon = 7"),
    ]);
    insta::assert_snapshot!(refused(&workspace, &["check", "study.toml"]), @"");
}

#[test]
fn a_configuration_on_the_command_line_is_checked() {
    let workspace = TestWorkspace::new();
    let errors = [
        refused(&workspace, &["plugin", "show", "kappa", "--config", "{\"labels\": 3}"]),
        refused(&workspace, &["plugin", "check", "top-k-overlap", "--config", "{\"k\": 0, \"p\": 1}"]),
    ];
    insta::assert_snapshot!(errors.join("\n"), @"");
}

/// Runs the program in a workspace, with one target folder for all plugins, so that the SDK is compiled once.
fn plugin_command(workspace: &TestWorkspace, arguments: &[&str]) -> CommandOutput {
    let mut command = workspace.command(&[&["plugin"], arguments].concat());
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-kit"));
    workspace.redacted(command.output().expect("the program can be started").into())
}

#[test]
fn the_configuration_of_a_new_plugin_is_checked_and_shown() {
    let workspace = TestWorkspace::small();
    plugin_command(&workspace, &["new", "long-stays"]);
    insta::assert_snapshot!(refused(&workspace, &["plugin", "show", "long-stays"]), @"cannot show long-stays: it is not built; run `understudy plugin build long-stays` first");
    let built = plugin_command(&workspace, &["build", "long-stays"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let shown = plugin_command(&workspace, &["show", "long-stays"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let is_stable = |line: &&str| !line.starts_with("  size") && !line.starts_with("  sha256");
    let shown: Vec<&str> = shown.stdout.lines().filter(is_stable).collect();
    insta::assert_snapshot!(shown.join("\n"), @"");

    let model = "config = { field = \"booked\", form = \"label\" }";
    let changes = [
        ("booked = \"text\"", "room = \"text\"\nbooked = \"text\""),
        ("PLUGINS/recorded.wasm", "long-stays/long_stays.wasm"),
        ("grant = [\"booked\"]", "grant = [\"room\", \"nights\"]"),
    ];
    workspace.edit_study(&changes);
    let mut written = model;
    let mut errors = Vec::new();
    for config in [
        "config = { long_stay_nights = \"7\" }",
        "config = { long_stay_nights = 0 }",
        "config = { long_stay_nights = 65536 }",
        "config = { long-stay-nights = 7 }",
    ] {
        workspace.edit_study(&[(written, config)]);
        errors.push(refused(&workspace, &["check", "study.toml"]));
        written = config;
    }
    insta::assert_snapshot!(errors.join("\n"), @"");
    workspace.edit_study(&[(written, "config = { long_stay_nights = 3 }")]);
    workspace.ok(&["check", "study.toml"]);
}

#[test]
fn a_schema_is_added_to_a_component_of_another_language() {
    let workspace = TestWorkspace::small();
    workspace.write("schema.json", r#"{"type": "object", "properties": {"k": {"type": "integer"}}}"#);
    workspace.write("wrong.json", r#"{"type": "objekt"}"#);
    let booked_room = understudy_tests::plugin("booked_room").display().to_string();
    let pack = |schema: &str| {
        workspace.understudy(&["pack", &booked_room, "--output", "with.wasm", "--config-schema", schema])
    };
    // Components of the SDK declare one themselves.
    insta::assert_snapshot!(pack("schema.json").stderr.trim_end(), @"");
    insta::assert_snapshot!(pack("missing.json").stderr.trim_end(), @"");
}

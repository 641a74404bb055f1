//! Configurations in `study.toml` that do not fit the schema of their plugin: each value is named with line and column.

use std::path::Path;

use understudy_tests::study_toml::StudyToml;
use understudy_tests::{CommandOutput, TestWorkspace};

/// A study with one metric of each configuration.
fn study(metrics: &[(&str, &str)]) -> TestWorkspace {
    let workspace = TestWorkspace::small();
    let primary = "name = \"agreement\"\nprimary = true";
    let mut study = StudyToml::small().to_string().replace("name = \"agreement\"", primary);
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
    insta::assert_snapshot!(errors, @r#"
    study.toml:52: metric "m0": cannot configure it: `config.k` at column 16 is "3"; write a whole number from 1 to 1000
    study.toml:57: metric "m1": cannot configure it: unknown key `config.kk` at column 12; did you mean `k`? keys allowed here: k
    study.toml:62: metric "m2": cannot configure it: `config.k` at column 16 is 1001; write a whole number from 1 to 1000
    study.toml:67: metric "m3": cannot configure it: `config` at column 10 lacks `k`; write a whole number from 1 to 1000 there
    study.toml:69: metric "m4": cannot configure it: `config` lacks `k`; write a whole number from 1 to 1000 there
    study.toml:78: metric "m5": cannot configure it: `config.quantile` at column 12 is 1; write a number above 0 and below 1
    study.toml:84: metric "m6": cannot configure it: `config.labels[1]` at column 3 is 7; write a text
    study.toml:89: metric "m7": cannot configure it: `config.absolute` at column 23 is -1; write a number of at least 0
    study.toml:89: metric "m7": cannot configure it: unknown key `config.relativ` at column 27; did you mean `relative`? keys allowed here: absolute, relative
    study.toml:94: metric "m8": cannot configure it: unknown key `config.k` at column 12; remove it, no key is allowed here
    "#);
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
    insta::assert_snapshot!(refused(&workspace, &["check", "study.toml"]), @r#"
    study.toml:15: `decisions.horizon` is 7; write a duration above zero, such as "30s", "15m", "24h" or "7d", up to "36500d"
    study.toml:28: model "echo": cannot configure it: `config.field` at column 20 is ""; write a text of at least 1 character
    study.toml:28: model "echo": cannot configure it: `config.form` at column 31 is "class"; write "label", "number", "ranking", "label-set" or "json"
    study.toml:28: model "echo": cannot configure it: unknown key `config.knid` at column 40; did you mean `kind`? keys allowed here: field, form, kind, probabilities
    study.toml:34: comparator "recorded": cannot configure it: `config.field` at column 20 is a list; write a text of at least 1 character
    not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and the answers that metrics score; correct the errors, and check again
    "#);
}

#[test]
fn a_configuration_on_the_command_line_is_checked() {
    let workspace = TestWorkspace::new();
    let errors = [
        refused(&workspace, &["plugin", "show", "kappa", "--config", "{\"labels\": 3}"]),
        refused(&workspace, &["plugin", "check", "top-k-overlap", "--config", "{\"k\": 0, \"p\": 1}"]),
    ];
    insta::assert_snapshot!(errors.join("\n"), @"
    cannot configure kappa: `config.labels` is 3; write a list of at least 1 element; give another configuration with --config
    cannot configure top-k-overlap: `config.k` is 0; write a whole number from 1 to 1000. Also unknown key `config.p`; keys allowed here: k; give another configuration with --config
    ");
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
    insta::assert_snapshot!(shown.join("\n"), @r#"
    long-stays: long-stays 0.1.0, a model or a comparator
      reads       room                     text
                  nights                   integer, optional
      answers     a label
      config      {
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    "additionalProperties": false,
                    "description": "The configuration in the study.",
                    "properties": {
                      "long_stay_nights": {
                        "description": "Nights from which on a stay is long; 7 by default.",
                        "maximum": 65535,
                        "minimum": 1,
                        "type": "integer"
                      }
                    },
                    "type": "object"
                  }
    "#);

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
    insta::assert_snapshot!(errors.join("\n"), @r#"
    study.toml:29: model "echo": cannot configure it: `config.long_stay_nights` at column 31 is "7"; write a whole number from 1 to 65535
    study.toml:29: model "echo": cannot configure it: `config.long_stay_nights` at column 31 is 0; write a whole number from 1 to 65535
    study.toml:29: model "echo": cannot configure it: `config.long_stay_nights` at column 31 is 65536; write a whole number from 1 to 65535
    study.toml:29: model "echo": cannot configure it: unknown key `config.long-stay-nights` at column 12; did you mean `long_stay_nights`? keys allowed here: long_stay_nights
    "#);
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
    insta::assert_snapshot!(pack("schema.json").stderr.trim_end(), @"cannot add the config schema schema.json: the component declares one already; correct the schema, or leave out --config-schema");
    insta::assert_snapshot!(pack("missing.json").stderr.trim_end(), @"cannot add the config schema missing.json: No such file or directory (os error 2); name a file with a JSON Schema");
}

//! Plugins that are part of the program: a study and commands name them without a path.

use std::collections::BTreeSet;
use std::fs;

use understudy_tests::{TestWorkspace, overall, root, six_labels};

#[test]
fn a_study_without_paths_runs_and_its_run_stores_the_components() {
    let workspace = six_labels::workspace("recorded", "agreement");
    let report = workspace.run(&[]);
    assert_eq!(overall(&report, 0, 0)["value"].as_f64(), Some(4.0 / 6.0));
    // `verify` recomputes everything with the components that the run stores.
    workspace.ok(&["verify", "run"]);
    let stored = fs::read_dir(workspace.path().join("run/plugins")).expect("the plugins of the run");
    assert_eq!(stored.count(), 2, "one component answers and converts, one scores");
}

#[test]
fn an_unknown_name_is_an_error_with_the_names() {
    let output = six_labels::workspace("recorded", "agrement").understudy(&["check", "study.toml"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    insta::assert_snapshot!(output.stderr.trim(), @r#"study.toml:37: metric "agreement": there is no stock plugin "agrement"; did you mean "agreement"? use one of agreement, bias, brier-score, expected-calibration-error, jaccard, json-equality, kappa, kendall-tau, log-loss, mean-absolute-error, mean-absolute-percentage-error, ndcg, quantile-loss, r-squared, rank-biased-overlap, recorded, root-mean-square-error, top-k-overlap, within-tolerance, or the path of a component, which has a slash or ends in .wasm"#);
    let output = six_labels::workspace("recorded", "cost").understudy(&["check", "study.toml"]);
    insta::assert_snapshot!(output.stderr.trim(), @r#"study.toml:37: metric "agreement": there is no stock plugin "cost"; use one of agreement, bias, brier-score, expected-calibration-error, jaccard, json-equality, kappa, kendall-tau, log-loss, mean-absolute-error, mean-absolute-percentage-error, ndcg, quantile-loss, r-squared, rank-biased-overlap, recorded, root-mean-square-error, top-k-overlap, within-tolerance, or the path of a component, which has a slash or ends in .wasm"#);
}

#[test]
fn every_plugin_of_the_repository_is_a_stock_plugin_an_example_or_a_part_of_the_program() {
    let others = [
        "booked-room",
        "historical-rate",
        "model-importer",
        "neural",
        "room-rules",
        "tabular",
        "yard-allocator",
    ];
    let known: BTreeSet<&str> = understudy_engine::stock_names().chain(others).collect();
    let folders = fs::read_dir(root().join("plugins")).expect("the plugins");
    let folders = folders.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let folders: Vec<String> = folders.collect();
    assert_eq!(folders.iter().map(String::as_str).collect::<BTreeSet<_>>(), known);
}

#[test]
fn the_stock_plugins_are_listed() {
    insta::assert_snapshot!(TestWorkspace::new().ok(&["plugin", "list"]).stdout.trim_end(), @r#"
    agreement                       a metric                 scores answers of form label, label-set, json
    bias                            a metric                 scores answers of form number
    brier-score                     a metric                 scores answers of form label
    expected-calibration-error      a metric                 scores answers of form label
    jaccard                         a metric                 scores answers of form label-set
    json-equality                   a metric                 scores answers of form json
    kappa                           a metric                 needs config: labels: a list of at least 1 element
    kendall-tau                     a metric                 scores answers of form ranking
    log-loss                        a metric                 scores answers of form label
    mean-absolute-error             a metric                 scores answers of form number
    mean-absolute-percentage-error  a metric                 scores answers of form number
    ndcg                            a metric                 needs config: k: a whole number from 1 to 1000
    quantile-loss                   a metric                 needs config: quantile: a number above 0 and below 1
    r-squared                       a metric                 scores answers of form number
    rank-biased-overlap             a metric                 needs config: p: a number above 0 and below 1
    recorded                        a model or a comparator  needs config: field: a text of at least 1 character; form: "label", "number", "ranking", "label-set" or "json"
    root-mean-square-error          a metric                 scores answers of form number
    top-k-overlap                   a metric                 needs config: k: a whole number from 1 to 1000
    within-tolerance                a metric                 needs config: no tolerance; write `absolute` or `relative`
    "#);
}

#[test]
fn a_plugin_is_shown() {
    let workspace = six_labels::workspace("recorded", "agreement");
    let shown = |arguments: &[&str]| {
        let text = workspace.ok(&[&["plugin", "show"], arguments].concat()).stdout;
        let is_stable = |line: &&str| !line.starts_with("  size") && !line.starts_with("  sha256");
        assert_eq!(text.lines().filter(|line| !is_stable(line)).count(), 2, "{text}");
        text.lines().filter(is_stable).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(shown(&["top-k-overlap", "--config", "{\"k\": 3}"]), @r#"
    top-k-overlap: top-k-overlap 0.1.0, a metric
      scores      ranking
      range       0 to 1
      better      higher
      components  overlap
      config      {
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    "additionalProperties": false,
                    "description": "How many names are compared.",
                    "properties": {
                      "k": {
                        "description": "The number of names that count.",
                        "maximum": 1000,
                        "minimum": 1,
                        "type": "integer"
                      }
                    },
                    "required": [
                      "k"
                    ],
                    "type": "object"
                  }
    "#);
    let recorded = "{\"field\": \"decision.room\", \"form\": \"label\"}";
    let configured = shown(&["recorded", "--config", recorded]);
    insta::assert_snapshot!(configured, @r#"
    recorded: recorded 0.1.0, a model or a comparator
      reads       decision.room            text, optional
      answers     a label
      config      {
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    "additionalProperties": false,
                    "description": "The field with the answer, and the form of the answers.",
                    "properties": {
                      "field": {
                        "description": "The field that holds the answer, such as `decision.room`.",
                        "minLength": 1,
                        "type": "string"
                      },
                      "form": {
                        "description": "The form of the answers.",
                        "enum": [
                          "label",
                          "number",
                          "ranking",
                          "label-set",
                          "json"
                        ],
                        "type": "string"
                      },
                      "kind": {
                        "description": "The kind of the field; by default text for labels, number for numbers, and json otherwise.",
                        "enum": [
                          "boolean",
                          "integer",
                          "number",
                          "text",
                          "json"
                        ],
                        "type": "string"
                      },
                      "probabilities": {
                        "description": "The JSON field with the class probabilities of a label.",
                        "type": "string"
                      }
                    },
                    "required": [
                      "field",
                      "form"
                    ],
                    "type": "object"
                  }
    "#);
    // Without a configuration, it is shown as far as it is known.
    let not_configured = shown(&["recorded"]);
    let (head, schema) = not_configured.split_once("  config  ").expect("the schema is shown");
    insta::assert_snapshot!(head, @r#"
    recorded: a model or a comparator
      needs       config: field: a text of at least 1 character; form: "label", "number", "ranking", "label-set" or "json"
                  its fields and its answers or scores depend on it; give it with --config
    "#);
    assert_eq!(configured.split_once("  config  ").map(|(_, schema)| schema), Some(schema));

    let failed = |arguments: &[&str]| {
        let output = workspace.understudy(&[&["plugin", "show"], arguments].concat());
        assert_ne!(output.code, 0, "{}", output.stdout);
        output.stderr.trim().to_owned()
    };
    let failures = [
        failed(&["recorded", "--config", "{\"field\": \"decision.room\"}"]),
        failed(&["agreement", "--config", "3"]),
        failed(&["./missing.wasm"]),
        failed(&["kapa"]),
        failed(&["study.wasm", "--asset", "weights"]),
    ];
    insta::assert_snapshot!(failures.join("\n"), @r#"
    cannot configure recorded: `config` lacks `form`; write "label", "number", "ranking", "label-set" or "json" there; give another configuration with --config
    --config is no JSON object; write one, such as {"k": 3}: invalid type: integer `3`, expected a map at line 1 column 1
    cannot read ./missing.wasm: No such file or directory (os error 2); build the plugin, or correct the path
    there is no stock plugin "kapa"; did you mean "kappa"? use one of agreement, bias, brier-score, expected-calibration-error, jaccard, json-equality, kappa, kendall-tau, log-loss, mean-absolute-error, mean-absolute-percentage-error, ndcg, quantile-loss, r-squared, rank-biased-overlap, recorded, root-mean-square-error, top-k-overlap, within-tolerance, or the path of a component, which has a slash or ends in .wasm
    cannot read study.wasm: No such file or directory (os error 2); build the plugin, or correct the path
    "#);
}

//! Faults in models, comparator and metrics.

use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::test_support::{VALID, faults, read};

#[test]
fn plugin_names_are_unique() {
    let twice = [("[comparator]\nname = \"recorded\"", "[comparator]\nname = \"rules\"")];
    assert_snapshot!(faults(&twice), @"study.toml:25: two plugins are named `rules`, on lines 20 and 24; give each plugin a different name");
}

#[test]
fn a_plugin_has_its_lines() {
    let study = read(&[("grant = [\"decision.room\"]", "grant = []\nconfig = {}")]);
    let Plugin { line, source_line, grant_line, config_line, .. } = study.comparator;
    assert_eq!([line, source_line, grant_line, config_line], [24, 26, 27, 28]);
    let Plugin { line, source_line, grant_line, config_line, .. } = study.metrics[0];
    assert_eq!(
        [line, source_line, grant_line, config_line],
        [29, 31, 29, 29],
        "its own line where it has none"
    );
}

#[test]
fn a_grant_names_declared_fields_and_a_model_reads_no_decision() {
    assert_snapshot!(faults(&[
        ("[\"lead_time\", \"segment\"]", "[\"lead_tme\", \"adults\",\n  \"segment\",\n  \"segment\", 7, \"decision.room\"]"),
        ("[\"decision.room\"]", "[\"room\", \"decision.rooms\", \"decision.price\", \"lead_time\"]"),
        ("plugin = \"agreement.wasm\"", "plugin = \"agreement.wasm\"\ngrant = []"),
    ]), @r#"
    study.toml:23: `models.grant` contains `lead_tme`, but [inputs.fields] does not declare this field; did you mean `lead_time`? declared: `lead_time`, `segment`, `price`, `repeated`
    study.toml:23: `models.grant` contains `adults`, but [inputs.fields] does not declare this field; declare it there, as in lead_time = "integer", or use one of `lead_time`, `segment`, `price`, `repeated`
    study.toml:25: `models.grant` contains 7; write a list of the fields that the plugin may read, such as ["lead_time", "adults"]
    study.toml:25: `models.grant` contains `segment` twice; remove one
    study.toml:25: `models.grant` contains `decision.room`, but a model must not read the decision that it is compared with; grant fields of [inputs.fields] only
    study.toml:29: `comparator.grant` contains `room`, but [inputs.fields] does not declare this field; did you mean `decision.room`? declared: `lead_time`, `segment`, `price`, `repeated`, `decision.room`
    study.toml:29: `comparator.grant` contains `decision.rooms`, but [decisions.fields] does not declare this field; did you mean `decision.room`? declared: `lead_time`, `segment`, `price`, `repeated`, `decision.room`
    study.toml:29: `comparator.grant` contains `decision.price`, but [decisions.fields] does not declare this field; did you mean `decision.room`? declared: `lead_time`, `segment`, `price`, `repeated`, `decision.room`
    study.toml:33: `metrics.grant` is not allowed here: a metric reads no fields, only the answers of a model and of the comparator; remove it
    "#);
    assert_snapshot!(faults(&[("[decisions.fields]\nroom = \"text\"\n", "")]), @r#"study.toml:25: `comparator.grant` contains `decision.room`, but [decisions.fields] does not declare this field; declare it there, as in lead_time = "integer", or use one of `lead_time`, `segment`, `price`, `repeated`"#);
}

#[test]
fn the_numbers_of_models_comparators_and_metrics_are_validated() {
    assert_snapshot!(faults(&[("[comparator]", "[[comparator]]"), ("[[models]]", "[models]")]), @"
    study.toml:20: `models` is a table; write [[models]] once for each model, with name and plugin
    study.toml:24: `comparator` is a list; write [comparator] exactly once, with name and plugin
    ");
    let without =
        |from: &str, to: &str| (VALID[VALID.find(from).unwrap()..VALID.find(to).unwrap()].to_owned(), "");
    let (models, metrics) = (without("[[models]]", "[comparator]"), without("[[metrics]]", "[[conditions]]"));
    assert_snapshot!(faults(&[(&models.0, ""), (&metrics.0, ""), ("time-zone", "metrics = []\ntime-zone")]), @"
    study.toml:1: `models` is missing; write [[models]] once for each model, with name and plugin
    study.toml:2: `metrics` is an empty list; write [[metrics]] once for each metric, with name and plugin, and primary = true in one of them
    ");
}

#[test]
fn exactly_one_metric_is_primary() {
    let kappa = "[[metrics]]\nname = \"kappa\"\nplugin = \"kappa.wasm\"\nprimary = true\n[windows]";
    let (second, first) = (("[windows]", kappa), ("agreement.wasm\"", "agreement.wasm\"\nprimary = true"));
    assert_eq!(read(&[second]).primary, 1);
    assert_eq!(read(&[first]).primary, 0);
    assert_snapshot!(faults(&[first, second]), @"study.toml:40: the metrics on lines 28 and 40 both have primary = true; remove it from the one that does not decide the verdict");
    assert_snapshot!(faults(&[second, ("primary = true", "primary = false")]), @"study.toml:28: no metric is primary; write primary = true in the one that decides the verdict");
    assert_snapshot!(faults(&[first, ("primary = true", "primary = false")]), @"study.toml:28: no metric is primary; write primary = true in the one that decides the verdict");
    assert_snapshot!(faults(&[first, second, ("primary = true", "primary = \"yes\"")]), @r#"study.toml:31: `metrics.primary` is "yes"; write true or false"#);
    assert_snapshot!(faults(&[second, ("primary = true", "primry = true")]), @"study.toml:42: unknown key `metrics.primry`; did you mean `primary`? keys allowed here: primary, name, plugin, config, assets");
}

#[test]
fn a_config_is_json() {
    let grant = "grant = [\"decision.room\"]";
    let wrong =
        "config = { since = 2020-01-01, deep = [{ big = 99999999999999999999 }, nan, 1e999], ok = 0x1f }";
    assert_snapshot!(faults(&[(grant, wrong)]), @"
    study.toml:27: `comparator.config.deep.big` is 99999999999999999999, which does not fit 64 bits; write a smaller number, or a string in quotes
    study.toml:27: `comparator.config.deep` is nan, which JSON does not have; write a finite number
    study.toml:27: `comparator.config.deep` is 1e999, which JSON does not have; write a finite number
    study.toml:27: `comparator.config.since` is 2020-01-01, a date or time, which JSON does not have; write it as a string in quotes
    ");
    assert_snapshot!(faults(&[(grant, "config = \"x\"\nassets = { a = 1, b = \"b\" }")]), @r#"
    study.toml:27: `comparator.config` is "x"; write a table, such as { labels = ["a", "b"] }
    study.toml:28: `comparator.assets.a` is 1; write the path of a file, such as "weights.bin"
    "#);
    let sound = "config = { a = [1, 2.5, true, \"x\", { b = -7 }], hex = 0x1f }\n\
                 assets = { z = \"z.bin\", a = \"a.bin\" }";
    let study = read(&[(grant, sound)]);
    assert_eq!(study.comparator.config, json!({ "a": [1, 2.5, true, "x", { "b": -7 }], "hex": 31 }));
    assert_eq!(study.comparator.assets, [("z".to_owned(), "z.bin".into()), ("a".to_owned(), "a.bin".into())]);
}

#[test]
fn a_model_may_declare_the_period_of_its_training_data() {
    const COMPONENT: &str = "plugin = \"rules.wasm\"";
    let with = |period: &str| [COMPONENT.to_owned(), format!("{COMPONENT}\ntraining-period = {period}")];
    let [from, to] = with("{ from = \"2016-07-02T00:00:00Z\", until = \"2016-11-01T00:00:00+01:00\" }");
    let found = read(&[(&from, &to)]).models[0].training_period.unwrap();
    assert_eq!(
        (found.from.to_string(), found.until.to_string()),
        ("2016-07-02T00:00:00Z".to_owned(), "2016-10-31T23:00:00Z".to_owned())
    );
    assert_eq!(read(&[]).models[0].training_period, None);
    let faults = |period: &str| {
        let [from, to] = with(period);
        faults(&[(&from, &to)])
    };
    assert_snapshot!(faults("{ from = \"2016-07-02\", until = \"2016-11-01T00:00:00Z\" }"), @r#"study.toml:23: `models.training-period.from` is "2016-07-02"; write an instant with its offset from UTC, such as "2016-07-02T00:00:00Z""#);
    assert_snapshot!(faults("{ from = \"2016-07-02T00:00:00Z\" }"), @r#"study.toml:23: `models.training-period.until` is missing; write an instant with its offset from UTC, such as "2016-07-02T00:00:00Z""#);
    assert_snapshot!(faults("{ from = \"2016-07-02T00:00:00Z\", until = \"2016-07-02T00:00:00Z\" }"), @"study.toml:23: `models.training-period.until` is 2016-07-02T00:00:00Z, which is not after `from`, 2016-07-02T00:00:00Z; write the end of the training data");
    assert_snapshot!(faults("\"last year\""), @r#"study.toml:23: `models.training-period` is "last year"; write { from = "2016-07-02T00:00:00Z", until = "2016-11-01T00:00:00Z" }"#);
    let comparator = "plugin = \"recorded.wasm\"";
    let declared = format!(
        "{comparator}\ntraining-period = {{ from = \"2016-07-02T00:00:00Z\", until = \"2017-07-02T00:00:00Z\" }}"
    );
    assert_snapshot!(crate::test_support::faults(&[(comparator, &declared)]), @"study.toml:27: unknown key `comparator.training-period`; keys allowed here: name, plugin, config, assets, grant");
}

//! The report in the layout of MLflow's file store: an experiment for the study, and a run in it for each model.
//!
//! ```text
//! EXPERIMENT/meta.yaml
//! EXPERIMENT/RUN/meta.yaml
//! EXPERIMENT/RUN/metrics/KEY        a line `MILLISECONDS VALUE STEP` for each value
//! EXPERIMENT/RUN/params/KEY, tags/KEY
//! EXPERIMENT/RUN/artifacts/...      the report as page and JSON, and the verdict
//! ```
//!
//! Invariants: all names follow from the study, the seal and the model, so a report that is written again replaces itself. The
//! layout is that which MLflow 3 reads, see its class
//! [`FileStore`](https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/store/tracking/file_store.py).

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::bundle::ReportBundle;
use crate::model::report::{MetricScores, ModelReport};
use understudy_sandbox::sha256_hex;
use understudy_study::ALL_SNAPSHOTS;

/// The most decimal digits of an experiment's id. MLflow's own have as many.
const EXPERIMENT_DIGITS: usize = 18;
/// The longest value of a tag or parameter that MLflow reads, in characters.
const LONGEST_VALUE: usize = 5_000;
/// What is escaped in the path of a URI: all but the unreserved characters of RFC 3986 and slashes.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The code of a finished run.
const FINISHED: u8 = 3;
/// The code of a run on the local machine.
const LOCAL: u8 = 4;

/// A file of the layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MlflowFile {
    /// The path below the tracking directory.
    pub path: PathBuf,
    /// The content.
    pub content: Vec<u8>,
}

/// The files of a report. `root` is the absolute path of the tracking directory.
pub fn mlflow_files(bundle: &ReportBundle, root: &Path) -> Vec<MlflowFile> {
    let report = &bundle.report;
    let experiment = experiment_id(&report.study);
    let uri = |path: &str| format!("file://{}", percent_encoded(&format!("{}/{path}", root.display())));
    let mut files = vec![file(
        format!("{experiment}/meta.yaml"),
        yaml(&[
            ("artifact_location", quoted(&uri(&experiment))),
            ("creation_time", millis(report.started_at).to_string()),
            ("experiment_id", quoted(&experiment)),
            ("last_update_time", millis(report.ended_at).to_string()),
            ("lifecycle_stage", "active".to_owned()),
            ("name", quoted(&report.study)),
        ]),
    )];
    for model in &report.models {
        let run = run_id(&bundle.provenance.seal, &model.plugin.name);
        let folder = format!("{experiment}/{run}");
        let name = format!("{} in {}", model.plugin.name, report.study);
        files.push(file(
            format!("{folder}/meta.yaml"),
            yaml(&[
                ("artifact_uri", quoted(&uri(&format!("{folder}/artifacts")))),
                ("deleted_time", "null".to_owned()),
                ("end_time", millis(report.ended_at).to_string()),
                ("entry_point_name", quoted("")),
                ("experiment_id", quoted(&experiment)),
                ("lifecycle_stage", "active".to_owned()),
                ("run_id", quoted(&run)),
                ("run_name", quoted(&name)),
                ("run_uuid", quoted(&run)),
                ("source_name", quoted("")),
                ("source_type", LOCAL.to_string()),
                ("source_version", quoted("")),
                ("start_time", millis(report.started_at).to_string()),
                ("status", FINISHED.to_string()),
                ("tags", "[]".to_owned()),
                ("user_id", quoted("understudy")),
            ]),
        ));
        let folders = [("metrics", metrics(bundle, model)), ("params", parameters(bundle, model))];
        for (kind, entries) in folders.into_iter().chain([("tags", tags(bundle, model, &name))]) {
            files.extend(
                entries
                    .into_iter()
                    .map(|(key, text)| file(format!("{folder}/{kind}/{key}"), text.into_bytes())),
            );
        }
        let artifacts = [("report.html", Some(crate::html(bundle))), ("report.json", Some(bundle.to_json()))];
        let verdict = ("verdict.json", bundle.verdict.as_ref().map(|verdict| verdict.to_json()));
        for (name, content) in artifacts.into_iter().chain([verdict]) {
            files.extend(content.map(|text| file(format!("{folder}/artifacts/{name}"), text.into_bytes())));
        }
    }
    files
}

/// The id of the experiment of a study: decimal digits from the SHA-256 of its name.
fn experiment_id(study: &str) -> String {
    let digest = sha256_hex(study.as_bytes());
    let number = u64::from_str_radix(&digest[..15], 16).expect("a digest is hexadecimal");
    format!("{number:0width$}", width = EXPERIMENT_DIGITS)[..EXPERIMENT_DIGITS].to_owned()
}

/// The id of the run of a model: 32 hexadecimal digits.
fn run_id(seal: &str, model: &str) -> String {
    sha256_hex(format!("{seal} {model}").as_bytes())[..32].to_owned()
}

/// The values by key: each metric over all pairs, with its interval, for each window as one step, and for each value of a
/// condition; the answers that were given or not.
fn metrics(bundle: &ReportBundle, model: &ModelReport) -> BTreeMap<String, String> {
    let report = &bundle.report;
    let end = millis(report.ended_at);
    let mut found = BTreeMap::new();
    let mut add = |key: &str, at: i64, value: Option<f64>, step: usize| {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            let lines: &mut String = found.entry(key_text(key)).or_default();
            writeln!(lines, "{at} {value} {step}").expect("writing to a String cannot fail");
        }
    };
    for (metric, scores) in report.metrics.iter().zip(&model.scores) {
        let name = &metric.plugin.name;
        let MetricScores { overall, conditions, windows, .. } = scores;
        add(name, end, overall.value, 0);
        add(&format!("{name}.lower"), end, overall.interval.map(|interval| interval.lower), 0);
        add(&format!("{name}.upper"), end, overall.interval.map(|interval| interval.upper), 0);
        for (step, (window, found)) in report.windows.iter().zip(windows).enumerate() {
            add(&format!("{name}.window"), millis(window.end), found.value, step);
        }
        for (condition, values) in report.conditions.iter().zip(conditions) {
            let keys = distinct_keys(&condition.values);
            for (value, found) in keys.iter().zip(values) {
                add(&format!("{name} by {}/{value}", condition.name), end, found.value, 0);
            }
        }
    }
    let compared = report.comparison.compared;
    let counts = [
        ("compared", compared),
        ("answered", model.answered),
        ("abstained", model.abstained),
        ("failed", model.failed),
        ("blinded", model.blinded),
    ];
    for (key, number) in counts {
        add(&format!("count.{key}"), end, Some(number as f64), 0);
    }
    found
}

fn parameters(bundle: &ReportBundle, model: &ModelReport) -> BTreeMap<String, String> {
    let threshold = bundle.threshold.as_ref().map(|threshold| threshold.text.clone());
    let parameters = [
        ("model", Some(model.plugin.title.clone())),
        ("model-sha256", Some(model.plugin.digest.clone())),
        ("comparator", Some(bundle.report.comparator.title.clone())),
        ("threshold", threshold),
    ];
    entries(parameters)
}

fn tags(bundle: &ReportBundle, model: &ModelReport, name: &str) -> BTreeMap<String, String> {
    let mut tags = entries([
        ("mlflow.runName", Some(name.to_owned())),
        ("mlflow.source.name", Some("understudy".to_owned())),
        ("mlflow.source.type", Some("LOCAL".to_owned())),
        ("understudy.seal", Some(bundle.provenance.seal.clone())),
        ("understudy.version", Some(bundle.provenance.report_version.clone())),
    ]);
    let rulings = bundle.verdict.iter().flat_map(|verdict| &verdict.models);
    let own = rulings.filter(|found| found.model == model.plugin.name);
    for ruling in own.flat_map(|found| &found.scopes) {
        let key = match ruling.scope.as_str() {
            ALL_SNAPSHOTS => "understudy.verdict".to_owned(),
            scope => format!("understudy.verdict.{scope}"),
        };
        tags.insert(key_text(&key), ruling.verdict.name().to_owned());
    }
    tags
}

fn entries<const N: usize>(values: [(&str, Option<String>); N]) -> BTreeMap<String, String> {
    let present = values.into_iter().filter_map(|(key, text)| Some((key, text?)));
    present.map(|(key, text)| (key.to_owned(), text.chars().take(LONGEST_VALUE).collect())).collect()
}

/// A key that MLflow accepts as the path of a file: letters of ASCII, digits, and `_-. /`; any other character becomes `_`. No
/// part of it is empty or a directory.
fn key_text(key: &str) -> String {
    let part = |part: &str| {
        let part: String = part
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ') { c } else { '_' })
            .collect();
        if part.chars().all(|c| matches!(c, '.' | ' ')) { format!("{part}_") } else { part }
    };
    key.splitn(2, '/').map(|text| part(&text.replace('/', "_"))).collect::<Vec<_>>().join("/")
}

/// The keys of the values of a condition. Values that differ have keys that differ.
fn distinct_keys(values: &[String]) -> Vec<String> {
    let mut used = HashSet::new();
    let distinct = |value: &String| {
        let mut key = key_text(&value.replace('/', "_"));
        while !used.insert(key.clone()) {
            key.push('_');
        }
        key
    };
    values.iter().map(distinct).collect()
}

fn file(path: String, content: impl Into<Vec<u8>>) -> MlflowFile {
    MlflowFile { path: path.into(), content: content.into() }
}

/// Milliseconds since 1970.
fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

fn yaml(entries: &[(&str, String)]) -> String {
    entries.iter().fold(String::new(), |text, (key, value)| text + key + ": " + value + "\n")
}

/// A string of YAML in double quotes. Strings of JSON are such strings.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is plain data")
}

/// A path as part of a URI, by RFC 3986.
fn percent_encoded(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_paths_within_their_folder() {
        for (key, text) in [
            ("agreement", "agreement"),
            ("agreement.window", "agreement.window"),
            ("agreement by kind/a b", "agreement by kind/a b"),
            ("agreement by kind/ä:b/../c", "agreement by kind/__b_.._c"),
            ("agreement by kind/..", "agreement by kind/.._"),
            ("agreement by kind/", "agreement by kind/_"),
        ] {
            assert_eq!(key_text(key), text);
        }
        let values = ["a/b", "a_b", "ä", "ö", "_"].map(str::to_owned);
        assert_eq!(distinct_keys(&values), ["a_b", "a_b_", "_", "__", "___"]);
    }

    #[test]
    fn ids_depend_on_names_alone() {
        assert_eq!(experiment_id("hotel"), experiment_id("hotel"));
        assert_ne!(experiment_id("hotel"), experiment_id("yard"));
        for study in ["hotel", "yard", "", "a", "b", "c"] {
            let id = experiment_id(study);
            assert!(id.len() == EXPERIMENT_DIGITS && id.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
        }
        assert_ne!(run_id("5e", "a"), run_id("5e", "b"));
        assert_eq!(run_id("5e", "a").len(), 32);
    }

    #[test]
    fn texts_of_yaml_and_uris_are_escaped() {
        assert_eq!(quoted("a \"b\"\n: c"), r#""a \"b\"\n: c""#);
        assert_eq!(percent_encoded("/srv/a b/ü%"), "/srv/a%20b/%C3%BC%25");
    }
}

//! Attestations of verdicts: statements of [in-toto](https://github.com/in-toto/attestation/blob/v1.1.1/spec/v1/statement.md)
//! about a model, signed as an envelope of DSSE, which policy engines of deployments read.
//!
//! The subject is the model, by the digests of its files. The predicate is that of a
//! [test result](https://github.com/in-toto/attestation/blob/v1.1.1/spec/predicates/test-result.md): the configuration is the
//! seal, and the tests are the scopes.
//!
//! Invariants: a statement has the verdict that the ledger records and `verdict.json` holds. A result is PASSED only if all
//! verdicts on the model are GO, and WARNED only if the one on the chosen scope is.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::verdict_reader::DecidedRun;
use understudy_engine::{SEAL, Seal};
use understudy_run_log::dsse::Envelope;
use understudy_run_log::ledger::{Asset, LedgerState, SwapOutcome};
use understudy_run_log::signed_head::{Signer, Verifier};
use understudy_sandbox::{PluginRole, sha256_hex};
use understudy_statistics::verdict::{ModelVerdict, ScopeVerdict, Verdict, VerdictKind};

/// The media type of a statement.
const STATEMENT_MEDIA_TYPE: &str = "application/vnd.in-toto+json";
/// The type of a statement, version 1.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The type of the predicate.
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// A statement about a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    /// The files of the model.
    pub subject: Vec<Resource>,
    predicate_type: String,
    /// What was tested, and how it ended.
    pub predicate: TestResult,
}

/// A file by its digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is.
    pub name: String,
    /// Digests by algorithm, in hexadecimal.
    pub digest: BTreeMap<String, String>,
    /// Further facts about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The predicate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// How the test of the chosen scope ended.
    pub result: AttestedResult,
    /// The seal of the study.
    pub configuration: Vec<Resource>,
    /// The scopes with GO, as `MODEL, scope SCOPE: GO`.
    #[serde(default)]
    pub passed_tests: Vec<String>,
    /// The scopes with any other verdict, with its main reason.
    #[serde(default)]
    pub failed_tests: Vec<String>,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AttestedResult {
    /// GO on all of the input and on every scope.
    Passed,
    /// GO on the chosen scope, but not on every other one.
    Warned,
    /// Not GO on the chosen scope.
    Failed,
}

impl AttestedResult {
    /// The name in the statement.
    pub fn name(self) -> &'static str {
        match self {
            AttestedResult::Passed => "PASSED",
            AttestedResult::Warned => "WARNED",
            AttestedResult::Failed => "FAILED",
        }
    }
}

/// Signs a statement about the verdict that `run` records. `model` may be left out if the study has one; `scope` is `all` or
/// the name of a scope.
///
/// # Errors
/// If the run has no verdict or one that later events make obsolete, its files do not match the ledger, or the verdict does
/// not cover the model or the scope.
pub fn attest(run: &Path, model: Option<&str>, scope: &str, signer: &Signer) -> anyhow::Result<Envelope> {
    let statement = statement(run, model, scope)?;
    let json = serde_json::to_vec(&statement).expect("a statement is plain data");
    Ok(Envelope::sign(signer, STATEMENT_MEDIA_TYPE, &json))
}

/// The statement in an envelope, and the key that signed it.
///
/// # Errors
/// The fault, as a clause.
pub fn open_attestation<'k>(text: &str, keys: &'k [Verifier]) -> Result<(Statement, &'k Verifier), String> {
    let (payload, key) = Envelope::parse(text)?.open(STATEMENT_MEDIA_TYPE, keys)?;
    let statement: Statement = serde_json::from_slice(&payload)
        .map_err(|error| format!("its payload is not a statement of a test result: {error}"))?;
    if (statement.kind.as_str(), statement.predicate_type.as_str()) != (STATEMENT, TEST_RESULT) {
        return Err(format!("its predicate is {}, expected {TEST_RESULT}", statement.predicate_type));
    }
    Ok((statement, key))
}

fn statement(run: &Path, model: Option<&str>, scope: &str) -> anyhow::Result<Statement> {
    let DecidedRun { seal, seal_sha256, entries, verdict, .. } = DecidedRun::read(run)?;
    let recorded = LedgerState::from_entries(&entries);
    let found = chosen_model(&verdict, model)?;
    let chosen = found.scopes.iter().find(|found| found.scope == scope);
    let chosen = chosen.with_context(|| {
        let scopes: Vec<String> = found.scopes.iter().map(|found| format!("\"{}\"", found.scope)).collect();
        format!("the verdict has no scope \"{scope}\"; it has {}", scopes.join(", "))
    })?;
    let (passed, failed): (Vec<_>, Vec<_>) =
        found.scopes.iter().partition(|found| found.verdict == VerdictKind::Go);
    let result = match chosen.verdict {
        VerdictKind::Go if failed.is_empty() => AttestedResult::Passed,
        VerdictKind::Go => AttestedResult::Warned,
        VerdictKind::NoGo | VerdictKind::Inconclusive | VerdictKind::Void => AttestedResult::Failed,
    };
    let tests = |scopes: Vec<&ScopeVerdict>| {
        scopes.into_iter().map(|ruling| test_text(&found.model, ruling)).collect::<Vec<_>>()
    };
    Ok(Statement {
        kind: STATEMENT.to_owned(),
        subject: subjects(&seal, &recorded, &found.model)?,
        predicate_type: TEST_RESULT.to_owned(),
        predicate: TestResult {
            result,
            configuration: vec![configuration(&verdict, seal_sha256)],
            passed_tests: tests(passed),
            failed_tests: tests(failed),
        },
    })
}

fn chosen_model<'v>(verdict: &'v Verdict, model: Option<&str>) -> anyhow::Result<&'v ModelVerdict> {
    let names = || verdict.models.iter().map(|found| found.model.as_str()).collect::<Vec<_>>().join(", ");
    match (model, &verdict.models[..]) {
        (None, [only]) => Ok(only),
        (None, _) => bail!(
            "the verdict covers several models, and an attestation is about one; name it by --model: {}",
            names()
        ),
        (Some(name), models) => models
            .iter()
            .find(|found| found.model == name)
            .with_context(|| format!("the verdict has no model \"{name}\"; it has {}", names())),
    }
}

/// The files that make a model what it is, with those that swaps put in their place. Those of a trained model are its own:
/// the component that runs them may run any other model, too.
fn subjects(seal: &Seal, recorded: &LedgerState, model: &str) -> anyhow::Result<Vec<Resource>> {
    let role = PluginRole::Model.name();
    let trained = trained_model_files(seal, model)?;
    let mut found: Vec<Resource> =
        trained.iter().map(|file| resource(format!("{model}: {}", file.name), &file.sha256)).collect();
    let plugin =
        seal.plugins.iter().find(|plugin| (plugin.role.as_str(), plugin.name.as_str()) == (role, model));
    if let Some(plugin) = plugin.filter(|_| trained.is_empty()) {
        found.push(resource(format!("{model}: component"), &plugin.sha256));
        let assets = plugin.assets.iter();
        found.extend(assets.map(|asset| resource(format!("{model}: asset {}", asset.name), &asset.sha256)));
    }
    let swaps = recorded.swaps.iter().filter(|swap| {
        (swap.role.as_str(), swap.name.as_str()) == (role, model)
            && matches!(swap.outcome, SwapOutcome::Applied { .. })
    });
    for swap in swaps {
        let generation = format!("{model}, generation {}", swap.generation);
        match &swap.model {
            Some(trained) => found.extend(
                trained
                    .files
                    .iter()
                    .map(|file| resource(format!("{generation}: {}", file.name), &file.sha256)),
            ),
            None => found.push(resource(format!("{generation}: component"), &swap.sha256)),
        }
    }
    Ok(found)
}

/// The file of a trained model in the seal, and those beside it. Empty for any other model.
///
/// # Errors
/// If files beside it may belong to another trained model.
fn trained_model_files<'s>(seal: &'s Seal, model: &str) -> anyhow::Result<Vec<&'s Asset>> {
    let declared: Value = serde_json::from_str(seal.declared.text()).unwrap_or_default();
    let models = declared["models"].as_array().map_or(&[][..], Vec::as_slice);
    let file = |model: &Value| model["file"].as_str().map(Path::new).map(Path::to_owned);
    let Some(own) = models.iter().find(|found| found["name"] == model).and_then(file) else {
        return Ok(Vec::new());
    };
    let others: Vec<_> = models.iter().filter(|found| found["name"] != model).filter_map(file).collect();
    let is_inside = |asset: &Asset, path: &Path| Path::new(&asset.name).starts_with(path);
    let (mut files, rest): (Vec<_>, Vec<_>) = seal.files.iter().partition(|asset| is_inside(asset, &own));
    let folder = own.parent().unwrap_or(Path::new(""));
    let references = declared["threshold"]["reference"].as_array().map_or(&[][..], Vec::as_slice);
    let beside = rest.into_iter().filter(|asset| {
        is_inside(asset, folder)
            && !others.iter().any(|other| is_inside(asset, other))
            && !references.iter().any(|reference| reference["file"] == asset.name.as_str())
    });
    let beside: Vec<_> = beside.collect();
    if !beside.is_empty() && others.iter().any(|other| other.parent() == Some(folder)) {
        bail!(
            "cannot attest \"{model}\": {} may belong to it or to another model in the same folder; give each trained \
             model a folder of its own in the next study",
            beside.iter().map(|asset| asset.name.as_str()).collect::<Vec<_>>().join(", ")
        );
    }
    files.extend(beside);
    Ok(files)
}

/// The seal with the facts that a reader of the result needs.
fn configuration(verdict: &Verdict, seal: String) -> Resource {
    let annotations = [
        ("study", verdict.study.clone()),
        ("sealed-at", verdict.sealed_at.to_string()),
        ("threshold", verdict.threshold.clone()),
        ("run-closed", verdict.closed.to_string()),
        ("verdict-sha256", sha256_hex(verdict.to_json().as_bytes())),
    ];
    let annotations = annotations.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Resource { annotations, ..resource(SEAL.to_owned(), &seal) }
}

fn resource(name: String, sha256: &str) -> Resource {
    let digest = BTreeMap::from([("sha256".to_owned(), sha256.to_owned())]);
    Resource { name, digest, annotations: BTreeMap::new() }
}

fn test_text(model: &str, ruling: &ScopeVerdict) -> String {
    let reason = ruling.reasons.first().map_or_else(String::new, |reason| format!(": {}", reason.text));
    format!("{model}, scope {}: {}{reason}", ruling.scope, ruling.verdict.name())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A seal with these models, each with a name and a file, and these files.
    fn seal(models: &[(&str, &str)], files: &[&str]) -> Seal {
        let models: Vec<Value> =
            models.iter().map(|(name, file)| json!({ "name": name, "file": file })).collect();
        let files: Vec<Value> = files.iter().map(|name| json!({ "name": name, "sha256": "" })).collect();
        let declared =
            json!({ "models": models, "threshold": { "reference": [{ "file": "m/shares.json" }] } });
        serde_json::from_value(json!({
            "format": 2, "study": "s", "sealed-at": "2026-03-01T00:00:00Z", "understudy": "0.1.0", "declaration": "",
            "declared": declared, "plugins": [], "files": files,
        }))
        .unwrap()
    }

    #[test]
    fn a_trained_model_has_its_file_and_those_beside_it_that_nothing_else_declares() {
        let files = ["m/a.onnx", "m/weights.bin", "m/shares.json", "other/b.onnx", "other/weights.bin"];
        let seal_of_two = seal(&[("a", "m/a.onnx"), ("b", "other/b.onnx")], &files);
        let names = |seal: &Seal, model| {
            trained_model_files(seal, model)
                .map(|files| files.into_iter().map(|file| file.name.clone()).collect::<Vec<_>>())
                .map_err(|error| error.to_string())
        };
        assert_eq!(names(&seal_of_two, "a").unwrap(), ["m/a.onnx", "m/weights.bin"]);
        assert_eq!(names(&seal_of_two, "b").unwrap(), ["other/b.onnx", "other/weights.bin"]);
        assert_eq!(names(&seal_of_two, "c").unwrap(), [""; 0], "it is not a trained model");
        let one_folder =
            seal(&[("a", "m/a.onnx"), ("b", "m/b.onnx")], &["m/a.onnx", "m/b.onnx", "m/shares.json"]);
        assert_eq!(names(&one_folder, "b").unwrap(), ["m/b.onnx"]);
        let shared =
            seal(&[("a", "m/a.onnx"), ("b", "m/b.onnx")], &["m/a.onnx", "m/b.onnx", "m/weights.bin"]);
        let error = names(&shared, "b").unwrap_err();
        assert!(
            error.starts_with("cannot attest \"b\": m/weights.bin may belong to it or to another model"),
            "{error}"
        );
    }
}

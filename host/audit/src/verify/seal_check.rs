//! Checks the seal of a run and the files that it names: the declaration, the plugins and their assets.
//!
//! Invariants: the seal is trusted only if the ledger has its digest, and the files only by their digests in
//! the seal. The ledger has the digest of the declaration's bytes, the seal that of its content.

use std::path::Path;

use crate::verify::files;
use crate::verify::issue::VerifyReport;
use understudy_engine::{SEAL, Seal, asset_file_name, plugin_file_name};
use understudy_report::counted;
use understudy_run_log::signed_head::Verifier;
use understudy_run_log::{read_file, read_text_file};
use understudy_study::CanonicalStudy;

/// The name of the declaration in a run directory.
const STUDY: &str = "study.toml";

/// Returns the seal if its SHA-256 is `seal`. `text` is the SHA-256 of the declaration's bytes. If the seal
/// is signed, one of `keys` must have signed it, unless there are none.
pub fn check(
    run: &Path,
    seal: &str,
    text: &str,
    keys: &[Verifier],
    report: &mut VerifyReport,
) -> Option<Seal> {
    let mut sealed = None;
    report.check("seal", |report| {
        let before = report.issues.len();
        files::check(run, SEAL, seal, "the ledger", report);
        if report.issues.len() > before {
            return String::new();
        }
        let parsed = read_file(&run.join(SEAL)).map_err(|error| error.to_string());
        let seal = match parsed.and_then(|bytes| Seal::parse(&bytes)) {
            Ok(seal) => sealed.insert(seal),
            Err(what) => {
                report.issue(SEAL, what);
                return String::new();
            }
        };
        declaration(run, seal, text, report);
        for plugin in &seal.plugins {
            files::check(run, &plugin_file_name(&plugin.sha256), &plugin.sha256, "the seal", report);
            for asset in &plugin.assets {
                files::check(run, &asset_file_name(&asset.sha256), &asset.sha256, "the seal", report);
            }
        }
        for file in &seal.files {
            files::check(run, &asset_file_name(&file.sha256), &file.sha256, "the seal", report);
        }
        let who = signature(seal, keys, report);
        let plugins = counted(seal.plugins.len() as u64, "plugin", "plugins");
        format!("the declaration and {plugins} are as sealed on {}{who}", seal.time_text())
    });
    sealed
}

/// Checks the declaration's bytes and content.
fn declaration(run: &Path, seal: &Seal, text: &str, report: &mut VerifyReport) {
    let before = report.issues.len();
    files::check(run, STUDY, text, "the ledger", report);
    // A changed file is reported once.
    if report.issues.len() > before {
        return;
    }
    let read = read_text_file(&run.join(STUDY)).map_err(|error| error.to_string());
    match read.and_then(|text| CanonicalStudy::from_toml(&text).map_err(|what| what.to_string())) {
        Ok(found) if found == seal.declared => {}
        Ok(found) => {
            let changes = seal.declared.changes(&found).join(", ");
            report.issue(STUDY, format_args!("it is not the declaration that was sealed: {changes}"));
        }
        Err(what) => report.issue(STUDY, what),
    }
}

/// Describes who signed the seal.
fn signature(seal: &Seal, keys: &[Verifier], report: &mut VerifyReport) -> String {
    match (seal.signer(), keys.is_empty()) {
        (Err(what), _) => {
            report.issue(SEAL, what);
            String::new()
        }
        (Ok(None), true) => String::new(),
        (Ok(None), false) => "; the seal itself is not signed, the ledger has its digest".to_owned(),
        (Ok(Some(key)), true) => {
            format!("; signed with the key that it names, check the owner with --key: {key}")
        }
        (Ok(Some(key)), false) if keys.contains(&key) => format!("; signed with a given key: {key}"),
        (Ok(Some(key)), false) => {
            report.issue(SEAL, format_args!("it is signed with {key}, which is not among the given keys"));
            String::new()
        }
    }
}

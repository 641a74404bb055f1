//! The seal of a run, and what it promises: the declaration, the plugins and their assets.
//!
//! Always holds: the seal is believed only if the ledger vouches for it, and what it promises only by its own digests. Of
//! the declaration the ledger vouches for every byte, and the seal for what it says.

use std::fs;
use std::path::Path;

use super::files;
use super::finding::Findings;
use understudy_engine::{SEAL, Seal, asset_name, plugin_name};
use understudy_report::counted;
use understudy_run_log::note::Verifier;
use understudy_study::Canonical;

/// The declaration as a run keeps it.
const STUDY: &str = "study.toml";

/// The seal, if it is the one that the ledger was opened with; `text` is the digest of the declaration's text there. If it
/// is signed, it must be by one of `keys`, if there are any.
pub fn check(run: &Path, seal: &str, text: &str, keys: &[Verifier], findings: &mut Findings) -> Option<Seal> {
    let mut sealed = None;
    findings.look("seal", |findings| {
        let before = findings.broken.len();
        files::check(run, SEAL, seal, "the ledger", findings);
        if findings.broken.len() > before {
            return String::new();
        }
        let parsed = fs::read(run.join(SEAL)).map_err(|error| error.to_string());
        let seal = match parsed.and_then(|bytes| Seal::parse(&bytes)) {
            Ok(seal) => sealed.insert(seal),
            Err(what) => {
                findings.fault(SEAL, what);
                return String::new();
            }
        };
        declaration(run, seal, text, findings);
        for plugin in &seal.plugins {
            files::check(run, &plugin_name(&plugin.sha256), &plugin.sha256, "the seal", findings);
            for asset in &plugin.assets {
                files::check(run, &asset_name(&asset.sha256), &asset.sha256, "the seal", findings);
            }
        }
        for file in &seal.files {
            files::check(run, &asset_name(&file.sha256), &file.sha256, "the seal", findings);
        }
        let who = signature(seal, keys, findings);
        let plugins = counted(seal.plugins.len() as u64, "plugin", "plugins");
        format!("the declaration and {plugins}, as promised on {}{who}", seal.sealed_at)
    });
    sealed
}

/// The declaration, as a text and by what it says.
fn declaration(run: &Path, seal: &Seal, text: &str, findings: &mut Findings) {
    let before = findings.broken.len();
    files::check(run, STUDY, text, "the ledger", findings);
    // What was changed is told of once.
    if findings.broken.len() > before {
        return;
    }
    let read = fs::read_to_string(run.join(STUDY)).map_err(|error| error.to_string());
    match read.and_then(|text| Canonical::of(&text).map_err(|what| what.to_string())) {
        Ok(found) if found == seal.declared => {}
        Ok(found) => {
            let changes = seal.declared.changes(&found).join(", ");
            findings.fault(STUDY, format_args!("it is not the declaration that was sealed: {changes}"));
        }
        Err(what) => findings.fault(STUDY, what),
    }
}

/// Who signed the seal, in words.
fn signature(seal: &Seal, keys: &[Verifier], findings: &mut Findings) -> String {
    match (seal.signer(), keys.is_empty()) {
        (Err(what), _) => {
            findings.fault(SEAL, what);
            String::new()
        }
        (Ok(None), true) => String::new(),
        (Ok(None), false) => "; it is not signed itself, the ledger vouches for it".to_owned(),
        (Ok(Some(key)), true) => {
            format!("; signed by the key that it names itself; with --key its owner is known too: {key}")
        }
        (Ok(Some(key)), false) if keys.contains(&key) => format!("; signed by a key given: {key}"),
        (Ok(Some(key)), false) => {
            findings.fault(SEAL, format_args!("it is signed by {key}, which is not among the keys given"));
            String::new()
        }
    }
}

//! The study of a run, with the plugins that the run kept.
//!
//! Always holds: what is recalled is what ran, to the byte, but for what is asked to be otherwise.

use std::path::Path;

use crate::plugins::load::{LoadStudyError, load};
use crate::seal::sealed_study::SealedStudy;
use crate::plugins::stored_files::PluginOverrides;
use crate::plugins::stored_files::StoredFiles;
use crate::plugins::stored_files::{asset_name, plugin_name};
use crate::recovery::recover_versions::recast;
use crate::seal::manifest::Seal;
use understudy_run_log::ledger::{self, LEDGER, LedgerState};
use understudy_sandbox::sha256_hex;
use understudy_study::{CanonicalStudy, PerStream, Study};

/// The study of a run, with the plugins that the run kept, but for what is to be otherwise.
///
/// # Errors
/// When the declaration or one of the plugins is not the one that ran, or one of the others does not fit.
pub fn recall(run: &Path, seal: &Seal, what_if: &PluginOverrides) -> Result<SealedStudy, LoadStudyError> {
    let path = run.join("study.toml");
    let text = std::fs::read_to_string(&path).ok();
    if text.and_then(|text| CanonicalStudy::from_toml(&text).ok()).as_ref() != Some(&seal.declared) {
        return Err(LoadStudyError::Changed { path });
    }
    let kept = seal.kept();
    for kept in &kept {
        let files = kept.assets.iter().map(|(_, digest)| (asset_name(digest), digest));
        for (name, digest) in files.chain([(plugin_name(&kept.digest), &kept.digest)]) {
            unchanged(run, name, digest)?;
        }
    }
    for file in &seal.files {
        unchanged(run, asset_name(&file.sha256), &file.sha256)?;
    }
    let grant = |study: &mut Study| {
        for plugin in study.models.iter_mut().chain([&mut study.comparator]) {
            let sealed = seal.plugins.iter().filter(|sealed| sealed.name == plugin.name);
            plugin.grant.extend(sealed.flat_map(|sealed| sealed.grant.iter().cloned()));
            if what_if.instead.iter().any(|(name, _)| *name == plugin.name) {
                plugin.grant.extend_from_slice(&what_if.grant);
            }
        }
    };
    let kept = StoredFiles { plugins: &kept, files: &seal.files, instead: &what_if.instead };
    let mut prepared = SealedStudy::new(load(&path, grant, Some(kept))?, seal);
    // What would be otherwise is asked of what was sealed.
    if *what_if == PluginOverrides::default() {
        let entries =
            std::fs::read(run.join(LEDGER)).map(|bytes| ledger::check(&bytes).0).unwrap_or_default();
        recast(&mut prepared, run, &LedgerState::from_entries(&entries), PerStream::splat(u64::MAX))
            .map_err(|error| LoadStudyError::Exchanges(format!("{error:#}")))?;
    }
    Ok(prepared)
}

/// Whether a run still has a file that it was made with.
fn unchanged(run: &Path, name: String, sha256: &str) -> Result<(), LoadStudyError> {
    let path = run.join(name);
    match std::fs::read(&path) {
        Ok(bytes) if sha256_hex(&bytes) == sha256 => Ok(()),
        _ => Err(LoadStudyError::Changed { path }),
    }
}

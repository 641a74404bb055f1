//! Loads the sealed study of a run with the plugins that the run stored.
//!
//! Invariants: what is loaded equals what ran, to the byte, except for requested replacements.

use std::path::Path;

use crate::plugins::compile_cache_folder::CompileCache;
use crate::plugins::load::{LoadStudyError, load};
use crate::plugins::stored_files::PluginOverrides;
use crate::plugins::stored_files::StoredFiles;
use crate::plugins::stored_files::{asset_file_name, plugin_file_name};
use crate::recovery::version_recovery::recover_versions;
use crate::seal::manifest::Seal;
use crate::seal::sealed_study::SealedStudy;
use understudy_run_log::ledger::{self, LEDGER, LedgerState};
use understudy_run_log::{read_file, read_text_file};
use understudy_sandbox::sha256_hex;
use understudy_study::{CanonicalStudy, PerStream, Study};

/// Loads the sealed study of a run with the plugins that the run stored, except for `overrides`.
///
/// # Errors
/// If the declaration or a stored plugin has changed, or a replacement does not fit.
pub fn load_run_study(
    run: &Path,
    seal: &Seal,
    what_if: &PluginOverrides,
    compile_cache: CompileCache,
) -> Result<SealedStudy, LoadStudyError> {
    let path = run.join("study.toml");
    let text = read_text_file(&path).ok();
    if text.and_then(|text| CanonicalStudy::from_toml(&text).ok()).as_ref() != Some(&seal.declared) {
        return Err(LoadStudyError::Changed { path });
    }
    let kept = seal.stored_plugins();
    for kept in &kept {
        let files = kept.assets.iter().map(|(_, digest)| (asset_file_name(digest), digest));
        for (name, digest) in files.chain([(plugin_file_name(&kept.digest), &kept.digest)]) {
            unchanged(run, name, digest)?;
        }
    }
    for file in &seal.files {
        unchanged(run, asset_file_name(&file.sha256), &file.sha256)?;
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
    let mut sealed_study = SealedStudy::new(load(&path, grant, Some(kept), compile_cache)?, seal);
    // A what-if replaces the sealed plugins, so it ignores swaps.
    if *what_if == PluginOverrides::default() {
        let entries = read_file(&run.join(LEDGER)).map(|bytes| ledger::check(&bytes).0).unwrap_or_default();
        recover_versions(
            &mut sealed_study,
            run,
            &LedgerState::from_entries(&entries),
            PerStream::splat(u64::MAX),
        )
        .map_err(|error| LoadStudyError::Exchanges(format!("{error:#}")))?;
    }
    Ok(sealed_study)
}

/// Checks that a stored file of a run is unchanged.
fn unchanged(run: &Path, name: String, sha256: &str) -> Result<(), LoadStudyError> {
    let path = run.join(name);
    match read_file(&path) {
        Ok(bytes) if sha256_hex(&bytes) == sha256 => Ok(()),
        _ => Err(LoadStudyError::Changed { path }),
    }
}

//! Reads the files of a run directory that other modules start from: ledger, seal, verdict and stored study.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{anyhow, bail};

use understudy_engine::{CompileCache, PluginOverrides, SEAL, Seal, SealedStudy, load_run_study};
use understudy_run_log::ledger::{self, Entry, LEDGER, RecordedVerdict};
use understudy_run_log::{RunDirectory, VERDICT, read_file};
use understudy_sandbox::sha256_hex;
use understudy_statistics::verdict::Verdict;
use understudy_study::read_advice;

/// Reads all entries of a run's ledger. An incomplete last line, which another process may be writing, is
/// left out.
///
/// # Errors
/// If the directory holds no run, or the ledger cannot be read or has a fault.
pub fn read_entries(run: &Path) -> anyhow::Result<Vec<Entry>> {
    RunDirectory::ensure_run(run)?;
    let path = run.join(LEDGER);
    let shown = path.display();
    let bytes = read_file(&path).map_err(|error| unreadable(&path, &error))?;
    let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (entries, faults) = ledger::check(&bytes[..complete]);
    match faults.first() {
        None => Ok(entries),
        Some(fault) => {
            bail!("{shown}:{}: {}; run `understudy verify` for details", fault.line, fault.what)
        }
    }
}

/// Why a file without which a run is not whole cannot be read.
fn unreadable(path: &Path, error: &std::io::Error) -> anyhow::Error {
    let advice = match error.kind() {
        ErrorKind::NotFound => "the run is damaged; restore the file from a copy",
        _ => "run `understudy verify` for details",
    };
    anyhow!("cannot read {}: {error}; {}", path.display(), read_advice(error, advice))
}

/// Reads the seal of a run.
///
/// # Errors
/// If the directory holds no run, or the seal cannot be read or is damaged.
pub fn read_seal(run: &Path) -> anyhow::Result<Seal> {
    RunDirectory::ensure_run(run)?;
    let path = run.join(SEAL);
    let shown = path.display();
    let bytes = read_file(&path).map_err(|error| unreadable(&path, &error))?;
    Seal::parse(&bytes)
        .map_err(|what| anyhow!("{shown} is damaged: {what}; run `understudy verify` for details"))
}

/// Reads the latest verdict of a run. `entry` is its entry in the ledger.
///
/// # Errors
/// If the file cannot be read, or is not the one in the ledger.
pub(crate) fn read_verdict(run: &Path, entry: &RecordedVerdict) -> anyhow::Result<Verdict> {
    let path = run.join(VERDICT);
    let shown = path.display();
    let bytes = read_file(&path)
        .map_err(|error| anyhow!("cannot read {shown}: {error}; run `understudy decide` again"))?;
    if sha256_hex(&bytes) != entry.file.sha256 {
        bail!("{shown} was changed: its SHA-256 is not the one in the ledger; run `understudy decide` again");
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| anyhow!("cannot parse {shown}: {error}; run `understudy decide` again"))
}

/// Loads the sealed study of a run with the plugins that the run stored, except for the overrides in
/// `what_if`. Also returns the SHA-256 of the seal, in hexadecimal.
///
/// # Errors
/// If the seal is damaged, or a stored file does not match it.
pub fn load_sealed_study(run: &Path, what_if: &PluginOverrides) -> anyhow::Result<(SealedStudy, String)> {
    let seal = read_seal(run)?;
    let digest = sha256_hex(seal.to_json().as_bytes());
    Ok((load_run_study(run, &seal, what_if, CompileCache::Used)?, digest))
}

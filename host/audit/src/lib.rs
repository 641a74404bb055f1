//! Looking at a run afterwards: whether it is whole, whether its plugins answer the same again, and its rows.
//!
//! Always holds: nothing of a run is changed but its ledger, which says who was shown what.

mod case;
mod compare;
mod decide;
mod decided;
mod derived;
mod disagreements;
mod dossier;
mod export;
mod exposure;
mod files;
mod finding;
mod interim;
mod joined;
mod promise;
mod replay;
mod review;
mod reviews;
mod rowset;
mod sample;
mod scores;
mod sequences;
mod verify;

use std::path::Path;

use anyhow::{anyhow, bail};

pub use case::{Wanted, case};
pub use compare::{Comparing, compare};
pub use decide::{Choice, Decided, decide};
pub use decided::{Counts, columns, decided};
pub use dossier::{dossier, read_seal};
pub use export::{Form, export, zoned};
pub use exposure::{Exposure, who};
pub use finding::{Finding, Findings};
pub use interim::{Interims, moment};
pub use replay::{ModelReplayed, Replayed, at_rest, has_its_fields, is_closed, replay};
pub use review::{Asked, Judging, Review, begin_review};
pub use verify::{VerifyError, verify};

use understudy_engine::{Prepared, SEAL, Seal, WhatIf, recall};
use understudy_run_log::ledger::{self, Entry, LEDGER};
use understudy_sandbox::sha256_hex;

/// The entries of a run's ledger, which must be whole.
///
/// # Errors
/// When it cannot be read, or is not whole.
pub fn entries(run: &Path) -> anyhow::Result<Vec<Entry>> {
    let path = run.join(LEDGER);
    let shown = path.display();
    let bytes = std::fs::read(&path).map_err(|error| {
        anyhow!("cannot read {shown}: {error}; name the directory that `understudy run` wrote")
    })?;
    // The last line may just be being written.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (entries, faults) = ledger::check(&bytes[..whole]);
    match faults.first() {
        None => Ok(entries),
        Some(fault) => {
            bail!("{shown}:{}: {}; `understudy verify` says what else is wrong", fault.line, fault.what)
        }
    }
}

/// The study of a run as its seal promised it, with the plugins that the run kept, but for what is to be otherwise; and the
/// digest of the seal.
///
/// # Errors
/// When the seal is damaged, or something that it promised is not what it was.
pub fn sealed(run: &Path, what_if: &WhatIf) -> anyhow::Result<(Prepared, String)> {
    let path = run.join(SEAL);
    let shown = path.display();
    let bytes = std::fs::read(&path).map_err(|error| {
        anyhow!("cannot read {shown}: {error}; name the directory that `understudy run` wrote")
    })?;
    let seal = Seal::parse(&bytes)
        .map_err(|what| anyhow!("{shown} is damaged: {what}; `understudy verify` says what else is wrong"))?;
    Ok((recall(run, &seal, what_if)?, sha256_hex(&bytes)))
}

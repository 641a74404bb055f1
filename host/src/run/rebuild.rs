//! Everything that is derived from the log, made again from it alone.
//!
//! Always holds: nothing is written; what comes out does not depend on what was derived before.

use std::path::Path;

use super::counted::Counted;
use super::holding::Holding;
use super::judge::{Compared, Judge, Judged, shape};
use super::prepare::Prepared;
use super::readback::{self, Readback};
use super::tables;
use super::worker::Met;
use crate::pairing::Accounting;

/// Pairs that are compared in one call.
const GATHER: usize = 4096;

/// What was derived.
pub struct Rebuilt {
    /// What was counted of the records.
    pub counted: Counted,
    /// What the comparing came to.
    pub judged: Judged,
    /// Where every record has got to.
    pub accounting: Accounting,
}

/// Makes everything again from the log of `run`, and shows `each` what was compared. `held` are the places of the
/// declared fields that it wants of each side, besides those that the comparator reads.
///
/// # Errors
/// When the log cannot be read, or does not hold what this study's rows hold; or what `each` says.
pub fn rebuild(
    prepared: &Prepared,
    run: &Path,
    held: [Vec<usize>; 2],
    mut each: impl FnMut(&Compared) -> anyhow::Result<()>,
) -> anyhow::Result<Rebuilt> {
    let judged = Judged::new(shape(prepared, tables::conditions(&prepared.study).sizes()));
    let mut judge = Judge::new(prepared, &held, judged);
    let mut counted = Counted::new(prepared.models.len());
    // Nobody else's folder is written to.
    let mut holding = Holding::new(prepared, held, &std::env::temp_dir());
    let mut rows = Readback::open(prepared, run, [None; 2])?;
    let mut gathered: Vec<Met> = Vec::new();
    let mut compare = |gathered: &mut Vec<Met>| each(&judge.judge(&std::mem::take(gathered)));
    while let Some((side, batch)) = rows.next(&holding.pairing)? {
        let met = rows.feed(&mut holding, Some(&mut counted), side, &batch)?;
        counted.pair(met.len() as u64);
        gathered.extend(met);
        if gathered.len() >= GATHER {
            compare(&mut gathered)?;
        }
    }
    if !gathered.is_empty() {
        compare(&mut gathered)?;
    }
    readback::refused(prepared, run, 0, &mut counted)?;
    counted.position = counted.accounts.map(|account| account.received);
    let accounting = readback::accounting(&mut holding, &counted);
    Ok(Rebuilt { counted, judged: judge.judged(), accounting })
}

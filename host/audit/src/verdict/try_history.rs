//! Collects the other tries of a study from the register of seals.
//!
//! Invariants: the same entries give the same history. The caller leaves out entries after the verdict.

use understudy_engine::Seal;
use understudy_run_log::register::{RegisterContent, RegisterEvent, RegisteredSeal};
use understudy_statistics::verdict::{OtherTry, TryHistory};

/// The other tries of the study whose run has the id `run`. `None` if the register has neither the seal nor the start
/// of the run.
pub(crate) fn try_history(register: &RegisterContent, seal: &Seal, run: &str) -> Option<TryHistory> {
    let own_entry = seal.register.as_ref()?.entry;
    let entries = register.entries();
    let own = match &entries.get(usize::try_from(own_entry).ok()?)?.event.event {
        RegisterEvent::StudySealed(own) => own,
        _ => return None,
    };
    let runs = |of: &str| {
        let of = of.to_owned();
        entries.iter().filter_map(move |entry| match &entry.event.event {
            RegisterEvent::RunStarted { seal, run } if *seal == of => Some((entry.entry, run.as_str())),
            _ => None,
        })
    };
    let related = entries.iter().filter(|entry| entry.entry != own_entry).filter_map(|entry| {
        let RegisterEvent::StudySealed(RegisteredSeal { study, seal, fields, feed, threshold, .. }) =
            &entry.event.event
        else {
            return None;
        };
        let (same_study, same_feed, same_fields) =
            (*study == own.study, *feed == own.feed, *fields == own.fields);
        (same_study || same_feed || same_fields).then(|| OtherTry {
            entry: entry.entry,
            at: entry.at,
            study: study.clone(),
            seal: seal.clone(),
            threshold: threshold.clone(),
            same_study,
            same_feed,
            same_fields,
            runs: runs(seal).count() as u64,
        })
    });
    let (earlier, later) = related.partition(|seal| seal.entry < own_entry);
    let own_run = runs(&own.seal).find(|(_, id)| *id == run).map(|(entry, _)| entry)?;
    let runs_on = |side: fn(&u64, &u64) -> bool| {
        runs(&own.seal).filter(|(entry, _)| side(entry, &own_run)).count() as u64
    };
    Some(TryHistory {
        register: register.identity().to_owned(),
        opened_at: entries.first()?.at,
        entry: own_entry,
        entries: entries.len() as u64,
        head: register.last_digest().to_owned(),
        earlier,
        later,
        earlier_runs: runs_on(u64::lt),
        later_runs: runs_on(u64::gt),
    })
}

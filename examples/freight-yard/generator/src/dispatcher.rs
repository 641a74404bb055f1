//! What the dispatcher does with the calls of a quota.
//!
//! Always holds: exactly the quota's number of calls get the allocator's best bay, and exactly its number one of the best
//! three. Which ones has a cause that the allocator is not told: at weekends few work beyond the gate, so the dispatcher
//! parts from it mostly where its best bay is not by the gate, and then takes one by the gate if he may.

use anyhow::{Context as _, ensure};
use jiff::ToSpan as _;
use jiff::civil::DateTime;
use serde::Serialize;

use crate::calls::{Call, Numbers, zoned};
use crate::quotas::{Quota, Share};

/// A decision, as a line of `decisions.jsonl` has it.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// The number of its call.
    pub id: String,
    /// When it was taken, by the clock of the yard.
    #[serde(serialize_with = "zoned")]
    pub decided_at: DateTime,
    /// The bay that the lorry was sent to.
    pub bay: &'static str,
}

/// Decides the calls of a quota, which it gives back each with its decision.
///
/// # Errors
/// When there is a call of which the allocator ranks less than four bays, or none: then a quota could not be met.
pub fn decide(
    numbers: &mut Numbers,
    quota: &Quota,
    calls: Vec<Call>,
) -> anyhow::Result<Vec<(Call, Decision)>> {
    let weekend = quota.share != Share::Weekday;
    let mut ranked = Vec::with_capacity(calls.len());
    for call in calls {
        let ranking = call.ranking().with_context(|| format!("the allocator ranks nothing for {call:?}"))?;
        ensure!(ranking.len() > 3, "the allocator ranks only {ranking:?} for {call:?}");
        let settled = if weekend && !by_the_gate(ranking[0]) { 0 } else { 500 };
        ranked.push((settled + numbers.below(1000), call, ranking));
    }
    // The most settled first: those get the best bay. The sort is stable, so equal draws keep the order of the calls.
    ranked.sort_by_key(|(settled, ..)| std::cmp::Reverse(*settled));
    let decided = ranked.into_iter().enumerate().map(|(at, (_, call, ranking))| {
        let bay = match at {
            _ if at < quota.agreed => ranking[0],
            _ if at < quota.among_three => another(numbers, weekend, &ranking[1..3]),
            _ => another(numbers, weekend, &ranking[3..]),
        };
        let takes = if call.priority { 15 + numbers.below(105) } else { 20 + numbers.below(460) };
        let decided_at = call.called_at.saturating_add((takes as i64).seconds());
        (call, Decision { id: String::new(), decided_at, bay })
    });
    Ok(decided.collect())
}

/// One of these bays, best first: at weekends the first by the gate if there is one, otherwise mostly the first.
fn another(numbers: &mut Numbers, weekend: bool, bays: &[&'static str]) -> &'static str {
    let gate = bays.iter().find(|bay| weekend && by_the_gate(bay));
    gate.copied().unwrap_or_else(|| if numbers.below(3) > 0 { bays[0] } else { bays[bays.len() / 2] })
}

fn by_the_gate(bay: &str) -> bool {
    bay.starts_with('G')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quotas::QUOTAS;

    #[test]
    fn quotas_are_met_whatever_the_seed() {
        for seed in 0..20 {
            let mut numbers = Numbers(seed);
            for quota in QUOTAS {
                let calls = (0..quota.calls).map(|_| Call::draw(&mut numbers, &quota)).collect();
                let decided = decide(&mut numbers, &quota, calls).unwrap();
                let among = |best: usize| {
                    let taken = decided.iter();
                    taken.filter(|(call, d)| call.ranking().unwrap()[..best].contains(&d.bay)).count()
                };
                assert_eq!(
                    [decided.len(), among(1), among(3)],
                    [quota.calls, quota.agreed, quota.among_three]
                );
            }
        }
    }

    #[test]
    fn a_decision_takes_seconds_to_minutes_and_a_bay_that_may_take_the_cargo() {
        let mut numbers = Numbers(3);
        let calls = (0..700).map(|_| Call::draw(&mut numbers, &QUOTAS[1])).collect();
        for (call, decision) in decide(&mut numbers, &QUOTAS[1], calls).unwrap() {
            let took = decision.decided_at.duration_since(call.called_at).as_secs();
            assert!((15..480).contains(&took), "{took}");
            assert!(call.ranking().unwrap().contains(&decision.bay));
        }
    }

    #[test]
    fn at_weekends_the_gate_is_the_cause() {
        let mut numbers = Numbers(4);
        let calls = (0..100).map(|_| Call::draw(&mut numbers, &QUOTAS[3])).collect();
        let decided = decide(&mut numbers, &QUOTAS[3], calls).unwrap();
        let rankings = decided.iter().map(|(call, d)| (call.ranking().unwrap()[0], d.bay));
        let (same, parted): (Vec<_>, Vec<_>) = rankings.partition(|(best, taken)| best == taken);
        let gate = |bays: &[(&str, &str)]| bays.iter().filter(|(best, _)| by_the_gate(best)).count();
        assert!(gate(&same) * parted.len() > 2 * gate(&parted) * same.len(), "{same:?} {parted:?}");
    }
}

//! Simulates the dispatcher's decisions on the calls of a quota.
//!
//! Invariants:
//! - Exactly the quota's number of calls get the allocator's best bay, and exactly its number one of the best
//!   three.
//!
//! The differences have a cause that the allocator does not know: at weekends few people work beyond the
//! gate. So the dispatcher mostly deviates if the best bay is not at the gate, and then prefers a bay at the
//! gate.

use anyhow::{Context as _, ensure};
use jiff::ToSpan as _;
use jiff::civil::DateTime;
use serde::Serialize;

use crate::calls::{Call, Numbers, zoned};
use crate::quotas::{Quota, Share};

/// A decision: a line of `decisions.jsonl`.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// Number of the call.
    pub id: String,
    /// Time of the decision in the yard's time zone.
    #[serde(serialize_with = "zoned")]
    pub decided_at: DateTime,
    /// The chosen bay.
    pub bay: &'static str,
}

/// Decides the calls of a quota. Returns each call with its decision.
///
/// # Errors
/// If the allocator ranks fewer than four bays for a call, because the quota could not be met.
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
        let priority = if weekend && !is_at_gate(ranking[0]) { 0 } else { 500 };
        ranked.push((priority + numbers.below(1000), call, ranking));
    }
    // Calls with the highest priority get the best bay. The sort is stable, so ties keep the order of the
    // calls.
    ranked.sort_by_key(|(priority, ..)| std::cmp::Reverse(*priority));
    let decided = ranked.into_iter().enumerate().map(|(at, (_, call, ranking))| {
        let bay = match at {
            _ if at < quota.agreed => ranking[0],
            _ if at < quota.among_three => choose_other(numbers, weekend, &ranking[1..3]),
            _ => choose_other(numbers, weekend, &ranking[3..]),
        };
        let delay = if call.priority { 15 + numbers.below(105) } else { 20 + numbers.below(460) };
        let decided_at = call.called_at.saturating_add((delay as i64).seconds());
        (call, Decision { id: String::new(), decided_at, bay })
    });
    Ok(decided.collect())
}

/// Chooses from bays, best first: at weekends the first one at the gate, if any; otherwise mostly the first.
fn choose_other(numbers: &mut Numbers, weekend: bool, bays: &[&'static str]) -> &'static str {
    let gate = bays.iter().find(|bay| weekend && is_at_gate(bay));
    gate.copied().unwrap_or_else(|| if numbers.below(3) > 0 { bays[0] } else { bays[bays.len() / 2] })
}

fn is_at_gate(bay: &str) -> bool {
    bay.starts_with('G')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quotas::QUOTAS;

    #[test]
    fn quotas_are_met_for_any_seed() {
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
    fn decisions_take_seconds_to_minutes_and_choose_allowed_bays() {
        let mut numbers = Numbers(3);
        let calls = (0..700).map(|_| Call::draw(&mut numbers, &QUOTAS[1])).collect();
        for (call, decision) in decide(&mut numbers, &QUOTAS[1], calls).unwrap() {
            let took = decision.decided_at.duration_since(call.called_at).as_secs();
            assert!((15..480).contains(&took), "{took}");
            assert!(call.ranking().unwrap().contains(&decision.bay));
        }
    }

    #[test]
    fn weekend_differences_are_caused_by_the_gate() {
        let mut numbers = Numbers(4);
        let calls = (0..100).map(|_| Call::draw(&mut numbers, &QUOTAS[3])).collect();
        let decided = decide(&mut numbers, &QUOTAS[3], calls).unwrap();
        let rankings = decided.iter().map(|(call, d)| (call.ranking().unwrap()[0], d.bay));
        let (same, parted): (Vec<_>, Vec<_>) = rankings.partition(|(best, taken)| best == taken);
        let gate = |bays: &[(&str, &str)]| bays.iter().filter(|(best, _)| is_at_gate(best)).count();
        assert!(gate(&same) * parted.len() > 2 * gate(&parted) * same.len(), "{same:?} {parted:?}");
    }
}

//! Generates calls for a slot from pseudo-random numbers.
//!
//! Invariants:
//! - A call is a pure function of its quota and of the state of the generator. It does not depend on later
//!   decisions.

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use serde::{Serialize, Serializer};

use crate::quotas::{Quota, Share};

/// A reproducible stream of pseudo-random numbers (splitmix64: Steele, Lea, Flood 2014).
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number, from 0 to `end - 1`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    /// A random word. Repeated words are more likely.
    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len() as u64) as usize]
    }
}

/// A call: a line of `snapshots.jsonl`.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Number of the call, in order of time.
    pub id: String,
    /// Time of the call in the yard's time zone.
    #[serde(serialize_with = "zoned")]
    pub called_at: DateTime,
    carrier: &'static str,
    vehicle: &'static str,
    cargo: &'static str,
    pallets: u32,
    /// Whether the carrier paid for priority.
    pub priority: bool,
    weekend_priority: bool,
    gate_queue: u32,
    dock_queue: u32,
    cold_queue: u32,
    open_queue: u32,
}

/// Writes a local time with its offset. The Netherlands have summer time in these weeks.
pub fn zoned<S: Serializer>(at: &DateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at}+02:00"))
}

impl Call {
    /// Draws a call of a quota. Its `id` is empty.
    pub fn draw(numbers: &mut Numbers, quota: &Quota) -> Call {
        let length = (quota.hours.end - quota.hours.start) as u64 * 3600;
        let day = numbers.below(quota.days as u64) as i64;
        // The mean of two draws makes calls more frequent in the middle of the day.
        let second = (numbers.below(length) + numbers.below(length)) / 2;
        let opens = quota.from.at(quota.hours.start as i8, 0, 0, 0);
        let called_at = opens.saturating_add(day.days().seconds(second as i64));

        let vehicle = numbers.one_of(&["van", "rigid", "rigid", "trailer", "trailer", "trailer"]);
        let [minimum, range] = match vehicle {
            "van" => [1, 6],
            "rigid" => [4, 14],
            _ => [12, 22],
        };
        let rush = if (9..16).contains(&called_at.hour()) { 5 } else { 3 };
        Call {
            id: String::new(),
            called_at,
            carrier: numbers.one_of(&["amstel", "delta", "kempen", "noordkade", "veluwe", "waddenzee"]),
            vehicle,
            cargo: numbers.one_of(&[
                "dry",
                "dry",
                "dry",
                "dry",
                "dry",
                "dry",
                "reefer",
                "reefer",
                "hazardous",
            ]),
            pallets: (minimum + numbers.below(range)) as u32,
            priority: match quota.share {
                Share::Weekday => numbers.below(8) == 0,
                Share::Weekend => false,
                Share::WeekendPriority => true,
            },
            weekend_priority: quota.share == Share::WeekendPriority,
            gate_queue: numbers.below(rush) as u32,
            dock_queue: numbers.below(rush + 1) as u32,
            cold_queue: numbers.below(rush - 1) as u32,
            open_queue: numbers.below(2) as u32,
        }
    }

    /// The ranking of the allocator plugin, run natively.
    pub fn ranking(&self) -> Option<Vec<&'static str>> {
        yard_allocator::rank(&yard_allocator::Call {
            carrier: self.carrier,
            vehicle: self.vehicle,
            cargo: self.cargo,
            pallets: self.pallets,
            priority: self.priority,
            gate_queue: self.gate_queue,
            dock_queue: self.dock_queue,
            cold_queue: self.cold_queue,
            open_queue: self.open_queue,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quotas::QUOTAS;

    #[test]
    fn calls_are_within_the_days_and_hours_of_their_quota() {
        let mut numbers = Numbers(1);
        for quota in QUOTAS {
            for _ in 0..200 {
                let call = Call::draw(&mut numbers, &quota);
                let days = call.called_at.date().since(quota.from).unwrap().get_days();
                assert!((0..quota.days).contains(&i64::from(days)), "{call:?}");
                assert!(quota.hours.contains(&i64::from(call.called_at.hour())), "{call:?}");
            }
        }
    }

    #[test]
    fn a_line_has_the_local_offset_and_every_field_of_the_study() {
        let call = Call::draw(&mut Numbers(1), &QUOTAS[0]);
        let line = serde_json::to_value(&call).unwrap();
        let at = line["called_at"].as_str().unwrap();
        assert!(at.starts_with("2026-04-12T2") && at.ends_with("+02:00"), "{at}");
        assert_eq!(line.as_object().unwrap().len(), 12);
    }
}

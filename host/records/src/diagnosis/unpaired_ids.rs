//! Compares the ids of the unpaired records of both streams.
//!
//! Invariants: memory is bounded by the number of snapshots added, at most [`IdComparison::EXAMINED`] of them; a decision is
//! counted under one cause.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use understudy_study::Micros;
use unicode_normalization::UnicodeNormalization as _;
use xxhash_rust::xxh3::xxh3_64;

/// A way in which two spellings of one id can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdForm {
    /// `A-1` and `a-1`.
    Case,
    /// `a 1` and `a1`, with spaces of any kind.
    Spaces,
    /// `007` and `7`.
    LeadingZeros,
    /// `1.0` and `1`.
    ZeroFraction,
    /// Composed and decomposed characters, and other compatible forms (Unicode NFKC).
    Normalisation,
    /// Several of these at once.
    Several,
}

impl IdForm {
    /// Every form; [`IdForm::Several`] is the last.
    pub const ALL: [IdForm; 6] = [
        IdForm::Case,
        IdForm::Spaces,
        IdForm::LeadingZeros,
        IdForm::ZeroFraction,
        IdForm::Normalisation,
        IdForm::Several,
    ];

    /// The id without this form of difference.
    fn neutral(self, id: &str) -> String {
        match self {
            IdForm::Case => id.to_lowercase(),
            IdForm::Spaces => {
                id.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\u{200b}' | '\u{feff}')).collect()
            }
            IdForm::LeadingZeros => without_leading_zeros(id),
            IdForm::ZeroFraction => match id.split_once('.') {
                Some((whole, zeros))
                    if !zeros.is_empty()
                        && zeros.bytes().all(|byte| byte == b'0')
                        && whole.bytes().all(|byte| byte.is_ascii_digit()) =>
                {
                    whole.to_owned()
                }
                _ => id.to_owned(),
            },
            IdForm::Normalisation => id.nfkc().collect(),
            IdForm::Several => [
                IdForm::Normalisation,
                IdForm::Spaces,
                IdForm::Case,
                IdForm::ZeroFraction,
                IdForm::LeadingZeros,
            ]
            .iter()
            .fold(id.to_owned(), |id, form| form.neutral(&id)),
        }
    }
}

/// The id without the zeros at the beginning of each number in it.
fn without_leading_zeros(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    let mut in_number = false;
    let mut characters = id.chars().peekable();
    while let Some(character) = characters.next() {
        let begins = !std::mem::replace(&mut in_number, character.is_ascii_digit());
        if character == '0' && begins && characters.peek().is_some_and(char::is_ascii_digit) {
            in_number = false;
        } else {
            out.push(character);
        }
    }
    out
}

/// How many decisions have the id of a snapshot in another form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FormCount {
    /// The difference.
    pub form: IdForm,
    /// Decisions for which it is the difference to an unpaired snapshot's id.
    pub decisions: u64,
}

/// Decisions with the id of a snapshot that are further away than the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BeyondHorizon {
    /// Their number.
    pub decisions: u64,
    /// The shortest time beyond the horizon, in microseconds.
    pub least_micros: i64,
    /// The longest time beyond the horizon, in microseconds.
    pub most_micros: i64,
}

/// Why the unpaired records of both streams do not meet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UnpairedIds {
    /// Unpaired snapshots that were examined.
    pub snapshots: u64,
    /// Unpaired decisions that were examined.
    pub decisions: u64,
    /// Decisions whose id an unpaired snapshot has in another form, the most frequent form first.
    pub forms: Vec<FormCount>,
    /// Decisions whose id an unpaired snapshot has, beyond the horizon; null if there are none.
    pub beyond_horizon: Option<BeyondHorizon>,
}

/// Collects unpaired snapshots, then compares unpaired decisions with them.
#[derive(Debug)]
pub struct IdComparison {
    horizon: Micros,
    /// Hash of the id and time of each snapshot.
    snapshots: Vec<(u64, i64)>,
    /// Per form: hashes of the snapshots' ids without this difference.
    neutral: [Vec<u64>; IdForm::ALL.len()],
    sorted: bool,
    decisions: u64,
    forms: [u64; IdForm::ALL.len()],
    beyond: Option<BeyondHorizon>,
}

impl IdComparison {
    /// The records of each stream that are examined at most.
    pub const EXAMINED: u64 = 200_000;

    /// A comparison without records.
    pub fn new(horizon: Micros) -> IdComparison {
        IdComparison {
            horizon,
            snapshots: Vec::new(),
            neutral: Default::default(),
            sorted: false,
            decisions: 0,
            forms: [0; IdForm::ALL.len()],
            beyond: None,
        }
    }

    /// Adds an unpaired snapshot. False if no more are examined.
    pub fn add_snapshot(&mut self, id: &str, time: i64) -> bool {
        if self.snapshots.len() as u64 >= Self::EXAMINED {
            return false;
        }
        self.sorted = false;
        self.snapshots.push((xxh3_64(id.as_bytes()), time));
        for (form, hashes) in IdForm::ALL.iter().zip(&mut self.neutral) {
            hashes.push(xxh3_64(form.neutral(id).as_bytes()));
        }
        true
    }

    /// Compares an unpaired decision with the snapshots. False if no more are examined.
    pub fn add_decision(&mut self, id: &str, time: i64) -> bool {
        if self.decisions >= Self::EXAMINED {
            return false;
        }
        if !std::mem::replace(&mut self.sorted, true) {
            self.snapshots.sort_unstable();
            self.neutral.iter_mut().for_each(|hashes| hashes.sort_unstable());
        }
        self.decisions += 1;
        let hash = xxh3_64(id.as_bytes());
        let from = self.snapshots.partition_point(|(other, _)| *other < hash);
        let same = self.snapshots[from..].iter().take_while(|(other, _)| *other == hash);
        if let Some(distance) = same.map(|(_, other)| other.saturating_sub(time).saturating_abs()).min() {
            let beyond = distance.saturating_sub(self.horizon.0);
            if beyond > 0 {
                let known = self.beyond.get_or_insert(BeyondHorizon {
                    decisions: 0,
                    least_micros: beyond,
                    most_micros: beyond,
                });
                known.decisions += 1;
                known.least_micros = known.least_micros.min(beyond);
                known.most_micros = known.most_micros.max(beyond);
            }
            return true;
        }
        let meets = |(form, hashes): (&IdForm, &Vec<u64>)| {
            hashes.binary_search(&xxh3_64(form.neutral(id).as_bytes())).is_ok()
        };
        if let Some(form) = IdForm::ALL.iter().zip(&self.neutral).position(meets) {
            self.forms[form] += 1;
        }
        true
    }

    /// The result.
    pub fn finish(self) -> UnpairedIds {
        let counts = IdForm::ALL.into_iter().zip(self.forms).filter(|(_, decisions)| *decisions > 0);
        let mut forms: Vec<_> = counts.map(|(form, decisions)| FormCount { form, decisions }).collect();
        forms.sort_by_key(|count| std::cmp::Reverse(count.decisions));
        UnpairedIds {
            snapshots: self.snapshots.len() as u64,
            decisions: self.decisions,
            forms,
            beyond_horizon: self.beyond,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn compared(snapshots: &[&str], decisions: &[&str]) -> Vec<(IdForm, u64)> {
        let mut comparison = IdComparison::new(Micros(HOUR));
        snapshots.iter().for_each(|id| assert!(comparison.add_snapshot(id, 0)));
        decisions.iter().for_each(|id| assert!(comparison.add_decision(id, 0)));
        comparison.finish().forms.iter().map(|count| (count.form, count.decisions)).collect()
    }

    #[test]
    fn ids_that_differ_in_form_only_are_counted_by_form() {
        assert_eq!(compared(&["A-1", "B-2"], &["a-1", "b-2", "c-3"]), [(IdForm::Case, 2)]);
        assert_eq!(compared(&["a 1", " b"], &["a1", "b\u{a0}", "b "]), [(IdForm::Spaces, 3)]);
        assert_eq!(compared(&["7", "A-70", "0"], &["007", "A-0070", "00"]), [(IdForm::LeadingZeros, 3)]);
        assert_eq!(compared(&["17", "18.00"], &["17.0", "18"]), [(IdForm::ZeroFraction, 2)]);
        assert_eq!(compared(&["caf\u{e9}"], &["cafe\u{301}"]), [(IdForm::Normalisation, 1)]);
        assert_eq!(compared(&["A-7", "x"], &["a-007", "X"]), [(IdForm::Case, 1), (IdForm::Several, 1)]);
        assert_eq!(compared(&["a1", "1.5", "10"], &["a2", "1.50", "1", "100"]), []);
    }

    #[test]
    fn equal_ids_are_measured_against_the_horizon() {
        let mut comparison = IdComparison::new(Micros(HOUR));
        for (id, time) in [("a", 0), ("a", 30 * HOUR), ("b", 0), ("c", 0)] {
            comparison.add_snapshot(id, time);
        }
        for (id, time) in [("a", 27 * HOUR), ("b", -2 * HOUR), ("c", HOUR), ("d", 0)] {
            comparison.add_decision(id, time);
        }
        let found = comparison.finish();
        let beyond = BeyondHorizon { decisions: 2, least_micros: HOUR, most_micros: 2 * HOUR };
        assert_eq!((found.snapshots, found.decisions, found.forms.len()), (4, 4, 0));
        assert_eq!(found.beyond_horizon, Some(beyond));
    }
}

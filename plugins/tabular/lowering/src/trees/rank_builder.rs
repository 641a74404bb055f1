//! Collects the comparisons of all nodes and expresses them by ranks.

use std::collections::{BTreeMap, BTreeSet};

use tabular_program::{Kind, MAX_THRESHOLDS, Test};

use super::{Condition, Missing, TreeError, error, float_values};

/// The comparisons that were added.
pub(super) struct RankBuilder {
    kind: Kind,
    /// The thresholds of orders.
    orders: BTreeMap<OrderKey, BTreeSet<Ordered>>,
    /// The sets of memberships, and their numbers.
    sets: BTreeMap<SetsKey, BTreeMap<Set, u32>>,
}

/// A comparison, by which its rank column and rank are found.
pub(super) enum Comparison {
    /// `x <= threshold`.
    Order(OrderKey, Ordered),
    /// Whether `x` is in a set.
    Membership(SetsKey, u32),
}

/// Comparisons of order that share rank columns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OrderKey {
    feature: u32,
    missing: Missing,
}

/// Memberships that share a test.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SetsKey {
    feature: u32,
    truncating: bool,
}

/// A set of numbers, and whether a missing value is a member.
type Set = (Vec<Ordered>, bool);

/// A number that is not NaN, in its order. There is only one zero.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Ordered(f64);

impl Ordered {
    fn new(number: f64) -> Self {
        Self(if number == 0.0 { 0.0 } else { number })
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl RankBuilder {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, orders: BTreeMap::new(), sets: BTreeMap::new() }
    }

    /// Adds a comparison. The opposite of a condition is lowered as the condition.
    pub(super) fn add(
        &mut self,
        feature: u32,
        condition: &Condition,
        missing: Missing,
    ) -> Result<Comparison, TreeError> {
        match condition {
            Condition::LessOrEqual(threshold) | Condition::Greater(threshold) => {
                self.add_order(feature, self.rounded(*threshold), missing)
            }
            Condition::Less(threshold) | Condition::GreaterOrEqual(threshold) => {
                self.add_order(feature, self.predecessor(self.rounded(*threshold)), missing)
            }
            Condition::Equal(number) | Condition::NotEqual(number) => {
                self.add_set(SetsKey { feature, truncating: false }, &[*number], missing)
            }
            Condition::Member { set, truncating } => {
                self.add_set(SetsKey { feature, truncating: *truncating }, set, missing)
            }
        }
    }

    /// `x <= threshold`, which no value fulfils if the threshold is NaN.
    fn add_order(&mut self, feature: u32, threshold: f64, missing: Missing) -> Result<Comparison, TreeError> {
        if threshold.is_nan() {
            let missing = match missing {
                Missing::AsZero => Missing::No,
                Missing::ZeroYes | Missing::ZeroNo => return error("no value fulfils a comparison"),
                other => other,
            };
            return self.add_set(SetsKey { feature, truncating: false }, &[], missing);
        }
        let (key, threshold) = (OrderKey { feature, missing }, Ordered::new(threshold));
        self.orders.entry(key).or_default().insert(threshold);
        Ok(Comparison::Order(key, threshold))
    }

    /// NaN is equal to nothing, so it is left out of a set.
    fn add_set(&mut self, key: SetsKey, numbers: &[f64], missing: Missing) -> Result<Comparison, TreeError> {
        let missing = match missing {
            Missing::Yes => true,
            Missing::No => false,
            _ => return error("a membership does not treat missing values as zero"),
        };
        let members: BTreeSet<Ordered> = numbers
            .iter()
            .map(|number| self.rounded(*number))
            .filter(|number| !number.is_nan())
            .map(Ordered::new)
            .collect();
        let sets = self.sets.entry(key).or_default();
        let next = sets.len() as u32;
        let number = *sets.entry((members.into_iter().collect(), missing)).or_insert(next);
        Ok(Comparison::Membership(key, number))
    }

    /// The number in the precision of the features.
    fn rounded(&self, number: f64) -> f64 {
        if self.kind == Kind::Double { number } else { f64::from(number as f32) }
    }

    /// The greatest number below, in the precision of the features; NaN if no number is below.
    fn predecessor(&self, number: f64) -> f64 {
        if number == f64::NEG_INFINITY {
            return f64::NAN;
        }
        if self.kind == Kind::Double {
            return match number {
                0.0 => -f64::from_bits(1),
                number if number > 0.0 => f64::from_bits(number.to_bits() - 1),
                number => f64::from_bits(number.to_bits() + 1),
            };
        }
        f64::from(match number as f32 {
            0.0 => -f32::from_bits(1),
            number if number > 0.0 => f32::from_bits(number.to_bits() - 1),
            number => f32::from_bits(number.to_bits() + 1),
        })
    }

    /// The tests, and where each comparison's rank column is.
    pub(super) fn finish(self) -> Result<(Vec<Test>, RankColumns), TreeError> {
        let mut tests = Vec::new();
        let mut columns = RankColumns { orders: BTreeMap::new(), sets: BTreeMap::new() };
        let mut next = 0;
        for (key, numbers) in self.orders {
            let numbers: Vec<Ordered> = numbers.into_iter().collect();
            for part in numbers.chunks(MAX_THRESHOLDS) {
                let values: Vec<f64> = part.iter().map(|number| number.0).collect();
                tests.push(order_test(self.kind, key, values));
            }
            let width = numbers.len().div_ceil(MAX_THRESHOLDS);
            columns.orders.insert(key, (next, numbers));
            next += width;
        }
        for (key, sets) in self.sets {
            columns.sets.insert(key, next);
            next += sets.len();
            tests.push(membership_test(self.kind, key, &sets)?);
        }
        if next > usize::from(u16::MAX) + 1 {
            return error(format!(
                "the trees need {next} rank columns, more than {}",
                usize::from(u16::MAX) + 1
            ));
        }
        Ok((tests, columns))
    }
}

fn order_test(kind: Kind, key: OrderKey, values: Vec<f64>) -> Test {
    let (missing, zero_missing) = match key.missing {
        Missing::Yes => (1, false),
        Missing::No => (values.len() + 1, false),
        Missing::AsZero => (values.partition_point(|value| *value < 0.0) + 1, false),
        Missing::ZeroYes => (1, true),
        Missing::ZeroNo => (values.len() + 1, true),
    };
    Test::Order {
        feature: key.feature,
        thresholds: float_values(kind, values),
        missing: missing as u16,
        zero_missing,
    }
}

fn membership_test(kind: Kind, key: SetsKey, sets: &BTreeMap<Set, u32>) -> Result<Test, TreeError> {
    let members: BTreeSet<Ordered> = sets.keys().flat_map(|(members, _)| members).copied().collect();
    let members: Vec<Ordered> = members.into_iter().collect();
    if members.len() > MAX_THRESHOLDS {
        return error(format!(
            "feature {} is compared with {} categories, more than {}",
            key.feature,
            members.len(),
            MAX_THRESHOLDS
        ));
    }
    let stride = sets.len().div_ceil(8);
    let mut bits = vec![0_u8; stride * (members.len() + 2)];
    for ((numbers, missing), set) in sets {
        let mut mark = |row: usize| bits[row * stride + *set as usize / 8] |= 1 << (set % 8);
        for number in numbers {
            mark(members.partition_point(|member| member < number));
        }
        if *missing {
            mark(members.len() + 1);
        }
    }
    Ok(Test::Membership {
        feature: key.feature,
        members: float_values(kind, members.iter().map(|number| number.0).collect()),
        sets: sets.len() as u32,
        bits,
        truncating: key.truncating,
    })
}

/// Where rank columns are.
pub(super) struct RankColumns {
    /// The first column of an order, and all of its thresholds.
    orders: BTreeMap<OrderKey, (usize, Vec<Ordered>)>,
    /// The first column of sets.
    sets: BTreeMap<SetsKey, usize>,
}

impl RankColumns {
    /// The rank column and the greatest rank for which the comparison holds.
    pub(super) fn find(&self, comparison: &Comparison) -> (u16, u16) {
        match comparison {
            Comparison::Order(key, threshold) => {
                let (first, numbers) = &self.orders[key];
                let position = numbers.partition_point(|number| number < threshold);
                let column = first + position / MAX_THRESHOLDS;
                (column as u16, (position % MAX_THRESHOLDS + 1) as u16)
            }
            Comparison::Membership(key, set) => ((self.sets[key] + *set as usize) as u16, 1),
        }
    }
}

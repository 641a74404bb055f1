//! An order-independent digest of rows: the sum of the digests of the rows, per range of snapshots.
//!
//! Invariants: equal multisets of rows have equal digests. Different ones have different digests, except with
//! probability 2^-64, which nobody can influence without knowing the seed.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail};
use arrow::array::{Array, AsArray as _, RecordBatch, StringArray};
use arrow::datatypes::{
    DataType, Float64Type, SchemaRef, TimestampMicrosecondType, UInt16Type, UInt32Type, UInt64Type,
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Snapshots per sum, so that a difference can be located.
pub const RANGE: u64 = 1 << 16;
/// The digest of a null.
const MISSING: u64 = 0x6d69_7373_696e_6721;

/// A random seed, which makes collisions unpredictable.
#[derive(Clone, Copy, Debug)]
pub struct Seed([u64; 2]);

impl Seed {
    /// A new random seed.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new() -> anyhow::Result<Seed> {
        let mut bytes = [[0; 8]; 2];
        for half in &mut bytes {
            getrandom::fill(half).map_err(|error| anyhow!("cannot read OS randomness: {error}"))?;
        }
        Ok(Seed(bytes.map(u64::from_le_bytes)))
    }

    /// Combines two digests (the folded product of wyhash: Wang Yi 2019).
    fn join(self, one: u64, other: u64) -> u64 {
        let product = u128::from(one ^ self.0[0]) * u128::from(other ^ self.0[1] | 1);
        (product as u64) ^ (product >> 64) as u64
    }

    fn text(self, text: &str) -> u64 {
        xxh3_64_with_seed(text.as_bytes(), self.0[0])
    }
}

/// Combines the values of a column with the digests of the rows. Columns without nulls skip the null check.
fn combine(seed: Seed, digests: &mut [u64], column: &dyn Array, value: impl Fn(usize) -> u64) {
    if column.null_count() == 0 {
        for (row, digest) in digests.iter_mut().enumerate() {
            *digest = seed.join(*digest, value(row));
        }
        return;
    }
    for (row, digest) in digests.iter_mut().enumerate() {
        let value = if column.is_null(row) { MISSING } else { value(row) };
        *digest = seed.join(*digest, value);
    }
}

/// The digest of rows of the pair table: per range of snapshots, the number of rows and the sum of their
/// digests.
pub struct MultisetDigest {
    schema: SchemaRef,
    seed: Seed,
    ranges: BTreeMap<u64, (u64, u64)>,
}

impl MultisetDigest {
    /// The digest of no rows with these columns.
    pub fn new(schema: &SchemaRef, seed: Seed) -> MultisetDigest {
        MultisetDigest { schema: schema.clone(), seed, ranges: BTreeMap::new() }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// If they have other columns.
    pub fn add(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        let snapshots = batch.column_by_name("snapshot").and_then(|c| c.as_primitive_opt::<UInt64Type>());
        let same = batch.schema_ref().fields() == self.schema.fields();
        let snapshots =
            snapshots.filter(|_| same).context("the pair table does not have the columns of this study")?;
        let mut digests = vec![0; batch.num_rows()];
        for column in batch.columns() {
            self.join(&mut digests, column.as_ref())?;
        }
        // Pairs of one range mostly follow each other.
        let rows: Vec<(u64, u64)> =
            snapshots.values().iter().map(|snapshot| snapshot / RANGE).zip(digests).collect();
        for run in rows.chunk_by(|(range, _), (next, _)| range == next) {
            let (count, sum) = self.ranges.entry(run[0].0).or_default();
            *count += run.len() as u64;
            *sum = run.iter().fold(*sum, |sum, (_, digest)| sum.wrapping_add(*digest));
        }
        Ok(())
    }

    /// Combines the values of a column with the digests of the rows.
    fn join(&self, digests: &mut [u64], column: &dyn Array) -> anyhow::Result<()> {
        let seed = self.seed;
        match column.data_type() {
            DataType::UInt64 => {
                let numbers = column.as_primitive::<UInt64Type>();
                combine(seed, digests, column, |row| numbers.value(row));
            }
            DataType::Boolean => {
                let values = column.as_boolean();
                combine(seed, digests, column, |row| u64::from(values.value(row)));
            }
            DataType::Timestamp(..) => {
                let times = column.as_primitive::<TimestampMicrosecondType>();
                combine(seed, digests, column, |row| times.value(row) as u64);
            }
            DataType::UInt32 => {
                let numbers = column.as_primitive::<UInt32Type>();
                combine(seed, digests, column, |row| u64::from(numbers.value(row)));
            }
            DataType::Float64 => {
                let numbers = column.as_primitive::<Float64Type>();
                combine(seed, digests, column, |row| numbers.value(row).to_bits());
            }
            DataType::Utf8 => {
                let texts = column.as_string::<i32>();
                combine(seed, digests, column, |row| seed.text(texts.value(row)));
            }
            DataType::Dictionary(..) => {
                let dictionary = column.as_dictionary::<UInt16Type>();
                let names = dictionary.values().as_string::<i32>();
                let names: Vec<u64> = names.iter().map(|name| seed.text(name.unwrap_or_default())).collect();
                combine(seed, digests, column, |row| names[usize::from(dictionary.keys().value(row))]);
            }
            DataType::List(_) => {
                let lists = column.as_list::<i32>();
                let list = |names: &StringArray| {
                    names.iter().fold(names.len() as u64, |all, name| {
                        seed.join(all, seed.text(name.unwrap_or_default()))
                    })
                };
                combine(seed, digests, column, |row| list(lists.value(row).as_string::<i32>()));
            }
            DataType::Map(..) => {
                let maps = column.as_map();
                let (classes, values) =
                    (maps.keys().as_string::<i32>(), maps.values().as_primitive::<Float64Type>());
                let digest = |row: usize| {
                    let ends = &maps.value_offsets()[row..row + 2];
                    let entries = ends[0] as usize..ends[1] as usize;
                    entries.clone().fold(entries.len() as u64, |all, at| {
                        let class = seed.join(all, seed.text(classes.value(at)));
                        seed.join(class, values.value(at).to_bits())
                    })
                };
                combine(seed, digests, column, digest);
            }
            other => bail!(
                "the pair table has a column of type {other}, which this version of understudy does not support"
            ),
        }
        Ok(())
    }

    /// The ranges in which two digests differ: the first snapshot, and the number of rows in each.
    pub fn differences(&self, other: &MultisetDigest) -> Vec<(u64, [u64; 2])> {
        let sums = |set: &MultisetDigest, range: &u64| set.ranges.get(range).copied().unwrap_or_default();
        let mut ranges: Vec<u64> = self.ranges.keys().chain(other.ranges.keys()).copied().collect();
        ranges.sort_unstable();
        ranges.dedup();
        ranges.retain(|range| sums(self, range) != sums(other, range));
        ranges
            .into_iter()
            .map(|range| (range * RANGE, [self, other].map(|set| sums(set, &range).0)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, DictionaryArray, Float64Array, UInt64Array};

    use super::*;

    fn rows(rows: &[(u64, &str, Option<f64>)]) -> RecordBatch {
        let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.0)));
        let names: DictionaryArray<UInt16Type> = rows.iter().map(|row| row.1).collect();
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1)));
        let figures: ArrayRef = Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.2)));
        let columns =
            [("snapshot", numbers), ("name", Arc::new(names)), ("text", texts), ("figure", figures)];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
    }

    fn set(batches: &[RecordBatch], seed: Seed) -> MultisetDigest {
        let mut set = MultisetDigest::new(&batches[0].schema(), seed);
        batches.iter().for_each(|batch| set.add(batch).unwrap());
        set
    }

    #[test]
    fn the_digest_depends_on_the_rows_and_not_on_order_or_batches() {
        let seed = Seed::new().unwrap();
        let all = [(1, "a", Some(1.0)), (2, "b", None), (70_000, "a", Some(-0.0)), (1, "a", Some(1.0))];
        let whole = set(&[rows(&all)], seed);
        let cut = set(&[rows(&[all[3], all[2]]), rows(&[all[1], all[0]])], seed);
        assert_eq!(whole.differences(&cut), []);
        for (at, other) in [
            (0, (1, "a", Some(2.0))),
            (0, (1, "b", Some(1.0))),
            (1, (2, "b", Some(0.0))),
            (2, (70_000, "a", Some(0.0))),
        ] {
            let mut changed = all;
            changed[at] = other;
            let range = changed[at].0 / RANGE * RANGE;
            let count = if range == 0 { 3 } else { 1 };
            assert_eq!(
                whole.differences(&set(&[rows(&changed)], seed)),
                [(range, [count, count])],
                "{other:?}"
            );
        }
        assert_eq!(whole.differences(&set(&[rows(&all[..3])], seed)), [(0, [3, 2])]);
    }

    #[test]
    fn other_columns_are_rejected() {
        let mut set = MultisetDigest::new(&rows(&[]).schema(), Seed::new().unwrap());
        let other = rows(&[(1, "a", None)]).project(&[0, 1]).unwrap();
        assert!(set.add(&other).is_err());
    }
}

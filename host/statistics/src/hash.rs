//! SplitMix64: a hash of numbers and a pseudorandom generator whose results never change.
//!
//! Invariants: an input gives the same output on every machine and in every version. Every output bit depends
//! on every input bit.
//!
//! The algorithm is written out here instead of taken from a crate: p-values and the rows that a determinism
//! check samples must stay the same when a library changes its generator.
//!
//! Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

/// The increment of the generator's state: 2^64 divided by the golden ratio, rounded to an odd number.
const INCREMENT: u64 = 0x9e37_79b9_7f4a_7c15;

/// The output at `index`, counted from 0, of the generator with seed 0. Serves as a hash of `index`.
pub fn splitmix64(index: u64) -> u64 {
    mix(index.wrapping_add(1).wrapping_mul(INCREMENT))
}

/// The SplitMix64 generator.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A generator whose sequence depends on `seed` alone.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next output, uniform over all 64-bit numbers.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(INCREMENT);
        mix(self.0)
    }

    /// Shuffles `items`: R. Durstenfeld, Algorithm 235, Communications of the ACM 7 (1964). Orders are
    /// equally likely up to a part in 2^64 over the number of items.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = (u128::from(self.next_u64()) * (last as u128 + 1)) >> 64;
            items.swap(last, other as usize);
        }
    }
}

/// The finalizer of the generator: variant 13 of D. Stafford, "Better bit mixing" (2011).
fn mix(state: u64) -> u64 {
    let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_match_the_reference_implementation() {
        // The first outputs of S. Vigna's splitmix64.c for the seed 1234567.
        let mut generator = SplitMix64::new(1_234_567);
        let outputs = [(); 3].map(|()| generator.next_u64());
        assert_eq!(
            outputs,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn the_hash_is_the_sequence_of_seed_zero() {
        let mut generator = SplitMix64::new(0);
        for index in 0..1000 {
            assert_eq!(splitmix64(index), generator.next_u64(), "{index}");
        }
        // The first outputs of splitmix64.c for the seed 0.
        assert_eq!([0, 1].map(splitmix64), [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
        // The state wraps.
        assert_eq!(splitmix64(u64::MAX), 0);
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_reaches_every_order() {
        let mut generator = SplitMix64::new(1);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6_000 {
            let mut items = [1, 2, 3];
            generator.shuffle(&mut items);
            *counts.entry(items).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        // 1,000 of each order are expected, with a standard deviation of 29.
        assert!(counts.values().all(|count| (880..=1120).contains(count)), "{counts:?}");
        generator.shuffle::<u8>(&mut []);
    }
}

//! The sum against correctly rounded sums from Python, and against itself in other orders and groupings.

use bincode::config::standard;
use bincode::serde::{decode_from_slice, encode_to_vec};
use proptest::prelude::*;

use super::ExactSum;
use crate::hash::SplitMix64;

const LEAST: f64 = f64::from_bits(1);

fn sum(xs: &[f64]) -> ExactSum {
    let mut sum = ExactSum::default();
    xs.iter().for_each(|&x| sum.add(x));
    sum
}

fn bytes(sum: &ExactSum) -> Vec<u8> {
    encode_to_vec(sum, standard()).unwrap()
}

/// The sequences of `fsum.py`.
fn sequence(seed: u64, least: u64, span: u64, cancelled: usize) -> Vec<f64> {
    let mut words = SplitMix64::new(seed);
    let float = |word: u64| {
        let exponent = least + (word >> 52 & 0x7FF) % span;
        f64::from_bits(word & 0x800FFFFFFFFFFFFF | exponent << 52)
    };
    let mut xs: Vec<_> = (0..1000).map(|_| float(words.next_u64())).collect();
    xs.extend_from_within(..cancelled);
    xs[1000..].iter_mut().for_each(|x| *x = -*x);
    xs
}

#[test]
fn sums_match_pythons_fsum() {
    // python3 host/statistics/src/scoring/exact_sum/fsum.py
    for ((seed, least, span, cancelled), bits) in [
        ((1, 0, 2000, 0), 0x7ce83813a9c97014_u64),
        ((2, 0, 1, 0), 0x80419d966e63c7ff),
        ((3, 0, 60, 990), 0x037a9ffa01133936),
        ((4, 1003, 40, 0), 0x4121d4ca38db92b1),
        ((5, 0, 2000, 999), 0x3cb3d30097571af0),
        ((6, 940, 60, 998), 0x3e0753d5aa89858a),
        ((7, 1020, 3, 0), 0x40369ac2057e47ec),
        ((8, 1080, 40, 997), 0xc551c6a049012dee),
    ] {
        let xs = sequence(seed, least, span, cancelled);
        assert_eq!(sum(&xs).value(), f64::from_bits(bits), "seed {seed}");
    }
}

#[test]
fn the_remainder_is_the_rounding_error() {
    assert_eq!(sum(&[1.0, 1e-17, 2.0]).remainder(), 1e-17);
    assert_eq!(sum(&[1e300, -1.0]).remainder(), -1.0);
    assert_eq!(sum(&[0.5, 0.25]).remainder(), 0.0);
    assert_eq!(sum(&[f64::MAX, f64::MAX]).remainder(), 0.0);
}

#[test]
fn ties_go_to_even() {
    let two = |exponent| 2f64.powi(exponent);
    for (xs, expected) in [
        // An odd unit beyond 2^53, narrow.
        (vec![two(53), 1.0], two(53)),
        (vec![two(53), 3.0], two(53) + 4.0),
        (vec![two(53), 1.0, two(-64)], two(53) + 2.0),
        (vec![-two(53), -1.0], -two(53)),
        (vec![-two(53), -3.0], -two(53) - 4.0),
        // Half of the last place of 2^100, wide; then the least number beyond it.
        (vec![two(100), two(47)], two(100)),
        (vec![two(100), two(48), two(47)], two(100) + two(49)),
        (vec![two(100), two(47), LEAST], two(100) + two(48)),
        (vec![two(100), two(47), -LEAST], two(100)),
        (vec![-two(100), -two(48), -two(47)], -two(100) - two(49)),
        (vec![-two(100), -two(47), -LEAST], -two(100) - two(48)),
        // A carry through the whole significand.
        (vec![two(101), -two(48), two(47)], two(101)),
    ] {
        assert_eq!(sum(&xs).value(), expected, "{xs:?}");
    }
}

#[test]
fn sums_overflow_exactly_where_ieee_754_rounds_to_infinity() {
    let half_a_place = 2f64.powi(970);
    assert_eq!(sum(&[f64::MAX, f64::MAX, f64::MAX, -f64::MAX, -f64::MAX]).value(), f64::MAX);
    assert_eq!(sum(&[f64::MAX, half_a_place, -LEAST]).value(), f64::MAX);
    assert_eq!(sum(&[f64::MAX, half_a_place]).value(), f64::INFINITY);
    assert_eq!(sum(&[-f64::MAX, -half_a_place]).value(), f64::NEG_INFINITY);
    assert_eq!(sum(&[f64::MAX; 1000]).value(), f64::INFINITY);
}

#[test]
fn subnormals_are_exact() {
    assert_eq!(sum(&[LEAST; 3]).value(), f64::from_bits(3));
    assert_eq!(sum(&[f64::MIN_POSITIVE, -LEAST]).value(), f64::from_bits((1 << 52) - 1));
    assert_eq!(sum(&[f64::MIN_POSITIVE, LEAST]).value(), f64::from_bits((1 << 52) + 1));
}

#[test]
fn a_wide_sum_that_fits_again_becomes_narrow() {
    let always = sum(&[1.5, -8.0]);
    for beyond in [1e-20, LEAST, 2f64.powi(62) * 1.5, f64::MAX] {
        for sign in [1.0, -1.0] {
            let beyond = beyond * sign;
            let again = sum(&[beyond, 1.5, beyond, -8.0, -beyond, -beyond]);
            assert_eq!(again, always);
            assert_eq!(bytes(&again), bytes(&always));
        }
    }
    assert_eq!(sum(&[1e300, LEAST, -1e300, -LEAST]), ExactSum::default());
    assert!(sum(&[-0.0]).value().is_sign_positive());
}

#[test]
fn sums_are_serialized_as_limbs() {
    let json = |xs: &[f64]| serde_json::to_string(&sum(xs)).unwrap();
    assert_eq!(json(&[]), "[0,0]");
    assert_eq!(json(&[1.0, 1.5]), "[9223372036854775808,2]");
    assert_eq!(json(&[-1.0]), "[0,18446744073709551615]");
    // The least bit is bit 14: 2^-1074 in units of 2^-1088.
    let negative = format!("[{}{}]", u64::MAX << 14, format!(",{}", u64::MAX).repeat(33));
    assert_eq!(json(&[-LEAST]), negative);
}

#[test]
fn other_numbers_of_limbs_are_rejected() {
    let error = serde_json::from_str::<ExactSum>("[1,2,3]").unwrap_err().to_string();
    insta::assert_snapshot!(error, @"a sum has 2 or 34 limbs, not 3");
}

/// Floats of every magnitude, whole numbers, and small fractions.
fn floats() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![
        NORMAL | SUBNORMAL | ZERO | POSITIVE | NEGATIVE,
        (-1000i32..1000).prop_map(f64::from),
        -1.0..1.0,
        (-1e-3..1e-3).prop_map(|x: f64| x * x * x.signum()),
        Just(f64::MAX),
        Just(-f64::MAX),
    ]
}

/// Floats, some of which cancel, and the same floats in another order.
fn reordered() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    (prop::collection::vec(floats(), 0..40), prop::collection::vec(any::<prop::sample::Index>(), 0..30))
        .prop_map(|(mut xs, cancelled)| {
            if !xs.is_empty() {
                xs.extend(cancelled.iter().map(|i| -i.get(&xs)).collect::<Vec<_>>());
            }
            xs
        })
        .prop_flat_map(|xs| (Just(xs.clone()), Just(xs).prop_shuffle()))
}

proptest! {
    #[test]
    fn order_and_grouping_change_no_bit(
        (xs, shuffled) in reordered(),
        part_of in prop::collection::vec(0..6usize, 70),
        merges in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let expected = sum(&xs);
        let mut parts = vec![ExactSum::default(); 6];
        shuffled.iter().zip(part_of).for_each(|(&x, part)| parts[part].add(x));
        // Two trees of merges: one part after another, and pairs first.
        let mut in_turn = ExactSum::default();
        merges.iter().for_each(|&part| in_turn.merge(&parts[part]));
        let mut in_pairs = ExactSum::default();
        for pair in merges.chunks(2) {
            let mut both = parts[pair[0]].clone();
            both.merge(&parts[pair[1]]);
            both.merge(&in_pairs);
            in_pairs = both;
        }
        for sum in [sum(&shuffled), in_turn, in_pairs] {
            prop_assert_eq!(sum.value().to_bits(), expected.value().to_bits());
            prop_assert_eq!(bytes(&sum), bytes(&expected));
            prop_assert_eq!(sum, expected.clone());
        }
    }

    // IEEE 754 rounds a single addition correctly, into subnormals, to even, and into infinity.
    #[test]
    fn two_floats_add_as_in_ieee_754(a in floats(), b in floats(), shift in -120..120i32) {
        for b in [b, a * 2f64.powi(shift), -a * 2f64.powi(shift)] {
            let b = b.clamp(-f64::MAX, f64::MAX);
            prop_assert_eq!(sum(&[a, b]).value(), a + b);
        }
    }

    #[test]
    fn serialization_round_trips((xs, _) in reordered()) {
        let sum = sum(&xs);
        let written = bytes(&sum);
        let (read, length): (ExactSum, _) = decode_from_slice(&written, standard()).unwrap();
        prop_assert_eq!(length, written.len());
        prop_assert_eq!(&read, &sum);
        let json = serde_json::to_string(&sum).unwrap();
        prop_assert_eq!(serde_json::from_str::<ExactSum>(&json).unwrap(), sum);
    }
}

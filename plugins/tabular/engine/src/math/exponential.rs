//! The exponential of 32-bit floats, by the algorithm of glibc 2.27 and later.
//!
//! `exp(x) = 2^(k / 32) * 2^(r / 32)` with a whole number `k` and `|r| <= 1/2`. The first factor is read from a table, the second is a
//! polynomial of third degree in `r`. Both have 64 bits; the product is rounded once. glibc's variant for machines with fused
//! operations rounds otherwise in one of about 10^8 cases.
//!
//! Source: S. Nagy, Arm Optimized Routines, `math/expf.c` and `math/exp2f_data.c` (2017), which glibc adopted. The table has the
//! rounded powers, and the coefficients are those of the minimax polynomial that is documented there.

use std::ops::{Add, Mul, Sub};

/// The bits of `2^(i / 32)` less `i * 2^47`, so that adding `k * 2^47` gives those of `2^(k / 32)`.
const POWERS: [u64; 32] = [
    0x3ff0_0000_0000_0000,
    0x3fef_d9b0_d315_8574,
    0x3fef_b558_6cf9_890f,
    0x3fef_9301_d012_5b51,
    0x3fef_72b8_3c7d_517b,
    0x3fef_5487_3168_b9aa,
    0x3fef_387a_6e75_6238,
    0x3fef_1e9d_f51f_dee1,
    0x3fef_06fe_0a31_b715,
    0x3fee_f1a7_373a_a9cb,
    0x3fee_dea6_4c12_3422,
    0x3fee_ce08_6061_892d,
    0x3fee_bfda_d536_2a27,
    0x3fee_b42b_569d_4f82,
    0x3fee_ab07_dd48_5429,
    0x3fee_a47e_b03a_5585,
    0x3fee_a09e_667f_3bcd,
    0x3fee_9f75_e8ec_5f74,
    0x3fee_a114_73eb_0187,
    0x3fee_a589_994c_ce13,
    0x3fee_ace5_422a_a0db,
    0x3fee_b737_b0cd_c5e5,
    0x3fee_c491_82a3_f090,
    0x3fee_d503_b23e_255d,
    0x3fee_e89f_995a_d3ad,
    0x3fee_ff76_f2fb_5e47,
    0x3fef_199b_dd85_529c,
    0x3fef_3720_dcef_9069,
    0x3fef_5818_dcfb_a487,
    0x3fef_7c97_337b_9b5f,
    0x3fef_a4af_a2a4_90da,
    0x3fef_d076_5b6e_4540,
];
/// `32 / ln 2`.
const SCALE: f64 = 46.16624130844683;
/// The coefficients of the polynomial, from the third degree on.
const COEFFICIENTS: [f64; 3] = [1.6938359250920212e-06, 0.00023459809789509004, 0.021660849396613134];
/// Adding this rounds to a whole number, which is then in the lowest bits.
const SHIFT: f64 = 1.5 * (1_u64 << 52) as f64;
/// Above this the exponential is infinite: 128 ln 2.
const GREATEST: f32 = f32::from_bits(0x42b1_7217);
/// Below this it is 0: -150 ln 2.
const LEAST: f32 = f32::from_bits(0xc2cf_f1b4);

/// `ln 2 / 32` in two parts. Products of the first one with whole numbers below 2^20 are exact.
const STEP: [f64; 2] = [6.931_471_803_691_238e-1 / 32.0, 1.908_214_929_270_587_7e-10 / 32.0];

/// One double or two side by side.
trait Doubles: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    fn splat(value: f64) -> Self;

    /// `2^(k / 32)` for the whole number `k` in the lowest bits.
    fn power(self) -> Self;
}

impl Doubles for f64 {
    #[inline(always)]
    fn splat(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn power(self) -> Self {
        let whole = self.to_bits();
        f64::from_bits(POWERS[(whole % 32) as usize].wrapping_add(whole << 47))
    }
}

/// The exponential as glibc has it, of a number that is neither above [`GREATEST`] nor below [`LEAST`].
#[inline(always)]
fn usual_exponential<D: Doubles>(value: D) -> D {
    let scaled = D::splat(SCALE) * value;
    let shifted = scaled + D::splat(SHIFT);
    let rest = scaled - (shifted - D::splat(SHIFT));
    let [third, second, first] = COEFFICIENTS.map(D::splat);
    let upper = third * rest + second;
    let lower = first * rest + D::splat(1.0);
    (upper * (rest * rest) + lower) * shifted.power()
}

/// The exponential in 64 bits, of a number that is neither above [`GREATEST`] nor below [`LEAST`].
#[inline(always)]
fn wide_exponential<D: Doubles>(value: D) -> D {
    let shifted = D::splat(SCALE) * value + D::splat(SHIFT);
    let count = shifted - D::splat(SHIFT);
    let rest = value - count * D::splat(STEP[0]) - count * D::splat(STEP[1]);
    // Taylor's series: the rest is at most 0.011.
    let square = rest * rest;
    let upper = D::splat(1.0 / 24.0) + rest * D::splat(1.0 / 120.0) + square * D::splat(1.0 / 720.0);
    let more = rest + square * (D::splat(0.5) + rest * D::splat(1.0 / 6.0) + upper * square);
    let power = shifted.power();
    power + power * more
}

/// The exponential of a number by a function that computes it within bounds.
#[inline(always)]
fn within_bounds(value: f32, exponential: fn(f64) -> f64) -> f32 {
    // A comparison with NaN is false.
    if value > GREATEST {
        return f32::INFINITY;
    }
    if value < LEAST {
        return 0.0;
    }
    exponential(f64::from(value)) as f32
}

pub(super) fn exponential(value: f32) -> f32 {
    within_bounds(value, usual_exponential)
}

/// The exponential, computed in 64 bits and rounded: all bits are right but in one of about 10^8 cases.
pub(super) fn rounded_exponential(value: f32) -> f32 {
    within_bounds(value, wide_exponential)
}

/// Replaces values by their [`exponential`], in half of the time.
pub(super) fn exponentials(values: &mut [f32]) {
    let (fours, rest) = values.as_chunks_mut();
    fours.iter_mut().for_each(vector::exponentials);
    rest.iter_mut().for_each(|value| *value = exponential(*value));
}

/// Replaces values by their [`rounded_exponential`], in half of the time.
pub(super) fn rounded_exponentials(values: &mut [f32]) {
    let (fours, rest) = values.as_chunks_mut();
    fours.iter_mut().for_each(vector::rounded_exponentials);
    rest.iter_mut().for_each(|value| *value = rounded_exponential(*value));
}

#[cfg(target_arch = "wasm32")]
mod vector {
    use std::arch::wasm32::{
        f32x4_gt, f32x4_lt, f32x4_splat, f64x2_add, f64x2_mul, f64x2_promote_low_f32x4, f64x2_splat,
        f64x2_sub, i64x2_add, i64x2_extract_lane, i64x2_shl, i64x2_shuffle, u64x2, v128, v128_andnot,
        v128_bitselect, v128_load, v128_store,
    };
    use std::ops::{Add, Mul, Sub};

    use crate::conversion::vector::demote;

    use super::{Doubles, GREATEST, LEAST, POWERS, usual_exponential, wide_exponential};

    #[derive(Clone, Copy)]
    struct Two(v128);

    impl Add for Two {
        type Output = Self;

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Self(f64x2_add(self.0, other.0))
        }
    }

    impl Sub for Two {
        type Output = Self;

        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            Self(f64x2_sub(self.0, other.0))
        }
    }

    impl Mul for Two {
        type Output = Self;

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            Self(f64x2_mul(self.0, other.0))
        }
    }

    impl Doubles for Two {
        #[inline(always)]
        fn splat(value: f64) -> Self {
            Self(f64x2_splat(value))
        }

        #[inline(always)]
        fn power(self) -> Self {
            let first = POWERS[i64x2_extract_lane::<0>(self.0) as usize % 32];
            let second = POWERS[i64x2_extract_lane::<1>(self.0) as usize % 32];
            Self(i64x2_add(u64x2(first, second), i64x2_shl(self.0, 47)))
        }
    }

    #[inline(always)]
    pub(super) fn exponentials(values: &mut [f32; 4]) {
        within_bounds(values, usual_exponential);
    }

    #[inline(always)]
    pub(super) fn rounded_exponentials(values: &mut [f32; 4]) {
        within_bounds(values, wide_exponential);
    }

    #[inline(always)]
    fn within_bounds(values: &mut [f32; 4], exponential: impl Fn(Two) -> Two) {
        // SAFETY: four floats can be read.
        let value = unsafe { v128_load(values.as_ptr().cast()) };
        let low = exponential(Two(f64x2_promote_low_f32x4(value))).0;
        let high = exponential(Two(f64x2_promote_low_f32x4(i64x2_shuffle::<1, 0>(value, value)))).0;
        let result = demote(low, high);
        let infinity = f32x4_splat(f32::INFINITY);
        let result = v128_bitselect(infinity, result, f32x4_gt(value, f32x4_splat(GREATEST)));
        let result = v128_andnot(result, f32x4_lt(value, f32x4_splat(LEAST)));
        // SAFETY: four floats can be written.
        unsafe { v128_store(values.as_mut_ptr().cast(), result) };
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod vector {
    pub(super) fn exponentials(values: &mut [f32; 4]) {
        *values = values.map(super::exponential);
    }

    pub(super) fn rounded_exponentials(values: &mut [f32; 4]) {
        *values = values.map(super::rounded_exponential);
    }
}

/// `2^exponent` for an exponent of at most 1,000 either side of zero, up to 10^-9 of the result: the second half of glibc's power.
pub(super) fn power_of_two(exponent: f64) -> f64 {
    const COEFFICIENTS: [f64; 3] = [0.05550361559341535, 0.2402284522445722, 0.6931471806916203];
    const SHIFT_OF_PARTS: f64 = SHIFT / 32.0;
    let shifted = exponent + SHIFT_OF_PARTS;
    let whole = shifted.to_bits();
    let rest = exponent - (shifted - SHIFT_OF_PARTS);
    let power = f64::from_bits(POWERS[(whole % 32) as usize].wrapping_add(whole << 47));
    let [third, second, first] = COEFFICIENTS;
    let upper = third * rest + second;
    let lower = first * rest + 1.0;
    (upper * (rest * rest) + lower) * power
}

#[cfg(test)]
mod tests {
    use super::{exponential, exponentials, rounded_exponential, rounded_exponentials};

    #[test]
    fn special_values_have_their_exponentials() {
        assert_eq!(exponential(0.0), 1.0);
        assert_eq!(exponential(-0.0), 1.0);
        assert_eq!(exponential(f32::NEG_INFINITY), 0.0);
        assert_eq!(exponential(f32::INFINITY), f32::INFINITY);
        assert!(exponential(f32::NAN).is_nan());
        assert_eq!(exponential(88.8), f32::INFINITY);
        assert_eq!(exponential(-103.97), f32::from_bits(1));
        assert_eq!(exponential(-104.0), 0.0);
    }

    /// The exponential of 64 bits is right up to one bit, so that its rounding is right but in one of 10^8 cases.
    #[test]
    fn rounded_exponentials_are_those_of_64_bits() {
        let mut different = 0;
        for bits in (0..=u32::MAX).step_by(1_999) {
            let value = f32::from_bits(bits);
            let (found, expected) = (rounded_exponential(value), libm::exp(f64::from(value)) as f32);
            if found.to_bits() != expected.to_bits() && !(found.is_nan() && expected.is_nan()) {
                different += 1;
            }
        }
        assert_eq!(different, 0, "of two million");
    }

    #[test]
    fn many_values_have_the_exponentials_of_single_ones() {
        let values: Vec<f32> =
            (0..23).map(|index| (index - 11) as f32 * 9.5).chain([f32::NAN, 0.0]).collect();
        for count in 0..=values.len() {
            let (mut usual, mut rounded) = (values[..count].to_vec(), values[..count].to_vec());
            exponentials(&mut usual);
            rounded_exponentials(&mut rounded);
            for (index, value) in values[..count].iter().enumerate() {
                assert_eq!(usual[index].to_bits(), exponential(*value).to_bits(), "{value}");
                assert_eq!(rounded[index].to_bits(), rounded_exponential(*value).to_bits(), "{value}");
            }
        }
    }

    /// Differences of one bit are left: glibc's variant for fused operations.
    #[cfg(target_env = "gnu")]
    #[test]
    fn the_bits_are_those_of_glibc() {
        let mut different = 0;
        for bits in (0..=u32::MAX).step_by(1_999) {
            let value = f32::from_bits(bits);
            let (found, expected) = (exponential(value), value.exp());
            if found.to_bits() != expected.to_bits() && !(found.is_nan() && expected.is_nan()) {
                assert_eq!(found.to_bits().abs_diff(expected.to_bits()), 1, "{value}");
                different += 1;
            }
        }
        assert!(different <= 2, "{different} of two million");
    }
}

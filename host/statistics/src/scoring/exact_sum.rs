//! An exact sum of floats: it has the same bits in any order and grouping, and is rounded once, when it is
//! read.
//!
//! Invariant: the representation is a function of the exact value alone. A sum is wide only while its value
//! does not fit the `i128`. So equal sums are equal in memory and in serialized form.
//!
//! A running `f64` would not do: its additions round, so its value depends on the order of rows, on batches,
//! and on which worker merges first. A replayed log would not reproduce the reported number. Fixed point
//! alone would not do either: a metric is third-party code, and a component may be 1e-12 or 1e200.
//!
//! A sum is therefore a whole number of units of 2^-64 in an `i128` wherever that is exact. This covers all
//! whole numbers and all floats of at least 2^-12, while the sum stays below 2^63. Otherwise it is a
//! fixed-point number over the whole range of `f64`, as proposed by U. Kulisch ("An axiomatic approach to
//! rounded computations", Numerische Mathematik 18, 1971; "Advanced Arithmetic for the Digital Computer",
//! Springer, 2002). R. M. Neal ("Fast exact summation using small and large superaccumulators",
//! arXiv:1505.05571, 2015) delays the carries of such a number for speed. Here they are propagated at once,
//! so that the limbs are the value and nothing else.

use std::mem;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The number of 64-bit limbs of a wide sum. Bit 0 has the weight 2^-1088, below the least subnormal,
/// 2^-1074. The greatest finite float is below 2^1024; the 63 bits and the sign above it cannot overflow by
/// any number of rows.
const LIMBS: usize = 34;
/// The exponent of bit 0 of a wide sum.
const WIDE_EXPONENT: i32 = -1088;
/// The exponent of bit 0 of a narrow sum.
const NARROW_EXPONENT: i32 = -64;
/// The limb of a wide sum at which a narrow sum begins: 64 * 16 = 1088 - 64. A narrow sum has this limb and
/// the next.
const NARROW_LIMB: usize = 16;

/// The maximum left shift of a significand in an `i128` with a sign.
const MOST_SHIFT: i32 = i128::BITS as i32 - 1 - f64::MANTISSA_DIGITS as i32;

/// The number of bits in a float's fraction.
const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
/// The exponent of the lowest bit of a subnormal.
const LEAST_EXPONENT: i32 = f64::MIN_EXP - f64::MANTISSA_DIGITS as i32;

/// The exact sum of finite floats.
///
/// Serialized as limbs in two's complement, the lowest first: two limbs from 2^-64 up, or, if the value does
/// not fit these, 34 limbs from 2^-1088 up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExactSum(Limbs);

/// The value in two's complement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Limbs {
    /// In units of 2^-64.
    Narrow(i128),
    /// In units of 2^-1088, the lowest limb first. Only for values that `Narrow` cannot hold.
    Wide(Box<[u64; LIMBS]>),
}

impl Default for Limbs {
    fn default() -> Self {
        Self::Narrow(0)
    }
}

impl ExactSum {
    /// Adds `x`, which must be finite: the host rejects other scores earlier. In a release build, a value
    /// that is not finite adds some finite number.
    #[inline]
    pub fn add(&mut self, x: f64) {
        debug_assert!(x.is_finite(), "{x} cannot be summed");
        if let Limbs::Narrow(sum) = &mut self.0
            && let Some(units) = narrow_units(x)
            && let Some(total) = sum.checked_add(units)
        {
            *sum = total;
        } else {
            self.add_wide(x);
        }
    }

    /// Adds the sum `other`.
    pub fn merge(&mut self, other: &Self) {
        if let (Limbs::Narrow(sum), Limbs::Narrow(more)) = (&mut self.0, &other.0)
            && let Some(total) = sum.checked_add(*more)
        {
            *sum = total;
            return;
        }
        let mut limbs = mem::take(&mut self.0).into_wide();
        let more = match &other.0 {
            Limbs::Wide(more) => **more,
            Limbs::Narrow(units) => extended(*units),
        };
        let mut carry = false;
        for (limb, more) in limbs.iter_mut().zip(more) {
            (*limb, carry) = limb.carrying_add(more, carry);
        }
        self.0 = Limbs::fitting(limbs);
    }

    /// The sum, rounded to the nearest float, ties to even. As in IEEE 754, a sum that rounds beyond the
    /// greatest finite float is infinite. An exact zero is `0.0`, never `-0.0`.
    pub fn value(&self) -> f64 {
        match &self.0 {
            // The conversion rounds to nearest, ties to even. The scaling by a power of two is exact.
            Limbs::Narrow(units) => *units as f64 * 2f64.powi(NARROW_EXPONENT),
            Limbs::Wide(limbs) => rounded(limbs),
        }
    }

    /// The exact sum minus [`ExactSum::value`], rounded in the same way.
    pub fn remainder(&self) -> f64 {
        let value = self.value();
        if !value.is_finite() {
            return 0.0;
        }
        let mut rest = self.clone();
        rest.add(-value);
        rest.value()
    }

    /// Not part of `add`, so that the common case is small enough to inline.
    #[cold]
    #[inline(never)]
    fn add_wide(&mut self, x: f64) {
        let (significand, exponent) = parts(x);
        let position = (exponent - WIDE_EXPONENT) as usize;
        let shifted = u128::from(significand) << (position % 64);
        let mut limbs = mem::take(&mut self.0).into_wide();
        let mut carry = false;
        for (i, limb) in limbs[position / 64..].iter_mut().enumerate() {
            let part = match i {
                0 => shifted as u64,
                1 => (shifted >> 64) as u64,
                _ if carry => 0,
                _ => break,
            };
            (*limb, carry) =
                if x < 0.0 { limb.borrowing_sub(part, carry) } else { limb.carrying_add(part, carry) };
        }
        self.0 = Limbs::fitting(limbs);
    }
}

impl Limbs {
    /// The canonical representation of the value of `limbs`.
    fn fitting(limbs: Box<[u64; LIMBS]>) -> Self {
        let units = joined(limbs[NARROW_LIMB], limbs[NARROW_LIMB + 1]);
        let sign = (units >> 127) as u64;
        let fits = limbs[NARROW_LIMB + 2..].iter().all(|&limb| limb == sign)
            && limbs[..NARROW_LIMB].iter().rev().all(|&limb| limb == 0);
        if fits { Self::Narrow(units) } else { Self::Wide(limbs) }
    }

    fn into_wide(self) -> Box<[u64; LIMBS]> {
        match self {
            Self::Wide(limbs) => limbs,
            Self::Narrow(units) => Box::new(extended(units)),
        }
    }
}

/// The wide limbs of a narrow sum.
fn extended(units: i128) -> [u64; LIMBS] {
    let mut limbs = [(units >> 127) as u64; LIMBS];
    limbs[..NARROW_LIMB].fill(0);
    limbs[NARROW_LIMB] = units as u64;
    limbs[NARROW_LIMB + 1] = (units >> 64) as u64;
    limbs
}

/// The narrow sum of two limbs.
fn joined(low: u64, high: u64) -> i128 {
    i128::from(high as i64) << 64 | i128::from(low)
}

impl Serialize for ExactSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Limbs::Narrow(units) => serializer.collect_seq([*units as u64, (units >> 64) as u64]),
            Limbs::Wide(limbs) => serializer.collect_seq(limbs.iter()),
        }
    }
}

impl<'de> Deserialize<'de> for ExactSum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limbs = Vec::<u64>::deserialize(deserializer)?;
        if let [low, high] = limbs[..] {
            return Ok(Self(Limbs::Narrow(joined(low, high))));
        }
        let limbs = <Box<[u64; LIMBS]>>::try_from(limbs).map_err(|limbs| {
            D::Error::custom(format!("a sum has 2 or {LIMBS} limbs, not {}", limbs.len()))
        })?;
        Ok(Self(Limbs::fitting(limbs)))
    }
}

/// `|x|` as a significand below 2^53 and the exponent of its lowest bit.
#[inline]
fn parts(x: f64) -> (u64, i32) {
    let bits = x.abs().to_bits();
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    match (bits >> FRACTION_BITS) as i32 {
        0 => (fraction, LEAST_EXPONENT),
        biased => (fraction | 1 << FRACTION_BITS, LEAST_EXPONENT - 1 + biased),
    }
}

/// `x` in units of 2^-64, if it is a whole number of them and fits.
#[inline]
fn narrow_units(x: f64) -> Option<i128> {
    let (significand, exponent) = parts(x);
    let units = match exponent - NARROW_EXPONENT {
        _ if significand == 0 => 0,
        shift @ 0..=MOST_SHIFT => i128::from(significand) << shift,
        shift @ ..0 if significand.trailing_zeros() >= shift.unsigned_abs() => {
            i128::from(significand >> shift.unsigned_abs())
        }
        _ => return None,
    };
    Some(if x < 0.0 { -units } else { units })
}

/// The nearest float, ties to even.
fn rounded(limbs: &[u64; LIMBS]) -> f64 {
    let negative = limbs[LIMBS - 1] >> 63 == 1;
    let mut magnitude = *limbs;
    if negative {
        let mut carry = true;
        for limb in &mut magnitude {
            (*limb, carry) = (!*limb).carrying_add(0, carry);
        }
    }
    let Some(top) = magnitude.iter().rposition(|&limb| limb != 0) else { return 0.0 };
    let highest = 64 * top + magnitude[top].ilog2() as usize;
    // The lowest bit of the result: the 53rd from the highest, but not below the lowest bit of a subnormal.
    // No sum has a bit below that.
    let least = (LEAST_EXPONENT - WIDE_EXPONENT) as usize;
    let lowest = highest.saturating_sub(FRACTION_BITS as usize).max(least);
    let bit = |i: usize| magnitude[i / 64] >> (i % 64) & 1;
    let significand = (lowest..=highest).rev().fold(0, |bits, i| bits << 1 | bit(i));
    let half = bit(lowest - 1) == 1;
    let beyond_half = (0..lowest - 1).rev().any(|i| bit(i) == 1);
    let round_up = half && (beyond_half || significand & 1 == 1);
    // The leading bit of the significand adds one to the exponent; a subnormal has none. A carry out of the
    // significand correctly increments the exponent, and turns the greatest float into infinity.
    let exponent = (lowest - least) as u64;
    let bits = (exponent << FRACTION_BITS) + significand + u64::from(round_up);
    let value = f64::from_bits(bits.min(f64::INFINITY.to_bits()));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests;

//! The exact sum of floats: the same bits in any order and any grouping, rounded once, when it is read.
//!
//! Why not a plain running `f64`: its additions round, so its value depends on the order of the rows, on the batches,
//! and on which worker merged first; a log replayed would not give the figure that was reported. Why not fixed point
//! alone: a metric is somebody else's code, and a component may well be 1e-12 or 1e200.
//!
//! So a sum is a whole number of units of 2^-64 in an `i128` wherever that is exact, which takes in every whole number
//! and every float of at least 2^-12 while the sum stays below 2^63; and otherwise a fixed-point number as wide as the
//! whole range of `f64`, as U. Kulisch proposed ("An axiomatic approach to rounded computations", Numerische
//! Mathematik 18, 1971; "Advanced Arithmetic for the Digital Computer", Springer, 2002). R. M. Neal ("Fast exact
//! summation using small and large superaccumulators", arXiv:1505.05571, 2015) puts off the carries of such a number
//! to make it fast; here they are propagated at once, because then the limbs are the value and nothing else.
//!
//! Always so: the representation is a function of the exact value alone. A sum is wide only while its value does not
//! fit the `i128`. So equal sums are equal in memory and as written.

use std::mem;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Limbs of 64 bits in a wide sum. Bit 0 weighs 2^-1088, which takes in the least subnormal, 2^-1074; the greatest
/// finite float ends below 2^1024, and 63 bits and a sign are left above it: no count of rows overflows them.
const LIMBS: usize = 34;
/// The exponent of bit 0 of a wide sum.
const WIDE_EXPONENT: i32 = -1088;
/// The exponent of bit 0 of a narrow sum.
const NARROW_EXPONENT: i32 = -64;
/// The limb of a wide sum where a narrow one begins: 64 * 16 = 1088 - 64. It takes this limb and the next.
const NARROW_LIMB: usize = 16;

/// How far left a significand goes in an `i128` beside its sign.
const MOST_SHIFT: i32 = i128::BITS as i32 - 1 - f64::MANTISSA_DIGITS as i32;

/// The bits of a float that hold its fraction.
const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
/// The exponent of the lowest bit of a subnormal.
const LEAST_EXPONENT: i32 = f64::MIN_EXP - f64::MANTISSA_DIGITS as i32;

/// The exact sum of finite floats.
///
/// Written by serde as its limbs, the lowest first, in two's complement: two of them from 2^-64 up, or, where these do
/// not hold the value, 34 of them from 2^-1088 up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExactSum(Limbs);

/// Two's complement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Limbs {
    /// In units of 2^-64.
    Narrow(i128),
    /// In units of 2^-1088, lowest limb first. Only values that `Narrow` cannot hold.
    Wide(Box<[u64; LIMBS]>),
}

impl Default for Limbs {
    fn default() -> Self {
        Self::Narrow(0)
    }
}

impl ExactSum {
    /// Adds `x`, which must be finite: the host refuses any other score before it comes here. In a release build a
    /// value that is not finite is taken for some finite one.
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

    /// Adds all that `other` has summed.
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

    /// The sum, rounded to the nearest float, ties to even. As IEEE 754 has it, a sum that rounds beyond the greatest
    /// finite float is an infinity. An exact zero is `0.0`, never `-0.0`.
    pub fn value(&self) -> f64 {
        match &self.0 {
            // The conversion rounds, to nearest and ties to even; the scaling is by a power of two, and exact.
            Limbs::Narrow(units) => *units as f64 * 2f64.powi(NARROW_EXPONENT),
            Limbs::Wide(limbs) => rounded(limbs),
        }
    }

    /// What [`ExactSum::value`] is short of the sum, rounded in the same way.
    pub fn remainder(&self) -> f64 {
        let value = self.value();
        if !value.is_finite() {
            return 0.0;
        }
        let mut rest = self.clone();
        rest.add(-value);
        rest.value()
    }

    /// Kept out of `add`, so that the common case stays small enough to inline.
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
    /// The one representation of the value of `limbs`.
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

/// `x` without its sign, as a significand below 2^53 and the exponent of that one's lowest bit.
#[inline]
fn parts(x: f64) -> (u64, i32) {
    let bits = x.abs().to_bits();
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    match (bits >> FRACTION_BITS) as i32 {
        0 => (fraction, LEAST_EXPONENT),
        biased => (fraction | 1 << FRACTION_BITS, LEAST_EXPONENT - 1 + biased),
    }
}

/// `x` in units of 2^-64, if it is a whole number of them that fits.
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
    // The lowest bit of the result: the 53rd from the highest, but never below the lowest of a subnormal, beneath
    // which no bit of any sum is ever set.
    let least = (LEAST_EXPONENT - WIDE_EXPONENT) as usize;
    let lowest = highest.saturating_sub(FRACTION_BITS as usize).max(least);
    let bit = |i: usize| magnitude[i / 64] >> (i % 64) & 1;
    let significand = (lowest..=highest).rev().fold(0, |bits, i| bits << 1 | bit(i));
    let half = bit(lowest - 1) == 1;
    let beyond_half = (0..lowest - 1).rev().any(|i| bit(i) == 1);
    let round_up = half && (beyond_half || significand & 1 == 1);
    // The significand's own leading bit adds one to the exponent; a subnormal has none. A carry out of the significand
    // goes on into the exponent, as it should, and out of the greatest float into infinity.
    let exponent = (lowest - least) as u64;
    let bits = (exponent << FRACTION_BITS) + significand + u64::from(round_up);
    let value = f64::from_bits(bits.min(f64::INFINITY.to_bits()));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests;

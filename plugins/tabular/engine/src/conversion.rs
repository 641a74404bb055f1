//! Numbers of one type as those of another: what most columns and answers need.
//!
//! A loop in Wasm counts its fuel and checks its deadline, which takes longer than converting a few numbers. So a turn converts
//! sixteen.

/// Numbers of a turn.
const TURN: usize = 16;

/// Rounds doubles to the nearest floats. There are at least as many `values` as `results`.
pub(crate) fn round(values: &[f64], results: &mut [f32]) {
    let values = &values[..results.len()];
    let (turns, rest) = results.as_chunks_mut::<TURN>();
    let (values, last) = values.as_chunks::<TURN>();
    for (results, values) in turns.iter_mut().zip(values) {
        vector::round(values, results);
    }
    for (result, value) in rest.iter_mut().zip(last) {
        *result = *value as f32;
    }
}

/// Floats as doubles.
#[must_use]
pub fn doubles(values: &[f32]) -> Vec<f64> {
    let mut results = vec![0.0; values.len()];
    let (turns, rest) = results.as_chunks_mut::<TURN>();
    let (values, last) = values.as_chunks::<TURN>();
    for (results, values) in turns.iter_mut().zip(values) {
        vector::widen(values, results);
    }
    for (result, value) in rest.iter_mut().zip(last) {
        *result = f64::from(*value);
    }
    results
}

/// The lower halves of integers.
#[must_use]
pub fn lower_halves(values: &[i64]) -> Vec<u32> {
    let mut results = vec![0; values.len()];
    let (turns, rest) = results.as_chunks_mut::<TURN>();
    let (values, last) = values.as_chunks::<TURN>();
    for (results, values) in turns.iter_mut().zip(values) {
        vector::truncate(values, results);
    }
    for (result, value) in rest.iter_mut().zip(last) {
        *result = *value as u32;
    }
    results
}

#[cfg(target_arch = "wasm32")]
pub(crate) mod vector {
    use std::arch::wasm32::{
        f32x4_demote_f64x2_zero, f64x2_promote_low_f32x4, i8x16, i8x16_swizzle, i32x4_shuffle, v128,
        v128_load, v128_load64_zero, v128_or, v128_store,
    };

    use super::TURN;

    /// Two pairs of doubles as floats.
    #[inline(always)]
    pub(crate) fn demote(low: v128, high: v128) -> v128 {
        const UPWARDS: v128 = i8x16(-1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 3, 4, 5, 6, 7);
        // The compiler rounds each number by itself if it may merge the two halves in another way.
        v128_or(f32x4_demote_f64x2_zero(low), i8x16_swizzle(f32x4_demote_f64x2_zero(high), UPWARDS))
    }

    #[inline(always)]
    pub(super) fn round(values: &[f64; TURN], results: &mut [f32; TURN]) {
        for four in 0..TURN / 4 {
            // SAFETY: four values and four results from `4 * four` on are within the arrays.
            unsafe {
                let from = values.as_ptr().add(4 * four).cast::<v128>();
                let to = results.as_mut_ptr().add(4 * four).cast::<v128>();
                v128_store(to, demote(v128_load(from), v128_load(from.add(1))));
            }
        }
    }

    #[inline(always)]
    pub(super) fn truncate(values: &[i64; TURN], results: &mut [u32; TURN]) {
        for four in 0..TURN / 4 {
            // SAFETY: four values and four results from `4 * four` on are within the arrays.
            unsafe {
                let from = values.as_ptr().add(4 * four).cast::<v128>();
                let to = results.as_mut_ptr().add(4 * four).cast::<v128>();
                v128_store(to, i32x4_shuffle::<0, 2, 4, 6>(v128_load(from), v128_load(from.add(1))));
            }
        }
    }

    #[inline(always)]
    pub(super) fn widen(values: &[f32; TURN], results: &mut [f64; TURN]) {
        for two in 0..TURN / 2 {
            // SAFETY: two values and two results from `2 * two` on are within the arrays.
            unsafe {
                let from = values.as_ptr().add(2 * two).cast::<u64>();
                let to = results.as_mut_ptr().add(2 * two).cast::<v128>();
                v128_store(to, f64x2_promote_low_f32x4(v128_load64_zero(from)));
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod vector {
    use super::TURN;

    #[inline]
    pub(super) fn round(values: &[f64; TURN], results: &mut [f32; TURN]) {
        *results = values.map(|value| value as f32);
    }

    #[inline]
    pub(super) fn truncate(values: &[i64; TURN], results: &mut [u32; TURN]) {
        *results = values.map(|value| value as u32);
    }

    #[inline]
    pub(super) fn widen(values: &[f32; TURN], results: &mut [f64; TURN]) {
        *results = values.map(f64::from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_converted_as_single_ones_are() {
        let mut rng = fastrand::Rng::with_seed(3);
        for count in [0, 1, 15, 16, 17, 50] {
            let values: Vec<f64> = (0..count)
                .map(|index| match index % 5 {
                    0 => f64::from_bits(rng.u64(..)),
                    1 => f64::NAN,
                    2 => 1e300,
                    3 => -0.0,
                    _ => rng.f64() * 100.0,
                })
                .collect();
            let mut rounded = vec![1.0; count];
            round(&values, &mut rounded);
            let is_same =
                |one: f64, other: f64| one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan();
            for (rounded, value) in rounded.iter().zip(&values) {
                assert!(is_same(f64::from(*rounded), f64::from(*value as f32)), "{value}");
            }
            let integers: Vec<i64> = (0..count).map(|_| rng.i64(..)).collect();
            let expected: Vec<u32> = integers.iter().map(|integer| *integer as u32).collect();
            assert_eq!(lower_halves(&integers), expected);
            for (wide, value) in doubles(&rounded).into_iter().zip(&rounded) {
                assert!(is_same(wide, f64::from(*value)), "{value}");
            }
        }
    }
}

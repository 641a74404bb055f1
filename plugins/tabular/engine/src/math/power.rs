//! The power of 32-bit floats, by the algorithm of glibc 2.27 and later, which ONNX Runtime calls.
//!
//! `x^y = 2^(y log2 x)`. The logarithm is that of a table entry near `x`, plus a polynomial of fifth degree in the rest; all of it has 64
//! bits, and the power of two is rounded once. The result is right up to 0.52 units of its last bit. glibc's variant for machines with
//! fused operations rounds otherwise in one of about 300,000 cases.
//!
//! Source: S. Nagy, Arm Optimized Routines, `math/powf.c` and `math/powf_log2_data.c` (2017), which glibc adopted.

use super::exponential::power_of_two;

/// For each sixteenth of an octave: the reciprocal of a number near its middle, and the binary logarithm of that number.
const PARTS: [[f64; 2]; 16] = [
    [1.398907162146528, -0.48430022186289673],
    [1.3403141896637998, -0.42257122959194704],
    [1.286432210124115, -0.3633754347673556],
    [1.2367150214269895, -0.30651309567405577],
    [1.1906977166711752, -0.25180720160537634],
    [1.1479821020556429, -0.19910014943794563],
    [1.1082251448272158, -0.14825100623281615],
    [1.0711297413057381, -0.09913323807318392],
    [1.036437278977283, -0.051632812977629436],
    [1.0, 0.0],
    [0.9492859795739057, 0.07508531937943004],
    [0.8951049428609004, 0.15987125980713107],
    [0.8476821620351103, 0.2384046664317681],
    [0.8050314851692001, 0.31288288605863257],
    [0.7664671008843108, 0.38370422656453185],
    [0.731428603316328, 0.451211048935815],
];
/// The coefficients of the polynomial, from the fifth degree on.
const COEFFICIENTS: [f64; 5] =
    [0.288457581109214, -0.36092606229713164, 0.480898481472577, -0.7213474675006291, 1.4426950408774342];
/// The least number of the first sixteenth: about 0.7.
const FIRST: u32 = 0x3f33_0000;

/// `base^exponent`.
pub(super) fn power(base: f32, exponent: f32) -> f32 {
    let bits = base.to_bits();
    let is_usual = (f32::MIN_POSITIVE.to_bits()..f32::INFINITY.to_bits()).contains(&bits);
    if is_usual && exponent.is_finite() {
        let product = f64::from(exponent) * binary_logarithm(bits);
        // Within this range results are neither infinite nor 0.
        if product.abs() < 126.0 {
            return power_of_two(product) as f32;
        }
    }
    libm::pow(f64::from(base), f64::from(exponent)) as f32
}

/// The binary logarithm of a positive number that is not subnormal.
fn binary_logarithm(bits: u32) -> f64 {
    let above = bits.wrapping_sub(FIRST);
    let [reciprocal, logarithm] = PARTS[(above >> 19) as usize % 16];
    let octave = above & 0xff80_0000;
    let near_one = f32::from_bits(bits.wrapping_sub(octave));
    let rest = f64::from(near_one) * reciprocal - 1.0;
    let whole = logarithm + f64::from(octave.cast_signed() >> 23);
    let [fifth, fourth, third, second, first] = COEFFICIENTS;
    let square = rest * rest;
    let upper = fifth * rest + fourth;
    let middle = third * rest + second;
    let lower = middle * square + (first * rest + whole);
    upper * (square * square) + lower
}

#[cfg(test)]
mod tests {
    use super::power;

    #[test]
    fn special_values_have_their_powers() {
        for (base, exponent) in [
            (0.0, 0.0),
            (0.0, -1.0),
            (-0.0, 3.0),
            (-2.0, 3.0),
            (-2.0, 0.5),
            (1.0, f32::NAN),
            (f32::NAN, 0.0),
            (f32::INFINITY, -2.0),
            (2.0, f32::NEG_INFINITY),
            (2.0, 200.0),
            (2.0, -149.0),
            (1e-40, 0.5),
        ] {
            let (found, expected) = (power(base, exponent), base.powf(exponent));
            assert!(
                found == expected || (found.is_nan() && expected.is_nan()),
                "{base} to {exponent}: {found}"
            );
        }
    }

    /// Differences of one bit are left: glibc's variant for fused operations. The rounded power of 64 bits has more of them.
    #[cfg(target_env = "gnu")]
    #[test]
    fn the_bits_are_those_of_glibc() {
        let mut rng = fastrand::Rng::with_seed(3);
        let (mut different, mut rounded_different) = (0, 0);
        for _ in 0..2_000_000 {
            let base = f32::from_bits(rng.u32(..0x7f80_0000));
            let exponent = (rng.f32() - 0.5) * 16.0;
            let (found, expected) = (power(base, exponent), base.powf(exponent));
            if found.to_bits() != expected.to_bits() {
                assert_eq!(found.to_bits().abs_diff(expected.to_bits()), 1, "{base} to {exponent}");
                different += 1;
            }
            let rounded = libm::pow(f64::from(base), f64::from(exponent)) as f32;
            rounded_different += u32::from(rounded.to_bits() != expected.to_bits());
        }
        assert!(different <= 20, "{different} of two million");
        assert!(rounded_different > 10 * different, "{rounded_different} of two million");
    }
}

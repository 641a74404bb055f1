//! The natural logarithm of 32-bit floats: the bits of the 64-bit logarithm, rounded once.
//!
//! `ln x = k ln 2 + ln c + ln(1 + r)`, with `c` from the table of [`power`](super::power) and Taylor's series in `r`. All of it has 64 bits
//! and a relative error below 2^-44. If that error could change the rounded result, the 64-bit logarithm is computed.

use super::power::reduced;

/// The coefficients of Taylor's series, from the ninth degree to the second.
const COEFFICIENTS: [f64; 8] =
    [1.0 / 9.0, -1.0 / 8.0, 1.0 / 7.0, -1.0 / 6.0, 1.0 / 5.0, -1.0 / 4.0, 1.0 / 3.0, -1.0 / 2.0];
/// The bound of the relative error: 2^-44.
const ERROR: f64 = 1.0 / (1_u64 << 44) as f64;

/// The natural logarithm.
pub(super) fn logarithm(value: f32) -> f32 {
    let bits = value.to_bits();
    if (f32::MIN_POSITIVE.to_bits()..f32::INFINITY.to_bits()).contains(&bits) {
        let (binary, rest) = reduced(bits);
        let [ninth, eighth, seventh, sixth, fifth, fourth, third, second] = COEFFICIENTS;
        let square = rest * rest;
        let upper = (ninth * rest + eighth) * square + (seventh * rest + sixth);
        let lower = (fifth * rest + fourth) * square + (third * rest + second);
        let series = rest + square * (upper * (square * square) + lower);
        let result = binary * std::f64::consts::LN_2 + series;
        let (least, greatest) = ((result - result * ERROR) as f32, (result + result * ERROR) as f32);
        if least == greatest {
            return least;
        }
    }
    libm::log(f64::from(value)) as f32
}

#[cfg(test)]
mod tests {
    use super::logarithm;

    fn assert_rounded(value: f32) {
        let (found, expected) = (logarithm(value), libm::log(f64::from(value)) as f32);
        assert!(
            found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan()),
            "ln {value}: {found}"
        );
    }

    #[test]
    fn logarithms_are_those_of_64_bits() {
        for bits in (0..=u32::MAX).step_by(1_499) {
            assert_rounded(f32::from_bits(bits));
        }
        // Near 1 the logarithm is small.
        let one = 1.0_f32.to_bits();
        for bits in one - 200_000..one + 200_000 {
            assert_rounded(f32::from_bits(bits));
        }
        for value in
            [0.0, -0.0, f32::MIN_POSITIVE, 1e-40, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -1.0]
        {
            assert_rounded(value);
        }
    }
}

//! Parses JSON numbers by what their text denotes, not by what a float makes of it.
//!
//! Invariants: an integer is exactly the number in the text; a float is its nearest neighbour, never infinite, and zero
//! only for zero.

/// Why a number is not a 64-bit integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAnInteger {
    /// It has a fraction.
    Fraction,
    /// It is below -2^63 or above 2^63 - 1.
    OutOfRange,
}

/// The integer that a JSON number denotes exactly: 3 for `3`, `3.0` (as `pandas` writes it) and `30e-1`.
pub(super) fn exact_integer(text: &str) -> Result<i64, NotAnInteger> {
    text.parse().or_else(|_| decimal_integer(text))
}

/// Like [`exact_integer`], for numbers with a fraction or an exponent.
fn decimal_integer(text: &str) -> Result<i64, NotAnInteger> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], exponent(&text[at + 1..])),
        None => (text, 0),
    };
    // The number is `value` times ten to the power of `scale`; `value` does not end in zero.
    let mut value: Option<i128> = Some(0);
    let mut zeros = 0;
    for digit in mantissa.bytes().filter(u8::is_ascii_digit) {
        if digit == b'0' {
            zeros += 1;
            continue;
        }
        let shifted = |value: i128| match value {
            0 => Some(0),
            value => value.checked_mul(10_i128.checked_pow(zeros + 1)?),
        };
        value = value.and_then(shifted).and_then(|value| value.checked_add(i128::from(digit - b'0')));
        zeros = 0;
    }
    if value == Some(0) {
        return Ok(0);
    }
    let fraction = mantissa.split_once('.').map_or(0, |(_, digits)| digits.len() as i64);
    let scale = exponent - fraction + i64::from(zeros);
    if scale < 0 {
        return Err(NotAnInteger::Fraction);
    }
    let power = u32::try_from(scale).ok().and_then(|scale| 10_i128.checked_pow(scale));
    let value = value.zip(power).and_then(|(value, power)| value.checked_mul(power));
    let value = value.map(|value| if negative { -value } else { value });
    value.and_then(|value| i64::try_from(value).ok()).ok_or(NotAnInteger::OutOfRange)
}

/// The exponent of a number; one beyond any use is cut, such as that of `1e99999999999999999999`.
fn exponent(text: &str) -> i64 {
    const CUT: i64 = i64::MAX / 4;
    match text.parse::<i64>() {
        Ok(exponent) => exponent.clamp(-CUT, CUT),
        Err(_) if text.starts_with('-') => -CUT,
        Err(_) => CUT,
    }
}

/// The float nearest to a JSON number; `None` if that would be an infinity, or zero for a number that is not zero.
pub(super) fn nearest_float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    if value == 0.0 {
        let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
        return mantissa.bytes().all(|byte| !matches!(byte, b'1'..=b'9')).then_some(value);
    }
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn integers_are_exactly_what_the_text_denotes() {
        for (text, value) in [
            ("3.0", 3),
            ("1E3", 1000),
            ("1e2", 100),
            ("30e-1", 3),
            ("0.0025e+4", 25),
            ("-0.0", 0),
            ("-0", 0),
            ("0e99999999999999999999", 0),
            ("0.000e-99999999999999999999", 0),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("9007199254740992.0", 9_007_199_254_740_992),
            ("-90071992547409930e-1", -9_007_199_254_740_993),
            ("9223372036854775807.000", i64::MAX),
            ("-9223372036854775808.0", i64::MIN),
            ("9.223372036854775807e18", i64::MAX),
        ] {
            assert_eq!(exact_integer(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_a_float_would_round_to_an_integer_is_none() {
        let ones = format!("1.{}1", "0".repeat(400));
        for text in [
            "0.99999999999999999999",
            "1.00000000000000001",
            "1e-400",
            "-1e-99999999999999999999",
            "4503599627370497.5",
            "9007199254740993.0000000000000000001",
            "7.5",
            &ones,
        ] {
            assert_eq!(exact_integer(text), Err(NotAnInteger::Fraction), "{text}");
        }
        let long = "1".repeat(400);
        for text in [
            "12345678901234567890",
            "9223372036854775808",
            "-9223372036854775809.0",
            "1e19",
            "1e400",
            "1e99999999999999999999",
            &long,
        ] {
            assert_eq!(exact_integer(text), Err(NotAnInteger::OutOfRange), "{text}");
        }
    }

    #[test]
    fn a_float_is_neither_infinite_nor_a_false_zero() {
        for (text, value) in
            [("0.1", Some(0.1)), ("1e308", Some(1e308)), ("0e-999", Some(0.0)), ("5e-324", Some(5e-324))]
        {
            assert_eq!(nearest_float(text), value, "{text}");
        }
        assert!(nearest_float("-0.0").is_some_and(|zero| zero == 0.0 && zero.is_sign_negative()));
        for text in ["1e400", "-1e400", "1e-400", "-0.0000001e-400", "1e309"] {
            assert_eq!(nearest_float(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_integer_is_the_same_in_every_spelling(value: i64, zeros in 0_usize..30, shift in 0_usize..25) {
            let fraction = format!("{value}.{}", "0".repeat(zeros + 1));
            prop_assert_eq!(exact_integer(&fraction), Ok(value));
            let shifted = format!("{value}{}e-{shift}", "0".repeat(shift));
            prop_assert_eq!(exact_integer(&shifted), Ok(value));
            let between = format!("{value}.{}1", "0".repeat(zeros));
            prop_assert_eq!(exact_integer(&between), Err(NotAnInteger::Fraction));
        }
    }
}

//! Formats numbers for people: in a terminal, in Markdown, on a page and in the reasons of a verdict.
//!
//! Invariants:
//! - A number far from 1 is in scientific notation, so that no text is long.
//! - Thousands are separated by commas. An undefined number is a dash, never `NaN`.
//! - An interval whose ends differ never reads like one without a width.

use crate::scoring::Interval;

/// The text of an undefined number.
pub const UNDEFINED: &str = "–";

/// 2^53: a floating-point number of at least this size has no fraction that could be rounded.
const MOST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// A whole number of at least this size is in scientific notation.
const MOST_GROUPED: f64 = 1e15;

/// A number with six significant digits: `23.4512`, `1,234.57`, `1.23457e-7`.
pub fn six_digits(value: f64) -> String {
    significant(value, 6)
}

/// A whole number without decimals, any other with six significant digits: `0`, `-1`, `0.500000`.
pub fn compact(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < MOST_GROUPED {
        grouped(&format!("{value:.0}"))
    } else {
        six_digits(value)
    }
}

/// A number between -1 and 1 with six decimals: `0.798143`. A number far outside that range, which only a metric that
/// violates its own range can give, has six significant digits. A number is never rounded to one with four decimals or
/// fewer, because a value that misses a threshold must not look equal to it. Proportions
/// computed from counts have the same text, see
/// [`format_share`](crate::verdict::format_share).
pub fn six_decimals(value: f64) -> String {
    let millionths = value * 1e6;
    if millionths.abs() >= MOST_WHOLE {
        return six_digits(value);
    }
    let nearest = millionths.round();
    // The error of the binary representation does not count as rounding.
    let is_off = (millionths - nearest).abs() > 1e-9;
    let text = match nearest % 100.0 == 0.0 && nearest != 0.0 && is_off {
        true => nearest + (millionths - nearest).signum(),
        false => nearest,
    };
    let text = format!("{:.6}", text / 1e6);
    match text.as_str() {
        _ if !value.is_finite() => UNDEFINED.to_owned(),
        "-0.000000" => text[1..].to_owned(),
        _ => text,
    }
}

/// A value of any metric: as [`six_decimals`] if it is 0 or its size is from 0.0001 to 1, otherwise as [`six_digits`].
pub fn number_text(value: f64) -> String {
    match value == 0.0 || (1e-4..=1.0).contains(&value.abs()) {
        true => six_decimals(value),
        false => six_digits(value),
    }
}

/// A number of a declaration with all of its digits, in scientific notation if it would be long otherwise.
pub fn declared_number(value: f64) -> String {
    match value == 0.0 || (1e-6..MOST_GROUPED).contains(&value.abs()) {
        true => value.to_string(),
        false => format!("{value:e}"),
    }
}

/// An interval: `0.791243 to 0.804617`. If both ends have the same text, the text of the middle and the distance to the ends;
/// [`UNDEFINED`] if there is no such distance.
pub fn interval_text(interval: Interval, text: impl Fn(f64) -> String) -> String {
    let Interval { lower, upper } = interval;
    match [lower, upper].map(&text) {
        [below, above] if below != above => format!("{below} to {above}"),
        [middle, _] if lower < upper => format!("{middle} ± {}", significant((upper - lower) / 2.0, 2)),
        _ => UNDEFINED.to_owned(),
    }
}

/// A number with this many significant digits, in scientific notation if it would be long otherwise.
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return UNDEFINED.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.*e}", digits - 1);
    let exponent =
        scientific.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    match exponent {
        -4..15 => grouped(&format!("{value:.*}", (digits as i32 - 1 - exponent).max(0) as usize)),
        _ => scientific,
    }
}

/// A count: `15,402`.
pub fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// A count with its noun in singular or plural: `1 window`, `62 windows`.
pub fn counted(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { more })
}

/// A decimal number with commas between thousands.
pub fn grouped(number: &str) -> String {
    let start = number.len() - number.trim_start_matches('-').len();
    let point = number.find('.').unwrap_or(number.len());
    let mut text = number[..start].to_owned();
    for (index, digit) in number[start..point].char_indices() {
        if index > 0 && (point - start - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + &number[point..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_significant_digits() {
        let numbers = [23.451_23, -0.012_345_67, 9.999_999_6, 1_234.567_8, 1_234_567.8, 1.234_567_8e-7, 1e20]
            .map(six_digits);
        assert_eq!(
            numbers,
            ["23.4512", "-0.0123457", "10.0000", "1,234.57", "1,234,568", "1.23457e-7", "1.00000e20"]
        );
        assert_eq!(
            [0.0, -1.0, 5_000.0, 123_456.0, -1_234_567.0, 1.5, 1e300].map(compact),
            ["0", "-1", "5,000", "123,456", "-1,234,567", "1.50000", "1.00000e300"]
        );
        assert_eq!([999_999_999_999_999.0, 1e15].map(compact), ["999,999,999,999,999", "1.00000e15"]);
        assert_eq!([0.0, -0.0, f64::NAN, f64::INFINITY].map(six_digits), ["0", "0", "–", "–"]);
    }

    #[test]
    fn bounded_numbers_have_six_decimals() {
        let numbers = [12_293.0 / 15_402.0, 1.0, -0.25, -1e-9, f64::NAN].map(six_decimals);
        assert_eq!(numbers, ["0.798143", "1.000000", "-0.250000", "0.000000", "–"]);
        let beyond = [1.5, 1.260_295_4e304, f64::MIN, f64::INFINITY].map(six_decimals);
        assert_eq!(beyond, ["1.500000", "1.26030e304", "-1.79769e308", "–"]);
        let missed =
            [0.849_999_96, 0.850_000_04, 0.999_999_9, -0.249_999_9, 0.5025, 2.0 / 3.0].map(six_decimals);
        assert_eq!(missed, ["0.849999", "0.850001", "0.999999", "-0.249999", "0.502500", "0.666667"]);
    }

    #[test]
    fn proportions_match_the_text_of_their_counts() {
        for whole in (1..500).chain([3_333_333, 20_000_001]) {
            for part in (0..=whole).step_by(1 + whole / 300) {
                let value = part as f64 / whole as f64;
                assert_eq!(
                    six_decimals(value),
                    crate::verdict::format_share(part as u64, whole as u64),
                    "{part} of {whole}"
                );
            }
        }
    }

    #[test]
    fn numbers_far_from_one_are_short() {
        let numbers = [0.0, 0.5, -0.0001, 0.000_099, 1.0, 12.345_678, 1e300, -1e-300];
        assert_eq!(
            numbers.map(number_text),
            [
                "0.000000",
                "0.500000",
                "-0.000100",
                "9.90000e-5",
                "1.000000",
                "12.3457",
                "1.00000e300",
                "-1.00000e-300"
            ]
        );
        let declared = [0.0, 0.85, 1e-7, 2_500_000.0, 1e300];
        assert_eq!(declared.map(declared_number), ["0", "0.85", "1e-7", "2500000", "1e300"]);
    }

    #[test]
    fn an_interval_with_a_width_never_reads_like_one_without() {
        let text = |lower, upper| interval_text(Interval { lower, upper }, number_text);
        assert_eq!(text(0.25, 0.75), "0.250000 to 0.750000");
        assert_eq!(text(0.499_999_9, 0.500_000_1), "0.499999 to 0.500001");
        assert_eq!(text(0.511_111_1, 0.511_111_3), "0.511111 ± 1.0e-7");
        assert_eq!(text(0.5, 0.5), "–");
    }
}

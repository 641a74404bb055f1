//! Formats numbers, durations, sizes and verdicts for people.
//!
//! Invariants: thousands are separated by commas. An undefined number is a dash, never `NaN`.

use understudy_statistics::verdict::VerdictKind;

/// The text of an undefined number.
pub const UNDEFINED: &str = "–";

/// 2^53: from here on, a floating-point number has no fraction that could be rounded.
const MOST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Units of time in ascending order: nanoseconds and symbol.
const UNITS: [(u64, &str); 7] = [
    (1, "ns"),
    (1_000, "µs"),
    (1_000_000, "ms"),
    (1_000_000_000, "s"),
    (60_000_000_000, "min"),
    (3_600_000_000_000, "h"),
    (86_400_000_000_000, "d"),
];

/// A count: `15,402`.
pub fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// A count with its noun in singular or plural: `1 window`, `62 windows`.
pub fn counted(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { more })
}

/// A number with six significant digits: `23.4512`, `1,234.57`, `1.23457e-7`.
pub fn six_digits(value: f64) -> String {
    significant(value, 6)
}

/// A whole number without decimals, any other with six significant digits: `0`, `-1`, `0.500000`.
pub fn compact(value: f64) -> String {
    if value.fract() == 0.0 { grouped(&format!("{value:.0}")) } else { six_digits(value) }
}

/// A number between -1 and 1 with six decimals: `0.798143`. A number far outside that range, which only a metric that
/// violates its own range can give, has six significant digits. A number is never rounded to one with four decimals or
/// fewer: thresholds are declared with few decimals, and a value that misses one must not look equal to it. Proportions
/// computed from counts have the same text, see
/// [`share`](understudy_statistics::verdict::format_share).
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

/// A duration in the unit that gives it one to three digits before the point: `740 ns`, `1.92 ms`, `2.00 d`.
pub fn duration(nanos: u64) -> String {
    let mut text = String::new();
    for (index, (size, symbol)) in UNITS.into_iter().enumerate() {
        // A value that rounds up to one of the next unit is shown in that unit.
        let value = if size == 1 { nanos as f64 } else { (nanos as f64 / size as f64).max(1.0) };
        let number = if size == 1 { count(nanos) } else { significant(value, 3) };
        text = format!("{number} {symbol}");
        let limit = UNITS.get(index + 1).map_or(f64::INFINITY, |(next, _)| (next / size) as f64);
        if rounded(value, 3) < limit {
            break;
        }
    }
    text
}

/// A size in the unit that gives it one to four digits before the point: `740 B`, `1.92 MiB`.
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for symbol in ["B", "KiB", "MiB", "GiB", "TiB"] {
        // A value that rounds up to one of the next unit is shown in that unit.
        if value.round() < 1024.0 {
            let text = if symbol == "B" { count(bytes) } else { significant(value, 3) };
            return format!("{text} {symbol}");
        }
        value /= 1024.0;
    }
    format!("{} PiB", significant(value, 3))
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

/// A p-value with four decimals, in scientific notation if it is smaller.
pub fn p_value(p: f64) -> String {
    if p >= 0.0001 {
        format!("{p:.4}")
    } else if p > 0.0 {
        format!("{p:.1e}")
    } else {
        "< 1e-300".to_owned()
    }
}

/// What a verdict means, in a few words.
pub fn verdict_meaning(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::Go => "safe to try on canary",
        VerdictKind::NoGo => "the threshold is not met",
        VerdictKind::Inconclusive => "the evidence is not sufficient",
        VerdictKind::Void => "the study is not valid",
    }
}

/// A number rounded to this many significant digits.
fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

/// A decimal number with commas between thousands.
pub(crate) fn grouped(number: &str) -> String {
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
    fn thousands_are_separated_by_commas() {
        let counts = [0, 999, 1_000, 15_402, 123_456_789, u64::MAX].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "15,402", "123,456,789", "18,446,744,073,709,551,615"]);
        assert_eq!([1, 62].map(|n| counted(n, "window", "windows")), ["1 window", "62 windows"]);
    }

    #[test]
    fn numbers_have_six_significant_digits() {
        let numbers = [23.451_23, -0.012_345_67, 9.999_999_6, 1_234.567_8, 1_234_567.8, 1.234_567_8e-7, 1e20]
            .map(six_digits);
        assert_eq!(
            numbers,
            ["23.4512", "-0.0123457", "10.0000", "1,234.57", "1,234,568", "1.23457e-7", "1.00000e20"]
        );
        assert_eq!([0.0, -1.0, 5_000.0, 1.5].map(compact), ["0", "-1", "5,000", "1.50000"]);
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
                    understudy_statistics::verdict::format_share(part as u64, whole as u64),
                    "{part} of {whole}"
                );
            }
        }
    }

    #[test]
    fn sizes_have_a_suitable_unit() {
        let sizes = [0, 1_023, 1_024, 2_013_266, 1_048_575, 1 << 30, 1 << 50, u64::MAX].map(bytes);
        assert_eq!(
            sizes,
            ["0 B", "1,023 B", "1.00 KiB", "1.92 MiB", "1.00 MiB", "1.00 GiB", "1.00 PiB", "16,384 PiB"]
        );
    }

    #[test]
    fn durations_have_a_suitable_unit() {
        let nanos = [0, 740, 1_000, 999_499, 999_500, 1_920_000, 59_960_000_000, 90_000_000_000];
        let text = ["0 ns", "740 ns", "1.00 µs", "999 µs", "1.00 ms", "1.92 ms", "1.00 min", "1.50 min"];
        assert_eq!(nanos.map(duration), text);
        let nanos = [5_400_000_000_000, 172_800_000_000_000, 1_000 * 86_400_000_000_000];
        assert_eq!(nanos.map(duration), ["1.50 h", "2.00 d", "1,000 d"]);
    }
}

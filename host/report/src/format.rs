//! Numbers as people read them.
//!
//! Always holds: thousands are set apart by commas; what is not a number is a dash, never `NaN`.

/// What stands for a figure that is not defined.
pub const UNDEFINED: &str = "–";

/// From here on a floating point number has no fraction that could be rounded: 2^53.
const MOST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Units of time: how many nanoseconds one has, and its symbol. In ascending order.
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

/// So many of something: `1 window`, `62 windows`.
pub fn counted(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { more })
}

/// A figure with six significant digits: `23.4512`, `1,234.57`, `1.23457e-7`.
pub fn figure(value: f64) -> String {
    significant(value, 6)
}

/// A bound that figures keep to: `0`, `-1`, `0.5`.
pub fn bound(value: f64) -> String {
    if value.fract() == 0.0 { grouped(&format!("{value:.0}")) } else { figure(value) }
}

/// A figure between -1 and 1 with six decimals: `0.798143`. One that is far from there, which only a metric that breaks its own
/// bounds can give, has six digits as any other. It is not rounded to one of four decimals or fewer that it is not:
/// bounds are declared so, and what misses one does not look as if it met it. Shares by their counts are shown the same, see
/// [`share`](understudy_statistics::verdict::share).
pub fn six_decimals(value: f64) -> String {
    let millionths = value * 1e6;
    if millionths.abs() >= MOST_WHOLE {
        return figure(value);
    }
    let nearest = millionths.round();
    // What the nearest number in binary is off by is no rounding.
    let is_off = (millionths - nearest).abs() > 1e-9;
    let shown = match nearest % 100.0 == 0.0 && nearest != 0.0 && is_off {
        true => nearest + (millionths - nearest).signum(),
        false => nearest,
    };
    let text = format!("{:.6}", shown / 1e6);
    match text.as_str() {
        _ if !value.is_finite() => UNDEFINED.to_owned(),
        "-0.000000" => text[1..].to_owned(),
        _ => text,
    }
}

/// A time in the unit in which it has one to three digits before the point: `740 ns`, `1.92 ms`, `2.00 d`.
pub fn duration(nanos: u64) -> String {
    let mut shown = String::new();
    for (place, (size, symbol)) in UNITS.into_iter().enumerate() {
        // What rounds up to a whole next unit is one of it.
        let value = if size == 1 { nanos as f64 } else { (nanos as f64 / size as f64).max(1.0) };
        let text = if size == 1 { count(nanos) } else { significant(value, 3) };
        shown = format!("{text} {symbol}");
        let limit = UNITS.get(place + 1).map_or(f64::INFINITY, |(next, _)| (next / size) as f64);
        if rounded(value, 3) < limit {
            break;
        }
    }
    shown
}

/// A size in the unit in which it has one to four digits before the point: `740 B`, `1.92 MiB`.
pub fn bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    for symbol in ["B", "KiB", "MiB", "GiB", "TiB"] {
        // What rounds up to a whole next unit is one of it.
        if value.round() < 1024.0 {
            let text = if symbol == "B" { count(bytes) } else { significant(value, 3) };
            return format!("{text} {symbol}");
        }
        value /= 1024.0;
    }
    format!("{} PiB", significant(value, 3))
}

/// A number with so many significant digits; scientific where it would otherwise be long.
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

/// A number rounded to so many significant digits.
fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

/// A decimal number with commas between its thousands.
pub(crate) fn grouped(number: &str) -> String {
    let start = number.len() - number.trim_start_matches('-').len();
    let point = number.find('.').unwrap_or(number.len());
    let mut text = number[..start].to_owned();
    for (place, digit) in number[start..point].char_indices() {
        if place > 0 && (point - start - place).is_multiple_of(3) {
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
    fn thousands_are_set_apart() {
        let counts = [0, 999, 1_000, 15_402, 123_456_789, u64::MAX].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "15,402", "123,456,789", "18,446,744,073,709,551,615"]);
        assert_eq!([1, 62].map(|n| counted(n, "window", "windows")), ["1 window", "62 windows"]);
    }

    #[test]
    fn a_figure_has_six_significant_digits() {
        let figures = [23.451_23, -0.012_345_67, 9.999_999_6, 1_234.567_8, 1_234_567.8, 1.234_567_8e-7, 1e20]
            .map(figure);
        assert_eq!(
            figures,
            ["23.4512", "-0.0123457", "10.0000", "1,234.57", "1,234,568", "1.23457e-7", "1.00000e20"]
        );
        assert_eq!([0.0, -1.0, 5_000.0, 1.5].map(bound), ["0", "-1", "5,000", "1.50000"]);
        assert_eq!([0.0, -0.0, f64::NAN, f64::INFINITY].map(figure), ["0", "0", "–", "–"]);
    }

    #[test]
    fn a_bounded_figure_has_six_decimals() {
        let figures = [12_293.0 / 15_402.0, 1.0, -0.25, -1e-9, f64::NAN].map(six_decimals);
        assert_eq!(figures, ["0.798143", "1.000000", "-0.250000", "0.000000", "–"]);
        let beyond = [1.5, 1.260_295_4e304, f64::MIN, f64::INFINITY].map(six_decimals);
        assert_eq!(beyond, ["1.500000", "1.26030e304", "-1.79769e308", "–"]);
        let missed =
            [0.849_999_96, 0.850_000_04, 0.999_999_9, -0.249_999_9, 0.5025, 2.0 / 3.0].map(six_decimals);
        assert_eq!(missed, ["0.849999", "0.850001", "0.999999", "-0.249999", "0.502500", "0.666667"]);
    }

    #[test]
    fn a_share_is_the_same_by_its_counts() {
        for whole in (1..500).chain([3_333_333, 20_000_001]) {
            for part in (0..=whole).step_by(1 + whole / 300) {
                let value = part as f64 / whole as f64;
                assert_eq!(
                    six_decimals(value),
                    understudy_statistics::verdict::share(part as u64, whole as u64),
                    "{part} of {whole}"
                );
            }
        }
    }

    #[test]
    fn a_size_has_the_unit_that_suits_it() {
        let sizes = [0, 1_023, 1_024, 2_013_266, 1_048_575, 1 << 30, 1 << 50, u64::MAX].map(bytes);
        assert_eq!(
            sizes,
            ["0 B", "1,023 B", "1.00 KiB", "1.92 MiB", "1.00 MiB", "1.00 GiB", "1.00 PiB", "16,384 PiB"]
        );
    }

    #[test]
    fn a_time_has_the_unit_that_suits_it() {
        let nanos = [0, 740, 1_000, 999_499, 999_500, 1_920_000, 59_960_000_000, 90_000_000_000];
        let shown = ["0 ns", "740 ns", "1.00 µs", "999 µs", "1.00 ms", "1.92 ms", "1.00 min", "1.50 min"];
        assert_eq!(nanos.map(duration), shown);
        let nanos = [5_400_000_000_000, 172_800_000_000_000, 1_000 * 86_400_000_000_000];
        assert_eq!(nanos.map(duration), ["1.50 h", "2.00 d", "1,000 d"]);
    }
}

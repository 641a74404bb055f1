//! Formats durations, sizes and verdicts for people. Other numbers are formatted by
//! [`number_text`](understudy_statistics::number_text).

use understudy_statistics::verdict::VerdictKind;

pub use understudy_statistics::number_text::{
    UNDEFINED, compact, count, counted, declared_number, grouped, interval_text, number_text, significant,
    six_decimals,
};

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

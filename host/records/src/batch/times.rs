//! Parses event times: RFC 3339 with a time zone.
//!
//! Invariants: a time is the instant that the text denotes, in microseconds; a text that contradicts itself, or that
//! needs a guess, is no time.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::temporal::{DateTimeParser, Pieces, PiecesOffset};
use jiff::tz::TimeZoneDatabase;

static PARSER: DateTimeParser = DateTimeParser::new();

/// The earliest time, 0001-01-01T00:00:00Z, in microseconds.
const EARLIEST: i64 = -62_135_596_800_000_000;
/// The day of the latest time, 9999-12-30T22:00:00.999999Z, which every zone can show.
const LAST_DAY: Date = Date::constant(9999, 12, 30);
/// The reason that a time is too early or too late.
const OUT_OF_RANGE: &str = "is outside the range of times, which is 0001-01-01T00:00:00Z to 9999-12-30T22:00:00Z; correct \
                            it, or write null if the record has no such time";

/// Parses an RFC 3339 time with a time zone into microseconds since 1970; finer digits are truncated.
///
/// # Errors
/// The end of a sentence that begins with the text.
pub fn parse_time(text: &str) -> Result<i64, Cow<'static, str>> {
    if let Ok(time) = PARSER.parse_timestamp(text) {
        let micros = time.as_microsecond();
        if micros < EARLIEST {
            return Err(OUT_OF_RANGE.into());
        }
        if has_second_60(text) {
            return Err("has the second 60, which clocks do not show; write a second from 00 to 59".into());
        }
        return match text.ends_with(']').then(|| zone_contradiction(text, time)).flatten() {
            Some(contradiction) => Err(contradiction.into()),
            None => Ok(micros),
        };
    }
    if is_out_of_range(text) {
        return Err(OUT_OF_RANGE.into());
    }
    if let Some(part) = impossible_part(text) {
        return Err(part.into());
    }
    if PARSER.parse_datetime(text).is_ok() {
        return Err("has no time zone; write it with Z or an offset, such as \"2026-05-01T09:30:00Z\"".into());
    }
    let epoch = epoch_hint(text).map(|hint| format!("is a number{hint}; write RFC 3339 with a zone"));
    Err(epoch.map_or_else(
        || "is not a time; write RFC 3339 with a zone, such as \"2026-05-01T09:30:00Z\"".into(),
        Cow::from,
    ))
}

/// Whether the date of a text that is no time is too early or too late, such as 9999-12-31 or the year 12026.
fn is_out_of_range(text: &str) -> bool {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    let year = digits.bytes().take_while(u8::is_ascii_digit).count();
    // A basic date, such as 20260501, has no hyphen behind its digits.
    let is_long = (5..=9).contains(&year) && is_date_after_year(&digits[year..]);
    let year_is_beyond = is_long && digits[..year].parse().is_ok_and(|year: u32| year > 9999 || sign == "-");
    let is_beyond = |pieces: Pieces<'_>| {
        let date = pieces.date();
        date > LAST_DAY || (date == LAST_DAY && pieces.offset().is_some()) || date.year() < 1
    };
    year_is_beyond || text.starts_with("0000-") || Pieces::parse(text).is_ok_and(is_beyond)
}

/// Whether a text begins with the month and day of a date, such as `-05-01`.
fn is_date_after_year(text: &str) -> bool {
    matches!(text.as_bytes(), [b'-', a, b, b'-', c, d, ..] if [a, b, c, d].into_iter().all(u8::is_ascii_digit))
}

/// The first part of an RFC 3339 time that no calendar or clock has, such as the month 13 or 30 February.
fn impossible_part(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    // `2026-05-01`, and perhaps `T09:30:00` behind it.
    let number = |at: usize| {
        let pair = bytes.get(at..at + 2)?;
        pair.iter().all(u8::is_ascii_digit).then(|| (pair[0] - b'0') * 10 + (pair[1] - b'0'))
    };
    let separator = |at: usize, expected: &[u8]| bytes.get(at).is_some_and(|byte| expected.contains(byte));
    let year: i16 =
        text.get(..4).filter(|year| year.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
    let (month, day) = (number(5)?, number(8)?);
    if !separator(4, b"-") || !separator(7, b"-") {
        return None;
    }
    let first = match i8::try_from(month).ok().and_then(|month| Date::new(year, month, 1).ok()) {
        Some(first) => first,
        None => return Some(format!("has the month {month:02}; months are 01 to 12")),
    };
    let days = first.days_in_month().unsigned_abs();
    if !(1..=days).contains(&day) {
        return Some(format!("has the day {day:02}, but that month has the days 01 to {days}"));
    }
    let parts = [("hour", 11, b"Tt ", 23), ("minute", 14, b":::", 59), ("second", 17, b":::", 60)];
    for (name, at, before, last) in parts {
        if !separator(at - 1, before) {
            return None;
        }
        let value = number(at)?;
        if value > last {
            let last = last.min(59);
            return Some(format!("has the {name} {value:02}; {name}s are 00 to {last}"));
        }
    }
    None
}

/// Whether the second of a time is 60. The parser takes it as 59.
fn has_second_60(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        // `2026-05-01T09:30:00` and what follows.
        [_, _, _, _, _, _, _, _, _, _, _, _, _, b':', _, _, b':', second, ..] => *second == b'6',
        _ => {
            let time = text.split_once(['T', 't', ' ']).map_or("", |(_, time)| time);
            let mut digits = time
                .bytes()
                .take_while(|byte| byte.is_ascii_digit() || *byte == b':')
                .filter(u8::is_ascii_digit)
                .skip(4);
            digits.next() == Some(b'6')
        }
    }
}

/// How the zone in brackets contradicts the offset before it, such as in `10:00:00+05:00[Europe/Paris]`. `None` if it
/// does not, if the offset is Z, which says nothing of local time, or if the zone is unknown.
fn zone_contradiction(text: &str, time: Timestamp) -> Option<String> {
    let pieces = Pieces::parse(text).ok()?;
    let Some(PiecesOffset::Numeric(stated)) = pieces.offset() else { return None };
    let zone = pieces.to_time_zone_with(&TimeZoneDatabase::bundled()).ok().flatten()?;
    let (stated, actual) = (stated.offset(), zone.to_offset(time));
    // An offset is commonly written in minutes, even where that of the zone has seconds.
    ((stated.seconds() - actual.seconds()).abs() > 30).then(|| {
        format!(
            "contradicts itself: the offset of the zone in brackets is {actual} then; correct one of the two"
        )
    })
}

/// For a number of a plausible size: which time it is, counted in seconds or parts of seconds since 1970.
pub fn epoch_hint(text: &str) -> Option<String> {
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    let (unit, seconds) = match number {
        1e8..1e11 => ("seconds", number),
        1e11..1e14 => ("milliseconds", number / 1e3),
        1e14..1e17 => ("microseconds", number / 1e6),
        1e17..1e20 => ("nanoseconds", number / 1e9),
        _ => return None,
    };
    let time = Timestamp::from_second(seconds as i64).ok()?;
    Some(format!(", perhaps {unit} since 1970, which is {time}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        match parse_time(text) {
            Ok(micros) => panic!("{text} is {micros}"),
            Err(why) => why.into_owned(),
        }
    }

    #[test]
    fn common_spellings_denote_one_instant() {
        for text in [
            "2026-05-01T09:30:00Z",
            "2026-05-01t09:30:00z",
            "2026-05-01 09:30:00+00:00",
            "2026-05-01T11:30:00.000000000+02:00",
            "20260501T093000Z",
            "2026-05-01T09:30Z",
            "2026-05-01T11:30:00+02:00[Europe/Amsterdam]",
            "2026-05-01T09:30:00Z[Europe/Amsterdam]",
            "2026-05-01T11:30:00+02:00[+02:00]",
            "2026-05-01T11:30:00+02:00[Nowhere/Land]",
            "2026-05-01T11:30:00+02:00[u-ca=iso8601]",
        ] {
            assert_eq!(parse_time(text), Ok(1_777_627_800_000_000), "{text}");
        }
        // The offset of Paris was 9 minutes and 21 seconds.
        assert!(parse_time("1900-01-01T12:00:00+00:09[Europe/Paris]").is_ok());
        // That of Monrovia was 44 minutes and 30 seconds behind.
        assert!(parse_time("1960-01-01T12:00:00-00:44[Africa/Monrovia]").is_ok());
        assert!(parse_time("2026-05-01T09:30:59.6Z").is_ok());
        assert!(parse_time("1960-06-06T06:06:06.060Z").is_ok());
    }

    #[test]
    fn times_outside_the_range_are_rejected_with_the_range() {
        for text in [
            "9999-12-31",
            "9999-12-31T00:00:00",
            "9999-12-31T00:00:00Z",
            "9999-12-31T23:59:59.999Z",
            "9999-12-31T23:59:59+02:00",
            "9999-12-31 23:59:59Z",
            "10000-01-01T00:00:00Z",
            "12026-05-01T09:30:00Z",
            "+012026-05-01T09:30:00Z",
            "9999-12-30T22:00:01Z",
            "0000-01-01T00:00:00Z",
            "0000-00-00",
            "0000-00-00 00:00:00",
            "-000044-03-15T12:00:00Z",
            "-12026-05-01T09:30:00Z",
            "0001-01-01T00:00:00+01:00",
        ] {
            assert!(fault(text).starts_with("is outside the range of times"), "{text}: {}", fault(text));
        }
        // The first and the last day without a zone, a basic date, and years with a sign or zeros that they may not have.
        for text in ["0001-05-01T09:30:00", "9999-12-30T10:00:00", "20260501"] {
            assert!(fault(text).starts_with("has no time zone"), "{text}: {}", fault(text));
        }
        for text in ["-2026-05-01T09:30:00Z", "09999-05-01T09:30:00Z"] {
            assert!(fault(text).starts_with("is not a time"), "{text}: {}", fault(text));
        }
        assert_eq!(parse_time("0001-01-01T00:00:00Z"), Ok(EARLIEST));
        assert!(parse_time("9999-12-30T22:00:00Z").is_ok());
    }

    #[test]
    fn an_impossible_part_is_named() {
        let texts = [
            "2026-13-01T00:00:00Z",
            "2026-00-01",
            "2026-02-30T10:00:00Z",
            "2028-02-30T10:00:00",
            "2026-04-31",
            "2026-05-00T00:00:00Z",
            "2026-05-01T24:00:00Z",
            "2026-05-01 23:60:00Z",
            "2026-05-01t23:59:61z",
            "2026-05-01T23:59:99.5+02:00",
        ];
        insta::assert_snapshot!(texts.map(fault).join("\n"), @"
        has the month 13; months are 01 to 12
        has the month 00; months are 01 to 12
        has the day 30, but that month has the days 01 to 28
        has the day 30, but that month has the days 01 to 29
        has the day 31, but that month has the days 01 to 30
        has the day 00, but that month has the days 01 to 31
        has the hour 24; hours are 00 to 23
        has the minute 60; minutes are 00 to 59
        has the second 61; seconds are 00 to 59
        has the second 99; seconds are 00 to 59
        ");
        for text in [
            "2026-05-01x",
            "01/05/2026",
            "2026-5-1",
            "2026-05-01Tx",
            "é026-05-01",
            "2026-13/01",
            "2026/13-01",
            "",
        ] {
            assert!(fault(text).starts_with("is not a time"), "{text}: {}", fault(text));
        }
    }

    #[test]
    fn a_sixtieth_second_is_no_time() {
        for text in [
            "2026-03-02T10:00:60Z",
            "2026-03-02 10:00:60.5+01:00",
            "2026-03-02T10:00:60+01:00[Europe/Amsterdam]",
            "20260302T100060Z",
            "20260302 10:00:60Z",
            "+002026-03-02T10:00:60Z",
            "2016-12-31T23:59:60Z",
        ] {
            assert!(fault(text).starts_with("has the second 60"), "{text}");
        }
    }

    #[test]
    fn a_zone_that_contradicts_the_offset_is_no_time() {
        insta::assert_snapshot!(
            fault("2026-03-02T10:00:00+05:00[Europe/Amsterdam]"),
            @"contradicts itself: the offset of the zone in brackets is +01 then; correct one of the two"
        );
        // The hour before the clocks go forward, with the offset of summer.
        assert!(fault("2026-03-29T01:30:00+02:00[Europe/Amsterdam]").contains("contradicts"));
        assert!(fault("2026-03-02T10:00:00-05:00[-05:30]").contains("contradicts"));
    }

    #[test]
    fn numbers_in_text_are_named() {
        insta::assert_snapshot!(
            [
                "1767225600", "1767225600000", "1767225600000000", "1767225600000000000", "17",
            ]
            .map(fault)
            .join("\n"),
            @r#"
        is a number, perhaps seconds since 1970, which is 2026-01-01T00:00:00Z; write RFC 3339 with a zone
        is a number, perhaps milliseconds since 1970, which is 2026-01-01T00:00:00Z; write RFC 3339 with a zone
        is a number, perhaps microseconds since 1970, which is 2026-01-01T00:00:00Z; write RFC 3339 with a zone
        is a number, perhaps nanoseconds since 1970, which is 2026-01-01T00:00:00Z; write RFC 3339 with a zone
        is not a time; write RFC 3339 with a zone, such as "2026-05-01T09:30:00Z"
        "#
        );
    }
}

//! Parses event times: RFC 3339 with a time zone.
//!
//! Invariants: a time is the instant that the text denotes, in microseconds; a text that contradicts itself, or that
//! needs a guess, is no time.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::fmt::temporal::{DateTimeParser, Pieces, PiecesOffset};
use jiff::tz::TimeZoneDatabase;

static PARSER: DateTimeParser = DateTimeParser::new();

/// 0001-01-01T00:00:00Z in microseconds.
const YEAR_1: i64 = -62_135_596_800_000_000;
/// 10000-01-01T00:00:00Z in microseconds.
const YEAR_10000: i64 = 253_402_300_800_000_000;

/// Parses an RFC 3339 time with a time zone into microseconds since 1970; finer digits are truncated.
///
/// # Errors
/// The end of a sentence that begins with the text.
pub(super) fn parse_time(text: &str) -> Result<i64, Cow<'static, str>> {
    if let Ok(time) = PARSER.parse_timestamp(text) {
        let micros = time.as_microsecond();
        if !(YEAR_1..YEAR_10000).contains(&micros) {
            return Err("is outside the years 0001 to 9999".into());
        }
        if has_second_60(text) {
            return Err("has the second 60, which clocks do not show; write a second from 00 to 59".into());
        }
        return match text.ends_with(']').then(|| zone_contradiction(text, time)).flatten() {
            Some(contradiction) => Err(contradiction.into()),
            None => Ok(micros),
        };
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
pub(super) fn epoch_hint(text: &str) -> Option<String> {
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
        assert!(parse_time("2026-05-01T09:30:59.6Z").is_ok());
        assert!(parse_time("1960-06-06T06:06:06.060Z").is_ok());
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
            [fault("1767225600"), fault("1767225600000"), fault("17")].join("\n"),
            @r#"
        is a number, perhaps seconds since 1970, which is 2026-01-01T00:00:00Z; write RFC 3339 with a zone
        is a number, perhaps milliseconds since 1970, which is 2026-01-01T00:00:00Z; write RFC 3339 with a zone
        is not a time; write RFC 3339 with a zone, such as "2026-05-01T09:30:00Z"
        "#
        );
    }
}

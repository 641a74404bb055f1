//! Converts one value of `study.toml` into the types of a study.
//!
//! Invariants: a conversion returns `None` for a value of another type or form; the caller reports what to write.

use jiff::SignedDuration;
use serde_json::{Map, Value as Json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::FieldKind;
use super::diagnostics::Diagnostics;
use super::position::Position;

/// A value with its position in the file.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    diagnostics: &'a Diagnostics<'a>,
    spanned: &'a Spanned<DeValue<'a>>,
}

impl<'a> Value<'a> {
    pub(super) fn new(diagnostics: &'a Diagnostics<'a>, spanned: &'a Spanned<DeValue<'a>>) -> Self {
        Self { diagnostics, spanned }
    }

    /// The TOML value.
    pub(super) fn get(&self) -> &'a DeValue<'a> {
        self.spanned.get_ref()
    }

    /// The line on which the value begins, from 1.
    pub(super) fn line(&self) -> usize {
        self.diagnostics.line(self.spanned.span().start)
    }

    /// The position of the byte at `offset`.
    pub(super) fn position_of(&self, offset: usize) -> Position {
        self.diagnostics.position(offset)
    }

    /// Where the value begins.
    pub(super) fn position(&self) -> Position {
        self.position_of(self.spanned.span().start)
    }

    /// Another value of the same file.
    pub(super) fn with_spanned(&self, spanned: &'a Spanned<DeValue<'a>>) -> Self {
        Self { spanned, ..*self }
    }

    /// The value as written, cut to 60 characters; a table or a list by its type.
    pub(super) fn shown(&self) -> String {
        match self.get() {
            DeValue::Table(_) => "a table".to_owned(),
            DeValue::Array(elements) if elements.is_empty() => "an empty list".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            _ => self.diagnostics.snippet(self.spanned.span()),
        }
    }

    /// The value itself, unless it is an empty list.
    pub(super) fn filled(&self) -> Option<Self> {
        (!matches!(self.get(), DeValue::Array(elements) if elements.is_empty())).then_some(*self)
    }

    /// A non-empty string.
    pub(super) fn word(&self) -> Option<&'a str> {
        self.get().as_str().filter(|text| !text.is_empty())
    }

    /// A name: ASCII letters, digits, `-` and `_`.
    pub(super) fn name(&self) -> Option<&'a str> {
        self.word().filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'))
    }

    /// A signed integer of 64 bits.
    pub(super) fn integer(&self) -> Option<i64> {
        let digits = self.get().as_integer()?;
        i64::from_str_radix(digits.as_str(), digits.radix()).ok()
    }

    /// A finite number, integer or not.
    pub(super) fn number(&self) -> Option<f64> {
        match self.get() {
            DeValue::Integer(_) => self.integer().map(|whole| whole as f64),
            DeValue::Float(float) => float.as_str().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Option<bool> {
        self.get().as_bool()
    }

    /// A string, integer or boolean as text, with its kind.
    pub(super) fn scalar(&self) -> Option<(String, FieldKind)> {
        match self.get() {
            DeValue::String(text) => Some((text.to_string(), FieldKind::Text)),
            DeValue::Integer(_) => Some((self.integer()?.to_string(), FieldKind::Integer)),
            DeValue::Boolean(boolean) => Some((boolean.to_string(), FieldKind::Boolean)),
            _ => None,
        }
    }

    /// One string, integer or boolean, or a non-empty list of them, as text.
    pub(super) fn scalars(&self) -> Option<Vec<String>> {
        let text = |value: &Self| value.scalar().map(|(text, _)| text);
        match self.get() {
            DeValue::Array(elements) if !elements.is_empty() => {
                elements.iter().map(|spanned| text(&Self::new(self.diagnostics, spanned))).collect()
            }
            _ => text(self).map(|text| vec![text]),
        }
    }

    /// A duration such as `"1d12h"`.
    pub(super) fn duration(&self) -> Option<SignedDuration> {
        duration(self.get().as_str()?)
    }

    /// The meaning of a string that is one of the given words.
    pub(super) fn choice<T: Clone>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.get().as_str()?;
        choices.iter().find(|(word, _)| *word == text).map(|(_, meaning)| meaning.clone())
    }

    /// A table.
    pub(super) fn table(&self) -> Option<&'a DeTable<'a>> {
        self.get().as_table()
    }

    /// The value as JSON. A value that JSON does not have is reported as a fault of the key `path`.
    pub(super) fn json(&self, path: &str) -> Option<Json> {
        let (json, why) = match self.get() {
            DeValue::String(text) => (Some(Json::from(text.as_ref())), ""),
            DeValue::Boolean(boolean) => (Some(Json::from(*boolean)), ""),
            DeValue::Integer(_) => (
                self.integer().map(Json::from),
                "which does not fit 64 bits; write a smaller number, or a string in quotes",
            ),
            DeValue::Float(_) => {
                (self.number().map(Json::from), "which JSON does not have; write a finite number")
            }
            DeValue::Datetime(_) => {
                (None, "a date or time, which JSON does not have; write it as a string in quotes")
            }
            // Every element is read, so that all faults are reported.
            DeValue::Array(elements) => {
                let read = |element| Value::new(self.diagnostics, element).json(path);
                let elements: Vec<_> = elements.iter().map(read).collect();
                return elements.into_iter().collect();
            }
            DeValue::Table(table) => {
                let mut pairs = Vec::new();
                for (key, value) in table {
                    let value =
                        Value::new(self.diagnostics, value).json(&format!("{path}.{}", key.get_ref()));
                    pairs.push((key.get_ref().to_string(), value));
                }
                let pairs = pairs.into_iter().map(|(key, value)| Some((key, value?)));
                return pairs.collect::<Option<Map<_, _>>>().map(Json::Object);
            }
        };
        if json.is_none() {
            self.diagnostics.fault(self.line(), format!("`{path}` is {}, {why}", self.shown()));
        }
        json
    }
}

/// Parses a duration: whole numbers with units, larger units first, such as `90s` or `1d12h`. A day has 24 hours, a week
/// 7 days. The maximum of 36,500 days keeps sums of durations in microseconds within 64 bits.
fn duration(text: &str) -> Option<SignedDuration> {
    const MAX_MILLIS: i64 = 36_500 * 24 * 3_600_000;
    const UNITS: [(&str, i64); 6] = [
        ("ms", 1),
        ("s", 1000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 24 * 3_600_000),
        ("w", 7 * 24 * 3_600_000),
    ];
    let (mut rest, mut total, mut smallest) = (text, 0_i64, i64::MAX);
    while smallest == i64::MAX || !rest.is_empty() {
        let (count, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (unit, tail) = tail.split_at(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()));
        let (_, milliseconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
        if *milliseconds >= smallest {
            return None;
        }
        total = count.parse::<i64>().ok()?.checked_mul(*milliseconds)?.checked_add(total)?;
        (rest, smallest) = (tail, *milliseconds);
    }
    (total <= MAX_MILLIS).then(|| SignedDuration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs());
        assert_eq!(
            ["0s", "90s", "15m", "24h", "7d", "1w"].map(seconds),
            [0, 90, 900, 86_400, 604_800, 604_800].map(Some)
        );
        assert_eq!(duration("250ms"), Some(SignedDuration::from_millis(250)));
        assert_eq!(duration("1w2d3h4m5s6ms"), Some(SignedDuration::from_millis(788_645_006)));
        assert_eq!(seconds("36500d"), Some(36_500 * 86_400));
        let wrong = [
            "",
            "s",
            "7",
            "-1s",
            "+1s",
            "1.5h",
            "1 h",
            "1H",
            "1h ",
            "1y",
            "1m1m",
            "1m1h",
            "36501d",
            "1s1",
            "１s",
            "9223372036854775807w",
            "99999999999999999999s",
        ];
        for text in wrong {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}

//! One value of `study.toml`, as the types that a study is made of.
//!
//! Each reading is `None` where the value is of another type or form; the section that asked then says what to write.

use jiff::SignedDuration;
use serde_json::{Map, Value as Json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Kind;
use super::notes::Notes;

/// A value as it stands in the file.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    notes: &'a Notes<'a>,
    spanned: &'a Spanned<DeValue<'a>>,
}

impl<'a> Value<'a> {
    pub(super) fn new(notes: &'a Notes<'a>, spanned: &'a Spanned<DeValue<'a>>) -> Self {
        Self { notes, spanned }
    }

    /// The value as TOML has it.
    pub(super) fn get(&self) -> &'a DeValue<'a> {
        self.spanned.get_ref()
    }

    /// The line on which it begins.
    pub(super) fn line(&self) -> usize {
        self.notes.line(self.spanned.span().start)
    }

    /// The value as its author wrote it, where that is short.
    pub(super) fn shown(&self) -> String {
        match self.get() {
            DeValue::Table(_) => "a table".to_owned(),
            DeValue::Array(elements) if elements.is_empty() => "an empty list".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            _ => self.notes.snippet(self.spanned.span()),
        }
    }

    /// The value itself, unless it is an empty list.
    pub(super) fn filled(&self) -> Option<Self> {
        (!matches!(self.get(), DeValue::Array(elements) if elements.is_empty())).then_some(*self)
    }

    /// A string that is not empty.
    pub(super) fn word(&self) -> Option<&'a str> {
        self.get().as_str().filter(|text| !text.is_empty())
    }

    /// A name: ASCII letters, digits, `-` and `_`.
    pub(super) fn name(&self) -> Option<&'a str> {
        self.word().filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'))
    }

    /// A whole number that fits 64 bits with a sign.
    pub(super) fn integer(&self) -> Option<i64> {
        let digits = self.get().as_integer()?;
        i64::from_str_radix(digits.as_str(), digits.radix()).ok()
    }

    /// A finite number, whole or not.
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

    /// A text, integer or boolean: as text, and its kind.
    pub(super) fn scalar(&self) -> Option<(String, Kind)> {
        match self.get() {
            DeValue::String(text) => Some((text.to_string(), Kind::Text)),
            DeValue::Integer(_) => Some((self.integer()?.to_string(), Kind::Integer)),
            DeValue::Boolean(boolean) => Some((boolean.to_string(), Kind::Boolean)),
            _ => None,
        }
    }

    /// Texts, integers or booleans as texts: one, or a list of at least one.
    pub(super) fn scalars(&self) -> Option<Vec<String>> {
        let text = |value: &Self| value.scalar().map(|(text, _)| text);
        match self.get() {
            DeValue::Array(elements) if !elements.is_empty() => {
                elements.iter().map(|spanned| text(&Self::new(self.notes, spanned))).collect()
            }
            _ => text(self).map(|text| vec![text]),
        }
    }

    /// A length of time, such as `"1d12h"`.
    pub(super) fn duration(&self) -> Option<SignedDuration> {
        duration(self.get().as_str()?)
    }

    /// One of a few words.
    pub(super) fn choice<T: Clone>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.get().as_str()?;
        choices.iter().find(|(word, _)| *word == text).map(|(_, meaning)| meaning.clone())
    }

    /// A table.
    pub(super) fn table(&self) -> Option<&'a DeTable<'a>> {
        self.get().as_table()
    }

    /// The value as JSON, whatever it is. What JSON does not have is recorded as a fault of the key `path`.
    pub(super) fn json(&self, path: &str) -> Option<Json> {
        let (json, why) = match self.get() {
            DeValue::String(text) => (Some(Json::from(text.as_ref())), ""),
            DeValue::Boolean(boolean) => (Some(Json::from(*boolean)), ""),
            DeValue::Integer(_) => (
                self.integer().map(Json::from),
                "which does not fit 64 bits; write a smaller number, or text in quotes",
            ),
            DeValue::Float(_) => {
                (self.number().map(Json::from), "which JSON does not have; write a finite number")
            }
            DeValue::Datetime(_) => {
                (None, "a date or time, which JSON does not have; write it as text in quotes")
            }
            // Every element is read before the first that failed counts.
            DeValue::Array(elements) => {
                let read = |element| Value::new(self.notes, element).json(path);
                let elements: Vec<_> = elements.iter().map(read).collect();
                return elements.into_iter().collect();
            }
            DeValue::Table(table) => {
                let mut pairs = Vec::new();
                for (key, value) in table {
                    let value = Value::new(self.notes, value).json(&format!("{path}.{}", key.get_ref()));
                    pairs.push((key.get_ref().to_string(), value));
                }
                let pairs = pairs.into_iter().map(|(key, value)| Some((key, value?)));
                return pairs.collect::<Option<Map<_, _>>>().map(Json::Object);
            }
        };
        if json.is_none() {
            self.notes.fault(self.line(), format!("`{path}` is {}, {why}", self.shown()));
        }
        json
    }
}

/// A length of time: whole numbers, each with its unit, the larger units first: `90s`, `1d12h`. A day has 24 hours, a
/// week 7 days. At most 36 500 days, so that in microseconds it fits 64 bits many times over.
fn duration(text: &str) -> Option<SignedDuration> {
    const LONGEST: i64 = 36_500 * 24 * 3_600_000;
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
    (total <= LONGEST).then(|| SignedDuration::from_millis(total))
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

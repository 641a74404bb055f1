//! Finds the key under which records have a declared field that none of them has a value of.
//!
//! Invariants: only keys that the study does not declare are candidates; memory is bounded, whatever the records hold.
//!
//! Records may have more keys than the study declares, so an undeclared key alone is no fault.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use understudy_study::{Stream, StreamKind, nearest};

/// A declared field without a value in any accepted record, and the similar key that records have in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MisspeltField {
    /// `snapshots` or `decisions`.
    pub stream: String,
    /// The name that the study declares.
    pub field: String,
    /// The key of the records.
    pub key: String,
    /// Examined records that have the key.
    pub records: u64,
}

/// The undeclared keys of the examined records of one stream.
#[derive(Clone, Debug, Default)]
pub struct UndeclaredKeys {
    examined: u64,
    /// For each key the number of records that have it.
    records: BTreeMap<String, u64>,
}

impl UndeclaredKeys {
    /// The number of records of a stream that are examined at most.
    pub const EXAMINED: u64 = 1_000;
    /// The number of different keys that are kept at most.
    const MAX_KEYS: usize = 1_000;
    /// The length of the longest key that is kept, in bytes. A longer one resembles no declared name.
    const MAX_KEY_BYTES: usize = 200;

    /// Adds the keys of an accepted record. Returns false if enough records were examined.
    pub fn add(&mut self, raw: &[u8], stream: &Stream) -> bool {
        self.examined += 1;
        for (key, _) in serde_json::from_slice::<Map<String, Value>>(raw).unwrap_or_default() {
            if is_declared(stream, &key) || key.len() > Self::MAX_KEY_BYTES {
                continue;
            }
            if self.records.len() < Self::MAX_KEYS || self.records.contains_key(&key) {
                *self.records.entry(key).or_default() += 1;
            }
        }
        self.examined < Self::EXAMINED
    }

    /// The declared field and the undeclared key that resembles its name; `None` if there is no such key.
    pub fn similar(&self, kind: StreamKind, field: &str) -> Option<MisspeltField> {
        let key = nearest(field, self.records.keys().map(String::as_str))?;
        Some(MisspeltField {
            stream: kind.name().to_owned(),
            field: field.to_owned(),
            key: key.to_owned(),
            records: self.records[key],
        })
    }
}

fn is_declared(stream: &Stream, key: &str) -> bool {
    key == stream.id || key == stream.time || stream.fields.iter().any(|field| field.name == key)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use understudy_study::{Field, FieldKind};

    use super::*;

    fn stream() -> Stream {
        let field = |name: &str| Field { name: name.to_owned(), kind: FieldKind::Text };
        Stream {
            id: "id".to_owned(),
            time: "at".to_owned(),
            lateness: SignedDuration::ZERO,
            most_ahead: SignedDuration::ZERO,
            fields: vec![field("nights"), field("night")],
        }
    }

    #[test]
    fn the_similar_undeclared_key_is_found() {
        let mut keys = UndeclaredKeys::default();
        assert!(keys.add(br#"{"id":"1","at":"x","night":1,"nigths":2,"colour":"red"}"#, &stream()));
        assert!(keys.add(br#"{"id":"2","at":"x","nigths":2}"#, &stream()));
        assert!(keys.add(b"not JSON", &stream()));
        let found = keys.similar(StreamKind::Snapshots, "nights").expect("`nigths` resembles it");
        assert_eq!((found.key.as_str(), found.records, found.stream.as_str()), ("nigths", 2, "snapshots"));
        assert_eq!(keys.similar(StreamKind::Snapshots, "price"), None);
        assert_eq!(UndeclaredKeys::default().similar(StreamKind::Snapshots, "nights"), None);
    }

    #[test]
    fn the_memory_for_keys_is_bounded() {
        let mut keys = UndeclaredKeys::default();
        let long = format!("{{\"{}\":1}}", "k".repeat(UndeclaredKeys::MAX_KEY_BYTES + 1));
        assert!(keys.add(long.as_bytes(), &stream()));
        assert!(keys.records.is_empty());
        let wide: Vec<_> = (0..=UndeclaredKeys::MAX_KEYS).map(|at| format!("\"k{at:05}\":1")).collect();
        let wide = format!("{{{}}}", wide.join(","));
        let mut goes_on = true;
        while goes_on {
            goes_on = keys.add(wide.as_bytes(), &stream());
        }
        assert_eq!((keys.examined, keys.records.len()), (UndeclaredKeys::EXAMINED, UndeclaredKeys::MAX_KEYS));
        assert_eq!(keys.records["k00000"], UndeclaredKeys::EXAMINED - 1);
    }
}

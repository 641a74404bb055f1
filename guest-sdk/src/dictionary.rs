//! Numbers distinct names in the order of their first occurrence.
//!
//! Invariants:
//! - A known name costs one hash look-up and no allocation.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use crate::Text;

/// Distinct names and their codes.
pub(crate) struct Dictionary {
    names: Text,
    codes: HashTable<u32>,
}

impl Dictionary {
    /// Creates an empty dictionary.
    pub fn new() -> Self {
        Self { names: Text { offsets: vec![0], bytes: Vec::new() }, codes: HashTable::new() }
    }

    /// Number of names. Every code is below it.
    pub fn len(&self) -> usize {
        self.names.offsets.len() - 1
    }

    /// The code of `name`. Adds `name` if it is new.
    #[inline]
    pub fn code(&mut self, name: &str) -> u32 {
        let names = &self.names;
        let hash = hash(name.as_bytes());
        match self.codes.find(hash, |code| bytes(names, *code) == name.as_bytes()) {
            Some(code) => *code,
            None => self.add(hash, name),
        }
    }

    fn add(&mut self, hash: u64, name: &str) -> u32 {
        let code = self.len() as u32;
        self.names.bytes.extend_from_slice(name.as_bytes());
        self.names.offsets.push(self.names.bytes.len() as u32);
        let names = &self.names;
        self.codes.insert_unique(hash, code, |code| self::hash(bytes(names, *code)));
        code
    }

    /// The names, in the order of their codes.
    pub fn into_names(self) -> Text {
        self.names
    }
}

#[inline]
fn hash(name: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(name);
    hasher.finish()
}

#[inline]
fn bytes(names: &Text, code: u32) -> &[u8] {
    let code = code as usize;
    &names.bytes[names.offsets[code] as usize..names.offsets[code + 1] as usize]
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::strings::Strings;

    proptest! {
        #[test]
        fn equal_names_have_equal_codes(names in prop::collection::vec(".{0,3}", 0..200)) {
            let mut dictionary = Dictionary::new();
            let codes: Vec<u32> = names.iter().map(|name| dictionary.code(name)).collect();
            let text = dictionary.into_names();
            let strings = Strings::new(&text).unwrap();
            let mut first = HashMap::new();
            for (name, code) in names.iter().zip(&codes) {
                prop_assert_eq!(strings.get(*code as usize), Some(name.as_str()));
                prop_assert_eq!(first.entry(name).or_insert(*code), code);
            }
            prop_assert_eq!(strings.len(), first.len());
        }
    }
}

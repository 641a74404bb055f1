//! Dictionaries of names: texts are numbered in order of appearance.

use arrow::array::{Array as _, StringBuilder};
use rustc_hash::FxHashMap;

use super::Names;

/// Encodes lists of names: the names, the offsets of the lists, and the codes.
pub(super) fn encode_lists(lists: &[Vec<String>]) -> (Names, Vec<u32>, Vec<u32>) {
    let mut names = Dictionary::default();
    let (mut offsets, mut codes) = (vec![0], Vec::new());
    for list in lists {
        codes.extend(list.iter().map(|name| names.code(name)));
        offsets.push(codes.len() as u32);
    }
    (names.finish(), offsets, codes)
}

/// A dictionary that numbers names in order of appearance.
#[derive(Default)]
pub(super) struct Dictionary<'a> {
    by_name: FxHashMap<&'a str, u32>,
    names: StringBuilder,
}

impl<'a> Dictionary<'a> {
    pub(super) fn code(&mut self, name: &'a str) -> u32 {
        let next = self.by_name.len() as u32;
        *self.by_name.entry(name).or_insert_with(|| {
            self.names.append_value(name);
            next
        })
    }

    pub(super) fn finish(mut self) -> Names {
        self.names.finish()
    }
}

/// Merges several dictionaries into one.
pub(super) struct MergedDictionary<'a> {
    sources: Vec<&'a Names>,
    /// For each source and code, the code in the merged dictionary once it was needed.
    codes: Vec<Vec<Option<u32>>>,
    merged: Dictionary<'a>,
}

impl<'a> MergedDictionary<'a> {
    pub(super) fn new(sources: Vec<&'a Names>) -> MergedDictionary<'a> {
        let codes = sources.iter().map(|names| vec![None; names.len()]).collect();
        MergedDictionary { sources, codes, merged: Dictionary::default() }
    }

    pub(super) fn code(&mut self, source: usize, code: u32) -> u32 {
        if let Some(known) = self.codes[source][code as usize] {
            return known;
        }
        let merged = self.merged.code(self.sources[source].value(code as usize));
        self.codes[source][code as usize] = Some(merged);
        merged
    }

    pub(super) fn finish(self) -> Names {
        self.merged.finish()
    }
}

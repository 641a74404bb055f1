//! Replacements of values: imputation, one-hot columns, and maps from keys to values.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use tabular_program::{Columns, Kind, Unknown, Values};

use super::arguments::{Constant, apply, constants};
use super::cast::shortened;
use super::{Block, Constants, Operation};
use crate::planes::Cell;
use crate::text::TextRef;

/// See [`tabular_program::Step::Impute`].
pub(super) struct Impute {
    pub(super) from: Columns,
    pub(super) missing: Values,
    pub(super) replacements: Values,
    pub(super) to: Columns,
}

impl Operation for Impute {
    fn run(&self, block: &mut Block<'_, '_>) {
        match self.from.kind {
            Kind::Integer => self.impute::<i64>(block),
            Kind::Float => self.impute::<f32>(block),
            _ => self.impute::<f64>(block),
        }
    }
}

impl Impute {
    fn impute<T: Constant + PartialOrd>(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        let missing = constants::<T>(&self.missing)[0];
        let is_nan = |value: T| value.partial_cmp(&value).is_none();
        let replacements = constants::<T>(&self.replacements);
        block.planes.map_within::<T>(self.to, |planes, results| {
            let columns = planes.read(self.from).chunks_exact(rows);
            for ((results, values), replacement) in
                results.chunks_exact_mut(rows).zip(columns).zip(replacements)
            {
                apply(values, results, |value| {
                    let replaced = value == missing || (is_nan(missing) && is_nan(value));
                    if replaced { *replacement } else { value }
                });
            }
        });
    }
}

/// See [`tabular_program::Step::OneHot`].
pub(super) struct OneHot {
    from: Columns,
    categories: KeyIndex,
    count: usize,
    unknown: Unknown,
    to: Columns,
}

impl OneHot {
    pub(super) fn new(from: Columns, categories: Values, unknown: Unknown, to: Columns) -> Self {
        Self { from, count: categories.len(), categories: KeyIndex::new(categories), unknown, to }
    }
}

impl Operation for OneHot {
    fn run(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        let positions = self.categories.find(self.from, block);
        let results = block.planes.write::<f32>(self.to);
        results.fill(0.0);
        for (cell, position) in positions.iter().enumerate() {
            if let Some(position) = position {
                results[(cell / rows * self.count + position) * rows + cell % rows] = 1.0;
            }
        }
        if self.unknown == Unknown::Fails {
            for (cell, _) in positions.iter().enumerate().filter(|(_, position)| position.is_none()) {
                let value = value_text(self.from, cell, block);
                block
                    .failures
                    .add(cell % rows, || format!("{value} is none of the {} categories", self.count));
            }
        }
        block.scratch.keys = positions;
    }
}

/// The value of a cell, for messages.
fn value_text(from: Columns, cell: usize, block: &Block<'_, '_>) -> String {
    match from.kind {
        Kind::Text => format!("{:?}", shortened(block.texts.get(block.planes.read::<TextRef>(from)[cell]))),
        _ => block.planes.read::<i64>(from)[cell].to_string(),
    }
}

/// See [`tabular_program::Step::Encode`].
pub(super) struct Encode {
    from: Columns,
    keys: KeyIndex,
    /// The value of each key, then the default.
    values: Constants,
    to: Columns,
}

impl Encode {
    pub(super) fn new(from: Columns, keys: Values, values: Constants, to: Columns) -> Self {
        Self { from, keys: KeyIndex::new(keys), values, to }
    }

    fn encode<T: Cell>(&self, values: &[T], block: &mut Block<'_, '_>) {
        let positions = self.keys.find(self.from, block);
        let default = values.last().copied().unwrap_or_default();
        for (result, position) in block.planes.write::<T>(self.to).iter_mut().zip(&positions) {
            *result = position.map_or(default, |position| values[position]);
        }
        block.scratch.keys = positions;
    }
}

impl Operation for Encode {
    fn run(&self, block: &mut Block<'_, '_>) {
        match &self.values {
            Constants::Booleans(values) => self.encode(values, block),
            Constants::Integers(values) => self.encode(values, block),
            Constants::Floats(values) => self.encode(values, block),
            Constants::Doubles(values) => self.encode(values, block),
            Constants::Texts(values) => self.encode(values, block),
        }
    }
}

/// Positions of keys.
enum KeyIndex {
    /// Keys by their bits: of integers themselves, of floats those of the 64-bit float.
    Numbers(HashMap<u64, usize, BuildHasherDefault<Fnv>>),
    Texts(HashMap<String, usize, BuildHasherDefault<Fnv>>),
}

impl KeyIndex {
    fn new(keys: Values) -> Self {
        fn numbers(keys: impl Iterator<Item = u64>) -> KeyIndex {
            KeyIndex::Numbers(keys.enumerate().map(|(position, key)| (key, position)).collect())
        }
        match keys {
            Values::Booleans { values } => numbers(values.into_iter().map(u64::from)),
            Values::Integers { values } => numbers(values.into_iter().map(|key| key as u64)),
            Values::Floats { values } => numbers(values.into_iter().map(|key| float_key(f64::from(key)))),
            Values::Doubles { values } => numbers(values.into_iter().map(float_key)),
            Values::Texts { values } => {
                Self::Texts(values.into_iter().enumerate().map(|(position, key)| (key, position)).collect())
            }
        }
    }

    /// The position of each cell's key.
    fn find(&self, from: Columns, block: &mut Block<'_, '_>) -> Vec<Option<usize>> {
        let mut positions = std::mem::take(&mut block.scratch.keys);
        positions.clear();
        let planes = &block.planes;
        match self {
            Self::Texts(keys) => {
                let cells = planes.read::<TextRef>(from).iter();
                positions.extend(cells.map(|cell| keys.get(block.texts.get(*cell)).copied()));
            }
            Self::Numbers(keys) => {
                let find = |key: u64| keys.get(&key).copied();
                match from.kind {
                    Kind::Float => {
                        let cells = planes.read::<f32>(from).iter();
                        positions.extend(cells.map(|cell| find(float_key(f64::from(*cell)))));
                    }
                    Kind::Double => {
                        positions.extend(planes.read::<f64>(from).iter().map(|cell| find(float_key(*cell))))
                    }
                    Kind::Integer => {
                        positions.extend(planes.read::<i64>(from).iter().map(|cell| find(*cell as u64)))
                    }
                    _ => positions.extend(planes.read::<u8>(from).iter().map(|cell| find(u64::from(*cell)))),
                }
            }
        }
        positions
    }
}

/// The bits of a number: there is one zero and one NaN.
fn float_key(number: f64) -> u64 {
    if number.is_nan() { f64::NAN.to_bits() } else { (number + 0.0).to_bits() }
}

/// The hash function FNV-1a, which needs no random state.
pub(super) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

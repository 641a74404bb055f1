//! Finds the ranks of features: see [`tabular_program::Test`].
//!
//! Ranks are kept in two layouts. Walks read 16-bit ranks, all columns of a row together. The other ways read *byte
//! columns*, a tile of rows together: byte column `c` of a test holds the rank less `1 + 255 * c`, limited to 0 to 255.
//! So `rank <= 1 + 255 * c + b` with `b < 255` holds exactly if the byte is at most `b`.

use tabular_program::{Ensemble, FloatValues, Node, Test};

use super::row_tile::{self, TILE, Tile};

/// Thresholds of one byte column.
const BYTE_SPAN: usize = 255;
/// Up to that many thresholds are counted one by one; more are searched by bisection.
const COUNTED: usize = 12;
/// Bisections at a time.
const SEARCHES: usize = 8;
/// Numbers that close to zero are missing to a test with `zero_missing`.
const ZERO: f64 = 1e-35_f32 as f64;

/// The features of a block: one column after the other.
#[derive(Clone, Copy)]
pub(crate) enum Features<'a> {
    Floats(&'a [f32]),
    Doubles(&'a [f64]),
}

/// The tests of an ensemble.
pub(super) struct RankTests {
    tests: Vec<Test>,
    /// The first byte column of each rank column.
    byte_columns: Vec<u32>,
    byte_width: usize,
}

impl RankTests {
    pub(super) fn new(ensemble: &Ensemble) -> Self {
        let mut byte_columns = Vec::with_capacity(ensemble.rank_columns());
        let mut byte_width = 0;
        for test in &ensemble.tests {
            let bytes = match test {
                Test::Order { thresholds, .. } => thresholds.len().div_ceil(BYTE_SPAN).max(1),
                Test::Membership { .. } => 1,
            };
            for _ in 0..test.rank_columns() {
                byte_columns.push(byte_width as u32);
                byte_width += bytes;
            }
        }
        Self { tests: ensemble.tests.clone(), byte_columns, byte_width }
    }

    /// The byte column and the greatest byte that go to the second child of a node.
    pub(super) fn byte_test(&self, node: Node) -> (u32, u8) {
        let position = usize::from(node.rank) - 1;
        let column = self.byte_columns[usize::from(node.column)] + (position / BYTE_SPAN) as u32;
        (column, (position % BYTE_SPAN) as u8)
    }
}

/// The ranks of a block.
#[derive(Default)]
pub(super) struct Ranks {
    words: Vec<u16>,
    columns: usize,
    bytes: Vec<Tile>,
    byte_width: usize,
    column: Vec<u16>,
    codes: Vec<u16>,
}

impl Ranks {
    /// Finds the ranks of `rows` rows: those of walks if `walks`, those of byte columns if `bytes`.
    pub(super) fn find(
        &mut self,
        tests: &RankTests,
        features: Features<'_>,
        rows: usize,
        walks: bool,
        bytes: bool,
    ) {
        let tiles = rows.div_ceil(TILE);
        self.columns = tests.byte_columns.len();
        self.byte_width = tests.byte_width;
        if walks {
            // One more, so that a walk over an ensemble without tests reads something.
            self.words.resize(rows * self.columns + 1, 1);
        }
        if bytes {
            self.bytes.resize(tiles * self.byte_width, row_tile::splat(0));
        }
        // Rows beyond the last one of the last tile have some rank; their leaves are not read.
        self.column.resize(tiles * TILE, 1);
        self.codes.resize(rows, 0);
        let mut column = 0;
        for test in &tests.tests {
            self.find_codes(test, features, rows);
            match test {
                Test::Order { .. } => {
                    self.store(tests, column, rows, walks, bytes);
                    column += 1;
                }
                Test::Membership { sets, bits, .. } => {
                    let stride = sets.div_ceil(8) as usize;
                    for set in 0..*sets as usize {
                        for (rank, code) in self.column.iter_mut().zip(&self.codes) {
                            let byte = bits[usize::from(*code) * stride + set / 8];
                            *rank = 2 - u16::from(byte >> (set % 8) & 1);
                        }
                        self.store(tests, column, rows, walks, bytes);
                        column += 1;
                    }
                }
            }
        }
    }

    /// Finds the ranks of an order into `column`, or the positions among the members of sets into `codes`.
    fn find_codes(&mut self, test: &Test, features: Features<'_>, rows: usize) {
        let start = test.feature() as usize * rows;
        match (test.thresholds(), features) {
            (FloatValues::Floats { values }, Features::Floats(features)) => {
                self.find_codes_of(test, values, &features[start..start + rows]);
            }
            (FloatValues::Doubles { values }, Features::Doubles(features)) => {
                self.find_codes_of(test, values, &features[start..start + rows]);
            }
            _ => unreachable!("the program was checked: features have the kind of the thresholds"),
        }
    }

    fn find_codes_of<T: Number>(&mut self, test: &Test, thresholds: &[T], features: &[T]) {
        match test {
            Test::Order { missing, zero_missing, .. } => {
                T::rank(thresholds, features, &mut self.column[..features.len()]);
                for (rank, feature) in self.column.iter_mut().zip(features) {
                    let near_zero = *zero_missing && feature.is_near_zero();
                    *rank = if feature.is_missing() | near_zero { *missing } else { *rank };
                }
            }
            Test::Membership { truncating, .. } => {
                for (code, feature) in self.codes.iter_mut().zip(features) {
                    let feature = if *truncating { feature.truncated() } else { *feature };
                    let position = thresholds.partition_point(|member| *member < feature);
                    let known = thresholds.get(position).is_some_and(|member| *member == feature);
                    let other = thresholds.len() + usize::from(feature.is_missing());
                    *code = (if known { position } else { other }) as u16;
                }
            }
        }
    }

    /// Stores `column` as a rank column.
    fn store(&mut self, tests: &RankTests, column: usize, rows: usize, walks: bool, bytes: bool) {
        if walks {
            for (row, rank) in self.column[..rows].iter().enumerate() {
                self.words[row * self.columns + column] = *rank;
            }
        }
        if bytes {
            let first = tests.byte_columns[column] as usize;
            let end = tests.byte_columns.get(column + 1).map_or(tests.byte_width, |next| *next as usize);
            for (tile, ranks) in self.column.chunks_exact(TILE).enumerate() {
                for byte_column in first..end {
                    let below = (BYTE_SPAN * (byte_column - first) + 1) as u16;
                    let bytes = &mut self.bytes[tile * self.byte_width + byte_column];
                    narrow(ranks, below, bytes.as_flattened_mut());
                }
            }
        }
    }

    /// The 16-bit ranks of a row.
    pub(super) fn row(&self, row: usize) -> &[u16] {
        &self.words[row * self.columns..(row + 1) * self.columns + 1]
    }

    /// The 16-bit ranks of all rows, and the number of ranks of a row.
    pub(super) fn words(&self) -> (&[u16], usize) {
        (&self.words, self.columns)
    }

    /// The byte columns of a tile.
    pub(super) fn tile(&self, tile: usize) -> &[Tile] {
        &self.bytes[tile * self.byte_width..][..self.byte_width]
    }
}

/// The ranks less `below`, limited to 0 to 255.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn narrow(ranks: &[u16], below: u16, bytes: &mut [u8]) {
    for (byte, rank) in bytes.iter_mut().zip(ranks) {
        *byte = rank.saturating_sub(below).min(255) as u8;
    }
}

/// A feature's value.
trait Number: Copy + PartialOrd {
    /// One more than the number of thresholds below each feature; 1 for NaN.
    fn rank(thresholds: &[Self], features: &[Self], ranks: &mut [u16]);

    fn is_missing(self) -> bool;

    fn is_near_zero(self) -> bool;

    fn truncated(self) -> Self;
}

macro_rules! number {
    ($type:ty, $count:ident, $bisect:ident, $trunc:path) => {
        #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
        fn $count(thresholds: &[$type], features: &[$type], ranks: &mut [u16]) {
            ranks.fill(1);
            for threshold in thresholds {
                for (rank, feature) in ranks.iter_mut().zip(features) {
                    *rank += u16::from(*threshold < *feature);
                }
            }
        }

        #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
        fn $bisect(thresholds: &[$type], features: &[$type], ranks: &mut [u16]) {
            // Several searches at a time, without a branch: they wait for memory together.
            let mut chunks = features.chunks_exact(SEARCHES);
            for (ranks, features) in ranks.chunks_exact_mut(SEARCHES).zip(&mut chunks) {
                let mut bases = [0_usize; SEARCHES];
                let mut length = thresholds.len();
                while length > 1 {
                    let half = length / 2;
                    for (base, feature) in bases.iter_mut().zip(features) {
                        *base += if thresholds[*base + half - 1] < *feature { half } else { 0 };
                    }
                    length -= half;
                }
                for ((rank, base), feature) in ranks.iter_mut().zip(bases).zip(features) {
                    *rank = base as u16 + u16::from(thresholds[base] < *feature) + 1;
                }
            }
            let rest = features.len() - chunks.remainder().len();
            for (rank, feature) in ranks[rest..].iter_mut().zip(chunks.remainder()) {
                *rank = thresholds.partition_point(|threshold| *threshold < *feature) as u16 + 1;
            }
        }

        impl Number for $type {
            fn rank(thresholds: &[Self], features: &[Self], ranks: &mut [u16]) {
                if thresholds.len() <= COUNTED {
                    $count(thresholds, features, ranks);
                } else {
                    $bisect(thresholds, features, ranks);
                }
            }

            fn is_missing(self) -> bool {
                self.is_nan()
            }

            fn is_near_zero(self) -> bool {
                self.abs() <= ZERO as Self
            }

            fn truncated(self) -> Self {
                $trunc(self)
            }
        }
    };
}
number!(f32, count_floats, bisect_floats, libm::truncf);
number!(f64, count_doubles, bisect_doubles, libm::trunc);

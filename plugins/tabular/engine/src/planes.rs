//! The values of a block: one plane for each kind, one column after the other.

use tabular_program::{Columns, Kind};

use crate::text::TextRef;

/// The planes of a block of `rows` rows.
#[derive(Default)]
pub(crate) struct Planes {
    pub(crate) rows: usize,
    booleans: Vec<u8>,
    integers: Vec<i64>,
    floats: Vec<f32>,
    doubles: Vec<f64>,
    texts: Vec<TextRef>,
}

/// A type of cells.
pub(crate) trait Cell: Copy + Default + 'static {
    const KIND: Kind;

    fn plane(planes: &Planes) -> &Vec<Self>;

    fn plane_mut(planes: &mut Planes) -> &mut Vec<Self>;
}

macro_rules! cell {
    ($type:ty, $kind:ident, $field:ident) => {
        impl Cell for $type {
            const KIND: Kind = Kind::$kind;

            fn plane(planes: &Planes) -> &Vec<Self> {
                &planes.$field
            }

            fn plane_mut(planes: &mut Planes) -> &mut Vec<Self> {
                &mut planes.$field
            }
        }
    };
}
cell!(u8, Boolean, booleans);
cell!(i64, Integer, integers);
cell!(f32, Float, floats);
cell!(f64, Double, doubles);
cell!(TextRef, Text, texts);

impl Planes {
    /// Makes room for `rows` rows. What the columns hold afterwards is not specified: a program writes a column before it
    /// reads it.
    pub(crate) fn resize(&mut self, widths: [u32; 5], rows: usize) {
        fn fit<T: Cell>(planes: &mut Planes, widths: [u32; 5], rows: usize) {
            let length = widths[T::KIND.index()] as usize * rows;
            let plane = T::plane_mut(planes);
            if plane.len() < length {
                plane.resize(length, T::default());
            }
        }
        self.rows = rows;
        fit::<u8>(self, widths, rows);
        fit::<i64>(self, widths, rows);
        fit::<f32>(self, widths, rows);
        fit::<f64>(self, widths, rows);
        fit::<TextRef>(self, widths, rows);
    }

    fn range(&self, columns: Columns) -> std::ops::Range<usize> {
        columns.start as usize * self.rows..columns.end() as usize * self.rows
    }

    /// The values of columns.
    pub(crate) fn read<T: Cell>(&self, columns: Columns) -> &[T] {
        debug_assert_eq!(T::KIND, columns.kind);
        &T::plane(self)[self.range(columns)]
    }

    /// The values of columns, to be written.
    pub(crate) fn write<T: Cell>(&mut self, columns: Columns) -> &mut [T] {
        debug_assert_eq!(T::KIND, columns.kind);
        let range = self.range(columns);
        &mut T::plane_mut(self)[range]
    }

    /// Writes columns from columns of the same kind, which do not overlap with them.
    pub(crate) fn map_within<T: Cell>(&mut self, to: Columns, map: impl FnOnce(Within<'_, T>, &mut [T])) {
        let rows = self.rows;
        let range = self.range(to);
        let (before, rest) = T::plane_mut(self).split_at_mut(range.start);
        let (result, after) = rest.split_at_mut(range.len());
        map(Within { before, after, after_start: range.end, rows }, result);
    }

    /// Writes columns from columns of another kind.
    pub(crate) fn map_across<T: Cell>(&mut self, to: Columns, map: impl FnOnce(&Self, &mut [T])) {
        let range = self.range(to);
        let mut plane = std::mem::take(T::plane_mut(self));
        map(self, &mut plane[range]);
        *T::plane_mut(self) = plane;
    }
}

/// A plane without the columns that are written.
pub(crate) struct Within<'a, T> {
    before: &'a [T],
    after: &'a [T],
    after_start: usize,
    rows: usize,
}

impl<T: Cell> Within<'_, T> {
    /// The values of columns.
    pub(crate) fn read(&self, columns: Columns) -> &[T] {
        debug_assert_eq!(T::KIND, columns.kind);
        let (start, end) = (columns.start as usize * self.rows, columns.end() as usize * self.rows);
        if end <= self.before.len() {
            &self.before[start..end]
        } else {
            &self.after[start - self.after_start..end - self.after_start]
        }
    }
}

//! Values that are moved as they are.

use tabular_program::{Axis, Columns, ProgramError, Values};

use super::{Block, Constants, Operation};
use crate::planes::Cell;
use crate::text::{ConstantTexts, TextRef};

/// Calls a function with the cell type of a kind.
macro_rules! by_kind {
    ($kind:expr, $function:ident($($argument:expr),*)) => {
        match $kind {
            tabular_program::Kind::Boolean => $function::<u8>($($argument),*),
            tabular_program::Kind::Integer => $function::<i64>($($argument),*),
            tabular_program::Kind::Float => $function::<f32>($($argument),*),
            tabular_program::Kind::Double => $function::<f64>($($argument),*),
            tabular_program::Kind::Text => $function::<$crate::text::TextRef>($($argument),*),
        }
    };
}
/// See [`tabular_program::Step::Copy`].
pub(super) struct Copy {
    pub(super) from: Columns,
    pub(super) to: Columns,
}

impl Operation for Copy {
    fn run(&self, block: &mut Block<'_, '_>) {
        fn copy<T: Cell>(from: Columns, to: Columns, block: &mut Block<'_, '_>) {
            block.planes.map_within::<T>(to, |planes, results| results.copy_from_slice(planes.read(from)));
        }
        by_kind!(self.to.kind, copy(self.from, self.to, block));
    }
}

/// See [`tabular_program::Step::Fill`].
pub(super) struct Fill {
    values: Constants,
    to: Columns,
}

impl Fill {
    pub(super) fn new(values: Values, to: Columns, texts: &mut ConstantTexts) -> Result<Self, ProgramError> {
        Ok(Self { values: Constants::new(values, texts)?, to })
    }
}

impl Operation for Fill {
    fn run(&self, block: &mut Block<'_, '_>) {
        fn fill<T: Cell>(values: &[T], to: Columns, block: &mut Block<'_, '_>) {
            let rows = block.planes.rows;
            for (column, value) in block.planes.write::<T>(to).chunks_exact_mut(rows).zip(values) {
                column.fill(*value);
            }
        }
        match &self.values {
            Constants::Booleans(values) => fill(values, self.to, block),
            Constants::Integers(values) => fill(values, self.to, block),
            Constants::Floats(values) => fill(values, self.to, block),
            Constants::Doubles(values) => fill(values, self.to, block),
            Constants::Texts(values) => fill(values, self.to, block),
        }
    }
}

/// See [`tabular_program::Step::Select`].
pub(super) struct Select {
    pub(super) from: Columns,
    pub(super) indices: Vec<u32>,
    pub(super) to: Columns,
}

impl Operation for Select {
    fn run(&self, block: &mut Block<'_, '_>) {
        fn select<T: Cell>(from: Columns, indices: &[u32], to: Columns, block: &mut Block<'_, '_>) {
            let rows = block.planes.rows;
            block.planes.map_within::<T>(to, |planes, results| {
                let values = planes.read(from);
                for (column, index) in results.chunks_exact_mut(rows).zip(indices) {
                    column.copy_from_slice(&values[*index as usize * rows..][..rows]);
                }
            });
        }
        by_kind!(self.to.kind, select(self.from, &self.indices, self.to, block));
    }
}

/// See [`tabular_program::Step::Lookup`].
pub(super) struct Lookup {
    table: Constants,
    width: usize,
    index: Columns,
    to: Columns,
}

impl Lookup {
    pub(super) fn new(table: Constants, width: u32, index: Columns, to: Columns) -> Self {
        Self { table, width: width as usize, index, to }
    }

    fn look_up<T: Cell>(&self, table: &[T], block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        let length = table.len() / self.width;
        const OUTSIDE: u32 = u32::MAX;
        let mut positions = std::mem::take(&mut block.scratch.positions);
        positions.clear();
        positions.extend(block.planes.read::<i64>(self.index).iter().map(|index| {
            let position = if *index < 0 { index.saturating_add(length as i64) } else { *index };
            if (0..length as i64).contains(&position) { position as u32 } else { OUTSIDE }
        }));
        if positions.contains(&OUTSIDE) {
            for (cell, index) in block.planes.read::<i64>(self.index).iter().enumerate() {
                if positions[cell] == OUTSIDE {
                    block
                        .failures
                        .add(cell % rows, || format!("index {index} is outside of {length} values"));
                }
            }
        }
        let results = block.planes.write::<T>(self.to);
        for (results, positions) in
            results.chunks_exact_mut(rows * self.width).zip(positions.chunks_exact(rows))
        {
            for (lane, results) in results.chunks_exact_mut(rows).enumerate() {
                for (result, position) in results.iter_mut().zip(positions) {
                    *result = table.get(*position as usize * self.width + lane).copied().unwrap_or_default();
                }
            }
        }
        block.scratch.positions = positions;
    }
}

impl Operation for Lookup {
    fn run(&self, block: &mut Block<'_, '_>) {
        match &self.table {
            Constants::Booleans(table) => self.look_up(table, block),
            Constants::Integers(table) => self.look_up(table, block),
            Constants::Floats(table) => self.look_up(table, block),
            Constants::Doubles(table) => self.look_up(table, block),
            Constants::Texts(table) => self.look_up::<TextRef>(table, block),
        }
    }
}

/// See [`tabular_program::Step::Gather`].
pub(super) struct Gather {
    pub(super) from: Columns,
    pub(super) axis: Axis,
    pub(super) index: Columns,
    pub(super) to: Columns,
}

impl Operation for Gather {
    fn run(&self, block: &mut Block<'_, '_>) {
        fn gather<T: Cell>(step: &Gather, block: &mut Block<'_, '_>) {
            step.gather::<T>(block);
        }
        by_kind!(self.from.kind, gather(self, block));
    }
}

impl Gather {
    fn gather<T: Cell>(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        let (length, inner) = (self.axis.length as usize, self.axis.inner as usize);
        let count = self.index.width as usize / self.axis.reduced() as usize;
        let mut results = vec![T::default(); self.to.width as usize * rows];
        let positions = block.planes.read::<i64>(self.index);
        let values = block.planes.read::<T>(self.from);
        for (cell, (result, index)) in results.iter_mut().zip(positions).enumerate() {
            let (column, row) = (cell / rows, cell % rows);
            let outer = column / inner / count;
            let position = if *index < 0 { index.saturating_add(length as i64) } else { *index };
            match usize::try_from(position) {
                Ok(position) if position < length => {
                    *result = values[((outer * length + position) * inner + column % inner) * rows + row];
                }
                _ => block.failures.add(row, || format!("index {index} is outside of {length} values")),
            }
        }
        block.planes.write::<T>(self.to).copy_from_slice(&results);
    }
}

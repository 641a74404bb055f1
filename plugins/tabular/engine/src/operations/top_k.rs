//! The largest or smallest values along an axis.

use std::cmp::Ordering;

use tabular_program::{Axis, Columns, Kind};

use super::reduction::Line;
use super::{Block, Operation};
use crate::planes::Cell;

/// See [`tabular_program::Step::Top`].
pub(super) struct Top {
    pub(super) largest: bool,
    pub(super) count: u32,
    pub(super) from: Columns,
    pub(super) axis: Axis,
    pub(super) values: Columns,
    pub(super) positions: Columns,
}

impl Operation for Top {
    fn run(&self, block: &mut Block<'_, '_>) {
        match self.from.kind {
            Kind::Integer => self.find::<i64>(block),
            Kind::Float => self.find::<f32>(block),
            _ => self.find::<f64>(block),
        }
    }
}

impl Top {
    fn find<T: Cell + PartialOrd>(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        let (count, inner) = (self.count as usize, self.axis.inner as usize);
        let cells = self.values.width as usize * rows;
        let (mut values, mut positions) = (vec![T::default(); cells], vec![0; cells]);
        let from = block.planes.read::<T>(self.from);
        for reduced in 0..self.axis.reduced() as usize {
            let line = Line::new(from, self.axis, reduced, rows);
            for row in 0..rows {
                let mut order: Vec<(T, usize)> =
                    (0..line.length).map(|position| (line.column(position)[row], position)).collect();
                // Positions make the order of equal values definite.
                let compare = |one: &(T, usize), other: &(T, usize)| {
                    self.compare(one.0, other.0).then(one.1.cmp(&other.1))
                };
                if count > 0 && count < order.len() {
                    order.select_nth_unstable_by(count - 1, compare);
                    order.truncate(count);
                }
                order.sort_unstable_by(compare);
                for (rank, (value, position)) in order.into_iter().take(count).enumerate() {
                    let column = (reduced / inner * count + rank) * inner + reduced % inner;
                    values[column * rows + row] = value;
                    positions[column * rows + row] = position as i64;
                }
            }
        }
        block.planes.write::<T>(self.values).copy_from_slice(&values);
        block.planes.write::<i64>(self.positions).copy_from_slice(&positions);
    }

    /// The order of values. NaN comes last.
    fn compare<T: PartialOrd>(&self, one: T, other: T) -> Ordering {
        let nan = |value: &T| value.partial_cmp(value).is_none();
        match one.partial_cmp(&other) {
            Some(order) if self.largest => order.reverse(),
            Some(order) => order,
            None => nan(&one).cmp(&nan(&other)),
        }
    }
}

//! The largest or smallest values along an axis.

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
    fn find<T: Ranked>(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        let (count, inner) = (self.count as usize, self.axis.inner as usize);
        let cells = self.values.width as usize * rows;
        let (mut values, mut positions) = (vec![T::default(); cells], vec![0; cells]);
        let from = block.planes.read::<T>(self.from);
        let mut order = Vec::with_capacity(self.axis.length as usize);
        for reduced in 0..self.axis.reduced() as usize {
            let line = Line::new(from, self.axis, reduced, rows);
            for row in 0..rows {
                let key = |position| line.column(position)[row].key(self.largest, position as u32);
                order.clear();
                order.extend((0..line.length).map(key));
                if count > 0 && count < order.len() {
                    order.select_nth_unstable(count - 1);
                    order.truncate(count);
                }
                order.sort_unstable();
                for (rank, key) in order.iter().take(count).enumerate() {
                    let position = T::position(*key) as usize;
                    let column = (reduced / inner * count + rank) * inner + reduced % inner;
                    values[column * rows + row] = line.column(position)[row];
                    positions[column * rows + row] = position as i64;
                }
            }
        }
        block.planes.write::<T>(self.values).copy_from_slice(&values);
        block.planes.write::<i64>(self.positions).copy_from_slice(&positions);
    }
}

/// A value with a place in an order: by the value, then by its position. NaN comes last.
trait Ranked: Cell {
    /// The place. Its last 32 bits are the position.
    type Key: Copy + Ord;

    fn key(self, largest: bool, position: u32) -> Self::Key;

    fn position(key: Self::Key) -> u32;
}

macro_rules! ranked {
    ($type:ty, $bits:ty, $key:ty, $ordered:expr) => {
        impl Ranked for $type {
            type Key = $key;

            fn key(self, largest: bool, position: u32) -> $key {
                let ordered: Option<$bits> = $ordered(self);
                let place = match ordered {
                    Some(ordered) if largest => !ordered,
                    Some(ordered) => ordered,
                    // No other number has this place.
                    None => <$bits>::MAX,
                };
                <$key>::from(place) << 32 | <$key>::from(position)
            }

            fn position(key: $key) -> u32 {
                key as u32
            }
        }
    };
}
macro_rules! ordered {
    ($value:expr, $sign:expr) => {{
        // Both zeros are equal.
        let bits = ($value + 0.0).to_bits();
        (!$value.is_nan()).then_some(if bits & $sign == 0 { bits | $sign } else { !bits })
    }};
}
ranked!(f32, u32, u64, |value: f32| ordered!(value, 1 << 31));
ranked!(f64, u64, u128, |value: f64| ordered!(value, 1 << 63));
ranked!(i64, u64, u128, |value: i64| Some(value.cast_unsigned() ^ (1 << 63)));

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted<T: Ranked>(values: &[T], largest: bool) -> Vec<u32> {
        let mut keys: Vec<T::Key> =
            values.iter().zip(0..).map(|(value, position)| value.key(largest, position)).collect();
        keys.sort_unstable();
        keys.into_iter().map(T::position).collect()
    }

    #[test]
    fn values_are_in_order_with_nan_last_and_equal_ones_by_position() {
        let floats = [0.0, f32::NAN, -0.0, f32::INFINITY, -1.5, f32::NEG_INFINITY, 2.0, -1.5, -f32::NAN];
        assert_eq!(sorted(&floats, false), [5, 4, 7, 0, 2, 6, 3, 1, 8]);
        assert_eq!(sorted(&floats, true), [3, 6, 0, 2, 4, 7, 5, 1, 8]);
        let doubles = floats.map(f64::from);
        assert_eq!(sorted(&doubles, false), sorted(&floats, false));
        assert_eq!(sorted(&doubles, true), sorted(&floats, true));
        let integers = [3, i64::MIN, -1, i64::MAX, 3];
        assert_eq!(sorted(&integers, false), [1, 2, 0, 4, 3]);
        assert_eq!(sorted(&integers, true), [3, 0, 4, 2, 1]);
    }
}

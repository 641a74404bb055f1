//! Arguments that are columns or constants, and loops over them.

use tabular_program::{Columns, Operand, Values};

use crate::planes::Cell;
use crate::text::TextRef;

/// Applies a function to values.
#[inline(always)]
pub(super) fn apply<S: Copy, T>(values: &[S], results: &mut [T], function: impl Fn(S) -> T) {
    for (result, value) in results.iter_mut().zip(values) {
        *result = function(*value);
    }
}

/// Values of a turn of [`apply_in_turns`].
const TURN: usize = 16;

/// [`apply`] for a function of few instructions: a loop in Wasm costs as much as several values. The code is longer.
#[inline(always)]
pub(super) fn apply_in_turns<S: Copy, T>(values: &[S], results: &mut [T], function: impl Fn(S) -> T) {
    let (turns, rest) = results.as_chunks_mut::<TURN>();
    let (values, last) = values.as_chunks::<TURN>();
    for (results, values) in turns.iter_mut().zip(values) {
        for index in 0..TURN {
            results[index] = function(values[index]);
        }
    }
    apply(last, rest, function);
}

/// An argument of a loop over columns.
#[derive(Clone, Copy)]
pub(super) enum Argument<'a, T> {
    /// One column after the other; a single one is used for all.
    Columns(&'a [T]),
    /// One constant for each column; a single one is used for all.
    Constants(&'a [T]),
}

impl<T: Copy> Argument<'_, T> {
    /// The values of a column.
    pub(super) fn column(&self, column: usize, rows: usize) -> Line<'_, T> {
        match self {
            Self::Columns(values) if values.len() == rows => Line::Column(values),
            Self::Columns(values) => Line::Column(&values[column * rows..][..rows]),
            Self::Constants([value]) => Line::Constant(*value),
            Self::Constants(values) => Line::Constant(values[column]),
        }
    }
}

/// An argument of a loop over the rows of a column.
pub(super) enum Line<'a, T> {
    Column(&'a [T]),
    Constant(T),
}

/// Applies a function to two arguments, column by column.
#[inline(always)]
pub(super) fn zip<S: Copy, T>(
    rows: usize,
    left: Argument<'_, S>,
    right: Argument<'_, S>,
    results: &mut [T],
    function: impl Fn(S, S) -> T,
) {
    // Without a change from column to column all columns are one, which matters to few rows.
    match (left, right) {
        (Argument::Columns(left), Argument::Constants([right])) if left.len() == results.len() => {
            let right = *right;
            return apply(left, results, |left| function(left, right));
        }
        (Argument::Constants([left]), Argument::Columns(right)) if right.len() == results.len() => {
            let left = *left;
            return apply(right, results, |right| function(left, right));
        }
        (Argument::Columns(left), Argument::Columns(right))
            if left.len() == results.len() && right.len() == results.len() =>
        {
            for ((result, left), right) in results.iter_mut().zip(left).zip(right) {
                *result = function(*left, *right);
            }
            return;
        }
        _ => {}
    }
    for (column, results) in results.chunks_exact_mut(rows).enumerate() {
        match (left.column(column, rows), right.column(column, rows)) {
            (Line::Column(left), Line::Column(right)) => {
                for ((result, left), right) in results.iter_mut().zip(left).zip(right) {
                    *result = function(*left, *right);
                }
            }
            (Line::Column(left), Line::Constant(right)) => apply(left, results, |left| function(left, right)),
            (Line::Constant(left), Line::Column(right)) => {
                apply(right, results, |right| function(left, right))
            }
            (Line::Constant(left), Line::Constant(right)) => {
                for result in results {
                    *result = function(left, right);
                }
            }
        }
    }
}

/// A type of constants.
pub(super) trait Constant: Cell {
    /// The constants, if they are of this type.
    fn values(values: &Values) -> Option<&[Self]>;
}

macro_rules! constant {
    ($type:ty, $variant:ident) => {
        impl Constant for $type {
            fn values(values: &Values) -> Option<&[Self]> {
                match values {
                    Values::$variant { values } => Some(values),
                    _ => None,
                }
            }
        }
    };
}
constant!(u8, Booleans);
constant!(i64, Integers);
constant!(f32, Floats);
constant!(f64, Doubles);

impl Constant for TextRef {
    /// Constant texts are filled into columns first.
    fn values(_: &Values) -> Option<&[Self]> {
        None
    }
}

/// The constants of a program that was checked.
pub(super) fn constants<T: Constant>(values: &Values) -> &[T] {
    T::values(values)
        .unwrap_or_else(|| unreachable!("the program was checked: constants have the kind of the step"))
}

/// The argument of an operand. `read` gives the values of columns.
pub(super) fn argument<'a, T: Constant>(
    operand: &'a Operand,
    read: impl Fn(Columns) -> &'a [T],
) -> Argument<'a, T> {
    match operand {
        Operand::Columns { columns } => Argument::Columns(read(*columns)),
        Operand::Constants { values } => Argument::Constants(constants(values)),
    }
}

//! The labels of rows, as positions in a list of all labels.

use tabular_engine::{Answers as Outputs, OutputColumns, TextRef, Texts, lower_halves};
use understudy_sdk::Reason;

use crate::answers::{UNKNOWN, label};

/// The labels of rows, as positions in a list of all labels.
pub(crate) enum LabelPositions<'a> {
    /// The labels are valid indices, each with its position.
    Indices { positions: &'a [u32], values: &'a [i64] },
    /// The labels are integers: those of the list as numbers, and those of the rows.
    Integers { labels: Vec<Option<i64>>, values: &'a [i64] },
    /// The labels are texts.
    Texts {
        texts: &'a Texts<'a>,
        cells: &'a [TextRef],
        labels: &'a [String],
        /// Cells whose positions are known. Constants have the same cell in all rows.
        known: Vec<(TextRef, usize)>,
    },
    /// The labels are truth values.
    Others { outputs: &'a Outputs<'a>, output: u32, labels: &'a [String] },
}

impl<'a> LabelPositions<'a> {
    pub(crate) fn new(
        outputs: &'a Outputs<'_>,
        output: u32,
        labels: &'a [String],
        positions: Option<&'a [u32]>,
    ) -> Self {
        match (&outputs.outputs[output as usize], positions) {
            (OutputColumns::Integers(values), Some(positions)) => Self::Indices { positions, values },
            // Comparing numbers takes less time than writing each of them as a text.
            (OutputColumns::Integers(values), None) => {
                Self::Integers { labels: labels.iter().map(|label| integer(label)).collect(), values }
            }
            (OutputColumns::Texts(cells), _) => {
                Self::Texts { texts: &outputs.texts, cells, labels, known: Vec::new() }
            }
            _ => Self::Others { outputs, output, labels },
        }
    }

    /// The positions of the labels of all rows, column by column; [`UNKNOWN`] where a label is not in the list. `None` if there
    /// is no such way.
    pub(crate) fn all(&self) -> Option<Vec<u32>> {
        match self {
            Self::Indices { positions, values } => Some(look_up(positions, values)),
            Self::Integers { labels, values } => {
                let mut positions = vec![UNKNOWN; values.len()];
                // The first of equal labels comes last.
                for (position, label) in labels.iter().enumerate().rev() {
                    if let Some(label) = label {
                        set_where_equal(&mut positions, values, *label, position as u32);
                    }
                }
                Some(positions)
            }
            Self::Texts { texts, cells, labels, .. } => {
                let mut positions = vec![UNKNOWN; cells.len()];
                let mut next = 0;
                // Constants have as many cells as there are labels; other texts may have one in each row.
                for _ in 0..=labels.len() {
                    let Some(row) = positions[next..].iter().position(|position| *position == UNKNOWN) else {
                        return Some(positions);
                    };
                    next += row;
                    let label = texts.get(cells[next]);
                    let position = labels.iter().position(|other| other == label)? as u32;
                    set_where_equal(&mut positions[next..], &cells[next..], cells[next], position);
                }
                None
            }
            Self::Others { .. } => None,
        }
    }

    /// The position of a row's label.
    ///
    /// # Errors
    /// If it is not in the list.
    pub(crate) fn get(&mut self, row: usize) -> Result<usize, Reason> {
        let unknown = |label: &str| Reason::Failed(format!("the label {label:?} has no score"));
        match self {
            Self::Indices { positions, values } => Ok(positions[values[row] as usize] as usize),
            Self::Integers { labels, values } => {
                let position = labels.iter().position(|label| *label == Some(values[row]));
                position.ok_or_else(|| unknown(&values[row].to_string()))
            }
            Self::Texts { texts, cells, labels, known } => {
                let cell = cells[row];
                if let Some((_, position)) = known.iter().find(|(known, _)| *known == cell) {
                    return Ok(*position);
                }
                let label = texts.get(cell);
                let position = labels.iter().position(|other| other == label);
                let position = position.ok_or_else(|| unknown(label))?;
                if known.len() < labels.len() {
                    known.push((cell, position));
                }
                Ok(position)
            }
            Self::Others { outputs, output, labels } => {
                let value = label(outputs, *output, &[], row)?;
                labels.iter().position(|label| *label == value).ok_or_else(|| unknown(&value))
            }
        }
    }
}

/// The positions of indices.
fn look_up(positions: &[u32], indices: &[i64]) -> Vec<u32> {
    if positions.iter().enumerate().all(|(index, position)| index == *position as usize) {
        return lower_halves(indices);
    }
    indices.iter().map(|index| positions[*index as usize]).collect()
}

/// Sets the positions of the rows that have a value.
fn set_where_equal<T: Copy + PartialEq>(positions: &mut [u32], values: &[T], wanted: T, position: u32) {
    for (found, value) in positions.iter_mut().zip(values) {
        *found = if *value == wanted { position } else { *found };
    }
}

/// The integer whose usual text this is.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_usual = text == "0" || !digits.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_integers_are_their_usual_ones() {
        for (text, number) in
            [("0", Some(0)), ("-7", Some(-7)), ("10", Some(10)), ("9223372036854775807", Some(i64::MAX))]
        {
            assert_eq!(integer(text), number, "{text}");
        }
        for text in ["", "-", "+1", "01", "-0", "-+1", "1.0", "9223372036854775808", "a"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }
}

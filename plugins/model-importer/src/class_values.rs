//! The classes that the label of a program can have, found by following the label back to the constants that it is taken
//! from.

use tabular_program::{Columns, Kind, Operand, Program, Step, Values};

/// The values of a label.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClassValues {
    /// The values: integers or texts. A value may occur twice.
    pub(crate) values: Values,
    /// Whether the label is looked up by the number of the class in the end. Classifiers have one score for each class,
    /// in this order.
    pub(crate) in_score_order: bool,
}

/// The values of an output; `None` if the program does not limit them.
pub(crate) fn class_values(program: &Program, output: usize) -> Option<ClassValues> {
    values_before(program, program.steps.len(), program.outputs[output].columns)
}

/// The values of one column before a step.
fn values_before(program: &Program, end: usize, column: Columns) -> Option<ClassValues> {
    let is_boolean = column.kind == Kind::Boolean;
    let booleans = || is_boolean.then(|| unordered(Values::Integers { values: vec![0, 1] }));
    let writer = program.steps[..end].iter().enumerate().rev().find(|(_, instruction)| {
        instruction.step.accesses().1.iter().any(|written| written.overlaps(column))
    });
    let Some((index, instruction)) = writer else { return booleans() };
    let before = |columns: Columns| values_before(program, index, columns);
    let offset = |to: &Columns| column.start.checked_sub(to.start);
    let one = |from: &Columns, position: u32| Columns { start: from.start + position, width: 1, ..*from };
    match &instruction.step {
        Step::Copy { from, to } => before(one(from, offset(to)?)),
        Step::Select { from, indices, to } => before(one(from, *indices.get(offset(to)? as usize)?)),
        Step::Fill { values, to } => {
            let position = offset(to)? as usize;
            texts_or_integers(values).map(|values| unordered(picked(&values, &[position])))
        }
        Step::Cast { from, to } => cast(before(one(from, offset(to)?))?, column.kind),
        Step::Lookup { table, width: 1, index, to } => {
            let table = texts_or_integers(table)?;
            let positions = before(one(index, offset(to)?)).map(|found| found.values);
            let values = match positions {
                Some(Values::Integers { values }) => {
                    let position = |value: &i64| usize::try_from(*value).ok().filter(|at| *at < table.len());
                    picked(&table, &values.iter().map(position).collect::<Option<Vec<_>>>()?)
                }
                _ => table,
            };
            Some(ClassValues { values, in_score_order: true })
        }
        Step::Encode { from, keys, values, to, .. } => {
            let found = before(one(from, offset(to)?))?;
            let (keys, values) = (texts_or_integers(keys)?, texts_or_integers(values)?);
            let positions = positions(&keys, &found.values)?;
            Some(ClassValues { values: picked(&values, &positions), ..found })
        }
        Step::Position { axis, .. } if axis.outer == 1 && axis.inner == 1 => Some(numbered(axis.length)),
        Step::Classes { label, to, .. } if label.overlaps(column) => Some(numbered(to.width)),
        Step::Choose { then, otherwise, .. } => {
            let side = |operand: &Operand| match operand {
                Operand::Constants { values } if values.len() == 1 => texts_or_integers(values),
                Operand::Columns { columns } if columns.width == 1 => {
                    before(*columns).map(|found| found.values)
                }
                _ => None,
            };
            union(side(otherwise)?, side(then)?).map(unordered)
        }
        _ => booleans(),
    }
}

/// The numbers of classes from 0.
fn numbered(classes: u32) -> ClassValues {
    let values = Values::Integers { values: (0..i64::from(classes)).collect() };
    ClassValues { values, in_score_order: true }
}

fn unordered(values: Values) -> ClassValues {
    ClassValues { values, in_score_order: false }
}

/// The values as texts or integers; `None` if they are neither.
fn texts_or_integers(values: &Values) -> Option<Values> {
    let integer = |value: f64| (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64);
    Some(match values {
        Values::Texts { .. } | Values::Integers { .. } => values.clone(),
        Values::Booleans { values } => {
            Values::Integers { values: values.iter().map(|value| i64::from(*value)).collect() }
        }
        Values::Floats { values } => {
            Values::Integers { values: values.iter().map(|v| integer(f64::from(*v))).collect::<Option<_>>()? }
        }
        Values::Doubles { values } => {
            Values::Integers { values: values.iter().map(|value| integer(*value)).collect::<Option<_>>()? }
        }
    })
}

/// The values after a conversion to a kind.
fn cast(found: ClassValues, kind: Kind) -> Option<ClassValues> {
    let values = match (found.values, kind) {
        (Values::Integers { values }, Kind::Boolean) => {
            Values::Integers { values: values.iter().map(|value| i64::from(*value != 0)).collect() }
        }
        (values @ Values::Integers { .. }, Kind::Integer | Kind::Float | Kind::Double) => values,
        (Values::Integers { values }, Kind::Text) => {
            Values::Texts { values: values.iter().map(i64::to_string).collect() }
        }
        (Values::Texts { values }, Kind::Integer) => {
            Values::Integers { values: values.iter().map(|text| text.parse().ok()).collect::<Option<_>>()? }
        }
        (values @ Values::Texts { .. }, Kind::Text) => values,
        _ => return None,
    };
    Some(ClassValues { values, ..found })
}

fn picked(values: &Values, positions: &[usize]) -> Values {
    match values {
        Values::Texts { values } => {
            Values::Texts { values: positions.iter().map(|at| values[*at].clone()).collect() }
        }
        Values::Integers { values } => {
            Values::Integers { values: positions.iter().map(|at| values[*at]).collect() }
        }
        other => other.clone(),
    }
}

/// The position of each value in a list of keys; `None` if one is missing.
fn positions(keys: &Values, values: &Values) -> Option<Vec<usize>> {
    match (keys, values) {
        (Values::Texts { values: keys }, Values::Texts { values }) => {
            values.iter().map(|value| keys.iter().position(|key| key == value)).collect()
        }
        (Values::Integers { values: keys }, Values::Integers { values }) => {
            values.iter().map(|value| keys.iter().position(|key| key == value)).collect()
        }
        _ => None,
    }
}

fn union(one: Values, other: Values) -> Option<Values> {
    match (one, other) {
        (Values::Texts { values: one }, Values::Texts { values: other }) => {
            Some(Values::Texts { values: [one, other].concat() })
        }
        (Values::Integers { values: one }, Values::Integers { values: other }) => {
            Some(Values::Integers { values: [one, other].concat() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tabular_program::{Axis, Comparison, Input, Instruction, Output};

    use super::*;

    const SCORES: Columns = Columns { kind: Kind::Float, start: 0, width: 3 };

    fn integer(start: u32) -> Columns {
        Columns { kind: Kind::Integer, start, width: 1 }
    }

    fn integers(values: &[i64]) -> Values {
        Values::Integers { values: values.to_vec() }
    }

    fn found(steps: Vec<Step>, label: Columns) -> Option<ClassValues> {
        let program = Program {
            inputs: vec![Input { name: "x".to_owned(), columns: SCORES }],
            outputs: vec![Output { name: "label".to_owned(), columns: label }],
            planes: [4; 5],
            steps: steps.into_iter().map(|step| Instruction { origin: String::new(), step }).collect(),
            ensembles: Vec::new(),
        };
        class_values(&program, 0)
    }

    fn position() -> Step {
        let axis = Axis { outer: 1, length: 3, inner: 1 };
        Step::Position { largest: true, last: false, from: SCORES, axis, to: integer(0) }
    }

    fn is_positive() -> Step {
        let left = Operand::Columns { columns: Columns { width: 1, ..SCORES } };
        let right = Operand::Constants { values: Values::Floats { values: vec![0.0] } };
        let to = Columns { kind: Kind::Boolean, start: 0, width: 1 };
        Step::Compare { comparison: Comparison::Greater, left, right, to }
    }

    #[test]
    fn a_label_is_followed_to_the_constants_of_the_file() {
        let table = integers(&[7, 3, -1]);
        let lookup = Step::Lookup { table, width: 1, index: integer(0), to: integer(1) };
        let copy = Step::Copy { from: integer(1), to: integer(2) };
        let expected = ClassValues { values: integers(&[7, 3, -1]), in_score_order: true };
        assert_eq!(found(vec![position(), lookup, copy], integer(2)), Some(expected));

        let encode = Step::Encode {
            from: integer(0),
            keys: integers(&[2, 1, 0]),
            values: integers(&[10, 20, 30]),
            default: integers(&[-9]),
            to: integer(1),
        };
        let expected = ClassValues { values: integers(&[30, 20, 10]), in_score_order: true };
        assert_eq!(found(vec![position(), encode.clone()], integer(1)), Some(expected));
        // A label that no part of the file limits.
        assert_eq!(found(vec![encode], integer(1)), None);
        assert_eq!(found(Vec::new(), integer(1)), None);
    }

    #[test]
    fn a_choice_between_constants_has_both() {
        let choose = Step::Choose {
            condition: Columns { kind: Kind::Boolean, start: 0, width: 1 },
            then: Operand::Constants { values: Values::Floats { values: vec![1.0] } },
            otherwise: Operand::Constants { values: Values::Floats { values: vec![-1.0] } },
            to: Columns { kind: Kind::Float, start: 3, width: 1 },
        };
        let cast = Step::Cast { from: Columns { start: 3, width: 1, ..SCORES }, to: integer(0) };
        let expected = ClassValues { values: integers(&[-1, 1]), in_score_order: false };
        assert_eq!(found(vec![is_positive(), choose, cast], integer(0)), Some(expected));
        // One score: the index into the table is a comparison.
        let boolean = Columns { kind: Kind::Boolean, start: 0, width: 1 };
        let cast = Step::Cast { from: boolean, to: integer(0) };
        let lookup = Step::Lookup { table: integers(&[1, 2]), width: 1, index: integer(0), to: integer(1) };
        let expected = ClassValues { values: integers(&[1, 2]), in_score_order: true };
        assert_eq!(found(vec![is_positive(), cast, lookup], integer(1)), Some(expected));
    }
}

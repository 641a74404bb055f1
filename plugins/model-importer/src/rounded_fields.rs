//! Which fields become 32-bit floats: those that the file declares so, and integers that a step converts.

use tabular_program::{Columns, Field, Kind, Program, Step};

/// Names in a note.
const SHOWN: usize = 8;

/// For each input column, whether its numbers become 32-bit floats.
fn rounded(program: &Program) -> Vec<bool> {
    let mut rounded: Vec<bool> = program.input_kinds().map(|kind| kind == Kind::Float).collect();
    // The input that each integer column holds.
    let mut origins: Vec<Option<usize>> = vec![None; program.planes[Kind::Integer.index()] as usize];
    let mut next = 0;
    for input in &program.inputs {
        for column in 0..input.columns.width {
            if input.columns.kind == Kind::Integer {
                origins[(input.columns.start + column) as usize] = Some(next);
            }
            next += 1;
        }
    }
    for instruction in &program.steps {
        let pass =
            |origins: &mut Vec<Option<usize>>, from: &Columns, to: &Columns, source: &dyn Fn(u32) -> u32| {
                let held: Vec<_> =
                    (0..to.width).map(|at| origins[(from.start + source(at)) as usize]).collect();
                origins[to.start as usize..][..held.len()].copy_from_slice(&held);
            };
        match &instruction.step {
            Step::Copy { from, to } if to.kind == Kind::Integer => pass(&mut origins, from, to, &|at| at),
            Step::Select { from, indices, to } if to.kind == Kind::Integer => {
                pass(&mut origins, from, to, &|at| indices[at as usize]);
            }
            Step::Cast { from, to } if (from.kind, to.kind) == (Kind::Integer, Kind::Float) => {
                for column in from.start..from.start + from.width {
                    if let Some(origin) = origins[column as usize] {
                        rounded[origin] = true;
                    }
                }
            }
            step => {
                for written in step.accesses().1.iter().filter(|written| written.kind == Kind::Integer) {
                    origins[written.start as usize..][..written.width as usize].fill(None);
                }
            }
        }
    }
    rounded
}

/// The names of the fields whose numbers become 32-bit floats.
pub(crate) fn names(program: &Program, fields: &[Field]) -> Vec<String> {
    let rounded = fields.iter().zip(rounded(program)).filter(|(_, is_rounded)| *is_rounded);
    rounded.map(|(field, _)| field.name.clone()).collect()
}

/// A note on the fields that are rounded, if there are any.
pub(crate) fn note(names: &[String]) -> Option<String> {
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown = names[..names.len().min(SHOWN)].join(", ");
    (!names.is_empty()).then(|| {
        format!(
            "read as 32-bit floats: {shown}{more}; whole numbers beyond 16,777,216, such as timestamps, are rounded"
        )
    })
}

#[cfg(test)]
mod tests {
    use tabular_program::{Input, Instruction, Output};

    use super::*;

    #[test]
    fn integers_are_followed_to_a_conversion() {
        let columns = |kind, start, width| Columns { kind, start, width };
        let inputs = [columns(Kind::Integer, 0, 3), columns(Kind::Double, 0, 1), columns(Kind::Float, 0, 1)];
        let steps = [
            Step::Select { from: inputs[0], indices: vec![2, 0], to: columns(Kind::Integer, 3, 2) },
            Step::Cast { from: columns(Kind::Integer, 3, 1), to: columns(Kind::Float, 1, 1) },
            Step::Cast { from: columns(Kind::Integer, 4, 1), to: columns(Kind::Double, 1, 1) },
        ];
        let program = Program {
            inputs: inputs.map(|columns| Input { name: "x".to_owned(), columns }).to_vec(),
            outputs: vec![Output { name: "y".to_owned(), columns: columns(Kind::Float, 1, 1) }],
            planes: [0, 5, 2, 2, 0],
            steps: steps.map(|step| Instruction { origin: String::new(), step }).to_vec(),
            ensembles: Vec::new(),
        };
        // Only the third integer becomes a 32-bit float. A 64-bit float is read as such.
        assert_eq!(rounded(&program), [false, false, true, false, true]);
    }

    #[test]
    fn a_note_names_the_first_fields() {
        assert_eq!(note(&[]), None);
        let names: Vec<String> = (0..10).map(|number| format!("f{number}")).collect();
        insta::assert_snapshot!(note(&names).unwrap(), @"read as 32-bit floats: f0, f1, f2, f3, f4, f5, f6, f7 and 2 more; whole numbers beyond 16,777,216, such as timestamps, are rounded");
    }
}

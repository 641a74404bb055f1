//! Which fields may be missing: those whose missing value the model handles.
//!
//! A missing value is followed from each input column through the steps that keep values apart. It is handled where a tree
//! ensemble sends it to a side of its own, where an imputer replaces it, or where an encoder has a category for it. Any
//! other use of it is not: the field is then required, since the answer would be NaN or, worse, a plausible label. A column
//! without any use is never required.

use tabular_program::{
    Columns, Ensemble, Kind, MISSING_TEXT, Operand, Program, Step, Test, UnaryFunction, Values,
};

/// For each input column, whether the model handles a missing value.
pub(crate) fn handled(program: &Program) -> Vec<bool> {
    let columns: usize = program.inputs.iter().map(|input| input.columns.width as usize).sum();
    let mut origins = Origins {
        planes: program.planes.map(|width| vec![None; width as usize]),
        handled: vec![true; columns],
    };
    let mut next = 0;
    for input in &program.inputs {
        for column in 0..input.columns.width {
            origins.set(input.columns, column, Some(next));
            next += 1;
        }
    }
    for instruction in &program.steps {
        origins.follow(&instruction.step, &program.ensembles);
    }
    for output in &program.outputs {
        origins.refuse(output.columns);
    }
    origins.handled
}

/// The input column whose missing value each column holds.
struct Origins {
    planes: [Vec<Option<u32>>; 5],
    /// Whether every use so far of an input column handles a missing value.
    handled: Vec<bool>,
}

impl Origins {
    fn get(&self, columns: Columns, column: u32) -> Option<u32> {
        self.planes[columns.kind.index()][(columns.start + column) as usize]
    }

    fn set(&mut self, columns: Columns, column: u32, origin: Option<u32>) {
        self.planes[columns.kind.index()][(columns.start + column) as usize] = origin;
    }

    /// The columns are used in a way that does not handle a missing value.
    fn refuse(&mut self, columns: Columns) {
        for column in 0..columns.width {
            self.refuse_column(columns, column);
        }
    }

    fn refuse_column(&mut self, columns: Columns, column: u32) {
        if let Some(origin) = self.get(columns, column) {
            self.handled[origin as usize] = false;
        }
    }

    /// The columns hold no missing value of an input.
    fn clear(&mut self, columns: Columns) {
        for column in 0..columns.width {
            self.set(columns, column, None);
        }
    }

    /// Each column of `to` holds the missing value of a column of `from`.
    fn pass(&mut self, from: Columns, to: Columns, source: impl Fn(u32) -> u32) {
        let origins: Vec<_> = (0..to.width).map(|column| self.get(from, source(column))).collect();
        for (column, origin) in (0..).zip(origins) {
            self.set(to, column, origin);
        }
    }

    fn follow(&mut self, step: &Step, ensembles: &[Ensemble]) {
        let is_float = |columns: &Columns| matches!(columns.kind, Kind::Float | Kind::Double);
        match step {
            Step::Copy { from, to } => return self.pass(*from, *to, |column| column),
            Step::Cast { from, to } if is_float(from) && is_float(to) => {
                return self.pass(*from, *to, |column| column);
            }
            Step::Select { from, indices, to } => {
                return self.pass(*from, *to, |column| indices[column as usize]);
            }
            Step::Unary { function: UnaryFunction::IsNan, to, .. } => return self.clear(*to),
            Step::Unary { from, to, .. } if is_float(from) && is_float(to) => {
                return self.pass(*from, *to, |column| column);
            }
            Step::Binary {
                left: Operand::Columns { columns }, right: Operand::Constants { .. }, to, ..
            }
            | Step::Binary {
                left: Operand::Constants { .. }, right: Operand::Columns { columns }, to, ..
            } if is_float(to) => {
                let width = columns.width;
                return self.pass(*columns, *to, |column| column.min(width - 1));
            }
            Step::Impute { from, missing, to, .. } => {
                let replaces = |column: u32| match missing {
                    Values::Floats { values } => {
                        values.get(column as usize).or(values.first()).is_some_and(|v| v.is_nan())
                    }
                    Values::Doubles { values } => {
                        values.get(column as usize).or(values.first()).is_some_and(|v| v.is_nan())
                    }
                    _ => false,
                };
                self.pass(*from, *to, |column| column);
                for column in (0..to.width).filter(|column| replaces(*column)) {
                    self.set(*to, column, None);
                }
                return;
            }
            Step::Encode { from, keys, to, .. } => {
                let has_missing = match keys {
                    Values::Floats { values } => values.iter().any(|key| key.is_nan()),
                    Values::Doubles { values } => values.iter().any(|key| key.is_nan()),
                    Values::Texts { values } => values.iter().any(|key| key == MISSING_TEXT),
                    _ => false,
                };
                if !has_missing {
                    self.refuse(*from);
                }
                return self.clear(*to);
            }
            Step::Trees { from, ensemble, to } => {
                let ensemble = &ensembles[*ensemble as usize];
                if !tells_missing(ensemble) {
                    for test in &ensemble.tests {
                        self.refuse_column(*from, test.feature());
                    }
                }
                return self.clear(*to);
            }
            _ => {}
        }
        let (reads, writes) = step.accesses();
        for columns in reads {
            self.refuse(columns);
        }
        for columns in writes {
            self.clear(columns);
        }
    }
}

/// Whether a missing value goes somewhere else than any number would: an ensemble that was trained without missing
/// values sends them where its comparisons are false.
fn tells_missing(ensemble: &Ensemble) -> bool {
    ensemble.tests.iter().any(|test| match test {
        Test::Order { thresholds, missing, .. } => usize::from(*missing) != thresholds.len() + 1,
        Test::Membership { .. } => false,
    })
}

#[cfg(test)]
mod tests {
    use tabular_program::{BinaryFunction, Input, Instruction, Output};

    use super::*;

    /// A program of three float inputs, a step from them to three more columns, and an output of those.
    fn handled_by(step: impl Fn(Columns, Columns) -> Step, answered: Columns) -> Vec<bool> {
        let from = Columns { kind: Kind::Float, start: 0, width: 3 };
        let to = Columns { start: 3, ..from };
        handled(&Program {
            inputs: vec![Input { name: "x".to_owned(), columns: from }],
            outputs: vec![Output { name: "y".to_owned(), columns: answered }],
            planes: [0, 0, 6, 0, 0],
            steps: vec![Instruction { origin: String::new(), step: step(from, to) }],
            ensembles: Vec::new(),
        })
    }

    #[test]
    fn a_missing_value_that_reaches_the_answer_is_not_handled() {
        let one = Columns { kind: Kind::Float, start: 4, width: 1 };
        let scale = |from, to| Step::Binary {
            function: BinaryFunction::Multiply,
            left: Operand::Columns { columns: from },
            right: Operand::Constants { values: Values::Floats { values: vec![2.0] } },
            to,
        };
        assert_eq!(handled_by(scale, one), [true, false, true]);
        let sum = |from, to: Columns| Step::Linear {
            from,
            weights: Values::Floats { values: vec![1.0; 3] },
            bias: Values::Floats { values: vec![] },
            groups: 1,
            to: Columns { width: 1, ..to },
        };
        assert_eq!(handled_by(sum, Columns { start: 3, ..one }), [false; 3]);
    }

    #[test]
    fn a_missing_value_that_is_replaced_is_handled() {
        let all = Columns { kind: Kind::Float, start: 3, width: 3 };
        let impute = |missing: f32| {
            move |from, to| Step::Impute {
                from,
                missing: Values::Floats { values: vec![missing] },
                replacements: Values::Floats { values: vec![0.0; 3] },
                to,
            }
        };
        assert_eq!(handled_by(impute(f32::NAN), all), [true; 3]);
        assert_eq!(handled_by(impute(-1.0), all), [false; 3]);
    }
}

//! Checks that the engine can run a program: its columns are written before they are read, and each step fits them.

use crate::codec::ProgramError;
use crate::columns::{Columns, Kind};
use crate::step::Step;
use crate::{Ensemble, Program, step_validation, tree_validation};

/// The largest number of columns of one plane of a program.
pub const MAX_PLANE_COLUMNS: u32 = 1 << 20;

/// See [`Program::check`].
pub(crate) fn check(program: &Program) -> Result<(), ProgramError> {
    for (kind, width) in Kind::ALL.iter().zip(program.planes) {
        if width > MAX_PLANE_COLUMNS {
            return Err(ProgramError::new(format!(
                "the model has {width} columns of kind {kind:?}, more than {MAX_PLANE_COLUMNS}"
            )));
        }
    }
    for (index, ensemble) in program.ensembles.iter().enumerate() {
        tree_validation::check(ensemble)
            .map_err(|fault| ProgramError::new(format!("tree ensemble {index} is invalid: {fault}")))?;
    }
    let mut used = vec![false; program.ensembles.len()];
    for instruction in &program.steps {
        if let Step::Trees { ensemble, .. } = instruction.step {
            match used.get_mut(ensemble as usize) {
                Some(used) if !*used => *used = true,
                _ => {
                    return Err(named(
                        &instruction.origin,
                        &format!("there is no unused tree ensemble {ensemble}"),
                    ));
                }
            }
        }
    }
    let mut columns = Written::new(program.planes);
    for input in &program.inputs {
        columns.write(input.columns).map_err(|fault| named(&input.name, &fault))?;
    }
    for instruction in &program.steps {
        check_step(&instruction.step, &program.ensembles, &mut columns)
            .map_err(|fault| named(&instruction.origin, &fault))?;
    }
    for output in &program.outputs {
        columns.read(output.columns).map_err(|fault| named(&output.name, &fault))?;
    }
    Ok(())
}

fn named(name: &str, fault: &str) -> ProgramError {
    ProgramError::new(format!("at {name}: {fault}"))
}

/// Which columns have been written.
struct Written([Vec<bool>; 5]);

impl Written {
    fn new(planes: [u32; 5]) -> Self {
        Self(planes.map(|width| vec![false; width as usize]))
    }

    fn range(&mut self, columns: Columns) -> Result<&mut [bool], String> {
        let plane = &mut self.0[columns.kind.index()];
        if columns.end() > plane.len() as u64 {
            return Err(format!("{columns:?} is outside the plane of {} columns", plane.len()));
        }
        Ok(&mut plane[columns.start as usize..columns.end() as usize])
    }

    fn read(&mut self, columns: Columns) -> Result<(), String> {
        let all = self.range(columns)?.iter().all(|written| *written);
        if all { Ok(()) } else { Err(format!("{columns:?} is read before it is written")) }
    }

    fn write(&mut self, columns: Columns) -> Result<(), String> {
        self.range(columns)?.fill(true);
        Ok(())
    }
}

fn check_step(step: &Step, ensembles: &[Ensemble], written: &mut Written) -> Result<(), String> {
    let (reads, writes) = step.accesses();
    for read in &reads {
        written.read(*read)?;
        if writes.iter().any(|write| write.overlaps(*read)) {
            return Err(format!("{read:?} is read and written"));
        }
    }
    for (index, first) in writes.iter().enumerate() {
        let is_again = writes[index + 1..].iter().any(|second| first.overlaps(*second));
        if is_again {
            return Err(format!("{first:?} is written twice"));
        }
    }
    step_validation::check(step, ensembles)?;
    writes.into_iter().try_for_each(|write| written.write(write))
}

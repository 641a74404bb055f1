//! Builds a form step by step.
//!
//! While a program is built each value has columns of its own. [`Program::finish`] leaves out steps whose results nobody
//! reads, and gives columns whose values are not needed any more to later values, so that a block stays in cache.

use tabular_form::{Columns, Ensemble, Form, FormError, Input, Instruction, Kind, Output, Step, Values};

/// The most columns that a program may ask for in each plane.
const MOST_COLUMNS: u32 = 1 << 24;

/// A form in the making.
#[derive(Clone, Debug, Default)]
pub struct Program {
    form: Form,
    /// The first column of each value, by plane, ascending.
    starts: [Vec<u32>; 5],
}

impl Program {
    /// An empty program.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Columns of their own for a value.
    ///
    /// # Errors
    /// If the program has too many columns.
    pub fn columns(&mut self, kind: Kind, width: usize) -> Result<Columns, ProgramError> {
        let plane = kind.index();
        let start = self.form.planes[plane];
        let end = u32::try_from(width).ok().and_then(|width| start.checked_add(width));
        match end {
            Some(end) if end <= MOST_COLUMNS => {
                self.form.planes[plane] = end;
                // A value without columns has no place of its own.
                if width > 0 {
                    self.starts[plane].push(start);
                }
                Ok(Columns { kind, start, width: width as u32 })
            }
            _ => Err(ProgramError::TooManyColumns { kind, width }),
        }
    }

    /// Adds an input.
    ///
    /// # Errors
    /// If the program has too many columns.
    pub fn input(&mut self, name: &str, kind: Kind, width: usize) -> Result<Columns, ProgramError> {
        let columns = self.columns(kind, width)?;
        self.form.inputs.push(Input { name: name.to_owned(), columns });
        Ok(columns)
    }

    /// Adds an output.
    pub fn output(&mut self, name: &str, columns: Columns) {
        self.form.outputs.push(Output { name: name.to_owned(), columns });
    }

    /// Adds a step. `origin` names the operator and its node.
    pub fn step(&mut self, origin: &str, step: Step) {
        self.form.steps.push(Instruction { origin: origin.to_owned(), step });
    }

    /// Adds a tree ensemble and returns its index.
    pub fn ensemble(&mut self, ensemble: Ensemble) -> u32 {
        self.form.ensembles.push(ensemble);
        self.form.ensembles.len() as u32 - 1
    }

    /// Columns that hold constants.
    ///
    /// # Errors
    /// If the program has too many columns.
    pub fn constants(&mut self, origin: &str, values: Values) -> Result<Columns, ProgramError> {
        let to = self.columns(values.kind(), values.len())?;
        self.step(origin, Step::Fill { values, to });
        Ok(to)
    }

    /// The form.
    ///
    /// # Errors
    /// If the form does not pass its check.
    pub fn finish(mut self) -> Result<Form, ProgramError> {
        self.drop_unread_steps();
        self.drop_unread_ensembles();
        self.share_columns();
        self.form.check().map_err(ProgramError::Form)?;
        Ok(self.form)
    }

    /// The value that columns are a part of.
    fn value(&self, columns: Columns) -> usize {
        self.starts[columns.kind.index()].partition_point(|start| *start <= columns.start) - 1
    }

    fn drop_unread_steps(&mut self) {
        let mut read = self.starts.each_ref().map(|starts| vec![false; starts.len()]);
        for columns in
            self.form.outputs.iter().map(|output| output.columns).filter(|columns| columns.width > 0)
        {
            read[columns.kind.index()][self.value(columns)] = true;
        }
        let mut kept = vec![false; self.form.steps.len()];
        for (index, instruction) in self.form.steps.iter().enumerate().rev() {
            let (reads, writes) = instruction.step.accesses();
            let is_read =
                |columns: &Columns| columns.width > 0 && read[columns.kind.index()][self.value(*columns)];
            if writes.iter().any(is_read) {
                kept[index] = true;
                for columns in reads.into_iter().filter(|columns| columns.width > 0) {
                    read[columns.kind.index()][self.value(columns)] = true;
                }
            }
        }
        let mut kept = kept.into_iter();
        self.form.steps.retain(|_| kept.next().unwrap_or(true));
    }

    fn drop_unread_ensembles(&mut self) {
        let mut ensembles: Vec<Option<Ensemble>> =
            std::mem::take(&mut self.form.ensembles).into_iter().map(Some).collect();
        for instruction in &mut self.form.steps {
            if let Step::Trees { ensemble, .. } = &mut instruction.step {
                let taken = ensembles.get_mut(*ensemble as usize).and_then(Option::take);
                *ensemble = self.form.ensembles.len() as u32;
                self.form.ensembles.extend(taken);
            }
        }
    }

    /// Moves values into columns that are free.
    fn share_columns(&mut self) {
        // The step after which a value is not needed; the inputs come before the first step.
        let mut ends = self.starts.each_ref().map(|starts| vec![0_usize; starts.len()]);
        let mut extend = |program: &Self, columns: Columns, end: usize| {
            if columns.width > 0 {
                let slot = &mut ends[columns.kind.index()][program.value(columns)];
                *slot = (*slot).max(end);
            }
        };
        for (index, instruction) in self.form.steps.iter().enumerate() {
            let (reads, writes) = instruction.step.accesses();
            for columns in reads.into_iter().chain(writes) {
                extend(self, columns, index + 1);
            }
        }
        for output in &self.form.outputs {
            extend(self, output.columns, usize::MAX);
        }
        let mut moved = Moved::new(self, ends);
        for index in 0..self.form.inputs.len() {
            moved.place(self, self.form.inputs[index].columns);
        }
        for index in 0..self.form.steps.len() {
            moved.free_before(index);
            let (_, writes) = self.form.steps[index].step.accesses();
            for columns in writes {
                moved.place(self, columns);
            }
        }
        let starts = std::mem::take(&mut self.starts);
        let move_columns = |columns: &mut Columns| {
            let plane = columns.kind.index();
            if columns.width == 0 {
                columns.start = 0;
                return;
            }
            let value = starts[plane].partition_point(|start| *start <= columns.start) - 1;
            columns.start =
                columns.start - starts[plane][value] + moved.planes[plane].places[value].unwrap_or(0);
        };
        self.form.inputs.iter_mut().for_each(|input| move_columns(&mut input.columns));
        self.form.outputs.iter_mut().for_each(|output| move_columns(&mut output.columns));
        for instruction in &mut self.form.steps {
            instruction.step.columns_mut().into_iter().for_each(move_columns);
        }
        self.form.planes = moved.planes.map(|plane| plane.width);
    }
}

/// Where values are moved to.
struct Moved {
    planes: [MovedPlane; 5],
}

#[derive(Default)]
struct MovedPlane {
    /// The new first column of each value that was placed.
    places: Vec<Option<u32>>,
    widths: Vec<u32>,
    ends: Vec<usize>,
    /// Values in place, by the step after which they are not needed.
    live: Vec<usize>,
    /// Free columns, as first column and width, ascending and not adjacent.
    free: Vec<(u32, u32)>,
    width: u32,
}

impl Moved {
    fn new(program: &Program, ends: [Vec<usize>; 5]) -> Self {
        let mut planes: [MovedPlane; 5] = Default::default();
        for (plane, (moved, ends)) in planes.iter_mut().zip(ends).enumerate() {
            let starts = &program.starts[plane];
            let bounds = starts.iter().skip(1).chain([&program.form.planes[plane]]);
            moved.widths = starts.iter().zip(bounds).map(|(start, end)| end - start).collect();
            moved.places = vec![None; starts.len()];
            moved.ends = ends;
        }
        Self { planes }
    }

    /// Gives a value its place, unless it has one.
    fn place(&mut self, program: &Program, columns: Columns) {
        if columns.width == 0 {
            return;
        }
        let value = program.value(columns);
        let plane = &mut self.planes[columns.kind.index()];
        if plane.places[value].is_some() {
            return;
        }
        let width = plane.widths[value];
        let start = match plane.free.iter().position(|(_, free)| *free >= width) {
            Some(index) => {
                let (start, free) = plane.free[index];
                if free == width {
                    plane.free.remove(index);
                } else {
                    plane.free[index] = (start + width, free - width);
                }
                start
            }
            None => {
                plane.width += width;
                plane.width - width
            }
        };
        plane.places[value] = Some(start);
        plane.live.push(value);
    }

    /// Frees the values that no step from `step` on needs.
    fn free_before(&mut self, step: usize) {
        for plane in &mut self.planes {
            let mut index = 0;
            while index < plane.live.len() {
                let value = plane.live[index];
                if plane.ends[value] <= step {
                    plane.live.swap_remove(index);
                    plane.free.push((plane.places[value].unwrap_or(0), plane.widths[value]));
                } else {
                    index += 1;
                }
            }
            plane.free.sort_unstable();
            plane.free.dedup_by(|next, previous| {
                let adjacent = previous.0 + previous.1 == next.0;
                if adjacent {
                    previous.1 += next.1;
                }
                adjacent
            });
        }
    }
}

/// Why a program is no form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramError {
    /// The values have too many columns.
    TooManyColumns {
        /// The kind of the value that was one too many.
        kind: Kind,
        /// The columns of that value.
        width: usize,
    },
    /// The form does not pass its check.
    Form(FormError),
}

impl std::fmt::Display for ProgramError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooManyColumns { kind, width } => {
                write!(
                    formatter,
                    "a value of {width} {kind:?} columns is one too many: limit {MOST_COLUMNS} in all"
                )
            }
            Self::Form(fault) => write!(formatter, "{fault}"),
        }
    }
}

impl std::error::Error for ProgramError {}

#[cfg(test)]
mod tests;

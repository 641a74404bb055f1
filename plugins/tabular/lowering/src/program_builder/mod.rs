//! Builds a program step by step.
//!
//! While a program is built each value has columns of its own. [`ProgramBuilder::finish`] leaves out steps whose results nobody
//! reads, and gives columns whose values are not needed any more to later values, so that a block stays in cache.

use tabular_program::{
    Columns, Ensemble, Input, Instruction, Kind, Output, Program, ProgramError, Step, UnaryFunction, Values,
};

/// The largest number of columns of one plane before values share columns.
const MAX_UNSHARED_COLUMNS: u32 = 1 << 24;

/// A program in the making.
#[derive(Clone, Debug, Default)]
pub struct ProgramBuilder {
    program: Program,
    /// The first column of each value, by plane, ascending.
    starts: [Vec<u32>; 5],
}

impl ProgramBuilder {
    /// An empty program.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Columns of their own for a value.
    ///
    /// # Errors
    /// If the program has too many columns.
    pub fn columns(&mut self, kind: Kind, width: usize) -> Result<Columns, BuildError> {
        let plane = kind.index();
        let start = self.program.planes[plane];
        let end = u32::try_from(width).ok().and_then(|width| start.checked_add(width));
        match end {
            Some(end) if end <= MAX_UNSHARED_COLUMNS => {
                self.program.planes[plane] = end;
                // A value without columns has no place of its own.
                if width > 0 {
                    self.starts[plane].push(start);
                }
                Ok(Columns { kind, start, width: width as u32 })
            }
            _ => Err(BuildError::TooManyColumns { kind, width }),
        }
    }

    /// Adds an input.
    ///
    /// # Errors
    /// If the program has too many columns.
    pub fn input(&mut self, name: &str, kind: Kind, width: usize) -> Result<Columns, BuildError> {
        let columns = self.columns(kind, width)?;
        self.program.inputs.push(Input { name: name.to_owned(), columns });
        Ok(columns)
    }

    /// Adds an output.
    pub fn output(&mut self, name: &str, columns: Columns) {
        self.program.outputs.push(Output { name: name.to_owned(), columns });
    }

    /// Adds a step. `origin` names the operator and its node.
    pub fn step(&mut self, origin: &str, step: Step) {
        self.program.steps.push(Instruction { origin: origin.to_owned(), step });
    }

    /// Adds a function of each element, whose result has the kind of the argument. `origin` as in [`ProgramBuilder::step`].
    ///
    /// # Errors
    /// If the program has too many columns.
    pub fn unary(
        &mut self,
        origin: &str,
        function: UnaryFunction,
        from: Columns,
    ) -> Result<Columns, BuildError> {
        let to = self.columns(from.kind, from.width as usize)?;
        self.step(origin, Step::Unary { function, from, to });
        Ok(to)
    }

    /// Adds a tree ensemble and returns its index.
    pub fn ensemble(&mut self, ensemble: Ensemble) -> u32 {
        self.program.ensembles.push(ensemble);
        self.program.ensembles.len() as u32 - 1
    }

    /// Columns that hold constants.
    ///
    /// # Errors
    /// If the program has too many columns.
    pub fn constants(&mut self, origin: &str, values: Values) -> Result<Columns, BuildError> {
        let to = self.columns(values.kind(), values.len())?;
        self.step(origin, Step::Fill { values, to });
        Ok(to)
    }

    /// The program.
    ///
    /// # Errors
    /// If the program does not pass its check.
    pub fn finish(mut self) -> Result<Program, BuildError> {
        self.drop_unread_steps();
        self.drop_unread_ensembles();
        self.share_columns();
        self.program.check().map_err(BuildError::Invalid)?;
        Ok(self.program)
    }

    /// The value that columns are a part of.
    fn value(&self, columns: Columns) -> usize {
        self.starts[columns.kind.index()].partition_point(|start| *start <= columns.start) - 1
    }

    fn drop_unread_steps(&mut self) {
        let mut read = self.starts.each_ref().map(|starts| vec![false; starts.len()]);
        for columns in
            self.program.outputs.iter().map(|output| output.columns).filter(|columns| columns.width > 0)
        {
            read[columns.kind.index()][self.value(columns)] = true;
        }
        let mut kept = vec![false; self.program.steps.len()];
        for (index, instruction) in self.program.steps.iter().enumerate().rev() {
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
        self.program.steps.retain(|_| kept.next().unwrap_or(true));
    }

    fn drop_unread_ensembles(&mut self) {
        let mut ensembles: Vec<Option<Ensemble>> =
            std::mem::take(&mut self.program.ensembles).into_iter().map(Some).collect();
        for instruction in &mut self.program.steps {
            if let Step::Trees { ensemble, .. } = &mut instruction.step {
                let taken = ensembles.get_mut(*ensemble as usize).and_then(Option::take);
                *ensemble = self.program.ensembles.len() as u32;
                self.program.ensembles.extend(taken);
            }
        }
    }

    /// Moves values into columns that are free.
    fn share_columns(&mut self) {
        // The step after which a value is not needed; the inputs come before the first step.
        let mut ends = self.starts.each_ref().map(|starts| vec![0_usize; starts.len()]);
        let mut extend = |builder: &Self, columns: Columns, end: usize| {
            if columns.width > 0 {
                let slot = &mut ends[columns.kind.index()][builder.value(columns)];
                *slot = (*slot).max(end);
            }
        };
        for (index, instruction) in self.program.steps.iter().enumerate() {
            let (reads, writes) = instruction.step.accesses();
            for columns in reads.into_iter().chain(writes) {
                extend(self, columns, index + 1);
            }
        }
        for output in &self.program.outputs {
            extend(self, output.columns, usize::MAX);
        }
        let mut moved = Moved::new(self, ends);
        for index in 0..self.program.inputs.len() {
            moved.place(self, self.program.inputs[index].columns);
        }
        for index in 0..self.program.steps.len() {
            moved.free_before(index);
            let (_, writes) = self.program.steps[index].step.accesses();
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
        self.program.inputs.iter_mut().for_each(|input| move_columns(&mut input.columns));
        self.program.outputs.iter_mut().for_each(|output| move_columns(&mut output.columns));
        for instruction in &mut self.program.steps {
            instruction.step.columns_mut().into_iter().for_each(move_columns);
        }
        self.program.planes = moved.planes.map(|plane| plane.width);
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
    fn new(builder: &ProgramBuilder, ends: [Vec<usize>; 5]) -> Self {
        let mut planes: [MovedPlane; 5] = Default::default();
        for (plane, (moved, ends)) in planes.iter_mut().zip(ends).enumerate() {
            let starts = &builder.starts[plane];
            let bounds = starts.iter().skip(1).chain([&builder.program.planes[plane]]);
            moved.widths = starts.iter().zip(bounds).map(|(start, end)| end - start).collect();
            moved.places = vec![None; starts.len()];
            moved.ends = ends;
        }
        Self { planes }
    }

    /// Gives a value its place, unless it has one.
    fn place(&mut self, builder: &ProgramBuilder, columns: Columns) {
        if columns.width == 0 {
            return;
        }
        let value = builder.value(columns);
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

/// Why a program is no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// The values have too many columns.
    TooManyColumns {
        /// The kind of the value that was one too many.
        kind: Kind,
        /// The columns of that value.
        width: usize,
    },
    /// The program does not pass its check.
    Invalid(ProgramError),
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooManyColumns { kind, width } => {
                write!(
                    formatter,
                    "a value of {width} {kind:?} columns is one too many: limit {MAX_UNSHARED_COLUMNS} in all"
                )
            }
            Self::Invalid(fault) => write!(formatter, "{fault}"),
        }
    }
}

impl std::error::Error for BuildError {}

#[cfg(test)]
mod tests;

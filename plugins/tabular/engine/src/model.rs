//! A model that is ready to answer.

use tabular_program::{Columns, Input, Kind, MISSING_TEXT, Output, Program, ProgramError};

use crate::graph_engine::{GraphEngine, NoGraphs};
use crate::operations::{self, Block, Failures, Operation, Scratch};
use crate::planes::{Cell, Planes};
use crate::source_columns::{Source, SourceColumn, SourceError};
use crate::text::{ConstantTexts, TextRef, Texts};

/// The most rows of a block.
const MAX_ROWS: usize = 128;
/// The bytes of all planes together that a block should not exceed.
const BLOCK_BYTES: usize = 256 * 1024;
/// The fewest rows that a block is cut down to.
const FEWEST_ROWS: usize = 8;
/// Blocks have a multiple of that many rows, if they have more.
const TILE_ROWS: usize = 16;

/// A model that is ready to answer.
pub struct Model {
    inputs: Vec<Input>,
    outputs: Vec<Output>,
    planes: [u32; 5],
    operations: Vec<(String, Box<dyn Operation>)>,
    constants: ConstantTexts,
    block: usize,
}

/// Memory that calls reuse.
#[derive(Default)]
pub struct Buffers {
    planes: Planes,
    scratch: Scratch,
}

/// The answers to the rows of a call.
pub struct Answers<'a> {
    /// The values of each output.
    pub outputs: Vec<OutputColumns>,
    /// The rows that have no answer, ascending.
    pub failures: Vec<Failure>,
    /// The text that text outputs refer to.
    pub texts: Texts<'a>,
}

/// Why a row has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Index of the row.
    pub row: u32,
    /// The operator, its node, and what it cannot do.
    pub message: String,
}

/// The values of an output: one column after the other. Rows without an answer hold placeholders.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputColumns {
    /// 1 for true and 0 for false.
    Booleans(Vec<u8>),
    /// Signed 64-bit integers.
    Integers(Vec<i64>),
    /// 32-bit floats.
    Floats(Vec<f32>),
    /// 64-bit floats.
    Doubles(Vec<f64>),
    /// Text.
    Texts(Vec<TextRef>),
}

impl Model {
    /// Prepares a model without subgraphs.
    ///
    /// # Errors
    /// If the program does not pass its check, or has a subgraph.
    pub fn new(program: Program) -> Result<Self, ProgramError> {
        Self::with_graphs(program, &NoGraphs)
    }

    /// Prepares a model whose subgraphs are run by a graph runtime.
    ///
    /// # Errors
    /// If the program does not pass its check, or a subgraph cannot be prepared. The message names the operators.
    pub fn with_graphs(mut program: Program, graphs: &dyn GraphEngine) -> Result<Self, ProgramError> {
        program.check()?;
        let bytes: usize = program
            .planes
            .iter()
            .zip([
                size_of::<u8>(),
                size_of::<i64>(),
                size_of::<f32>(),
                size_of::<f64>(),
                size_of::<TextRef>(),
            ])
            .map(|(width, size)| *width as usize * size)
            .sum();
        let block = (BLOCK_BYTES / bytes.max(1)).clamp(FEWEST_ROWS, MAX_ROWS);
        // Steps compute rows by sixteens.
        let block = if block > TILE_ROWS { block / TILE_ROWS * TILE_ROWS } else { block };
        let mut constants = ConstantTexts::default();
        let mut operations = Vec::with_capacity(program.steps.len());
        for instruction in program.steps {
            let operation =
                operations::prepare(instruction.step, &mut program.ensembles, &mut constants, graphs)?;
            operations.push((instruction.origin, operation));
        }
        Ok(Self {
            inputs: program.inputs,
            outputs: program.outputs,
            planes: program.planes,
            operations,
            constants,
            block,
        })
    }

    /// What the model reads, in order.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// What the model answers, in order.
    #[must_use]
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Answers `rows` rows. There is one source for each column of each input, in order.
    ///
    /// # Errors
    /// If the sources do not fit the inputs.
    pub fn run<'a>(
        &'a self,
        rows: usize,
        sources: &[SourceColumn<'a>],
        buffers: &mut Buffers,
    ) -> Result<Answers<'a>, SourceError> {
        let targets = self.targets(rows, sources)?;
        let mut texts = Texts::new(self.constants.as_str());
        let pools: Vec<u32> = sources
            .iter()
            .map(|source| match source.values {
                Source::Texts { bytes, .. } => texts.add_source(bytes),
                _ => 0,
            })
            .collect();
        let pool = texts.add_source(MISSING_TEXT.as_bytes());
        let missing = Texts::source_cell(pool, 0, MISSING_TEXT.len() as u32);
        let mut outputs: Vec<OutputColumns> =
            self.outputs.iter().map(|output| OutputColumns::new(output.columns, rows)).collect();
        let mut failures = Vec::new();
        for first in (0..rows).step_by(self.block) {
            let count = self.block.min(rows - first);
            buffers.planes.resize(self.planes, count);
            for ((source, column), pool) in sources.iter().zip(&targets).zip(&pools) {
                source.load(first, *pool, missing, *column, &mut buffers.planes);
            }
            let mut block = Block {
                planes: &mut buffers.planes,
                texts: &mut texts,
                scratch: &mut buffers.scratch,
                failures: Failures::default(),
            };
            for (origin, operation) in &self.operations {
                block.failures.origin = origin;
                operation.run(&mut block);
            }
            for (row, message) in block.failures.into_sorted() {
                failures.push(Failure { row: (first + row) as u32, message });
            }
            for (output, values) in self.outputs.iter().zip(&mut outputs) {
                values.store(output.columns, &buffers.planes, first, rows);
            }
        }
        Ok(Answers { outputs, failures, texts })
    }

    /// The column of each source.
    fn targets(&self, rows: usize, sources: &[SourceColumn<'_>]) -> Result<Vec<Columns>, SourceError> {
        let expected: usize = self.inputs.iter().map(|input| input.columns.width as usize).sum();
        if expected != sources.len() {
            return Err(SourceError::new(format!("{} columns, expected {expected}", sources.len())));
        }
        let columns = self.inputs.iter().flat_map(|input| {
            let Columns { kind, start, width } = input.columns;
            (start..start + width).map(move |start| (input, Columns { kind, start, width: 1 }))
        });
        columns
            .zip(sources)
            .map(|((input, column), source)| {
                source.check(rows, column.kind, &input.name)?;
                Ok(column)
            })
            .collect()
    }
}

impl OutputColumns {
    fn new(columns: Columns, rows: usize) -> Self {
        let length = columns.width as usize * rows;
        match columns.kind {
            Kind::Boolean => Self::Booleans(vec![0; length]),
            Kind::Integer => Self::Integers(vec![0; length]),
            Kind::Float => Self::Floats(vec![0.0; length]),
            Kind::Double => Self::Doubles(vec![0.0; length]),
            Kind::Text => Self::Texts(vec![TextRef::default(); length]),
        }
    }

    /// Copies a block.
    fn store(&mut self, columns: Columns, planes: &Planes, first: usize, rows: usize) {
        fn copy<T: Cell>(values: &mut [T], columns: Columns, planes: &Planes, first: usize, rows: usize) {
            let count = planes.rows;
            let blocks = planes.read::<T>(columns).chunks_exact(count);
            for (values, block) in values.chunks_exact_mut(rows).zip(blocks) {
                values[first..first + count].copy_from_slice(block);
            }
        }
        match self {
            Self::Booleans(values) => copy(values, columns, planes, first, rows),
            Self::Integers(values) => copy(values, columns, planes, first, rows),
            Self::Floats(values) => copy(values, columns, planes, first, rows),
            Self::Doubles(values) => copy(values, columns, planes, first, rows),
            Self::Texts(values) => copy(values, columns, planes, first, rows),
        }
    }
}

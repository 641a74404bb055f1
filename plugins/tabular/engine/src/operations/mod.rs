//! The steps of a program, prepared to run.

mod arguments;
mod binary;
mod cast;
mod column_copies;
mod comparison;
mod distances;
mod encoding;
mod linear;
mod reduction;
mod score_transforms;
mod softmax;
mod subgraph;
mod support_vectors;
mod terms;
mod tokens;
mod top_k;
mod tree_classifier;
mod trees;
mod unary;

use tabular_program::{Ensemble, ProgramError, Step, Values};

use terms::{Terms, TermsParts};

use crate::forest;
use crate::graph_engine::GraphEngine;
use crate::planes::Planes;
use crate::text::{ConstantTexts, TextRef, Texts};

/// A step that is ready to run on any block.
pub(crate) trait Operation: Send + Sync {
    fn run(&self, block: &mut Block<'_, '_>);
}

/// A block of rows while it is run.
pub(crate) struct Block<'b, 'a> {
    pub(crate) planes: &'b mut Planes,
    pub(crate) texts: &'b mut Texts<'a>,
    pub(crate) scratch: &'b mut Scratch,
    pub(crate) failures: Failures<'b>,
}

/// Buffers of steps, kept for the next block.
#[derive(Default)]
pub(crate) struct Scratch {
    forest: forest::Scratch,
    positions: Vec<u32>,
    keys: Vec<Option<usize>>,
}

/// The rows of a block that failed.
#[derive(Default)]
pub(crate) struct Failures<'b> {
    /// The operator that runs.
    pub(crate) origin: &'b str,
    rows: Vec<(usize, String)>,
}

impl Failures<'_> {
    /// Marks a row as failed. The first reason is kept.
    pub(crate) fn add(&mut self, row: usize, reason: impl FnOnce() -> String) {
        if self.rows.iter().all(|(failed, _)| *failed != row) {
            self.rows.push((row, format!("{}: {}", self.origin, reason())));
        }
    }

    /// The rows and the reasons, ascending.
    pub(crate) fn into_sorted(mut self) -> Vec<(usize, String)> {
        self.rows.sort_by_key(|(row, _)| *row);
        self.rows
    }
}

/// Why a row fails whose text does not fit.
const TOO_MUCH_TEXT: &str = "the rows of one call make more than 4 GiB of text";

/// Prepares a step of a program that was checked.
pub(crate) fn prepare(
    step: Step,
    ensembles: &mut [Ensemble],
    constants: &mut ConstantTexts,
    graphs: &dyn GraphEngine,
) -> Result<Box<dyn Operation>, ProgramError> {
    Ok(match step {
        Step::Copy { from, to } => Box::new(column_copies::Copy { from, to }),
        Step::Fill { values, to } => Box::new(column_copies::Fill::new(values, to, constants)?),
        Step::Select { from, indices, to } => Box::new(column_copies::Select { from, indices, to }),
        Step::Lookup { table, width, index, to } => {
            Box::new(column_copies::Lookup::new(Constants::new(table, constants)?, width, index, to))
        }
        Step::Cast { from, to } => Box::new(cast::Cast { from, to }),
        Step::Unary { function, from, to } => Box::new(unary::Unary { function, from, to }),
        Step::Binary { function, left, right, to } => Box::new(binary::Binary { function, left, right, to }),
        Step::Compare { comparison, left, right, to } => {
            Box::new(comparison::Compare { comparison, left, right, to })
        }
        Step::Choose { condition, then, otherwise, to } => {
            Box::new(comparison::Choose { condition, then, otherwise, to })
        }
        Step::Reduce { function, from, axis, to } => Box::new(reduction::Reduce { function, from, axis, to }),
        Step::Position { largest, last, from, axis, to } => {
            Box::new(reduction::Position { largest, last, from, axis, to })
        }
        Step::Top { largest, count, from, axis, values, positions } => {
            Box::new(top_k::Top { largest, count, from, axis, values, positions })
        }
        Step::Softmax { logarithm, from, axis, to } => {
            Box::new(softmax::Softmax { logarithm, from, axis, to })
        }
        Step::Linear { from, weights, bias, groups, to } => {
            Box::new(linear::Linear { from, weights, bias, groups, to })
        }
        Step::Impute { from, missing, replacements, to } => {
            Box::new(encoding::Impute { from, missing, replacements, to })
        }
        Step::Normalize { norm, from, to } => Box::new(score_transforms::Normalize { norm, from, to }),
        Step::OneHot { from, categories, unknown, to } => {
            Box::new(encoding::OneHot::new(from, categories, unknown, to))
        }
        Step::Encode { from, keys, values, default, to } => {
            Box::new(encoding::Encode::new(from, keys, Constants::with(values, default, constants)?, to))
        }
        Step::Trees { from, ensemble, to } => {
            // No other step refers to the ensemble.
            let ensemble = std::mem::take(&mut ensembles[ensemble as usize]);
            Box::new(trees::Trees::new(from, ensemble, to))
        }
        Step::Classes { sums, scored, base, rule, transform, label, to } => {
            Box::new(tree_classifier::Classes { sums, scored, base, rule, transform, label, to })
        }
        Step::Transform { transform, from, to } => {
            Box::new(score_transforms::Transform { transform, from, to })
        }
        Step::Distances { function, from, vectors, to } => {
            Box::new(distances::Distances::new(function, from, vectors, to))
        }
        Step::Gather { from, axis, index, to } => Box::new(column_copies::Gather { from, axis, index, to }),
        Step::ChangeCase { upper, from, to } => Box::new(tokens::ChangeCase { upper, from, to }),
        Step::Terms { from, tokens, terms, lengths, columns, skips, once, weights, to } => {
            let (tokens, lengths, columns) = (tokens.as_ref(), &lengths, &columns);
            let parts = TermsParts { from, tokens, terms, lengths, columns, skips, once, weights, to };
            Box::new(Terms::new(parts)?)
        }
        Step::Subgraph { file, inputs, outputs } => {
            Box::new(subgraph::Subgraph::new(file, &inputs, &outputs, graphs)?)
        }
        Step::Couple { from, to } => Box::new(support_vectors::Couple { from, to }),
    })
}

/// Constants of a program, with texts as cells.
pub(crate) enum Constants {
    Booleans(Vec<u8>),
    Integers(Vec<i64>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    Texts(Vec<TextRef>),
}

impl Constants {
    fn new(values: Values, texts: &mut ConstantTexts) -> Result<Self, ProgramError> {
        Ok(match values {
            Values::Booleans { values } => Self::Booleans(values),
            Values::Integers { values } => Self::Integers(values),
            Values::Floats { values } => Self::Floats(values),
            Values::Doubles { values } => Self::Doubles(values),
            Values::Texts { values } => {
                Self::Texts(values.iter().map(|text| texts.add(text)).collect::<Result<_, _>>()?)
            }
        })
    }

    /// The values, and one more.
    fn with(values: Values, more: Values, texts: &mut ConstantTexts) -> Result<Self, ProgramError> {
        let mut all = Self::new(values, texts)?;
        match (&mut all, Self::new(more, texts)?) {
            (Self::Booleans(all), Self::Booleans(more)) => all.extend(more),
            (Self::Integers(all), Self::Integers(more)) => all.extend(more),
            (Self::Floats(all), Self::Floats(more)) => all.extend(more),
            (Self::Doubles(all), Self::Doubles(more)) => all.extend(more),
            (Self::Texts(all), Self::Texts(more)) => all.extend(more),
            _ => unreachable!("the program was checked: the default has the kind of the values"),
        }
        Ok(all)
    }
}

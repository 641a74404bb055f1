//! Counts of terms.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use tabular_program::{Columns, ProgramError, TokenRule, Values};

use super::encoding::Fnv;
use super::tokens::Tokenizer;
use super::{Block, Operation};
use crate::text::TextRef;

type Map<K> = HashMap<K, u32, BuildHasherDefault<Fnv>>;

/// See [`tabular_program::Step::Terms`].
pub(super) struct Terms {
    from: Columns,
    tokenizer: Option<Tokenizer>,
    vocabulary: Vocabulary,
    tree: TermTree,
    skips: usize,
    once: bool,
    weights: Vec<f32>,
    to: Columns,
}

/// The number of each token that occurs in a term.
enum Vocabulary {
    Texts(Map<String>),
    Integers(Map<i64>),
}

/// The terms as a tree: a term is a path from the root, whose edges are tokens.
#[derive(Default)]
struct TermTree {
    /// The node that a token leads to. Node 0 is the root.
    edges: Map<(u32, u32)>,
    /// The column of the term that ends at a node.
    columns: Vec<Option<u32>>,
}

/// The parts of the step.
pub(super) struct TermsParts<'s> {
    pub(super) from: Columns,
    pub(super) tokens: Option<&'s TokenRule>,
    pub(super) terms: Values,
    pub(super) lengths: &'s [u32],
    pub(super) columns: &'s [u32],
    pub(super) skips: u32,
    pub(super) once: bool,
    pub(super) weights: Vec<f32>,
    pub(super) to: Columns,
}

impl Terms {
    /// Prepares the step.
    ///
    /// # Errors
    /// If a pattern is invalid.
    pub(super) fn new(parts: TermsParts<'_>) -> Result<Self, ProgramError> {
        let (vocabulary, numbers) = Vocabulary::new(parts.terms);
        let mut tree = TermTree { columns: vec![None], ..TermTree::default() };
        let mut rest = &numbers[..];
        for (length, column) in parts.lengths.iter().zip(parts.columns) {
            let (term, after) = rest.split_at(*length as usize);
            rest = after;
            tree.add(term, *column);
        }
        Ok(Self {
            from: parts.from,
            tokenizer: parts.tokens.map(Tokenizer::new).transpose()?,
            vocabulary,
            tree,
            skips: parts.skips as usize,
            once: parts.once,
            weights: parts.weights,
            to: parts.to,
        })
    }

    /// The numbers of a row's tokens; nothing for tokens that occur in no term.
    fn tokens(&self, row: usize, block: &Block<'_, '_>, tokens: &mut Vec<Option<u32>>) {
        let rows = block.planes.rows;
        tokens.clear();
        match &self.vocabulary {
            Vocabulary::Integers(numbers) => {
                let cells = block.planes.read::<i64>(self.from).iter().skip(row).step_by(rows);
                tokens.extend(cells.map(|token| numbers.get(token).copied()));
            }
            Vocabulary::Texts(numbers) => {
                let cells = block.planes.read::<TextRef>(self.from).iter().skip(row).step_by(rows);
                for text in cells.map(|cell| block.texts.get(*cell)) {
                    match &self.tokenizer {
                        None => tokens.push(numbers.get(text).copied()),
                        Some(tokenizer) => {
                            let found = tokenizer.tokens(text).into_iter();
                            tokens.extend(found.map(|token| numbers.get(token).copied()));
                        }
                    }
                }
            }
        }
    }
}

impl Operation for Terms {
    fn run(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        block.planes.write::<f32>(self.to).fill(0.0);
        let (mut tokens, mut counts) = (Vec::new(), HashMap::<u32, u32>::new());
        for row in 0..rows {
            self.tokens(row, block, &mut tokens);
            counts.clear();
            self.tree.count(&tokens, self.skips, |column| *counts.entry(column).or_default() += 1);
            let results = block.planes.write::<f32>(self.to);
            for (column, count) in &counts {
                let count = if self.once { 1.0 } else { *count as f32 };
                let weight = self.weights.get(*column as usize).copied().unwrap_or(1.0);
                results[*column as usize * rows + row] = count * weight;
            }
        }
    }
}

impl Vocabulary {
    /// The vocabulary, and the number of each token of `terms`.
    fn new(terms: Values) -> (Self, Vec<u32>) {
        fn number<K: std::hash::Hash + Eq>(map: &mut Map<K>, token: K) -> u32 {
            let next = map.len() as u32;
            *map.entry(token).or_insert(next)
        }
        match terms {
            Values::Texts { values } => {
                let mut map = Map::default();
                let numbers = values.into_iter().map(|token| number(&mut map, token)).collect();
                (Self::Texts(map), numbers)
            }
            Values::Integers { values } => {
                let mut map = Map::default();
                let numbers = values.into_iter().map(|token| number(&mut map, token)).collect();
                (Self::Integers(map), numbers)
            }
            _ => unreachable!("the program was checked: terms consist of integers or text"),
        }
    }
}

impl TermTree {
    fn add(&mut self, term: &[u32], column: u32) {
        let mut node = 0;
        for token in term {
            let next = self.columns.len() as u32;
            node = *self.edges.entry((node, *token)).or_insert(next);
            if node == next {
                self.columns.push(None);
            }
        }
        self.columns[node as usize] = Some(column);
    }

    /// Calls a function with the column of each occurrence of a term.
    fn count(&self, tokens: &[Option<u32>], skips: usize, mut found: impl FnMut(u32)) {
        for skipped in 0..=skips.min(tokens.len()) {
            for first in 0..tokens.len() {
                let mut node = 0;
                for (length, token) in tokens[first..].iter().step_by(skipped + 1).enumerate() {
                    let Some(next) = token.and_then(|token| self.edges.get(&(node, token))) else { break };
                    node = *next;
                    // A term of one token has nothing between its tokens: it counts once.
                    if let Some(column) = self.columns[node as usize].filter(|_| length > 0 || skipped == 0) {
                        found(column);
                    }
                }
            }
        }
    }
}

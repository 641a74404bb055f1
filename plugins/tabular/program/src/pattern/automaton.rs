//! Automata of regular expressions.

use super::MAX_INSTRUCTIONS;
use super::character_set::CharacterSet;
use super::syntax::{Expression, parse};

/// A compiled regular expression. A match begins at instruction 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    instructions: Vec<Instruction>,
}

/// An instruction of an automaton.
#[derive(Clone, Debug, PartialEq)]
pub enum Instruction {
    /// Takes a character of the set and goes on with the next instruction.
    Take(CharacterSet),
    /// Goes on with both instructions.
    Both(usize, usize),
    /// Goes on with the next instruction if the assertion holds.
    Assert(Assertion),
    /// The end of a match.
    Match,
}

/// A condition on a position in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assertion {
    /// The start of the text.
    Start,
    /// The end of the text.
    End,
    /// A word begins or ends. Words consist of letters and digits of ASCII, and `_`.
    WordBoundary,
    /// No word begins or ends.
    NoWordBoundary,
}

impl Assertion {
    /// Whether the assertion holds between two characters. `None` is the start or the end of the text.
    #[must_use]
    pub fn holds(self, before: Option<char>, after: Option<char>) -> bool {
        let is_word = |character: Option<char>| {
            character.is_some_and(|character| character.is_ascii_alphanumeric() || character == '_')
        };
        match self {
            Self::Start => before.is_none(),
            Self::End => after.is_none(),
            Self::WordBoundary => is_word(before) != is_word(after),
            Self::NoWordBoundary => is_word(before) == is_word(after),
        }
    }
}

impl Pattern {
    /// Compiles a regular expression.
    ///
    /// # Errors
    /// What is wrong or not supported, with the pattern.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let error = |fault: String| format!("the pattern {pattern:?} is not supported: {fault}");
        let mut compiled = Self { instructions: Vec::new() };
        compiled.append(&parse(pattern).map_err(error)?).map_err(error)?;
        compiled.push(Instruction::Match).map_err(error)?;
        Ok(compiled)
    }

    /// The instructions. Every index in them exists.
    #[must_use]
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    fn push(&mut self, instruction: Instruction) -> Result<usize, String> {
        if self.instructions.len() == MAX_INSTRUCTIONS {
            return Err(format!("it needs more than {MAX_INSTRUCTIONS} instructions"));
        }
        self.instructions.push(instruction);
        Ok(self.instructions.len() - 1)
    }

    /// Appends a branch whose targets are set later.
    fn branch(&mut self) -> Result<usize, String> {
        self.push(Instruction::Both(0, 0))
    }

    fn append(&mut self, expression: &Expression) -> Result<(), String> {
        match expression {
            Expression::Empty => {}
            Expression::Set(set) => {
                self.push(Instruction::Take(set.clone()))?;
            }
            Expression::Assertion(assertion) => {
                self.push(Instruction::Assert(*assertion))?;
            }
            Expression::Sequence(all) => all.iter().try_for_each(|part| self.append(part))?,
            Expression::Alternatives(all) => {
                let mut ends = Vec::with_capacity(all.len());
                for (index, alternative) in all.iter().enumerate() {
                    if index + 1 == all.len() {
                        self.append(alternative)?;
                        break;
                    }
                    let branch = self.branch()?;
                    self.append(alternative)?;
                    ends.push(self.branch()?);
                    let next = self.instructions.len();
                    self.instructions[branch] = Instruction::Both(branch + 1, next);
                }
                let end = self.instructions.len();
                for branch in ends {
                    self.instructions[branch] = Instruction::Both(end, end);
                }
            }
            Expression::Repeat { expression, least, most } => {
                self.append_repeated(expression, *least, *most)?
            }
        }
        Ok(())
    }

    fn append_repeated(
        &mut self,
        expression: &Expression,
        least: u32,
        most: Option<u32>,
    ) -> Result<(), String> {
        for _ in 0..least {
            self.append(expression)?;
        }
        match most {
            None => {
                let branch = self.branch()?;
                self.append(expression)?;
                self.push(Instruction::Both(branch, branch))?;
                let end = self.instructions.len();
                self.instructions[branch] = Instruction::Both(branch + 1, end);
            }
            Some(most) => {
                let mut branches = Vec::new();
                for _ in least..most {
                    branches.push(self.branch()?);
                    self.append(expression)?;
                }
                let end = self.instructions.len();
                for branch in branches {
                    self.instructions[branch] = Instruction::Both(branch + 1, end);
                }
            }
        }
        Ok(())
    }
}

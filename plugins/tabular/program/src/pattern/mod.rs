//! Regular expressions that find tokens in text.
//!
//! The syntax is that of RE2, which ONNX Runtime uses, without flags, Unicode classes and `\Q`, `\C`: these are errors.
//! Classes such as `\w` contain ASCII characters only, as in RE2. A pattern is compiled to a nondeterministic automaton:
//! matching takes time in proportion to the instructions and the characters, whatever the pattern is.

mod automaton;
mod character_set;
mod syntax;

pub use automaton::{Assertion, Instruction, Pattern};
pub use character_set::CharacterSet;

/// The largest number of instructions of a pattern.
pub(crate) const MAX_INSTRUCTIONS: usize = 10_000;

#[cfg(test)]
mod tests;

//! Text cells.
//!
//! A cell is a reference into one of three pools: the constants of the model, the columns of the call, and the text that
//! steps make.

use tabular_program::ProgramError;

/// A text cell: see [`Texts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextRef {
    /// 0 for constants, 1 for made text, 2 and more for source columns.
    pool: u32,
    start: u32,
    end: u32,
}

/// What text cells refer to.
#[derive(Default)]
pub struct Texts<'a> {
    constants: &'a str,
    made: String,
    sources: Vec<&'a [u8]>,
}

/// The pool of constants.
#[derive(Default)]
pub(crate) struct ConstantTexts(String);

impl ConstantTexts {
    /// Adds a constant.
    pub(crate) fn add(&mut self, text: &str) -> Result<TextRef, ProgramError> {
        let start = self.0.len() as u32;
        self.0.push_str(text);
        // The constants are a part of a program, whose bytes are counted in 32 bits.
        Ok(TextRef { pool: 0, start, end: start + text.len() as u32 })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> Texts<'a> {
    pub(crate) fn new(constants: &'a str) -> Self {
        Self { constants, made: String::new(), sources: Vec::new() }
    }

    /// Adds a source column. Returns its pool.
    pub(crate) fn add_source(&mut self, bytes: &'a [u8]) -> u32 {
        self.sources.push(bytes);
        self.sources.len() as u32 + 1
    }

    /// A cell of a source column.
    pub(crate) fn source_cell(pool: u32, start: u32, end: u32) -> TextRef {
        TextRef { pool, start, end }
    }

    /// Adds text that a step made. Returns nothing if there is too much of it.
    pub(crate) fn make(&mut self, text: &str) -> Option<TextRef> {
        let start = u32::try_from(self.made.len()).ok()?;
        let end = u32::try_from(self.made.len() + text.len()).ok()?;
        self.made.push_str(text);
        Some(TextRef { pool: 1, start, end })
    }

    /// The text of a cell.
    #[must_use]
    pub fn get(&self, cell: TextRef) -> &str {
        let (start, end) = (cell.start as usize, cell.end as usize);
        match cell.pool {
            0 => self.constants.get(start..end).unwrap_or_default(),
            1 => self.made.get(start..end).unwrap_or_default(),
            pool => {
                let source = self.sources.get(pool as usize - 2).and_then(|source| source.get(start..end));
                std::str::from_utf8(source.unwrap_or_default()).unwrap_or_default()
            }
        }
    }
}

impl TextRef {
    /// Whether the text is a constant of the model: equal cells are then equal text, and the other way round.
    #[must_use]
    pub fn is_constant(self) -> bool {
        self.pool == 0
    }
}

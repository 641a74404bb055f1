//! How text is split into tokens.

use crate::codec::{ProgramError, choice, record};
use crate::pattern::Pattern;

record! {
    /// How text is split into tokens.
    #[derive(Clone, Debug, PartialEq)]
    pub struct TokenRule {
        /// Where tokens begin and end.
        pub split: TokenSplit,
        /// The number of characters of a token, at least. Shorter ones are left out.
        pub least: u32,
        /// Whether the tokens `\u{2}` and `\u{3}` come before the first and after the last one.
        pub marks: bool,
    }
}

choice! {
    /// Where tokens begin and end. Patterns have the syntax of [`Pattern`]; the longest one of several matches at a
    /// position counts.
    #[derive(Clone, Debug, PartialEq)]
    pub enum TokenSplit {
        /// Every character is a token.
        0 Characters,
        /// A token is a match that is not empty.
        1 Matches {
            /// The pattern.
            pattern: String,
        },
        /// A token is what lies between the matches of several patterns. The text is split by the first pattern, its
        /// parts by the next one, and so on.
        2 Separators {
            /// The patterns.
            patterns: Vec<String>,
        },
    }
}

impl TokenRule {
    /// The patterns, compiled.
    ///
    /// # Errors
    /// If a pattern is invalid or not supported.
    pub fn patterns(&self) -> Result<Vec<Pattern>, ProgramError> {
        let patterns = match &self.split {
            TokenSplit::Characters => Ok(Vec::new()),
            TokenSplit::Matches { pattern } => Pattern::new(pattern).map(|pattern| vec![pattern]),
            TokenSplit::Separators { patterns } => patterns.iter().map(|text| Pattern::new(text)).collect(),
        };
        patterns.map_err(ProgramError::new)
    }
}

//! Text with another case, and its tokens.

use tabular_program::{Columns, ProgramError, TokenRule, TokenSplit, change_case};

use super::{Block, Operation};
use crate::matcher::Matcher;
use crate::text::TextRef;

/// See [`tabular_program::Step::ChangeCase`].
pub(super) struct ChangeCase {
    pub(super) upper: bool,
    pub(super) from: Columns,
    pub(super) to: Columns,
}

impl Operation for ChangeCase {
    fn run(&self, block: &mut Block<'_, '_>) {
        let rows = block.planes.rows;
        for cell in 0..self.from.width as usize * rows {
            let text = block.texts.get(block.planes.read::<TextRef>(self.from)[cell]);
            let changed = change_case(text, self.upper);
            let made = block.texts.make(&changed);
            if made.is_none() {
                block.failures.add(cell % rows, || super::TOO_MUCH_TEXT.to_owned());
            }
            block.planes.write::<TextRef>(self.to)[cell] = made.unwrap_or_default();
        }
    }
}

/// A token rule that is ready to run.
pub(super) struct Tokenizer {
    kind: TokenizerKind,
    least: usize,
    marks: bool,
}

enum TokenizerKind {
    Characters,
    Matches(Matcher),
    Separators(Vec<Matcher>),
}

impl Tokenizer {
    /// Prepares a rule.
    ///
    /// # Errors
    /// If a pattern is invalid.
    pub(super) fn new(rule: &TokenRule) -> Result<Self, ProgramError> {
        let mut matchers: Vec<Matcher> = rule.patterns()?.into_iter().map(Matcher::new).collect();
        let kind = match &rule.split {
            TokenSplit::Characters => TokenizerKind::Characters,
            TokenSplit::Matches { .. } => TokenizerKind::Matches(matchers.remove(0)),
            TokenSplit::Separators { .. } => TokenizerKind::Separators(matchers),
        };
        Ok(Self { kind, least: rule.least as usize, marks: rule.marks })
    }

    /// The tokens of a text, in order.
    pub(super) fn tokens<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut tokens = match &self.kind {
            TokenizerKind::Characters => {
                let ends =
                    text.char_indices().map(|(start, character)| (start, start + character.len_utf8()));
                ends.map(|(start, end)| &text[start..end]).collect()
            }
            TokenizerKind::Matches(matcher) => self.matches(matcher, text),
            TokenizerKind::Separators(separators) => {
                separators.iter().fold(vec![text], |parts, separator| {
                    parts.into_iter().flat_map(|part| self.between(separator, part)).collect()
                })
            }
        };
        if self.marks {
            tokens.insert(0, "\u{2}");
            tokens.push("\u{3}");
        }
        tokens
    }

    /// Whether a token has enough characters.
    fn is_long(&self, token: &str) -> bool {
        !token.is_empty() && token.chars().count() >= self.least
    }

    fn matches<'t>(&self, matcher: &Matcher, text: &'t str) -> Vec<&'t str> {
        let (mut tokens, mut from) = (Vec::new(), 0);
        while let Some((start, end)) = matcher.find(text, from) {
            let token = &text[start..end];
            if self.is_long(token) {
                tokens.push(token);
                from = end;
            } else {
                // A shorter match is tried again from its second character on, as in ONNX Runtime.
                match text[start..].chars().next() {
                    Some(character) => from = start + character.len_utf8(),
                    None => break,
                }
            }
        }
        tokens
    }

    /// The parts of a text between the matches of a separator.
    fn between<'t>(&self, separator: &Matcher, text: &'t str) -> Vec<&'t str> {
        let (mut tokens, mut from) = (Vec::new(), 0);
        let mut add = |token: &'t str| {
            if self.is_long(token) {
                tokens.push(token);
            }
        };
        while let Some((start, end)) = separator.find(text, from) {
            add(&text[from..start]);
            from = if end > start {
                end
            } else {
                start + text[start..].chars().next().map_or(0, char::len_utf8)
            };
            if from == text.len() {
                return tokens;
            }
        }
        add(&text[from..]);
        tokens
    }
}

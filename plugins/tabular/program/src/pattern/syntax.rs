//! Parses regular expressions.

use std::iter::Peekable;
use std::str::Chars;

use super::automaton::Assertion;
use super::character_set::{CharacterSet, DIGIT, SPACE, WORD, named_class};

/// How deep groups may be nested.
const MAX_DEPTH: usize = 100;
/// The largest number of repetitions that RE2 accepts.
const MAX_REPETITIONS: u32 = 1000;

/// A regular expression.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    Empty,
    Set(CharacterSet),
    Assertion(Assertion),
    Sequence(Vec<Expression>),
    Alternatives(Vec<Expression>),
    /// At least `least` times, and at most `most` times if there is a limit.
    Repeat {
        expression: Box<Expression>,
        least: u32,
        most: Option<u32>,
    },
}

/// Parses a pattern.
///
/// # Errors
/// What is wrong or not supported.
pub(super) fn parse(pattern: &str) -> Result<Expression, String> {
    let mut parser = Parser { rest: pattern.chars().peekable() };
    let expression = parser.alternatives(0)?;
    match parser.rest.next() {
        None => Ok(expression),
        Some(_) => Err("a `)` has no `(`".to_owned()),
    }
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Parser<'_> {
    fn alternatives(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > MAX_DEPTH {
            return Err(format!("groups are nested deeper than {MAX_DEPTH}"));
        }
        let mut all = vec![self.sequence(depth)?];
        while self.rest.next_if_eq(&'|').is_some() {
            all.push(self.sequence(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expression::Alternatives(all) })
    }

    fn sequence(&mut self, depth: usize) -> Result<Expression, String> {
        let mut all = Vec::new();
        while let Some(next) = self.rest.peek() {
            if matches!(next, '|' | ')') {
                break;
            }
            let expression = self.atom(depth)?;
            all.push(self.repeated(expression)?);
        }
        Ok(match all.len() {
            0 => Expression::Empty,
            1 => all.remove(0),
            _ => Expression::Sequence(all),
        })
    }

    fn atom(&mut self, depth: usize) -> Result<Expression, String> {
        Ok(match self.rest.next() {
            Some('(') => {
                if self.rest.next_if_eq(&'?').is_some() {
                    self.group_kind()?;
                }
                let expression = self.alternatives(depth + 1)?;
                if self.rest.next() != Some(')') {
                    return Err("a `(` has no `)`".to_owned());
                }
                expression
            }
            Some('[') => Expression::Set(self.class()?),
            // A new line is not matched.
            Some('.') => Expression::Set(single('\n').complement()),
            Some('^') => Expression::Assertion(Assertion::Start),
            Some('$') => Expression::Assertion(Assertion::End),
            Some('\\') => self.escape()?,
            Some(character @ ('*' | '+' | '?')) => return Err(format!("`{character}` repeats nothing")),
            Some(character) => Expression::Set(single(character)),
            None => Expression::Empty,
        })
    }

    /// What follows `(?`: `:` or a name.
    fn group_kind(&mut self) -> Result<(), String> {
        match self.rest.next() {
            Some(':') => return Ok(()),
            Some('P') if self.rest.next_if_eq(&'<').is_some() => {}
            Some('<') if !matches!(self.rest.peek(), Some('=' | '!')) => {}
            other => {
                return Err(format!(
                    "groups that begin with `(?{}` are not supported",
                    other.map_or_else(String::new, |character| character.to_string())
                ));
            }
        }
        match self.rest.by_ref().find(|character| *character == '>') {
            Some(_) => Ok(()),
            None => Err("the name of a group has no end".to_owned()),
        }
    }

    fn repeated(&mut self, expression: Expression) -> Result<Expression, String> {
        let (least, most) = match self.rest.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match self.bounds()? {
                Some(bounds) => return self.end_of_repetition(expression, bounds),
                // Braces without numbers are characters.
                None => return Ok(expression),
            },
            _ => return Ok(expression),
        };
        self.rest.next();
        self.end_of_repetition(expression, (least, most))
    }

    fn end_of_repetition(
        &mut self,
        expression: Expression,
        (least, most): (u32, Option<u32>),
    ) -> Result<Expression, String> {
        // The longest match counts, so it makes no difference whether fewer repetitions are preferred.
        self.rest.next_if_eq(&'?');
        if let Some(next @ ('*' | '+' | '?')) = self.rest.peek() {
            return Err(format!("`{next}` follows a repetition"));
        }
        Ok(Expression::Repeat { expression: Box::new(expression), least, most })
    }

    /// The numbers in braces. Nothing is taken if they are no numbers.
    fn bounds(&mut self) -> Result<Option<(u32, Option<u32>)>, String> {
        let mut ahead = self.rest.clone();
        ahead.next();
        let text: String = ahead.by_ref().take_while(|character| *character != '}').collect();
        let number = |text: &str| -> Option<u32> {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            // A number too large for the type is too large for RE2, too.
            is_number.then(|| text.parse().unwrap_or(u32::MAX))
        };
        let bounds = match text.split_once(',') {
            None => number(&text).map(|count| (count, Some(count))),
            Some((least, "")) => number(least).map(|least| (least, None)),
            Some((least, most)) => number(least).zip(number(most)).map(|(least, most)| (least, Some(most))),
        };
        let Some((least, most)) = bounds else { return Ok(None) };
        if least.max(most.unwrap_or(0)) > MAX_REPETITIONS || most.is_some_and(|most| most < least) {
            return Err(format!("the repetition {{{text}}} is invalid"));
        }
        self.rest = ahead;
        Ok(Some((least, most)))
    }

    fn escape(&mut self) -> Result<Expression, String> {
        let assertion = match self.rest.peek() {
            Some('b') => Assertion::WordBoundary,
            Some('B') => Assertion::NoWordBoundary,
            Some('A') => Assertion::Start,
            Some('z') => Assertion::End,
            _ => return self.escaped_set().map(Expression::Set),
        };
        self.rest.next();
        Ok(Expression::Assertion(assertion))
    }

    /// Reads the rest of an escape, after its backslash: the set of characters that it matches.
    fn escaped_set(&mut self) -> Result<CharacterSet, String> {
        let set = |ranges: &[(u32, u32)]| CharacterSet::new(ranges.to_vec());
        Ok(match self.rest.next() {
            Some('w') => set(&WORD),
            Some('W') => set(&WORD).complement(),
            Some('d') => set(&DIGIT),
            Some('D') => set(&DIGIT).complement(),
            Some('s') => set(&SPACE),
            Some('S') => set(&SPACE).complement(),
            Some('a') => single('\x07'),
            Some('f') => single('\x0c'),
            Some('t') => single('\t'),
            Some('n') => single('\n'),
            Some('r') => single('\r'),
            Some('v') => single('\x0b'),
            Some('x') => single(self.hexadecimal()?),
            Some(character) if character.is_ascii_punctuation() => single(character),
            Some(character) => return Err(format!("the escape `\\{character}` is not supported")),
            None => return Err("it ends with a backslash".to_owned()),
        })
    }

    /// Two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Result<char, String> {
        let digits: String = if self.rest.next_if_eq(&'{').is_some() {
            self.rest.by_ref().take_while(|character| *character != '}').collect()
        } else {
            self.rest.by_ref().take(2).collect()
        };
        u32::from_str_radix(&digits, 16)
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(|| format!("the escape `\\x` has the digits {digits:?}"))
    }

    /// A class in brackets, after the opening one.
    fn class(&mut self) -> Result<CharacterSet, String> {
        let is_negated = self.rest.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        let mut is_first = true;
        loop {
            let character = self.rest.next().ok_or("a `[` has no `]`")?;
            let first = match character {
                ']' if !is_first => break,
                '[' if self.rest.peek() == Some(&':') => {
                    ranges.extend(self.named_class()?.ranges());
                    is_first = false;
                    continue;
                }
                '\\' => self.escaped_set()?,
                character => single(character),
            };
            is_first = false;
            let mut ahead = self.rest.clone();
            let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
            if !is_range {
                ranges.extend(first.ranges());
                continue;
            }
            self.rest.next();
            let last = match self.rest.next() {
                Some('\\') => self.escaped_set()?,
                Some(character) => single(character),
                None => return Err("a `[` has no `]`".to_owned()),
            };
            match (first.ranges(), last.ranges()) {
                ([(first, end)], [(start, last)]) if first == end && start == last && first <= last => {
                    ranges.push((*first, *last));
                }
                _ => return Err("a range in brackets has no valid ends".to_owned()),
            }
        }
        let set = CharacterSet::new(ranges);
        Ok(if is_negated { set.complement() } else { set })
    }

    /// A class such as `[:alpha:]`, after its bracket.
    fn named_class(&mut self) -> Result<CharacterSet, String> {
        self.rest.next();
        let is_negated = self.rest.next_if_eq(&'^').is_some();
        let name: String = self.rest.by_ref().take_while(|character| *character != ':').collect();
        let ranges = named_class(&name).filter(|_| self.rest.next() == Some(']'));
        let set = CharacterSet::new(ranges.ok_or_else(|| format!("there is no class {name:?}"))?.to_vec());
        Ok(if is_negated { set.complement() } else { set })
    }
}

fn single(character: char) -> CharacterSet {
    CharacterSet::new(vec![(u32::from(character), u32::from(character))])
}

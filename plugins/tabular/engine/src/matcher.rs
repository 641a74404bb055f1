//! Finds matches of patterns in text.

use tabular_program::pattern::{Instruction, Pattern};

/// A pattern that is ready to match.
pub(crate) struct Matcher(Pattern);

/// A way to match that is still open: an instruction, and the byte at which the match begins.
type Thread = (usize, usize);

/// The threads of a position, by their start. An instruction has at most one, the one that starts first.
#[derive(Default)]
struct Threads {
    all: Vec<Thread>,
    /// The position, counted from 1, at which an instruction got a thread.
    seen: Vec<usize>,
    open: Vec<usize>,
}

impl Matcher {
    pub(crate) fn new(pattern: Pattern) -> Self {
        Self(pattern)
    }

    /// The bytes of the first match from a byte on; the longest one of those that begin there. What an assertion sees before
    /// that byte is the text.
    pub(crate) fn find(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        let instructions = self.0.instructions();
        let new = || Threads { seen: vec![0; instructions.len()], ..Threads::default() };
        let (mut current, mut next) = (new(), new());
        let mut found: Option<(usize, usize)> = None;
        let mut before = text[..from].chars().next_back();
        let mut rest = text[from..].chars();
        let mut position = from;
        loop {
            let mut ahead = rest.clone();
            let after = ahead.next();
            if found.is_none() {
                self.extend(&mut current, 0, position, position, (before, after));
            }
            for (instruction, start) in &current.all {
                if instructions[*instruction] == Instruction::Match
                    && found.is_none_or(|(first, _)| *start <= first)
                {
                    found = Some((*start, position));
                }
            }
            let Some(character) = after else { return found };
            rest = ahead;
            let end = position + character.len_utf8();
            let mut beyond = rest.clone();
            for (instruction, start) in std::mem::take(&mut current.all) {
                let takes = match &instructions[instruction] {
                    Instruction::Take(set) => set.contains(character),
                    _ => false,
                };
                if takes && found.is_none_or(|(first, _)| start <= first) {
                    let around = (Some(character), beyond.clone().next());
                    self.extend(&mut next, instruction + 1, start, end, around);
                }
            }
            beyond.next();
            std::mem::swap(&mut current, &mut next);
            if found.is_some() && current.all.is_empty() {
                return found;
            }
            before = Some(character);
            position = end;
        }
    }

    /// Adds the threads that an instruction leads to without taking a character.
    fn extend(
        &self,
        threads: &mut Threads,
        instruction: usize,
        start: usize,
        position: usize,
        (before, after): (Option<char>, Option<char>),
    ) {
        threads.open.push(instruction);
        while let Some(instruction) = threads.open.pop() {
            if threads.seen[instruction] == position + 1 {
                continue;
            }
            threads.seen[instruction] = position + 1;
            match &self.0.instructions()[instruction] {
                Instruction::Both(first, second) => threads.open.extend([*second, *first]),
                Instruction::Assert(assertion) => {
                    if assertion.holds(before, after) {
                        threads.open.push(instruction + 1);
                    }
                }
                Instruction::Take(_) | Instruction::Match => threads.all.push((instruction, start)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All matches that are not empty, as text.
    fn matches<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
        let matcher = Matcher::new(Pattern::new(pattern).unwrap());
        let (mut all, mut from) = (Vec::new(), 0);
        while let Some((start, end)) = matcher.find(text, from) {
            if end > start {
                all.push(&text[start..end]);
                from = end;
            } else {
                match text[start..].chars().next() {
                    Some(character) => from = start + character.len_utf8(),
                    None => break,
                }
            }
        }
        all
    }

    #[test]
    fn the_first_and_longest_match_counts() {
        assert_eq!(matches("a|ab", "ab abc"), ["ab", "ab"]);
        assert_eq!(matches("a?(ab)?", "ab"), ["ab"]);
        assert_eq!(matches("(a|b)*?c", "ababc c"), ["ababc", "c"]);
        assert_eq!(matches("bcd|abcde?f|b", "abcdx"), ["bcd"]);
        assert_eq!(matches("(a*)*", "baac"), ["aa"]);
    }

    #[test]
    fn classes_assertions_and_repetitions() {
        assert_eq!(matches(r"\b\w\w+\b", "a bc-def g_h é1x"), ["bc", "def", "g_h", "1x"]);
        assert_eq!(matches(r"[^\s,]+", "ab, ç\td"), ["ab", "ç", "d"]);
        assert_eq!(matches(r"^\d{2,3}|x{2}$", "1234 56 xxx"), ["123", "xx"]);
        assert_eq!(matches(r"[[:alpha:]-]+|\x{e9}", "a-b1é"), ["a-b", "é"]);
        assert_eq!(matches(".", "hé\n"), ["h", "é"]);
        assert_eq!(matches(r"(?:ab)+\B.", "ababc ab"), ["ababc"]);
        assert_eq!(matches("x{,3}", "x{,3}"), ["x{,3}"]);
        assert_eq!(matches("$|", "ab"), [""; 0]);
    }

    #[test]
    fn time_does_not_explode() {
        let text = "a".repeat(2000);
        assert_eq!(matches("(a|a)*b", &text), [""; 0]);
        assert_eq!(matches("(a*)*(a*)*", &text).len(), 1);
    }
}

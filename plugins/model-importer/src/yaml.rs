//! The part of YAML that MLflow writes: nested mappings of scalars.
//!
//! Lists are read as nothing: no list matters for a model. Anchors, tags, documents and flow mappings are not supported.

/// A value of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Yaml {
    Text(String),
    Mapping(Vec<(String, Yaml)>),
}

/// How deep mappings may be nested.
const MAX_DEPTH: usize = 32;

impl Yaml {
    /// Parses a document.
    ///
    /// # Errors
    /// The line that cannot be read, and why.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let lines: Vec<Line> = text
            .lines()
            .enumerate()
            .map(|(index, text)| Line { number: index + 1, text: text.trim_end() })
            .filter(|line| {
                let text = line.text.trim_start();
                !text.is_empty() && !text.starts_with('#') && text != "---"
            })
            .collect();
        let mut rest = &lines[..];
        let mapping = mapping(&mut rest, 0, MAX_DEPTH)?;
        match rest.first() {
            None => Ok(mapping),
            Some(line) => Err(line.error("its indentation fits no mapping")),
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Mapping(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            Self::Text(_) => None,
        }
    }

    /// The text of a key; nothing if it is null.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Self::Text(text)) if !matches!(&text[..], "" | "null" | "~") => Some(text),
            _ => None,
        }
    }
}

/// A line that is not empty.
struct Line<'t> {
    /// Counted from 1.
    number: usize,
    text: &'t str,
}

impl Line<'_> {
    fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    fn error(&self, fault: &str) -> String {
        format!("line {}: {fault}", self.number)
    }
}

fn mapping(rest: &mut &[Line<'_>], indent: usize, depth: usize) -> Result<Yaml, String> {
    let mut entries = Vec::new();
    while let Some((line, after)) = rest.split_first().filter(|(line, _)| line.indent() == indent) {
        let text = &line.text[indent..];
        if text.starts_with("- ") || text == "-" {
            skip_list(rest, indent);
            continue;
        }
        let (key, value) = match text.split_once(": ").or_else(|| text.strip_suffix(':').map(|key| (key, "")))
        {
            Some((key, value)) => (key.trim().trim_matches(['"', '\'']).to_owned(), value.trim()),
            None => return Err(line.error("it has no key; expected `key: value`")),
        };
        *rest = after;
        let value = match value.chars().next() {
            None => match rest.first() {
                Some(next) if next.indent() > indent => {
                    if depth == 0 {
                        return Err(next.error("mappings are nested too deep"));
                    }
                    let inner = next.indent();
                    mapping(rest, inner, depth - 1)?
                }
                _ => {
                    skip_list(rest, indent);
                    Yaml::Text(String::new())
                }
            },
            Some(quote @ ('"' | '\'')) => Yaml::Text(quoted(line, value, quote, rest)?),
            Some('|' | '>') => {
                skip_deeper(rest, indent);
                Yaml::Text(String::new())
            }
            Some(_) => {
                let mut text = value.to_owned();
                // A plain scalar goes on in lines that are indented deeper.
                while let Some((next, after)) = rest.split_first().filter(|(next, _)| next.indent() > indent)
                {
                    text = format!("{text} {}", next.text.trim());
                    *rest = after;
                }
                Yaml::Text(text)
            }
        };
        entries.push((key, value));
    }
    Ok(Yaml::Mapping(entries))
}

/// Skips the items of a list at an indentation.
fn skip_list(rest: &mut &[Line<'_>], indent: usize) {
    let is_item = |line: &Line<'_>| {
        line.indent() > indent || line.indent() == indent && (line.text[indent..].starts_with('-'))
    };
    while let Some((_, after)) = rest.split_first().filter(|(line, _)| is_item(line)) {
        *rest = after;
    }
}

fn skip_deeper(rest: &mut &[Line<'_>], indent: usize) {
    while let Some((_, after)) = rest.split_first().filter(|(line, _)| line.indent() > indent) {
        *rest = after;
    }
}

/// A scalar in quotes, which may go on in further lines: they are joined by a space.
fn quoted(line: &Line<'_>, start: &str, quote: char, rest: &mut &[Line<'_>]) -> Result<String, String> {
    let mut text = String::new();
    let mut part = &start[1..];
    loop {
        let mut characters = part.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' if quote == '"' => match characters.next() {
                    // The line goes on without a space.
                    None => {}
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(other @ ('"' | '\\' | '/' | ' ')) => text.push(other),
                    Some('u') => {
                        let code: String = characters.by_ref().take(4).collect();
                        let code = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                        text.push(code.ok_or_else(|| line.error("an escape is invalid"))?);
                    }
                    Some('x') => {
                        let code: String = characters.by_ref().take(2).collect();
                        let code = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                        text.push(code.ok_or_else(|| line.error("an escape is invalid"))?);
                    }
                    Some(other) => return Err(line.error(&format!("the escape \\{other} is not supported"))),
                },
                character if character == quote => {
                    if quote == '\'' && characters.as_str().starts_with('\'') {
                        characters.next();
                        text.push('\'');
                        continue;
                    }
                    return Ok(text);
                }
                character => text.push(character),
            }
        }
        let Some((next, after)) = rest.split_first() else {
            return Err(line.error("its quotes are not closed"));
        };
        if !(quote == '"' && part.ends_with('\\')) {
            text.push(' ');
        }
        part = next.text.trim();
        *rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_scalars_and_lists() {
        let text = "# comment\na: 1\nb:\n  c: null\n  'd e': \"x\\\"y\\u00e9\"\n  f:\n  - 1\n  - g: 2\n    h: 3\n  i: 'it''s\n    long'\n\nj: plain\n  text\nk: |\n  block\nl: \"a\\\n  \\ b\"\n";
        let yaml = Yaml::parse(text).unwrap();
        assert_eq!(yaml.text("a"), Some("1"));
        let inner = yaml.get("b").unwrap();
        assert_eq!((inner.text("c"), inner.text("d e")), (None, Some("x\"yé")));
        assert_eq!((inner.text("f"), inner.text("i")), (None, Some("it's long")));
        assert_eq!((yaml.text("j"), yaml.text("k")), (Some("plain text"), None));
        assert_eq!(yaml.text("l"), Some("a b"));
    }

    #[test]
    fn faults_name_their_lines() {
        assert_eq!(Yaml::parse("a: 1\nb").unwrap_err(), "line 2: it has no key; expected `key: value`");
        assert_eq!(Yaml::parse("a: 'x\nb: 1").unwrap_err(), "line 1: its quotes are not closed");
        assert_eq!(Yaml::parse("  a: 1").unwrap_err(), "line 1: its indentation fits no mapping");
        let deep: String = (0..40).map(|depth| format!("{}k:\n", " ".repeat(depth))).collect();
        assert!(Yaml::parse(&deep).unwrap_err().ends_with("mappings are nested too deep"));
    }
}

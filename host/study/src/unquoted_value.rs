//! Words for a value that TOML cannot read because a text lacks its quotes.
//!
//! Invariants: the column counts characters from 1. The suggested value is TOML.
//!
//! The TOML library guesses the type from the first letter: it calls `true-room` an invalid boolean, `none` an invalid
//! float and `2026-rooms` an invalid date. Hardly anyone means that.

/// How the errors of the TOML library begin that such a value may cause.
const ERRORS: [&str; 9] = [
    "string values must be quoted",
    "invalid boolean",
    "invalid float",
    "invalid date",
    "invalid time",
    "invalid mantissa",
    "invalid exponent",
    "invalid fraction",
    "`_` may only go between digits",
];
/// Characters that word processors write in place of quotes.
const CURLY_QUOTES: [char; 8] = ['“', '”', '„', '‟', '‘', '’', '«', '»'];
/// The longest value that is shown, in characters.
const MAX_SHOWN_CHARS: usize = 60;

/// What is wrong with the value at the byte `offset`, and what to write. `error` is the message of the TOML library.
/// `in_container` says whether the value is part of a list or of a table in braces. `None` if the error is of another
/// kind.
pub(super) fn unquoted_value(text: &str, offset: usize, error: &str, in_container: bool) -> Option<String> {
    if !ERRORS.iter().any(|start| error.starts_with(start)) {
        return None;
    }
    let offset = offset.min(text.len());
    let (starts, ends): (&[char], &[char]) = match in_container {
        true => (&['=', '\n', ',', '[', '{'], &['\n', '#', ',', ']', '}']),
        false => (&['=', '\n'], &['\n', '#']),
    };
    let begins = text[..offset].rfind(starts).map_or(0, |at| at + 1);
    let length = text[begins..].find(ends).unwrap_or(text.len() - begins);
    let raw = &text[begins..begins + length];
    let value = raw.trim();
    let line_start = text[..begins].rfind('\n').map_or(0, |at| at + 1);
    let before = raw.len() - raw.trim_start().len();
    let column = text[line_start..begins + before].chars().count() + 1;
    if value.is_empty() {
        return Some(format!(
            "the value is missing at column {column}; write one, with quotes if it is a text"
        ));
    }
    let shown: String = value.chars().take(MAX_SHOWN_CHARS).collect();
    let shown = if shown.len() < value.len() { shown + "..." } else { shown };
    let advice = match value.to_ascii_lowercase().as_str() {
        "true" | "false" => format!("write {} in lower case", value.to_ascii_lowercase()),
        "null" | "none" | "nil" => {
            "TOML has no such value; remove the key, or write a text in quotes".to_owned()
        }
        _ if in_container && value.contains(char::is_whitespace) => {
            "put a comma between two values, and quotes around a text".to_owned()
        }
        _ => format!(
            "a text needs quotes{}",
            quoted(value).map_or_else(String::new, |text| format!(": {text}"))
        ),
    };
    Some(format!(
        "`{shown}` at column {column} is neither a text in quotes nor a number, boolean or date; {advice}"
    ))
}

/// The value as a string of TOML; `None` if it is too long to show, or contains both kinds of quotes.
fn quoted(value: &str) -> Option<String> {
    let text = value.trim_matches(CURLY_QUOTES).trim_matches(['"', '\'']);
    match text.contains(['"', '\\']) {
        _ if text.chars().count() > MAX_SHOWN_CHARS || text.chars().any(char::is_control) => None,
        false => Some(format!("\"{text}\"")),
        true => (!text.contains('\'')).then(|| format!("'{text}'")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::quoted;

    /// The first fault of a declaration that begins with this line.
    fn fault(line: &str) -> String {
        let faults = parse(&format!("{line}\ntime-zone = \"UTC\"\n")).unwrap_err().faults;
        faults.as_slice()[0].message.clone()
    }

    #[test]
    fn a_text_without_quotes_is_shown_with_quotes() {
        for value in [
            "x",
            "true-room",
            "falsehood",
            "hotel rooms",
            "Europe/Amsterdam",
            "2d",
            "1.5x",
            "nanna",
            "infinite",
            "2026-01-01x",
            "-x",
            "é # comment",
            "“curly”",
            "07-rooms",
            "1e",
            "in",
        ] {
            let message = fault(&format!("study = {value}"));
            let text = value.trim_end_matches(" # comment").trim_matches(['“', '”']);
            assert!(message.starts_with("invalid TOML: `"), "{value}: {message}");
            assert!(message.contains("at column 9 is neither"), "{value}: {message}");
            let suggestion =
                message.rsplit_once("a text needs quotes: ").unwrap_or_else(|| panic!("{message}")).1;
            assert_eq!(suggestion, format!("\"{text}\""));
            assert!(format!("study = {suggestion}").parse::<toml::Table>().is_ok(), "{suggestion}");
        }
    }

    #[test]
    fn a_value_at_the_end_of_the_file_is_shown() {
        let faults = parse("study = x").unwrap_err().faults;
        assert!(faults.as_slice()[0].message.contains("`x` at column 9"), "{faults}");
    }

    #[test]
    fn long_values_are_cut_and_have_no_suggestion() {
        let (longest, longer) = ("x".repeat(60), "x".repeat(61));
        let message = fault(&format!("study = {longest}"));
        assert!(message.contains(&format!("`{longest}` at")), "{message}");
        assert!(message.ends_with(&format!("quotes: \"{longest}\"")), "{message}");
        let message = fault(&format!("study = {longer}"));
        assert!(message.contains(&format!("`{longest}...` at")), "{message}");
        assert!(message.ends_with("a text needs quotes"), "{message}");
        assert_eq!(quoted("a\tb"), None);
    }

    #[test]
    fn other_values_have_advice_of_their_own() {
        let faults = [
            "study = True",
            "study = null",
            "study =",
            "study = C:\\rooms",
            "x = [1, b]",
            "x = [a b]",
            "\"é\" = { y = z }",
        ]
        .map(fault);
        insta::assert_snapshot!(faults.join("\n"), @r#"
        invalid TOML: `True` at column 9 is neither a text in quotes nor a number, boolean or date; write true in lower case
        invalid TOML: `null` at column 9 is neither a text in quotes nor a number, boolean or date; TOML has no such value; remove the key, or write a text in quotes
        invalid TOML: the value is missing at column 8; write one, with quotes if it is a text
        invalid TOML: `C:\rooms` at column 9 is neither a text in quotes nor a number, boolean or date; a text needs quotes: 'C:\rooms'
        invalid TOML: `b` at column 9 is neither a text in quotes nor a number, boolean or date; a text needs quotes: "b"
        invalid TOML: `a b` at column 6 is neither a text in quotes nor a number, boolean or date; put a comma between two values, and quotes around a text
        invalid TOML: `z` at column 13 is neither a text in quotes nor a number, boolean or date; a text needs quotes: "z"
        "#);
    }
}

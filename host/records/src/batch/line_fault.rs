//! Says in words why a line is not one JSON object.
//!
//! Invariants: it looks at rejected lines only, so well-formed lines cost nothing; columns count bytes from 1, as those of
//! the JSON parser.
//!
//! A JSON parser says what it expected. A reader needs to know what was found: NaN, a comment, another encoding.

use serde::de::IgnoredAny;

/// Why a line is not one JSON object.
pub(super) fn line_fault(text: &[u8]) -> String {
    if let Some(encoding) = wide_encoding(text) {
        return format!("not UTF-8: the line is {encoding} text; write UTF-8");
    }
    if let Err(error) = std::str::from_utf8(text) {
        return format!("not UTF-8: invalid byte at column {}", error.valid_up_to() + 1);
    }
    let error = match serde_json::from_slice::<IgnoredAny>(text) {
        Err(error) => error,
        Ok(_) if text.first() == Some(&b'{') => {
            return "not JSON: a string contains half of a surrogate pair or another invalid escape"
                .to_owned();
        }
        Ok(_) => return format!("not a JSON object but {}; write one object per line", kind_of_value(text)),
    };
    if let Some(what) = fragment(text).or_else(|| foreign_notation(text, error.column())) {
        return format!("not JSON: {what}");
    }
    if error.is_eof() {
        return "not JSON: the line ends in the middle of a record".to_owned();
    }
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    format!("not JSON: {what} at column {}", error.column())
}

/// The encoding of text with two or four bytes a character, by its byte order mark or its NUL bytes.
pub(crate) fn wide_encoding(text: &[u8]) -> Option<&'static str> {
    if text.starts_with(b"\xff\xfe\0\0") || text.starts_with(b"\0\0\xfe\xff") {
        return Some("UTF-32");
    }
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return Some("UTF-16");
    }
    let nuls = text.iter().filter(|byte| **byte == 0).count();
    match text.len() {
        len if len >= 4 && nuls * 8 > len * 5 => Some("UTF-32"),
        len if len >= 2 && nuls * 4 > len => Some("UTF-16"),
        _ => None,
    }
}

fn kind_of_value(text: &[u8]) -> &'static str {
    match text.first() {
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// What a line is that holds a part of a record or of an array, as in pretty-printed JSON.
fn fragment(text: &[u8]) -> Option<String> {
    const WHOLE: &str = "write each record on one line";
    let shown = std::str::from_utf8(text).unwrap_or_default();
    if matches!(text, b"{" | b"}" | b"[" | b"]" | b"}," | b"],") {
        return Some(format!("only `{shown}`; {WHOLE}"));
    }
    if text.first() == Some(&b'"') && text[end_of_string(text, 0)..].trim_ascii_start().first() == Some(&b':')
    {
        return Some(format!("a key outside of a record; {WHOLE}"));
    }
    let record = text.strip_suffix(b",").filter(|record| record.ends_with(b"}"))?;
    serde_json::from_slice::<IgnoredAny>(record)
        .is_ok()
        .then(|| "a comma behind the record; write one object per line, not an array".to_owned())
}

/// Names the notation in the first `column` bytes that another language has and JSON does not.
fn foreign_notation(text: &[u8], column: usize) -> Option<String> {
    let mut at = 0;
    let mut depth = 0_u32;
    while at < text.len().min(column) {
        let found = |what: &str, advice: &str| Some(format!("{what} at column {}; {advice}", at + 1));
        let rest = &text[at..];
        match rest[0] {
            b'"' => {
                at = end_of_string(text, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if matches!(rest[1..].trim_ascii_start().first(), Some(b'}' | b']')) => {
                return found("a comma before a closing bracket", "JSON has no trailing commas; remove it");
            }
            b'/' if matches!(rest.get(1), Some(b'/' | b'*')) => {
                return found("a comment", "JSON has no comments; remove it");
            }
            b'#' => return found("a comment", "JSON has no comments; remove it"),
            b'\'' => return found("a single quote", "JSON strings and keys have double quotes"),
            b'\r' if depth == 0 => {
                return found("a second record behind a carriage return", "end lines with a line feed");
            }
            0x1e => {
                return found(
                    "a record separator (RFC 7464)",
                    "write one object per line, without separators",
                );
            }
            byte if byte < b' ' && !byte.is_ascii_whitespace() => {
                return found(&format!("the control character U+{byte:04X}"), "remove it");
            }
            b'-' if rest.get(1).is_some_and(u8::is_ascii_alphabetic) => return word(text, at),
            byte if byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' => {
                let end = end_of_word(text, at);
                match &text[at..end] {
                    // What follows a digit is a part of a number, about which the parser says more.
                    _ if at > 0 && matches!(text[at - 1], b'0'..=b'9' | b'.') => {}
                    b"true" | b"false" | b"null" => {}
                    _ => return word(text, at),
                }
                at = end;
                continue;
            }
            byte if !byte.is_ascii() => {
                let character = std::str::from_utf8(rest).ok()?.chars().next()?;
                return match character {
                    '\u{2018}'..='\u{201f}' => {
                        found(&format!("the typographic quote {character}"), "write straight double quotes")
                    }
                    '\u{feff}' => found("a byte order mark within the line", "remove it"),
                    _ => found(
                        &format!("the character U+{:04X} outside of a string", u32::from(character)),
                        "remove it, or write the text in double quotes",
                    ),
                };
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Names the bare word at `at`, which may have a sign.
fn word(text: &[u8], at: usize) -> Option<String> {
    let signed = usize::from(text[at] == b'-');
    let end = end_of_word(text, at + signed);
    let shown: String = std::str::from_utf8(&text[at..end]).ok()?.chars().take(40).collect();
    let place = format!("{shown} at column {}", at + 1);
    let no = |what: &str, instead: &str| Some(format!("{place}; JSON has no {what}; write {instead}"));
    if text[end..].trim_ascii_start().first() == Some(&b':') {
        return Some(format!("the key {place} has no quotes; write \"{shown}\""));
    }
    match shown[signed..].to_ascii_lowercase().as_str() {
        "nan" => no("NaN", "null"),
        "infinity" | "inf" => no("infinity", "null"),
        "none" | "nil" | "undefined" | "nat" => no(&shown, "null"),
        "null" => no(&shown, "null"),
        "true" => no(&shown, "true"),
        "false" => no(&shown, "false"),
        _ => Some(format!("the word {place}; write strings in double quotes")),
    }
}

fn end_of_word(text: &[u8], start: usize) -> usize {
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    text[start..].iter().position(|byte| !belongs(byte)).map_or(text.len(), |length| start + length)
}

/// The place behind the string that begins at `start`; the end of the text if the string is not closed.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 1,
            b'"' => return at + 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(lines: &[&str]) -> String {
        lines.iter().map(|line| line_fault(line.as_bytes()) + "\n").collect()
    }

    #[test]
    fn notation_of_other_languages_is_named() {
        insta::assert_snapshot!(
            faults(&[
                r#"{"id":"1","x":NaN}"#,
                r#"{"id":"1","x":[1, -Infinity]}"#,
                r#"{"id":"1","x":inf}"#,
                r#"{"id":"1","x":None}"#,
                r#"{"id":"1","x":True}"#,
                r#"{"id":"1","x":FALSE}"#,
                r#"{"id":"1","x":undefined}"#,
                r#"{"id":"1","x":nan}"#,
                r#"{"id":"1","x":NULL}"#,
                r#"{"id":"1","x":NaT}"#,
                "{'id':'1'}",
                r#"{id:"1"}"#,
                r#"{"id":"1","x":yes}"#,
                r#"{"id":"1","x":[1,2, ]}"#,
                r#"{"id":"1",}"#,
                "# exported on Monday",
                "// exported",
                r#"{"id":"1" /* first */}"#,
                "id,at,booked",
                "{“id”:1}",
                "{\"id\":\u{a0}1}",
                "{\"id\":\u{7}1}",
            ]),
            @r#"
        not JSON: NaN at column 15; JSON has no NaN; write null
        not JSON: -Infinity at column 19; JSON has no infinity; write null
        not JSON: inf at column 15; JSON has no infinity; write null
        not JSON: None at column 15; JSON has no None; write null
        not JSON: True at column 15; JSON has no True; write true
        not JSON: FALSE at column 15; JSON has no FALSE; write false
        not JSON: undefined at column 15; JSON has no undefined; write null
        not JSON: nan at column 15; JSON has no NaN; write null
        not JSON: NULL at column 15; JSON has no NULL; write null
        not JSON: NaT at column 15; JSON has no NaT; write null
        not JSON: a single quote at column 2; JSON strings and keys have double quotes
        not JSON: the key id at column 2 has no quotes; write "id"
        not JSON: the word yes at column 15; write strings in double quotes
        not JSON: a comma before a closing bracket at column 19; JSON has no trailing commas; remove it
        not JSON: a comma before a closing bracket at column 10; JSON has no trailing commas; remove it
        not JSON: a comment at column 1; JSON has no comments; remove it
        not JSON: a comment at column 1; JSON has no comments; remove it
        not JSON: a comment at column 11; JSON has no comments; remove it
        not JSON: the word id at column 1; write strings in double quotes
        not JSON: the typographic quote “ at column 2; write straight double quotes
        not JSON: the character U+00A0 outside of a string at column 7; remove it, or write the text in double quotes
        not JSON: the control character U+0007 at column 7; remove it
        "#
        );
    }

    #[test]
    fn notation_is_searched_outside_of_valid_values() {
        insta::assert_snapshot!(
            faults(&[
                r#"{"a":true,"b":[false,null],"c":NaN}"#,
                "{\"a\":\r NaN}",
                r#"{_a:1}"#,
                r#"{$a:1}"#,
                r#"{"a":/}"#,
                r#"{"a":-}"#,
                r#""a" x"#,
            ]),
            @r#"
        not JSON: NaN at column 32; JSON has no NaN; write null
        not JSON: NaN at column 8; JSON has no NaN; write null
        not JSON: the key _a at column 2 has no quotes; write "_a"
        not JSON: the key $a at column 2 has no quotes; write "$a"
        not JSON: expected value at column 6
        not JSON: invalid number at column 7
        not JSON: the word x at column 5; write strings in double quotes
        "#
        );
    }

    #[test]
    fn character_width_is_detected_by_a_mark_or_the_share_of_nul_bytes() {
        assert_eq!(wide_encoding(b"\xff\xfe\0\0{}"), Some("UTF-32"));
        assert_eq!(wide_encoding(b"\0\0\xfe\xff{}"), Some("UTF-32"));
        assert_eq!(wide_encoding(b"\xff\xfe{}"), Some("UTF-16"));
        assert_eq!(wide_encoding(b"\xfe\xff{}"), Some("UTF-16"));
        let encodings =
            [2, 3, 5, 6].map(|nuls| wide_encoding(&[vec![0; nuls], vec![b'x'; 8 - nuls]].concat()));
        assert_eq!(encodings, [None, Some("UTF-16"), Some("UTF-16"), Some("UTF-32")]);
    }

    #[test]
    fn other_forms_of_files_are_named() {
        let utf16: Vec<u8> = "{\"id\":\"é\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf32: Vec<u8> = "{\"id\":1}".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        let wide = [&b"\xff\xfe{\0"[..], &utf16, &utf16[1..], &utf32].map(line_fault).join("\n");
        insta::assert_snapshot!(wide, @"
        not UTF-8: the line is UTF-16 text; write UTF-8
        not UTF-8: the line is UTF-16 text; write UTF-8
        not UTF-8: the line is UTF-16 text; write UTF-8
        not UTF-8: the line is UTF-32 text; write UTF-8
        ");
        insta::assert_snapshot!(
            faults(&[
                "\u{1e}{\"id\":1}",
                "{\"id\":1}\r{\"id\":2}",
                "[",
                "},",
                "\"id\": 1,",
                r#"{"id":1},"#,
                r#"[{"id":1}]"#,
                "17",
                "\"a\"",
                "true",
                "false",
                "null",
                "{\"id\":1}\u{feff}{\"id\":2}",
            ]),
            @"
        not JSON: a record separator (RFC 7464) at column 1; write one object per line, without separators
        not JSON: a second record behind a carriage return at column 9; end lines with a line feed
        not JSON: only `[`; write each record on one line
        not JSON: only `},`; write each record on one line
        not JSON: a key outside of a record; write each record on one line
        not JSON: a comma behind the record; write one object per line, not an array
        not a JSON object but an array; write one object per line
        not a JSON object but a number; write one object per line
        not a JSON object but a string; write one object per line
        not a JSON object but true or false; write one object per line
        not a JSON object but true or false; write one object per line
        not a JSON object but null; write one object per line
        not JSON: a byte order mark within the line at column 9; remove it
        "
        );
    }

    #[test]
    fn other_faults_have_the_words_of_the_parser() {
        insta::assert_snapshot!(
            faults(&[
                r#"{"x":"None, 'a', // and NaN","y":1 2}"#,
                r#"{"x":0x1F}"#,
                r#"{"x":1_000}"#,
                r#"{"x":007}"#,
                r#"{"x":.5}"#,
                r#"{"x":"NaN"#,
                r#"{"x":"\"", "y" 1, "z":NaN}"#,
                r#"{"x":1}{"y":NaN}"#,
            ]),
            @"
        not JSON: expected `,` or `}` at column 36
        not JSON: expected `,` or `}` at column 7
        not JSON: expected `,` or `}` at column 7
        not JSON: invalid number at column 7
        not JSON: expected value at column 6
        not JSON: the line ends in the middle of a record
        not JSON: expected `:` at column 16
        not JSON: trailing characters at column 8
        "
        );
    }

    #[test]
    fn any_bytes_are_named() {
        let mut state = 1_u64;
        let symbols = b"{}[]\",:'/#-tn\\ \r\x1e\0\xff\xc3\xa9NaI1.";
        for _ in 0..20_000 {
            let mut text = Vec::new();
            for _ in 0..state % 13 + 1 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push(symbols[(state >> 33) as usize % symbols.len()]);
            }
            assert!(line_fault(&text).starts_with("not "), "{text:?}");
        }
    }
}

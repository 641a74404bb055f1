//! Reads `[metadata]`: who owns a study, where its metric was agreed, and notes.
//!
//! Invariants: the values are text that is sealed and shown; nothing follows from them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::table_reader::TableReader;
use super::toml_value::Value;

/// The most owners of a study.
pub(super) const OWNERS: usize = 20;
/// The longest name of an owner, in characters.
pub(super) const OWNER_CHARS: usize = 200;
/// The longest `protocol`, in characters.
pub(super) const PROTOCOL_CHARS: usize = 2_000;
/// The longest `notes`, in characters.
pub(super) const NOTES_CHARS: usize = 4_000;

/// What people should know of a study. Sealed with the declaration, shown in the provenance of its reports, and never
/// interpreted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "kebab-case")]
pub struct Metadata {
    /// Who is responsible for the study: people or teams.
    pub owners: Vec<String>,
    /// Where metric and threshold were agreed: a URL or a text; null if it is not declared.
    pub protocol: Option<String>,
    /// Notes, which may have several lines; null if there are none.
    pub notes: Option<String>,
}

/// Reads the section `[metadata]`.
pub(super) fn metadata(root: &mut TableReader<'_>) -> Metadata {
    root.section_or_default("metadata", "[metadata] with owners, protocol or notes", |section| {
        let listed = format!(
            "a list of up to {OWNERS} names, each of up to {OWNER_CHARS} characters on one line, such as [\"yard team\"]"
        );
        let owners = section.filled_list("owners", &listed, |value: &Value<'_>| {
            value.word().filter(|name| is_line(name, OWNER_CHARS)).map(str::to_owned)
        });
        if owners.len() > OWNERS {
            let message = format!("`metadata.owners` has {} names; write {listed}", owners.len());
            section.fault(section.line_of("owners"), message);
        }
        for (at, (name, line)) in owners.iter().enumerate() {
            if owners[..at].iter().any(|(other, _)| other == name) {
                section.fault(*line, format!("`metadata.owners` has \"{name}\" twice; write each name once"));
            }
        }
        let expected = format!(
            "an https:// or http:// URL, or a text of up to {PROTOCOL_CHARS} characters on one line, that says where the \
             metric was agreed"
        );
        let protocol = section.optional("protocol", &expected, |value| {
            value.word().filter(|text| is_line(text, PROTOCOL_CHARS) && is_url_or_text(text))
        });
        let expected =
            format!("a text of up to {NOTES_CHARS} characters, without control characters but line breaks and tabs");
        let notes = section.optional("notes", &expected, |value| {
            let is_allowed = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
            value.word().filter(|text| is_within(text, NOTES_CHARS) && text.chars().all(is_allowed))
        });
        Metadata {
            owners: owners.into_iter().map(|(name, _)| name).collect(),
            protocol: protocol.map(str::to_owned),
            notes: notes.map(str::to_owned),
        }
    })
}

/// Whether a text has a visible character, and at most `most` characters.
fn is_within(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most
}

/// Whether a text is one line without control characters, and within the limit.
fn is_line(text: &str, most: usize) -> bool {
    is_within(text, most) && !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Whether a text that begins like a URL is one with a host, by http or https. Any other text passes.
fn is_url_or_text(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return true };
    if scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    {
        return true;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password in a URL would be in every report.
    let has_host = !authority.is_empty() && !authority.starts_with(':') && !authority.contains('@');
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let is_plain =
        |c: char| !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '|' | '}');
    is_web && has_host && rest.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{VALID, faults, read};
    use crate::{CanonicalStudy, parse};

    fn declared(section: &str) -> Metadata {
        parse(&format!("{VALID}[metadata]\n{section}\n")).unwrap().metadata
    }

    #[test]
    fn keys_are_read_and_none_is_required() {
        assert_eq!(read(&[]).metadata, Metadata::default());
        let full = "owners = [\"yard team\", \"Zoë 7\"]\nprotocol = \"https://wiki.example.org/yard?page=7#metric\"\nnotes = \"\"\"\nfirst\n\tsecond\"\"\"";
        let expected = Metadata {
            owners: vec!["yard team".to_owned(), "Zoë 7".to_owned()],
            protocol: Some("https://wiki.example.org/yard?page=7#metric".to_owned()),
            notes: Some("first\n\tsecond".to_owned()),
        };
        assert_eq!(declared(full), expected);
        let meeting = "minutes of 2026-11-30: see the shared folder";
        assert_eq!(declared(&format!("protocol = \"{meeting}\"")).protocol.as_deref(), Some(meeting));
    }

    #[test]
    fn faults_name_their_lines() {
        let wrong = "[metadata]\nowners = []\nprotocol = \"ftp://example.org\"\nnote = \"x\"\nnotes = \"\\u001b[31m\"\n[windows]";
        insta::assert_snapshot!(faults(&[("[windows]", wrong)]), @r#"
        study.toml:40: `metadata.owners` is an empty list; write a list of up to 20 names, each of up to 200 characters on one line, such as ["yard team"]
        study.toml:41: `metadata.protocol` is "ftp://example.org"; write an https:// or http:// URL, or a text of up to 2000 characters on one line, that says where the metric was agreed
        study.toml:42: unknown key `metadata.note`; did you mean `notes`? keys allowed here: owners, protocol, notes
        study.toml:43: `metadata.notes` is "\u001b[31m"; write a text of up to 4000 characters, without control characters but line breaks and tabs
        "#);
        let wrong = "[metadata]\nowners = [\"a\", \"b\\nc\", \"a\"]\n[windows]";
        insta::assert_snapshot!(faults(&[("[windows]", wrong)]), @r#"
        study.toml:40: `metadata.owners` contains "b\nc"; write a list of up to 20 names, each of up to 200 characters on one line, such as ["yard team"]
        study.toml:40: `metadata.owners` has "a" twice; write each name once
        "#);
        let many: Vec<String> = (0..=OWNERS).map(|owner| format!("\"{owner}\"")).collect();
        let wrong = format!("[metadata]\nowners = [{}]\n[windows]", many.join(", "));
        insta::assert_snapshot!(faults(&[("[windows]", &wrong)]), @r#"study.toml:40: `metadata.owners` has 21 names; write a list of up to 20 names, each of up to 200 characters on one line, such as ["yard team"]"#);
    }

    #[test]
    fn a_url_has_a_host_and_no_user() {
        for valid in [
            "https://example.org",
            "http://[::1]:8080/a",
            "HTTPS://example.org/%20?q",
            "see https://example.org, page 3",
            "a text",
        ] {
            assert!(is_url_or_text(valid), "{valid}");
        }
        for invalid in [
            "https://",
            "https:///path",
            "https://:80/",
            "https://user:secret@example.org/",
            "https://example.org/a b",
            "https://example.org/<script>",
            "javascript://example.org/%0aalert(1)",
            "file:///etc/passwd",
        ] {
            assert!(!is_url_or_text(invalid), "{invalid}");
        }
    }

    #[test]
    fn a_change_is_a_change_of_the_declaration() {
        let canonical = |owner: &str| {
            CanonicalStudy::from_toml(&format!("{VALID}[metadata]\nowners = [\"{owner}\"]\n")).unwrap()
        };
        let changes = canonical("yard team").changes(&canonical("gate team"));
        assert_eq!(changes, ["`metadata.owners[0]` was \"yard team\" and is \"gate team\""]);
    }
}

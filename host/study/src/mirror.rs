//! Reads `[mirror]`: which parts of a mirrored request become the id, the time and the fields of a snapshot.
//!
//! Invariants: every named field is declared in the same file; a mirror exists only if the snapshots come over HTTP.

use super::named_entry::NamedEntry;
use super::table_reader::TableReader;
use super::toml_value::Value;
use super::validate::DeclaredFields;
use super::{Field, Source, Stream};

/// How mirrored requests become snapshots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The part that becomes the id.
    pub id: RequestPart,
    /// The part that becomes the event time; `None` for the time of arrival.
    pub time: Option<RequestPart>,
    /// The fields with the parts that become them, in the order of the file.
    pub fields: Vec<(Field, RequestPart)>,
}

/// A part of a mirrored request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestPart {
    /// The method, such as `POST`.
    Method,
    /// The path after `/v1/mirror`, as sent, without the query.
    Path,
    /// The first query parameter of this name, decoded.
    Query(String),
    /// The first header of this name; the name is in lower case.
    Header(String),
    /// The value at a JSON pointer (RFC 6901) in the body, as decoded steps; the whole body without steps.
    Body(Vec<String>),
}

// What to write for a part, a time and an id.
const PART: &str = "\"method\", \"path\", \"query NAME\", \"header NAME\", \"body\" or \"body /POINTER\" with a JSON pointer";
const TIME: &str = "\"arrival\", or the part of a request that is its time, such as \"header x-event-time\"";
const ID: &str =
    "the part of a request that is its id, such as \"header x-request-id\" or \"body /booking/id\"";

impl RequestPart {
    /// Parses a part.
    fn read(text: &str) -> Option<RequestPart> {
        let (word, rest) =
            text.split_once(' ').map_or((text, None), |(word, rest)| (word, Some(rest.trim())));
        match (word, rest) {
            ("method", None) => Some(RequestPart::Method),
            ("path", None) => Some(RequestPart::Path),
            ("query", Some(name)) if !name.is_empty() => Some(RequestPart::Query(name.to_owned())),
            ("header", Some(name)) if !name.is_empty() && name.bytes().all(is_token) => {
                Some(RequestPart::Header(name.to_ascii_lowercase()))
            }
            ("body", None) => Some(RequestPart::Body(Vec::new())),
            ("body", Some(pointer)) => {
                let steps = pointer.strip_prefix('/')?.split('/');
                steps.map(step).collect::<Option<_>>().map(RequestPart::Body)
            }
            _ => None,
        }
    }
}

/// Decodes a step of a JSON pointer, in which `~` occurs only as `~0` and `~1`.
fn step(text: &str) -> Option<String> {
    let mut pieces = text.split('~');
    let mut step = pieces.next()?.to_owned();
    for piece in pieces {
        let (stands_for, rest) = match piece.split_at_checked(1)? {
            ("0", rest) => ('~', rest),
            ("1", rest) => ('/', rest),
            _ => return None,
        };
        step.push(stands_for);
        step.push_str(rest);
    }
    Some(step)
}

/// Whether a byte is allowed in the name of a header: <https://www.rfc-editor.org/rfc/rfc9110#name-tokens>.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Reads the section if it exists. `Err` if it has faults, which are reported.
pub(super) fn mirror(
    root: &mut TableReader<'_>,
    declared: &DeclaredFields,
    inputs: Option<&Stream>,
    source: Option<&Source>,
) -> Result<Option<Mirror>, ()> {
    let expected = "[mirror] with id = \"header x-request-id\", time = \"arrival\", and the fields under \
                    [mirror.fields]";
    let part = |value: &Value<'_>| value.word().and_then(RequestPart::read);
    let has = root.has("mirror");
    let read = root.optional_section("mirror", expected, |section| {
        let id = section.required("id", ID, part);
        let time = section.required("time", TIME, |value| match value.word() {
            Some("arrival") => Some(None),
            _ => part(value).map(Some),
        });
        let entries = section.entries("fields", PART, part);
        if source.is_some_and(|source| !source.is_pushed()) {
            let message = "`mirror` needs snapshots over HTTP, but `sources.snapshots` is another source; write \
                           snapshots = { http = true }, or remove `mirror`";
            section.fault(section.line(), message.to_owned());
        }
        let fields = entries.into_iter().map(|entry| field(section, declared, inputs, entry));
        let fields: Vec<_> = fields.collect();
        Some(Mirror { id: id?, time: time?, fields: fields.into_iter().collect::<Option<_>>()? })
    });
    match read.flatten() {
        None if has => Err(()),
        read => Ok(read),
    }
}

/// Reads one field of `[mirror.fields]`.
fn field(
    section: &TableReader<'_>,
    declared: &DeclaredFields,
    inputs: Option<&Stream>,
    NamedEntry { name, value, line }: NamedEntry<RequestPart>,
) -> Option<(Field, RequestPart)> {
    let path = section.at("fields");
    let own = |stream: &Stream| match name == stream.id {
        true => Some("id"),
        false => (name == stream.time).then_some("time"),
    };
    if let Some(key) = inputs.and_then(own) {
        let message = format!(
            "`{path}` has `{name}`, which is the snapshot's {key} by [inputs]; write its part of the request in `{}`",
            section.at(key)
        );
        section.fault(line, message);
        return None;
    }
    let kind = declared.input(&format!("`{path}` has"), &name);
    let kind = kind.map_err(|message| section.absent(&[], line, &message)).ok()??;
    Some((Field { name, kind }, value?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FieldKind;
    use crate::test_support::{faults, read};

    const HTTP: (&str, &str) = ("{ file = \"bookings.jsonl\" }", "{ http = true }");

    fn with(mirror: &str) -> [(&'static str, &str); 2] {
        [HTTP, ("[windows]", mirror)]
    }

    #[test]
    fn a_mirror_is_optional() {
        assert_eq!(read(&[HTTP]).mirror, None);
    }

    #[test]
    fn a_mirror_is_read() {
        let written = "[mirror]\nid = \"header X-Request-Id\"\ntime = \"arrival\"\n[mirror.fields]\n\
                       segment = \"body /booking/a~1b~0c/0\"\nlead_time = \"query lead time\"\n[windows]";
        let mirror = read(&with(written)).mirror.unwrap();
        assert_eq!(mirror.id, RequestPart::Header("x-request-id".to_owned()));
        assert_eq!(mirror.time, None);
        let field = |name: &str, kind| Field { name: name.to_owned(), kind };
        let steps = ["booking", "a/b~c", "0"].map(str::to_owned).to_vec();
        assert_eq!(
            mirror.fields,
            [
                (field("segment", FieldKind::Text), RequestPart::Body(steps)),
                (field("lead_time", FieldKind::Integer), RequestPart::Query("lead time".to_owned())),
            ]
        );
    }

    #[test]
    fn parts_have_a_fixed_syntax() {
        assert_eq!(RequestPart::read("method"), Some(RequestPart::Method));
        assert_eq!(RequestPart::read("path"), Some(RequestPart::Path));
        assert_eq!(RequestPart::read("body"), Some(RequestPart::Body(Vec::new())));
        assert_eq!(RequestPart::read("body /"), Some(RequestPart::Body(vec![String::new()])));
        for wrong in [
            "",
            "path x",
            "query",
            "query ",
            "header",
            "header a b",
            "body a",
            "body /~2",
            "body /~",
            "cookie x",
        ] {
            assert_eq!(RequestPart::read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn faults_name_their_lines() {
        let wrong = "[mirror]\nid = \"cookie x\"\n[mirror.fields]\nsegmnt = \"path\"\nid = \"path\"\n\
                     price = \"body price\"\n[windows]";
        let said = faults(&[("[windows]", wrong)]);
        insta::assert_snapshot!(said.display(std::path::Path::new("study.toml")));
    }
}

//! How a mirrored request becomes a snapshot: from which of its parts the id, the time and the fields are taken.
//!
//! Always holds: what is named is a field that the same file declares; a mirror is declared only where the snapshots come
//! over HTTP.

use super::check::Declared;
use super::section::{Entry, Section};
use super::value::Value;
use super::{Field, Source, Stream};

/// How a mirrored request becomes a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// What becomes the id.
    pub id: Part,
    /// What becomes the time; the time at which the request arrives, if there is none.
    pub time: Option<Part>,
    /// What becomes a field, in the order of the file.
    pub fields: Vec<(Field, Part)>,
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its method, such as `POST`.
    Method,
    /// Its path behind `/v1/mirror`, as it was sent, without the query.
    Path,
    /// The first value of that name in its query, decoded.
    Query(String),
    /// Its first header of that name, which is in lower case.
    Header(String),
    /// What a JSON pointer (RFC 6901) leads to in its body, by the pointer's decoded steps; all of the body if there is none.
    Body(Vec<String>),
}

/// What to write for a part.
const PART: &str = "\"method\", \"path\", \"query NAME\", \"header NAME\", \"body\" or \"body /POINTER\" with a JSON pointer";
const TIME: &str = "\"arrival\", or the part of a request that is its time, such as \"header x-event-time\"";
const ID: &str =
    "the part of a request that is its id, such as \"header x-request-id\" or \"body /booking/id\"";

impl Part {
    /// Reads it as it is written.
    fn read(text: &str) -> Option<Part> {
        let (word, rest) =
            text.split_once(' ').map_or((text, None), |(word, rest)| (word, Some(rest.trim())));
        match (word, rest) {
            ("method", None) => Some(Part::Method),
            ("path", None) => Some(Part::Path),
            ("query", Some(name)) if !name.is_empty() => Some(Part::Query(name.to_owned())),
            ("header", Some(name)) if !name.is_empty() && name.bytes().all(is_token) => {
                Some(Part::Header(name.to_ascii_lowercase()))
            }
            ("body", None) => Some(Part::Body(Vec::new())),
            ("body", Some(pointer)) => {
                let steps = pointer.strip_prefix('/')?.split('/');
                steps.map(step).collect::<Option<_>>().map(Part::Body)
            }
            _ => None,
        }
    }
}

/// A step of a JSON pointer, in which `~` stands only in `~0` and `~1`.
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

/// Whether a byte may stand in the name of a header: <https://www.rfc-editor.org/rfc/rfc9110#name-tokens>.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// How mirrored requests become snapshots, if that is declared; `Err` if it could not be read.
pub(super) fn mirror(
    root: &mut Section<'_>,
    declared: &Declared,
    inputs: Option<&Stream>,
    source: Option<&Source>,
) -> Result<Option<Mirror>, ()> {
    let expected = "[mirror] with id = \"header x-request-id\", time = \"arrival\", and what becomes a field under \
                    [mirror.fields]";
    let part = |value: &Value<'_>| value.word().and_then(Part::read);
    let has = root.has("mirror");
    let read = root.optional_section("mirror", expected, |section| {
        let id = section.required("id", ID, part);
        let time = section.required("time", TIME, |value| match value.word() {
            Some("arrival") => Some(None),
            _ => part(value).map(Some),
        });
        let entries = section.entries("fields", PART, part);
        if source.is_some_and(|source| !source.is_pushed()) {
            let message = "`mirror` takes snapshots over HTTP, and `sources.snapshots` says that they come from elsewhere; write \
                           snapshots = { http = true }, or leave `mirror` out";
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

/// What becomes one field.
fn field(
    section: &Section<'_>,
    declared: &Declared,
    inputs: Option<&Stream>,
    Entry { name, value, line }: Entry<Part>,
) -> Option<(Field, Part)> {
    let path = section.at("fields");
    let own = |stream: &Stream| match name == stream.id {
        true => Some("id"),
        false => (name == stream.time).then_some("time"),
    };
    if let Some(key) = inputs.and_then(own) {
        let message = format!(
            "`{path}` has `{name}`, which [inputs] says is the snapshot's {key}; say what it is taken from in `{}`",
            section.at(key)
        );
        section.fault(line, message);
        return None;
    }
    let kind = declared.input(&format!("`{path}` has"), &name);
    let kind = kind.map_err(|message| section.absent(line, message)).ok()??;
    Some((Field { name, kind }, value?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::sample::{faults, read};

    const HTTP: (&str, &str) = ("{ file = \"bookings.jsonl\" }", "{ http = true }");

    fn with(mirror: &str) -> [(&'static str, &str); 2] {
        [HTTP, ("[windows]", mirror)]
    }

    #[test]
    fn there_is_none_unless_it_is_declared() {
        assert_eq!(read(&[HTTP]).mirror, None);
    }

    #[test]
    fn what_is_written_is_read() {
        let written = "[mirror]\nid = \"header X-Request-Id\"\ntime = \"arrival\"\n[mirror.fields]\n\
                       segment = \"body /booking/a~1b~0c/0\"\nlead_time = \"query lead time\"\n[windows]";
        let mirror = read(&with(written)).mirror.unwrap();
        assert_eq!(mirror.id, Part::Header("x-request-id".to_owned()));
        assert_eq!(mirror.time, None);
        let field = |name: &str, kind| Field { name: name.to_owned(), kind };
        let steps = ["booking", "a/b~c", "0"].map(str::to_owned).to_vec();
        assert_eq!(
            mirror.fields,
            [
                (field("segment", Kind::Text), Part::Body(steps)),
                (field("lead_time", Kind::Integer), Part::Query("lead time".to_owned())),
            ]
        );
    }

    #[test]
    fn parts_are_written_in_few_ways() {
        assert_eq!(Part::read("method"), Some(Part::Method));
        assert_eq!(Part::read("path"), Some(Part::Path));
        assert_eq!(Part::read("body"), Some(Part::Body(Vec::new())));
        assert_eq!(Part::read("body /"), Some(Part::Body(vec![String::new()])));
        for wrong in
            ["", "path x", "query", "header", "header a b", "body a", "body /~2", "body /~", "cookie x"]
        {
            assert_eq!(Part::read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let wrong = "[mirror]\nid = \"cookie x\"\n[mirror.fields]\nsegmnt = \"path\"\nid = \"path\"\n\
                     price = \"body price\"\n[windows]";
        let said = faults(&[("[windows]", wrong)]);
        insta::assert_snapshot!(said.display(std::path::Path::new("study.toml")));
    }
}

//! Finds keys that a study declares and that no record at the beginning of a file has, such as misspelt ones.
//!
//! Any field may be absent from a record, so a study with such a field is valid. Without the warning it would run with a
//! condition whose every value is `missing`. Without the key of the id or of the time, no record can be read, so that is an
//! error.

use std::collections::BTreeSet;
use std::path::Path;

use understudy_engine::LoadedStudy;
use understudy_report::counted;
use understudy_study::{Source, Stream};

/// The number of lines that are examined in each file.
const EXAMINED: usize = 1000;

/// The number of keys of the records that a warning lists.
const LISTED: usize = 20;

/// What a declared key is for.
#[derive(Clone, Copy)]
enum KeyRole {
    Id,
    Time,
    Field,
}

impl KeyRole {
    /// The key of `study.toml` that declares it.
    const fn declared_by(self) -> &'static str {
        match self {
            KeyRole::Id => "id",
            KeyRole::Time => "time",
            KeyRole::Field => "fields",
        }
    }
}

/// Declared keys that none of the first records of its file has, in sentences.
#[derive(Debug, Default, PartialEq)]
pub(super) struct AbsentKeys {
    /// On keys of an id or a time.
    pub errors: Vec<String>,
    /// On keys of fields.
    pub warnings: Vec<String>,
}

/// The declared keys that none of the first records of its file has. Sources other than regular files have none.
pub(super) fn absent_keys(loaded_study: &LoadedStudy) -> AbsentKeys {
    let study = &loaded_study.study;
    let streams = [
        ("inputs", &study.inputs, &study.snapshots_source),
        ("decisions", &study.decisions, &study.decisions_source),
    ];
    let mut found = AbsentKeys::default();
    for (table, stream, source) in streams {
        if let Source::File(path) = source
            && loaded_study.folder.join(path).is_file()
            && let Some((records, keys)) = first_keys(source, &loaded_study.folder, study.limits.record_bytes)
        {
            find_absent_keys(&mut found, (table, stream), &path.display().to_string(), records, &keys);
        }
    }
    found
}

/// The number of objects in the first lines of a source, and all keys that they have. `None` without an object.
fn first_keys(source: &Source, folder: &Path, record_bytes: usize) -> Option<(usize, BTreeSet<String>)> {
    let mut reader = understudy_sources::open(source, folder, record_bytes, None).ok()??;
    let (mut examined, mut records, mut keys) = (0, 0, BTreeSet::new());
    while examined < EXAMINED
        && let Ok(Some(lines)) = reader.next_batch(EXAMINED - examined)
    {
        examined += lines.len();
        for at in 0..lines.len() {
            if let Ok(record) = serde_json::from_slice::<serde_json::Map<_, _>>(lines.text(at)) {
                records += 1;
                keys.extend(record.into_iter().map(|(key, _)| key));
            }
        }
    }
    (records > 0).then_some((records, keys))
}

/// Adds the absent keys of one stream, whose first records have `keys`.
fn find_absent_keys(
    found: &mut AbsentKeys,
    (table, stream): (&str, &Stream),
    path: &str,
    records: usize,
    keys: &BTreeSet<String>,
) {
    let own = [(KeyRole::Id, &stream.id), (KeyRole::Time, &stream.time)];
    let declared = own.into_iter().chain(stream.fields.iter().map(|field| (KeyRole::Field, &field.name)));
    let absent = declared.filter(|(_, key)| !keys.contains(*key));
    let listed: Vec<String> = keys.iter().take(LISTED).map(|key| format!("{key:?}")).collect();
    let more = if keys.len() > LISTED { ", ..." } else { "" };
    let records = counted(records as u64, "record", "records");
    for (role, key) in absent {
        let declared_by = role.declared_by();
        let sentence = format!(
            "{path}: none of the first {records} has the key `{key}`, which [{table}] declares ({declared_by}); their keys are {}{more}",
            listed.join(", ")
        );
        match role {
            KeyRole::Field => found.warnings.push(sentence),
            KeyRole::Id | KeyRole::Time => found.errors.push(format!(
                "{sentence}; no record can be read without it, so name one of them as `{declared_by}`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use understudy_study::{Field, FieldKind};

    use super::*;

    fn absent(id: &str, fields: &[&str], keys: &[&str]) -> String {
        let field = |name: &&str| Field { name: (*name).to_owned(), kind: FieldKind::Text };
        let stream = Stream {
            id: id.to_owned(),
            time: "at".to_owned(),
            lateness: SignedDuration::from_hours(1),
            most_ahead: SignedDuration::from_hours(1),
            fields: fields.iter().map(field).collect(),
        };
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let mut found = AbsentKeys::default();
        find_absent_keys(&mut found, ("inputs", &stream), "snapshots.jsonl", 1000, &keys);
        let errors = found.errors.iter().map(|error| format!("error: {error}"));
        errors.chain(found.warnings).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_key_that_no_record_has_is_named() {
        assert_eq!(absent("id", &["room", "nights"], &["id", "at", "room", "nights", "guests"]), "");
        insta::assert_snapshot!(absent("id", &["room", "nigths"], &["id", "at", "room", "nights"]), @r#"snapshots.jsonl: none of the first 1,000 records has the key `nigths`, which [inputs] declares (fields); their keys are "at", "id", "nights", "room""#);
        insta::assert_snapshot!(absent("uid", &["room"], &["id", "time", "room"]), @r#"
        error: snapshots.jsonl: none of the first 1,000 records has the key `uid`, which [inputs] declares (id); their keys are "id", "room", "time"; no record can be read without it, so name one of them as `id`
        error: snapshots.jsonl: none of the first 1,000 records has the key `at`, which [inputs] declares (time); their keys are "id", "room", "time"; no record can be read without it, so name one of them as `time`
        "#);
    }

    #[test]
    fn the_keys_of_wide_or_hostile_records_are_cut_and_escaped() {
        let many: Vec<String> = (0..30).map(|key| format!("key-{key:02}")).collect();
        let keys: Vec<&str> = many.iter().map(String::as_str).chain(["\u{1b}[2J", "at", "id"]).collect();
        let warned = absent("id", &["room"], &keys);
        assert!(warned.contains("\"\\u{1b}[2J\", \"at\"") && warned.ends_with("\"key-16\", ..."), "{warned}");
    }
}

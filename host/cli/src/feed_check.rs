//! Examines the records at the beginning of each file of a study: the keys that none of them has, such as misspelt ones, and
//! whether they can be decoded.
//!
//! Any field may be absent from a record, so a study with such a field is valid. Without the warning it would run with a
//! condition whose every value is `missing`. If no record can be decoded, a run would have nothing to compare, so that is an
//! error.

use std::collections::BTreeSet;
use std::path::Path;

use understudy_records::batch::{Decoder, ExcludedRecord};
use understudy_records::diagnosis::CauseCounts;
use understudy_report::{count, counted, likely_causes};
use understudy_study::{Limits, Source, Stream, StreamKind, Study, nearest};

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

/// What is wrong with the first records, in sentences.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Findings {
    /// Why no record of a stream can be decoded.
    pub errors: Vec<String>,
    /// Keys of fields that no record has, and records that cannot be decoded.
    pub warnings: Vec<String>,
}

/// What is wrong with the first records of each file of a study in `folder`. Sources other than regular files are not examined.
pub(super) fn examine(study: &Study, folder: &Path) -> Findings {
    let mut findings = Findings::default();
    for kind in StreamKind::ALL {
        let (stream, source) = (study.stream(kind), study.source(kind));
        let path = match source {
            Source::File(file) => &file.path,
            Source::Stdin | Source::Http => continue,
        };
        if folder.join(path).is_file()
            && let Some(first) = FirstRecords::read(kind, stream, source, folder, &study.limits)
        {
            first.add_findings(&mut findings, stream, &path.display().to_string());
        }
    }
    findings
}

/// What the first lines of a source hold.
struct FirstRecords {
    kind: StreamKind,
    /// Lines examined.
    examined: usize,
    /// What the position of a record is called: `line` or `row`.
    position_name: &'static str,
    /// Lines that are JSON objects.
    objects: usize,
    /// All keys of these.
    keys: BTreeSet<String>,
    /// Lines that cannot be decoded.
    rejected: usize,
    /// The first of these.
    first_rejected: Option<ExcludedRecord>,
    causes: CauseCounts,
}

impl FirstRecords {
    /// Reads the first lines of a source. `None` if it has none, or cannot be read.
    fn read(
        kind: StreamKind,
        stream: &Stream,
        source: &Source,
        folder: &Path,
        limits: &Limits,
    ) -> Option<FirstRecords> {
        let mut reader =
            understudy_sources::open(source, stream, folder, limits.record_bytes, None).ok()??;
        let mut decoder = Decoder::new(kind, stream, EXAMINED);
        let mut first = FirstRecords {
            kind,
            examined: 0,
            position_name: source.position_name(),
            objects: 0,
            keys: BTreeSet::new(),
            rejected: 0,
            first_rejected: None,
            causes: CauseCounts::default(),
        };
        while first.examined < EXAMINED
            && let Ok(Some(lines)) = reader.next_batch(EXAMINED - first.examined)
        {
            first.examined += lines.len();
            for at in 0..lines.len() {
                if let Ok(record) = serde_json::from_slice::<serde_json::Map<_, _>>(lines.text(at)) {
                    first.objects += 1;
                    first.keys.extend(record.into_iter().map(|(key, _)| key));
                }
            }
            for rejected in decoder.decode(&lines).excluded {
                first.rejected += 1;
                first.causes.add(&rejected.raw, stream);
                first.first_rejected.get_or_insert(rejected);
            }
        }
        (first.examined > 0).then_some(first)
    }

    /// Adds what is wrong with the records of the file `path`.
    fn add_findings(self, findings: &mut Findings, stream: &Stream, path: &str) {
        let errors = findings.errors.len();
        if self.objects > 0 {
            self.find_absent_keys(findings, stream, path);
        }
        // The absent key of the id or of the time is the reason.
        if errors < findings.errors.len() {
            return;
        }
        let Some(rejected) = &self.first_rejected else { return };
        let first = format!("{} {}: {}", self.position_name, count(rejected.position.line), rejected.detail);
        let examined = counted(self.examined as u64, "record", "records");
        if self.rejected < self.examined {
            let rejected = count(self.rejected as u64);
            findings
                .warnings
                .push(format!("{path}: {rejected} of the first {examined} cannot be decoded; {first}"));
            return;
        }
        let likely = likely_causes(&self.causes.list());
        let likely = likely.map_or_else(String::new, |causes| format!(". Likely cause: {causes}"));
        findings.errors.push(format!("{path}: none of the first {examined} can be decoded; {first}{likely}"));
    }

    /// Adds the declared keys that none of the records has.
    fn find_absent_keys(&self, findings: &mut Findings, stream: &Stream, path: &str) {
        let table = match self.kind {
            StreamKind::Snapshots => "inputs",
            StreamKind::Decisions => "decisions",
        };
        let own = [(KeyRole::Id, &stream.id), (KeyRole::Time, &stream.time)];
        let declared = own.into_iter().chain(stream.fields.iter().map(|field| (KeyRole::Field, &field.name)));
        let declared: Vec<_> = declared.collect();
        let undeclared: Vec<&str> = self
            .keys
            .iter()
            .map(String::as_str)
            .filter(|key| declared.iter().all(|(_, name)| name != key))
            .collect();
        let absent = declared.iter().filter(|(_, key)| !self.keys.contains(*key));
        let listed: Vec<String> = self.keys.iter().take(LISTED).map(|key| format!("{key:?}")).collect();
        let more = if self.keys.len() > LISTED { ", ..." } else { "" };
        let records = counted(self.objects as u64, "record", "records");
        for (role, key) in absent {
            let declared_by = role.declared_by();
            let hint = match nearest(key, undeclared.iter().copied()) {
                Some(near) => format!("; did you mean {near:?}?"),
                None => ";".to_owned(),
            };
            let sentence = format!(
                "{path}: none of the first {records} has the key `{key}`, which [{table}] declares ({declared_by}){hint} their keys are {}{more}",
                listed.join(", ")
            );
            match role {
                KeyRole::Field => findings.warnings.push(sentence),
                KeyRole::Id | KeyRole::Time => findings.errors.push(format!(
                    "{sentence}; no record can be read without it, so name one of them as `{declared_by}`"
                )),
            }
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
        let first = FirstRecords {
            kind: StreamKind::Snapshots,
            examined: 1000,
            position_name: "line",
            objects: 1000,
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            rejected: 0,
            first_rejected: None,
            causes: CauseCounts::default(),
        };
        let mut found = Findings::default();
        first.add_findings(&mut found, &stream, "snapshots.jsonl");
        let errors = found.errors.iter().map(|error| format!("error: {error}"));
        errors.chain(found.warnings).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_key_that_no_record_has_is_named() {
        assert_eq!(absent("id", &["room", "nights"], &["id", "at", "room", "nights", "guests"]), "");
        insta::assert_snapshot!(absent("id", &["room", "nigths"], &["id", "at", "room", "nights"]), @r#"snapshots.jsonl: none of the first 1,000 records has the key `nigths`, which [inputs] declares (fields); did you mean "nights"? their keys are "at", "id", "nights", "room""#);
        insta::assert_snapshot!(absent("uid", &["room"], &["id", "time", "room"]), @r#"
        error: snapshots.jsonl: none of the first 1,000 records has the key `uid`, which [inputs] declares (id); did you mean "id"? their keys are "id", "room", "time"; no record can be read without it, so name one of them as `id`
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

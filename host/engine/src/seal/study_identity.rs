//! Computes what a register records about a seal: study, fields and feed, by which another try is recognised.
//!
//! Invariants:
//! - The digests depend on the declaration and the folder of a study alone, not on the order of its tables.
//! - Two studies that name the same file by different paths have the same feed.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::plugins::load::LoadedStudy;
use crate::plugins::study_fields::declared_field;
use crate::seal::manifest::Seal;
use understudy_run_log::folder_of;
use understudy_run_log::register::{RegisterContent, RegisteredSeal};
use understudy_sandbox::sha256_hex;
use understudy_statistics::verdict::describe_threshold;
use understudy_study::{CanonicalStudy, Source, StreamKind, Study};

/// What the register records about a seal of a study.
pub(crate) fn registered_seal(loaded: &LoadedStudy, seal: &Seal) -> RegisteredSeal {
    let study = &loaded.study;
    RegisteredSeal {
        study: study.name.clone(),
        seal: sha256_hex(seal.to_json().as_bytes()),
        declaration: seal.declaration.clone(),
        fields: fields_digest(study),
        feed: feed_digest(study, &loaded.canonical, &loaded.folder),
        threshold: study.threshold.as_ref().map(|threshold| describe_threshold(study, threshold)),
    }
}

/// Checks that a seal is in a register at the position that it names, and that its entry describes it. The feed is
/// not compared, because it depends on the folder in which the study was sealed. The words of the threshold are not
/// compared either, because the digest of the declaration covers them.
///
/// # Errors
/// The fault, as a clause.
pub fn check_registered(register: &RegisterContent, seal: &Seal, study: &Study) -> Result<(), String> {
    let Some(position) = &seal.register else {
        return Err("the study names a register, and the seal names no entry of it".to_owned());
    };
    register.check_seal(position, &sha256_hex(seal.to_json().as_bytes()), |found| match () {
        () if found.study != seal.study => Err("study"),
        () if found.declaration != seal.declaration => Err("declaration"),
        () if found.fields != fields_digest(study) => Err("fields"),
        () => Ok(()),
    })
}

/// SHA-256 of the names and types of the fields that the models may read.
fn fields_digest(study: &Study) -> String {
    let names = study.models.iter().flat_map(|model| &model.grant);
    let mut fields: Vec<_> = names
        .map(|name| (name.as_str(), declared_field(study, name).map_or("", |field| field.kind.name())))
        .collect();
    fields.sort_unstable();
    fields.dedup();
    sha256_hex(json!(fields).to_string().as_bytes())
}

/// SHA-256 of the declared sources. A file is identified by its path. A stream that is pushed or read from
/// standard input is identified by the keys and fields of its records, and by the mirror.
fn feed_digest(study: &Study, canonical: &CanonicalStudy, folder: &Path) -> String {
    let stream = |kind| match study.source(kind) {
        Source::File(file) => json!({ "file": absolute(&folder.join(&file.path)) }),
        source => {
            let stream = study.stream(kind);
            let mut fields: Vec<_> =
                stream.fields.iter().map(|field| (field.name.as_str(), field.kind.name())).collect();
            fields.sort_unstable();
            json!({ "source": if source.is_pushed() { "http" } else { "stdin" }, "id": stream.id, "time": stream.time, "fields": fields })
        }
    };
    let declared: Value = serde_json::from_str(canonical.text()).unwrap_or_default();
    let feed = json!({
        "snapshots": stream(StreamKind::Snapshots),
        "decisions": stream(StreamKind::Decisions),
        "mirror": declared["mirror"],
    });
    sha256_hex(feed.to_string().as_bytes())
}

/// The absolute path of a file. Links are resolved in the file, or else in its folder, if that exists.
fn absolute(path: &Path) -> PathBuf {
    let resolved = path.canonicalize().or_else(|_| {
        Ok::<_, std::io::Error>(folder_of(path).canonicalize()?.join(path.file_name().unwrap_or_default()))
    });
    resolved.or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use understudy_study::parse;

    const STUDY: &str = r#"study = "rooms"
time-zone = "UTC"
[inputs]
id = "id"
time = "at"
fields = { price = "number", segment = "text" }
[decisions]
id = "id"
time = "at"
horizon = "1d"
[sources]
snapshots = { file = "s.jsonl" }
decisions = { http = true }
[[models]]
name = "m"
plugin = "m.wasm"
grant = ["price", "segment"]
[comparator]
name = "c"
plugin = "c.wasm"
[[metrics]]
name = "agreement"
plugin = "a.wasm"
[windows]
every = "week"
"#;

    fn digests(edits: &[(&str, &str)], folder: &Path) -> (String, String) {
        let text = edits.iter().fold(STUDY.to_owned(), |text, (old, new)| {
            assert!(text.contains(old), "{old}");
            text.replacen(old, new, 1)
        });
        let study = parse(&text).map_err(|invalid| invalid.faults.to_string()).unwrap();
        let canonical = CanonicalStudy::from_toml(&text).unwrap();
        (fields_digest(&study), feed_digest(&study, &canonical, folder))
    }

    #[test]
    fn the_same_file_is_the_same_feed_from_any_folder() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("a/s.jsonl"), "").unwrap();
        let (_, own) = digests(&[], &folder.path().join("a"));
        let (_, other) = digests(&[("s.jsonl", "../a/s.jsonl")], &folder.path().join("b"));
        assert_eq!(own, other);
        assert_ne!(own, digests(&[], &folder.path().join("b")).1, "that is another file");
        // A file that is not there yet is the same once it is.
        let (_, absent) = digests(&[("s.jsonl", "t.jsonl")], &folder.path().join("a"));
        std::fs::write(folder.path().join("a/t.jsonl"), "").unwrap();
        assert_eq!(absent, digests(&[("s.jsonl", "t.jsonl")], &folder.path().join("a")).1);
    }

    #[test]
    fn fields_and_feed_change_only_with_what_they_name() {
        let folder = tempfile::tempdir().unwrap();
        let (fields, feed) = digests(&[], folder.path());
        let changed = |edits: &[(&str, &str)]| {
            let (now_fields, now_feed) = digests(edits, folder.path());
            (now_fields != fields, now_feed != feed)
        };
        assert_eq!(changed(&[("\"price\", \"segment\"]", "\"segment\", \"price\"]")]), (false, false));
        assert_eq!(changed(&[("study = \"rooms\"", "study = \"yard\"")]), (false, false));
        assert_eq!(changed(&[("horizon = \"1d\"", "horizon = \"2d\"")]), (false, false));
        assert_eq!(changed(&[("\"price\", \"segment\"]", "\"price\"]")]), (true, false));
        assert_eq!(changed(&[("price = \"number\"", "price = \"integer\"")]), (true, false));
        assert_eq!(changed(&[("s.jsonl", "t.jsonl")]), (false, true));
        assert_eq!(
            changed(&[("decisions = { http = true }", "decisions = { stdin = true }")]),
            (false, true)
        );
        assert_eq!(
            changed(&[("horizon = \"1d\"", "horizon = \"1d\"\nfields = { room = \"text\" }")]),
            (false, true)
        );
    }
}

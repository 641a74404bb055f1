//! The files of a new plugin, which builds and passes its tests at once.

use crate::kind::Kind;
use crate::language::Language;

/// A name that cannot be that of a plugin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name \"{name}\" {why}; write lower-case letters, digits and single hyphens, a letter first, such as \"booked-room\""
)]
pub struct ProjectError {
    name: String,
    why: &'static str,
}

/// A new plugin.
#[derive(Clone, Copy, Debug)]
pub struct NewProject<'a> {
    /// Name of the package.
    pub name: &'a str,
    /// What it is.
    pub kind: Kind,
    /// What it is written in.
    pub language: Language,
}

/// Checks that a name can be that of a package in a language.
///
/// # Errors
/// If it cannot.
pub fn is_package_name(name: &str, language: Language) -> Result<(), ProjectError> {
    let refused = |why| Err(ProjectError { name: name.to_owned(), why });
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match name {
        "" => refused("is empty"),
        _ if name.len() > 64 => refused("has more than 64 characters"),
        _ if !name.chars().all(is_allowed) => refused("has characters that are not allowed"),
        _ if !name.starts_with(|c: char| c.is_ascii_lowercase()) => refused("does not begin with a letter"),
        _ if name.ends_with('-') || name.contains("--") => refused("has a hyphen without a word after it"),
        _ => language.refusal(name).map_or(Ok(()), refused),
    }
}

impl NewProject<'_> {
    /// The files by their paths below the folder of the plugin.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut files = self.language.files(self.name, self.kind);
        files.push(("rows.jsonl".to_owned(), self.kind.rows().to_owned()));
        files.push(("expected.jsonl".to_owned(), self.kind.expected_answers().to_owned()));
        files
    }
}

#[cfg(test)]
mod tests {
    use understudy_sandbox::InputField;
    use understudy_study::{AnswerForm, FieldKind};

    use super::*;
    use crate::cell::decode_rows;
    use crate::{read_pair_tests, read_row_tests};

    fn file(language: Language, kind: Kind, path: &str) -> String {
        let project = NewProject { name: "booked-room", kind, language };
        let files = project.files();
        let (_, text) = files.iter().find(|(known, _)| *known == path).expect("the file is written");
        assert!(path.starts_with("sdk/") || !text.contains("{{"), "{text}");
        text.clone()
    }

    #[test]
    fn names_of_packages_are_checked() {
        for name in ["a", "booked-room", "model-2"] {
            assert_eq!(is_package_name(name, Language::Rust), Ok(()));
        }
        let errors: Vec<String> = ["", "Room", "a_b", "2a", "-a", "a-", "a--b", "self", "understudy-sdk"]
            .iter()
            .map(|name| is_package_name(name, Language::Rust).expect_err("it is refused").why.to_owned())
            .collect();
        insta::assert_snapshot!(errors.join("\n"), @"
        is empty
        has characters that are not allowed
        has characters that are not allowed
        does not begin with a letter
        does not begin with a letter
        has a hyphen without a word after it
        has a hyphen without a word after it
        is a word of Rust, or the name of a dependency
        is a word of Rust, or the name of a dependency
        ");
        insta::assert_snapshot!(is_package_name("Room", Language::Rust).expect_err("it is refused").to_string(), @r#"the name "Room" has characters that are not allowed; write lower-case letters, digits and single hyphens, a letter first, such as "booked-room""#);
    }

    #[test]
    fn files_have_the_name_and_the_sdk() {
        for kind in [Kind::Model, Kind::Comparator, Kind::Metric] {
            assert!(file(Language::Rust, kind, "src/lib.rs").contains("pub struct BookedRoom"));
            assert!(file(Language::Rust, kind, "README.md").lines().count() <= 50);
        }
        let manifest = file(Language::Rust, Kind::Model, "Cargo.toml");
        assert!(manifest.contains("name = \"booked-room\"\n"), "{manifest}");
        assert!(manifest.contains("path = \"sdk/guest-sdk\""), "{manifest}");
        assert!(file(Language::Rust, Kind::Model, "sdk/guest-sdk/src/lib.rs").contains("export_model!"));
    }

    #[test]
    fn plugins_in_python_have_the_name_and_the_sdk() {
        for (kind, declared) in [
            (Kind::Model, "class BookedRoom"),
            (Kind::Comparator, "def booked_room"),
            (Kind::Metric, "class BookedRoom"),
        ] {
            assert!(file(Language::Python, kind, "booked_room.py").contains(declared));
            assert!(file(Language::Python, kind, "test_booked_room.py").contains("from booked_room import"));
            assert!(file(Language::Python, kind, "README.md").lines().count() <= 50);
        }
        let manifest = file(Language::Python, Kind::Model, "pyproject.toml");
        assert!(manifest.contains("name = \"booked-room\"\n"), "{manifest}");
        assert!(
            file(Language::Python, Kind::Model, "sdk/understudy_sdk/shadow.wit")
                .contains("interface decider")
        );
        for name in ["json", "class", "understudy-sdk"] {
            assert!(is_package_name(name, Language::Python).is_err(), "{name}");
        }
    }

    #[test]
    fn componentize_py_has_one_version() {
        let pin = "componentize-py==";
        let readme = file(Language::Python, Kind::Model, "README.md");
        let version =
            readme.split(pin).nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
        let build = file(Language::Python, Kind::Model, "sdk/understudy_sdk/build.py");
        assert!(build.contains(&format!("COMPONENTIZE_PY = \"{version}\"")), "{version}");
        for pinned in [
            include_str!("../../../tests/requirements.txt"),
            include_str!("../../../deploy/wheel/pyproject.toml"),
        ] {
            assert!(pinned.contains(&format!("{pin}{version}")), "{version}");
        }
    }

    #[test]
    fn a_plugin_in_javascript_has_its_package_and_the_sdk() {
        for kind in [Kind::Model, Kind::Comparator, Kind::Metric] {
            for path in ["src/plugin.js", "test/plugin.test.js"] {
                assert!(file(Language::JavaScript, kind, path).contains("'@understudy/sdk"));
            }
            assert!(file(Language::JavaScript, kind, "README.md").lines().count() <= 50);
        }
        let manifest = file(Language::JavaScript, Kind::Model, "package.json");
        assert!(manifest.contains("\"name\": \"booked-room\""), "{manifest}");
        assert!(manifest.contains("--output booked_room.wasm"), "{manifest}");
        let sdk = file(Language::JavaScript, Kind::Model, "sdk/package.json");
        // The package has the version of the program that writes it.
        assert!(sdk.contains(&format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"))), "{sdk}");
        assert!(file(Language::JavaScript, Kind::Model, "sdk/wit/shadow.wit").contains("world model"));
        let error = is_package_name("esbuild", Language::JavaScript).expect_err("it is refused");
        assert_eq!(error.why, "is reserved by npm, or the name of a dependency");
    }

    #[test]
    fn a_plugin_in_c_has_its_manifest_the_sdk_and_the_adapter() {
        for (kind, world) in [(Kind::Model, "model"), (Kind::Comparator, "model"), (Kind::Metric, "metric")] {
            assert!(file(Language::C, kind, "src/plugin.c").contains("us_plugin = {"));
            assert!(file(Language::C, kind, "README.md").lines().count() <= 50);
            assert!(file(Language::C, kind, "plugin.toml").contains("name = \"booked-room\"\n"));
            let section = file(Language::C, kind, &format!("sdk/bindings/{world}_type.c"));
            assert!(section.contains(&format!("component-type:{world}")), "{section}");
        }
        let adapter = file(Language::C, Kind::Model, "sdk/bindings/model.c");
        assert!(adapter.contains("understudy:shadow/decider@0.1.0#decide"));
        assert!(file(Language::C, Kind::Model, "sdk/include/understudy/decider.h").contains("us_decider"));
        let error = is_package_name("understudy", Language::C).expect_err("it is refused");
        assert_eq!(error.why, "is the name of the SDK");
    }

    #[test]
    fn ziglang_has_one_version() {
        let readme = file(Language::C, Kind::Model, "README.md");
        let pinned = include_str!("../../../tests/requirements-c.txt").trim();
        assert!(readme.contains(&format!("install {pinned} ")), "{pinned}");
    }

    #[test]
    fn rows_and_tests_fit_the_fields_of_the_source() {
        let field = |name: &str, kind, required| InputField { name: name.to_owned(), kind, required };
        let booking = [field("room", FieldKind::Text, true), field("nights", FieldKind::Integer, false)];
        let decided = [field("decision.room", FieldKind::Text, false)];
        for (kind, fields) in [(Kind::Model, &booking[..]), (Kind::Comparator, &decided[..])] {
            let rows = file(Language::Rust, kind, "rows.jsonl");
            assert_eq!(decode_rows(fields, &rows.lines().collect::<Vec<_>>()).map(|rows| rows.len()), Ok(3));
            let tests = read_row_tests(fields, &file(Language::Rust, kind, "expected.jsonl"));
            assert_eq!(tests.map(|tests| tests.len()), Ok(3));
        }
        let (form, tests) =
            read_pair_tests(&[AnswerForm::Label], &file(Language::Rust, Kind::Metric, "expected.jsonl"))
                .expect("they are tests");
        assert_eq!((form, tests.len()), (AnswerForm::Label, 6));
    }
}

//! The files of a new plugin: a crate that builds and passes its tests at once, with the SDK beside it.

use crate::sdk_files::{SDK_FILES, SDK_LOCK};

/// The kind of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Answers rows.
    Model,
    /// Expresses the decision in the form of answers.
    Comparator,
    /// Scores answers.
    Metric,
}

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
}

/// Names that a crate cannot have, or that its dependencies have.
const RESERVED: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "return",
    "self",
    "serde",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "understudy-sdk",
    "unsafe",
    "use",
    "where",
];

/// Checks that a name can be that of a package.
///
/// # Errors
/// If it cannot.
pub fn is_package_name(name: &str) -> Result<(), ProjectError> {
    let refused = |why| Err(ProjectError { name: name.to_owned(), why });
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match name {
        "" => refused("is empty"),
        _ if name.len() > 64 => refused("has more than 64 characters"),
        _ if !name.chars().all(is_allowed) => refused("has characters that are not allowed"),
        _ if !name.starts_with(|c: char| c.is_ascii_lowercase()) => refused("does not begin with a letter"),
        _ if name.ends_with('-') || name.contains("--") => refused("has a hyphen without a word after it"),
        _ if RESERVED.contains(&name) || ["while", "yield"].contains(&name) => {
            refused("is a word of Rust, or the name of a dependency")
        }
        _ => Ok(()),
    }
}

impl NewProject<'_> {
    /// The files by their paths below the folder of the plugin.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let (source, summary, rows, expected) = match self.kind {
            Kind::Model => (
                include_str!("../templates/rust/model.rs.txt"),
                "A model for understudy: answers the booked room, and another one for long stays.",
                MODEL_ROWS,
                MODEL_EXPECTED,
            ),
            Kind::Comparator => (
                include_str!("../templates/rust/comparator.rs.txt"),
                "A comparator for understudy: the recorded room as a label.",
                COMPARATOR_ROWS,
                COMPARATOR_EXPECTED,
            ),
            Kind::Metric => (
                include_str!("../templates/rust/metric.rs.txt"),
                "A metric for understudy: the share of pairs with the same label.",
                METRIC_ROWS,
                METRIC_EXPECTED,
            ),
        };
        let used = match self.kind {
            Kind::Model => include_str!("../templates/rust/model-fields.md.txt"),
            Kind::Comparator => include_str!("../templates/rust/comparator-fields.md.txt"),
            Kind::Metric => include_str!("../templates/rust/metric-fields.md.txt"),
        };
        let module = self.name.replace('-', "_");
        let fill = |text: &str| {
            text.replace("{{use}}", used.trim_end())
                .replace("{{name}}", self.name)
                .replace("{{Type}}", &type_name(self.name))
                .replace("{{module}}", &module)
                .replace("{{summary}}", summary)
                .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        };
        let mut files = vec![
            ("Cargo.toml", fill(include_str!("../templates/rust/Cargo.toml.txt"))),
            (".cargo/config.toml", include_str!("../templates/rust/config.toml.txt").to_owned()),
            (".gitignore", "/target\n".to_owned()),
            ("README.md", fill(include_str!("../templates/rust/README.md.txt"))),
            ("src/lib.rs", fill(source)),
            ("rows.jsonl", rows.to_owned()),
            ("expected.jsonl", expected.to_owned()),
            // Cargo adds the plugin itself.
            ("Cargo.lock", SDK_LOCK.to_owned()),
        ];
        files.extend(SDK_FILES.iter().map(|(path, text)| (*path, (*text).to_owned())));
        files
    }
}

const MODEL_ROWS: &str = r#"{"room": "single", "nights": 2}
{"room": "double", "nights": 7}
{"room": "double"}
"#;
const MODEL_EXPECTED: &str = r#"{"input": {"room": "single", "nights": 2}, "expected": "single"}
{"input": {"room": "double", "nights": 7}, "expected": "apartment"}
{"input": {"room": "double"}, "unanswered": "abstained: the number of nights is unknown"}
"#;
const COMPARATOR_ROWS: &str = r#"{"decision.room": "single"}
{"decision.room": " Double "}
{"decision.room": null}
"#;
const COMPARATOR_EXPECTED: &str = r#"{"input": {"decision.room": "single"}, "expected": "single"}
{"input": {"decision.room": " Double "}, "expected": "double"}
{"input": {}, "unanswered": "abstained: no room was assigned"}
"#;
const METRIC_ROWS: &str = r#"{"model": "a", "comparator": "a"}
{"model": "a", "comparator": "b"}
{"comparator": "b"}
"#;
const METRIC_EXPECTED: &str = r#"{"input": {"model": "a", "comparator": "a"}, "expected": {"hits": 1}}
{"input": {"model": "a", "comparator": "b"}, "expected": {"hits": 0}}
{"value": 0.5}
{"input": {"comparator": "b"}, "expected": {"hits": 0}}
{"input": {"model": "b", "comparator": "b"}, "expected": {"hits": 1}}
{"value": 0.5}
"#;

/// The name of the type of a package: `booked-room` is `BookedRoom`.
fn type_name(package: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    let name: String = package.split('-').map(word).collect();
    // Names that the source uses itself.
    match name.as_str() {
        "Assets" | "Booking" | "Comparator" | "Components" | "Config" | "Decided" | "Direction" | "Err"
        | "Input" | "Json" | "JsonText" | "Label" | "LabelSet" | "Metric" | "Model" | "NoConfig"
        | "NominalAnswer" | "None" | "Ok" | "Option" | "Prediction" | "Reason" | "Result" | "Self"
        | "Some" | "String" | "Timestamp" | "Vec" | "WithConfidence" | "WithProbabilities" => {
            format!("{name}Plugin")
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use understudy_sandbox::InputField;
    use understudy_study::{AnswerForm, FieldKind};

    use super::*;
    use crate::cell::decode_rows;
    use crate::{read_pair_tests, read_row_tests};

    fn file(kind: Kind, path: &str) -> String {
        let project = NewProject { name: "booked-room", kind };
        let files = project.files();
        let (_, text) = files.iter().find(|(known, _)| *known == path).expect("the file is written");
        assert!(path.starts_with("sdk/") || !text.contains("{{"), "{text}");
        text.clone()
    }

    #[test]
    fn names_of_packages_are_checked() {
        for name in ["a", "booked-room", "model-2"] {
            assert_eq!(is_package_name(name), Ok(()));
        }
        let errors: Vec<String> = ["", "Room", "a_b", "2a", "-a", "a-", "a--b", "self", "understudy-sdk"]
            .iter()
            .map(|name| is_package_name(name).expect_err("it is refused").why.to_owned())
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
        insta::assert_snapshot!(is_package_name("Room").expect_err("it is refused").to_string(), @r#"the name "Room" has characters that are not allowed; write lower-case letters, digits and single hyphens, a letter first, such as "booked-room""#);
    }

    #[test]
    fn types_have_the_names_of_packages() {
        for (package, name) in
            [("booked-room", "BookedRoom"), ("a", "A"), ("model", "ModelPlugin"), ("k-2", "K2")]
        {
            assert_eq!(type_name(package), name);
        }
    }

    #[test]
    fn files_have_the_name_and_the_sdk() {
        for kind in [Kind::Model, Kind::Comparator, Kind::Metric] {
            assert!(file(kind, "src/lib.rs").contains("pub struct BookedRoom"));
            assert!(file(kind, "README.md").lines().count() <= 20);
        }
        let manifest = file(Kind::Model, "Cargo.toml");
        assert!(manifest.contains("name = \"booked-room\"\n"), "{manifest}");
        assert!(manifest.contains("path = \"sdk/guest-sdk\""), "{manifest}");
        assert!(file(Kind::Model, "sdk/guest-sdk/src/lib.rs").contains("export_model!"));
    }

    #[test]
    fn rows_and_tests_fit_the_fields_of_the_source() {
        let field = |name: &str, kind, required| InputField { name: name.to_owned(), kind, required };
        let booking = [field("room", FieldKind::Text, true), field("nights", FieldKind::Integer, false)];
        let decided = [field("decision.room", FieldKind::Text, false)];
        for (kind, fields) in [(Kind::Model, &booking[..]), (Kind::Comparator, &decided[..])] {
            let rows = file(kind, "rows.jsonl");
            assert_eq!(decode_rows(fields, &rows.lines().collect::<Vec<_>>()).map(|rows| rows.len()), Ok(3));
            let tests = read_row_tests(fields, &file(kind, "expected.jsonl"));
            assert_eq!(tests.map(|tests| tests.len()), Ok(3));
        }
        let (form, tests) = read_pair_tests(&[AnswerForm::Label], &file(Kind::Metric, "expected.jsonl"))
            .expect("they are tests");
        assert_eq!((form, tests.len()), (AnswerForm::Label, 6));
    }
}

//! Plugins in Rust: a crate with the SDK beside it, so that it builds without a clone.

use super::Template;
use crate::kind::Kind;
use crate::template::TemplateNames;

include!(concat!(env!("OUT_DIR"), "/rust_sdk.rs"));

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
    "while",
    "yield",
];

/// Names of types in the sources of new plugins.
const TAKEN_TYPES: &[&str] = &[
    "Assets",
    "Booking",
    "Comparator",
    "Components",
    "Config",
    "Decided",
    "Direction",
    "Err",
    "Input",
    "Json",
    "JsonText",
    "Label",
    "LabelSet",
    "Metric",
    "Model",
    "NoConfig",
    "NominalAnswer",
    "None",
    "Ok",
    "Option",
    "Prediction",
    "Reason",
    "Result",
    "Self",
    "Some",
    "String",
    "Timestamp",
    "Vec",
    "WithConfidence",
    "WithProbabilities",
];

/// A crate for the target `wasm32-unknown-unknown`.
pub struct Rust;

impl Template for Rust {
    fn reserved_names(&self) -> &'static [&'static str] {
        RESERVED
    }

    fn reserved_reason(&self) -> &'static str {
        "is a word of Rust, or the name of a dependency"
    }

    fn taken_types(&self) -> &'static [&'static str] {
        TAKEN_TYPES
    }

    fn source(&self) -> &'static str {
        "src/lib.rs"
    }

    fn files(&self, names: &TemplateNames<'_>) -> Vec<(String, String)> {
        let source = match names.kind {
            Kind::Model => include_str!("../../templates/rust/model.rs.txt"),
            Kind::Comparator => include_str!("../../templates/rust/comparator.rs.txt"),
            Kind::Metric => include_str!("../../templates/rust/metric.rs.txt"),
        };
        let own = [
            ("Cargo.toml", names.fill(include_str!("../../templates/rust/Cargo.toml.txt"))),
            (".cargo/config.toml", include_str!("../../templates/rust/config.toml.txt").to_owned()),
            (".gitignore", "/target\n".to_owned()),
            ("README.md", names.fill(include_str!("../../templates/rust/README.md.txt"))),
            ("src/lib.rs", names.fill(source)),
            // Cargo adds the plugin itself.
            ("Cargo.lock", RUST_SDK_LOCK.to_owned()),
        ];
        let sdk = RUST_SDK_FILES.iter().map(|(path, text)| (*path, (*text).to_owned()));
        own.into_iter().chain(sdk).map(|(path, text)| (path.to_owned(), text)).collect()
    }
}

//! Plugins in C: sources with the SDK beside them, which the compiler of `ziglang` makes a module of.

use super::Template;
use crate::kind::Kind;
use crate::template::TemplateNames;

include!(concat!(env!("OUT_DIR"), "/c_sdk.rs"));

/// The version of `ziglang` that the SDK is tested with.
pub const ZIGLANG: &str = "0.17.1";

/// Sources and the manifest of a plugin.
pub struct C;

impl Template for C {
    fn reserved_names(&self) -> &'static [&'static str] {
        &["understudy"]
    }

    fn reserved_reason(&self) -> &'static str {
        "is the name of the SDK"
    }

    fn taken_types(&self) -> &'static [&'static str] {
        &[]
    }

    fn source(&self) -> &'static str {
        "src/plugin.c"
    }

    fn tools_command(&self) -> Option<String> {
        Some(format!("python3 -m venv .venv && .venv/bin/pip install ziglang=={ZIGLANG}"))
    }

    fn files(&self, names: &TemplateNames<'_>) -> Vec<(String, String)> {
        let (kind, source) = match names.kind {
            Kind::Model => ("model", include_str!("../../templates/c/model.c.txt")),
            Kind::Comparator => ("comparator", include_str!("../../templates/c/comparator.c.txt")),
            Kind::Metric => ("metric", include_str!("../../templates/c/metric.c.txt")),
        };
        let manifest = include_str!("../../templates/c/plugin.toml.txt").replace("{{kind}}", kind);
        let readme = include_str!("../../templates/c/README.md.txt").replace("{{ziglang}}", ZIGLANG);
        let own = [
            ("plugin.toml", names.fill(&manifest)),
            (".gitignore", "/.venv\n/*.wasm\n".to_owned()),
            ("README.md", names.fill(&readme)),
            ("src/plugin.c", source.to_owned()),
        ];
        let sdk = C_SDK_FILES.iter().map(|(path, text)| (*path, (*text).to_owned()));
        own.into_iter().chain(sdk).map(|(path, text)| (path.to_owned(), text)).collect()
    }
}

//! Plugins in JavaScript: an npm package with the SDK beside it, so that the plugin and the program fit.

use super::Template;
use crate::kind::Kind;
use crate::template::TemplateNames;

include!(concat!(env!("OUT_DIR"), "/javascript_sdk.rs"));

/// A package for npm.
pub struct JavaScript;

impl Template for JavaScript {
    fn reserved_names(&self) -> &'static [&'static str] {
        &["esbuild", "favicon-ico", "node-modules"]
    }

    fn reserved_reason(&self) -> &'static str {
        "is reserved by npm, or the name of a dependency"
    }

    fn taken_types(&self) -> &'static [&'static str] {
        &[]
    }

    fn source(&self) -> &'static str {
        "src/plugin.js"
    }

    fn tools_command(&self) -> Option<String> {
        Some("npm install".to_owned())
    }

    fn files(&self, names: &TemplateNames<'_>) -> Vec<(String, String)> {
        let (source, test) = match names.kind {
            Kind::Model => (
                include_str!("../../templates/javascript/model.js.txt"),
                include_str!("../../templates/javascript/model.test.js.txt"),
            ),
            Kind::Comparator => (
                include_str!("../../templates/javascript/comparator.js.txt"),
                include_str!("../../templates/javascript/comparator.test.js.txt"),
            ),
            Kind::Metric => (
                include_str!("../../templates/javascript/metric.js.txt"),
                include_str!("../../templates/javascript/metric.test.js.txt"),
            ),
        };
        let own = [
            ("package.json", names.fill(include_str!("../../templates/javascript/package.json.txt"))),
            (".gitignore", "/node_modules\n".to_owned()),
            ("README.md", names.fill(include_str!("../../templates/javascript/README.md.txt"))),
            ("src/plugin.js", source.to_owned()),
            ("test/plugin.test.js", test.to_owned()),
        ];
        let sdk = JAVASCRIPT_SDK_FILES.iter().map(|(path, text)| (*path, (*text).to_owned()));
        own.into_iter().chain(sdk).map(|(path, text)| (path.to_owned(), text)).collect()
    }
}

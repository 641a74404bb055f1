//! Templates of files: placeholders such as `{{name}}`, and the texts that replace them.

use crate::kind::Kind;

/// The texts that replace the placeholders in the files of a new plugin.
#[derive(Clone, Copy, Debug)]
pub struct TemplateNames<'a> {
    /// The package, such as `booked-room`: `{{name}}`.
    pub package: &'a str,
    /// What the plugin is: `{{summary}}` and `{{fields}}`.
    pub kind: Kind,
    /// Names of types that the source uses itself.
    pub taken_types: &'a [&'a str],
    /// The file with the source, such as `src/lib.rs`: `{{source}}`.
    pub source: &'a str,
}

impl TemplateNames<'_> {
    /// The module, such as `booked_room`: `{{module}}`. The component is `{{module}}.wasm`.
    pub fn module(&self) -> String {
        self.package.replace('-', "_")
    }

    /// The type, such as `BookedRoom`: `{{Type}}`.
    pub fn type_name(&self) -> String {
        let word = |word: &str| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect::<String>()
        };
        let name: String = self.package.split('-').map(word).collect();
        if self.taken_types.contains(&name.as_str()) { format!("{name}Plugin") } else { name }
    }

    /// The text of a file from its template. `{{version}}` is that of this program.
    pub fn fill(&self, template: &str) -> String {
        template
            .replace("{{fields}}", self.kind.fields_section().trim_end())
            .replace("{{source}}", self.source)
            .replace("{{name}}", self.package)
            .replace("{{Type}}", &self.type_name())
            .replace("{{module}}", &self.module())
            .replace("{{summary}}", self.kind.summary())
            .replace("{{version}}", env!("CARGO_PKG_VERSION"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_names_of_packages() {
        for (package, name) in
            [("booked-room", "BookedRoom"), ("a", "A"), ("model", "ModelPlugin"), ("k-2", "K2")]
        {
            let names =
                TemplateNames { package, kind: Kind::Model, taken_types: &["Model"], source: "src/lib.rs" };
            assert_eq!(names.type_name(), name);
        }
    }
}

//! The languages that plugins are written in. Each is a module: the names that it reserves, and the files of a new plugin.

mod c;
mod javascript;
mod python;
mod rust;

use crate::kind::Kind;
use crate::template::TemplateNames;

/// A language that a new plugin can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Rust, with cargo.
    Rust,
    /// Python, with `componentize-py`.
    Python,
    /// JavaScript or TypeScript, with npm.
    JavaScript,
    /// C, with the compiler of `ziglang`.
    C,
}

/// What a language contributes to a new plugin.
trait Template {
    /// Names that a package cannot have.
    fn reserved_names(&self) -> &'static [&'static str];

    /// What those names are; the end of a sentence.
    fn reserved_reason(&self) -> &'static str;

    /// Names of types that the source of a new plugin uses itself.
    fn taken_types(&self) -> &'static [&'static str];

    /// The file with the source of a plugin, whose placeholders are those of [`TemplateNames`].
    fn source(&self) -> &'static str;

    /// The shell command that installs the tools of a build, in the folder of the plugin; `None` if they come with the
    /// compiler.
    fn tools_command(&self) -> Option<String> {
        None
    }

    /// The files by their paths below the folder of the plugin: manifest, source, README, and the SDK. The rows and tests
    /// are the same in every language and are added by the caller.
    fn files(&self, names: &TemplateNames<'_>) -> Vec<(String, String)>;
}

impl Language {
    fn template(self) -> &'static dyn Template {
        match self {
            Language::Rust => &rust::Rust,
            Language::Python => &python::Python,
            Language::JavaScript => &javascript::JavaScript,
            Language::C => &c::C,
        }
    }

    /// Why a package cannot have a name: a reserved one. `None` if it can.
    pub fn refusal(self, name: &str) -> Option<&'static str> {
        let template = self.template();
        template.reserved_names().contains(&name).then(|| template.reserved_reason())
    }

    /// The shell command that installs the tools of a build, in the folder of a new plugin; `None` if it needs none.
    pub fn tools_command(self) -> Option<String> {
        self.template().tools_command()
    }

    /// The files of a new plugin by their paths below its folder.
    pub fn files(self, package: &str, kind: Kind) -> Vec<(String, String)> {
        let template = self.template();
        let (taken_types, source) = (template.taken_types(), template.source());
        template.files(&TemplateNames { package, kind, taken_types, source })
    }
}

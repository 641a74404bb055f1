//! `understudy plugin new`: the folder of a new plugin.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use super::super::Exit;
use super::super::output::print_err;
use super::arguments::KindArgument;
use understudy_plugin_kit::{Language, NewProject, is_package_name};

/// Write the folder of a new plugin: source, tests, rows and the SDK. It builds and passes its tests unchanged.
///
/// The SDK is the one of this program, in the folder sdk of the plugin. For Rust, cargo downloads its dependencies from crates.io. For Python,
/// README.md of the plugin says how to install componentize-py. For JavaScript, `npm install` gets the tools that build a component. For C,
/// README.md says how to install a compiler.
#[derive(clap::Args)]
pub(super) struct New {
    /// Name of the plugin: lower-case letters, digits and hyphens.
    name: String,
    /// Language of the plugin.
    #[arg(long, value_enum, default_value_t = LanguageArgument::Rust)]
    lang: LanguageArgument,
    /// What the plugin is.
    #[arg(long, value_enum, default_value_t = KindArgument::Model)]
    kind: KindArgument,
    /// Folder of the plugin. [default: ./NAME]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum LanguageArgument {
    /// Rust, built with cargo.
    Rust,
    /// Python 3.10 or newer, built with componentize-py.
    Python,
    /// JavaScript or TypeScript, built with node.
    #[value(name = "javascript")]
    JavaScript,
    /// C, built with the compiler of ziglang.
    C,
}

impl From<LanguageArgument> for Language {
    fn from(argument: LanguageArgument) -> Language {
        match argument {
            LanguageArgument::Rust => Language::Rust,
            LanguageArgument::Python => Language::Python,
            LanguageArgument::JavaScript => Language::JavaScript,
            LanguageArgument::C => Language::C,
        }
    }
}

impl New {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let language: Language = self.lang.into();
        is_package_name(&self.name, language)?;
        let folder = self.output.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        let shown = folder.display();
        if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
            bail!("cannot write {shown}: it exists and is not empty; choose another folder with --output");
        }
        for (name, text) in (NewProject { name: &self.name, kind: self.kind.into(), language }).files() {
            let file = folder.join(&name);
            let cannot_write = || format!("cannot write {}", file.display());
            fs::create_dir_all(file.parent().expect("a file of a folder")).with_context(cannot_write)?;
            fs::write(&file, text).with_context(cannot_write)?;
        }
        print_err(format_args!("written to {shown}"));
        let tools = language.tools_command().map(|command| format!("(cd {shown} && {command}) && "));
        let install = tools.unwrap_or_default();
        print_err(format_args!("next: {install}understudy plugin test {shown}"));
        Ok(Exit::Done)
    }
}

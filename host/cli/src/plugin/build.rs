//! `understudy plugin build`: a component from the folder of a plugin.

use std::path::PathBuf;

use super::super::Exit;
use super::package::read_package;

/// Build the plugin in a folder: a component from its source.
///
/// The manifest of the folder determines the language. With Cargo.toml it is `cargo build --release --target wasm32-unknown-unknown` and
/// `understudy pack`. With pyproject.toml it is `componentize-py`, from a virtual environment or the search path. With package.json it is
/// `understudy-componentize` of @understudy/sdk in node_modules. With plugin.toml it is `zig cc` of the Python package ziglang, or on the
/// search path.
#[derive(clap::Args)]
pub(super) struct Build {
    /// Folder of the plugin.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Output file for the component. [default: DIR/MODULE.wasm]
    #[arg(long, short, value_name = "COMPONENT.WASM")]
    output: Option<PathBuf>,
}

impl Build {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let package = read_package(&self.folder)?;
        package.build(&self.output.unwrap_or_else(|| package.component()))?;
        Ok(Exit::Done)
    }
}

//! `understudy plugin build`: a component from the folder of a plugin.

use std::path::PathBuf;

use super::super::Exit;
use super::cargo_package::CargoPackage;

/// Build the plugin in a folder: compile it with cargo, and convert the module into a component.
///
/// It is `cargo build --release --target wasm32-unknown-unknown` and `understudy pack`.
#[derive(clap::Args)]
pub(super) struct Build {
    /// Folder of the plugin.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Output file for the component. [default: DIR/LIBRARY.wasm]
    #[arg(long, short, value_name = "COMPONENT.WASM")]
    output: Option<PathBuf>,
}

impl Build {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let package = CargoPackage::read(&self.folder)?;
        package.build(&self.output.unwrap_or_else(|| package.component()))?;
        Ok(Exit::Done)
    }
}

//! `understudy pack`: a Wasm component from a core module.

use std::path::PathBuf;

use anyhow::Context as _;

use super::Exit;

/// Convert a core Wasm module into a component.
///
/// The module is the output of `cargo build --target wasm32-unknown-unknown` with the understudy SDK.
#[derive(clap::Args)]
pub(super) struct Pack {
    /// Core module.
    #[arg(value_name = "MODULE.WASM")]
    module: PathBuf,
    /// Output file for the component.
    #[arg(long, short, value_name = "COMPONENT.WASM")]
    output: PathBuf,
}

impl Pack {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let shown = self.module.display();
        let module = std::fs::read(&self.module).with_context(|| format!("cannot read {shown}"))?;
        let component = wit_component::ComponentEncoder::default()
            .validate(true)
            .module(&module)
            .and_then(|encoder| encoder.encode())
            .with_context(|| {
                format!("cannot convert {shown} into a component; build it with the understudy SDK for wasm32-unknown-unknown")
            })?;
        std::fs::write(&self.output, component)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        Ok(Exit::Done)
    }
}

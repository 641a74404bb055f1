//! `understudy pack`: a core module, as `rustc` makes it, into a component.

use std::path::PathBuf;

use anyhow::Context as _;

use super::Exit;

/// Make a component of the module that `cargo build --target wasm32-unknown-unknown` writes.
#[derive(clap::Args)]
pub(super) struct Pack {
    /// The core module.
    #[arg(value_name = "MODULE.WASM")]
    module: PathBuf,
    /// Where to write the component.
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
                format!("{shown} cannot be made a component; build it with the understudy SDK for wasm32-unknown-unknown")
            })?;
        std::fs::write(&self.output, component)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        Ok(Exit::Done)
    }
}

//! `understudy pack`: a Wasm component from a core module, and a config schema in it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

use super::Exit;
use super::output::print_err;
use understudy_run_log::{read_file, read_text_file};
use understudy_sandbox::{ComponentFile, ConfigSchema, PluginRole, SandboxError};

/// Convert a core Wasm module into a component.
///
/// The module is the output of `cargo build --target wasm32-unknown-unknown` with the understudy SDK, or of another
/// compiler. The message says which kind of plugin the component is.
#[derive(clap::Args)]
pub(super) struct Pack {
    /// Core module; with --config-schema also a component.
    #[arg(value_name = "MODULE.WASM")]
    module: PathBuf,
    /// Output file for the component.
    #[arg(long, short, value_name = "COMPONENT.WASM")]
    output: PathBuf,
    /// JSON Schema of the configuration, which the component then declares. The SDK for Rust adds it itself.
    #[arg(long, value_name = "SCHEMA.JSON")]
    config_schema: Option<PathBuf>,
}

impl Pack {
    pub fn execute(self) -> anyhow::Result<Exit> {
        pack_module(&self.module, &self.output, self.config_schema.as_deref())?;
        Ok(Exit::Done)
    }
}

/// Writes the component of a core module and says what it is. `schema` is the file of a config schema to add.
///
/// # Errors
/// If a file cannot be read, the module is no plugin, the schema is invalid, or the component cannot be written.
pub(super) fn pack_module(module: &Path, output: &Path, schema: Option<&Path>) -> anyhow::Result<()> {
    let (shown, written) = (module.display(), output.display());
    let bytes = read_file(module)
        .map_err(|error| anyhow!("cannot read {shown}: {error}; name a module that cargo built"))?;
    let is_component = ComponentFile::from_bytes(module, bytes.clone()).is_ok();
    let mut component = if is_component && schema.is_some() { Ok(bytes) } else { component(&bytes) }
        .map_err(|error| error.context(format!("cannot convert {shown} into a component")))?;
    let kind = component_kind(&component)?;
    if let Some(path) = schema {
        component = with_schema(&component, path)
            .map_err(|error| error.context(format!("cannot add the config schema {}", path.display())))?;
    }
    std::fs::write(output, component).with_context(|| format!("cannot write {written}"))?;
    print_err(format_args!("written to {written}: {kind}"));
    Ok(())
}

/// A component that declares the schema in a file.
fn with_schema(component: &[u8], path: &Path) -> anyhow::Result<Vec<u8>> {
    let text = read_text_file(path).map_err(|error| anyhow!("{error}; name a file with a JSON Schema"))?;
    ConfigSchema::add_to_component(component, &text)
        .map_err(|why| anyhow!("{why}; correct the schema, or leave out --config-schema"))
}

/// The component of a core module.
///
/// # Errors
/// If the bytes are not a core module, or if it imports something or exports no plugin.
fn component(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    match ComponentFile::from_bytes("".as_ref(), module.to_owned()) {
        Err(SandboxError::CoreModule { .. }) => {}
        Ok(_) => bail!("it is already a component; name it in study.toml as it is"),
        Err(_) => bail!("it is not WebAssembly; build it with --target wasm32-unknown-unknown"),
    }
    let component = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| {
            let cause = error.root_cause();
            anyhow!("{cause}; build it with the understudy SDK and --target wasm32-unknown-unknown")
        })?;
    component_kind(&component)?;
    Ok(component)
}

/// The kind of plugin that a component is, with its article. Runs no code of it.
///
/// # Errors
/// If it exports no plugin.
pub(super) fn component_kind(component: &[u8]) -> anyhow::Result<&'static str> {
    let decoded = wit_component::decode(component)?;
    let wit_component::DecodedWasm::Component(resolve, world) = &decoded else {
        bail!("it exports no plugin");
    };
    let exports = |role: PluginRole| {
        let mut names = resolve.worlds[*world].exports.keys().map(|key| resolve.name_world_key(key));
        names.any(|name| name == role.export())
    };
    match (exports(PluginRole::Model), exports(PluginRole::Metric)) {
        (true, _) => Ok("a model or a comparator"),
        (_, true) => Ok("a metric"),
        _ => bail!(
            "it exports no plugin; call export_model!, export_comparator! or export_metric! in its crate"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::component;

    const EMPTY_MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";

    fn message(module: &[u8]) -> String {
        format!("{:#}", component(module).expect_err("not a plugin"))
    }

    #[test]
    fn what_is_not_a_core_module_is_named() {
        insta::assert_snapshot!(message(b"fn main() {}"), @"it is not WebAssembly; build it with --target wasm32-unknown-unknown");
        insta::assert_snapshot!(message(b""), @"it is not WebAssembly; build it with --target wasm32-unknown-unknown");
        insta::assert_snapshot!(message(b"\0asm\x0d\0\x01\0"), @"it is already a component; name it in study.toml as it is");
    }

    #[test]
    fn a_module_without_a_plugin_is_rejected() {
        insta::assert_snapshot!(message(&EMPTY_MODULE), @"it exports no plugin; call export_model!, export_comparator! or export_metric! in its crate");
    }

    #[test]
    fn a_module_of_another_target_is_rejected() {
        let mut module = EMPTY_MODULE.to_vec();
        module.extend(b"\x01\x04\x01\x60\0\0"); // one type: a function without parameters and results
        module.extend(b"\x02\x14\x01\x04wasi\x0bproc_exit_x\0\0");
        insta::assert_snapshot!(message(&module), @"module requires an import interface named `wasi`; build it with the understudy SDK and --target wasm32-unknown-unknown");
    }
}

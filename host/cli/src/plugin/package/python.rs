//! A plugin in Python: a module that `componentize-py` makes a component of.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use toml::{Table, Value};

use super::Package;
use super::interpreter::interpreter_with;
use understudy_run_log::read_file;

/// The file that says that a folder has a plugin in Python.
pub const MANIFEST: &str = "pyproject.toml";
/// The module of the tool.
const TOOL: &str = "componentize_py";

/// The package in a folder.
pub struct PythonPackage {
    folder: PathBuf,
    /// The module that declares the plugin.
    module: String,
    /// Display name of the plugin.
    name: String,
    /// Display version of the plugin.
    version: String,
}

impl PythonPackage {
    /// Reads `pyproject.toml`: `name` and `version` under `[project]`, and `module` under `[tool.understudy]`.
    ///
    /// # Errors
    /// If it cannot be read, or has no name.
    pub fn read(folder: &Path) -> anyhow::Result<PythonPackage> {
        let manifest = folder.join(MANIFEST);
        let shown = manifest.display();
        let cannot_read = || format!("cannot read {shown}");
        let bytes = read_file(&manifest).with_context(cannot_read)?;
        let text = String::from_utf8(bytes).with_context(cannot_read)?;
        let table: Table = text.parse().with_context(cannot_read)?;
        let entry = |section: Option<&Value>, key: &str| {
            section.and_then(|section| section.get(key)).and_then(Value::as_str).map(str::to_owned)
        };
        let project = table.get("project");
        let name = entry(project, "name").with_context(|| {
            format!("cannot build {}: {shown} has no `name` under [project]; write one", folder.display())
        })?;
        let own = table.get("tool").and_then(|tools| tools.get("understudy"));
        Ok(PythonPackage {
            folder: folder.to_owned(),
            module: entry(own, "module").unwrap_or_else(|| name.replace(['-', '.'], "_")),
            version: entry(project, "version").unwrap_or_else(|| "0.1.0".to_owned()),
            name,
        })
    }
}

impl Package for PythonPackage {
    /// In the folder, with the name of the module.
    fn component(&self) -> PathBuf {
        self.folder.join(&self.module).with_extension("wasm")
    }

    fn build(&self, component: &Path) -> anyhow::Result<()> {
        let shown = self.folder.display();
        let component = std::path::absolute(component).context("the current folder is gone")?;
        let (python, _) = interpreter_with(TOOL, &self.folder);
        let mut build = Command::new(&python);
        build.current_dir(&self.folder).args(["-m", "understudy_sdk.build", ".", "--module", &self.module]);
        build.args(["--name", &self.name, "--version", &self.version, "--output"]).arg(&component);
        // The SDK of the plugin comes before an installed one.
        let paths = env::var_os("PYTHONPATH").unwrap_or_default();
        let paths = [PathBuf::from("sdk")].into_iter().chain(env::split_paths(&paths));
        build.env("PYTHONPATH", env::join_paths(paths).context("PYTHONPATH cannot be extended")?);
        build.env("PYTHONDONTWRITEBYTECODE", "1");
        let output = build.output().with_context(|| {
            format!("cannot build {shown}: cannot start `{}`; install Python 3.10 or newer", python.display())
        })?;
        if !output.status.success() {
            bail!("cannot build {shown}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}

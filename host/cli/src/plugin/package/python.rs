//! A plugin in Python: a module that `componentize-py` makes a component of.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use toml::{Table, Value};

use super::Package;
use understudy_run_log::read_file;

/// The file that says that a folder has a plugin in Python.
pub const MANIFEST: &str = "pyproject.toml";
/// Whether Python has `componentize-py`, as its exit code.
const HAS_TOOL: &str =
    "import importlib.util, sys; sys.exit(importlib.util.find_spec('componentize_py') is None)";

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

    /// The Python of the active virtual environment, of that in the folder, of that of this program, or on the search path: the first
    /// with `componentize-py`, or else the first.
    fn python(&self) -> PathBuf {
        let of_environment = |folder: PathBuf| folder.join("bin/python");
        let active = env::var_os("VIRTUAL_ENV").map(|folder| of_environment(folder.into()));
        let own = std::path::absolute(&self.folder).map(|folder| of_environment(folder.join(".venv"))).ok();
        let beside = env::current_exe().ok().map(|program| program.with_file_name("python"));
        let found = [active, own, beside].into_iter().flatten().filter(|python| python.is_file());
        let candidates: Vec<PathBuf> = found.chain([PathBuf::from("python3")]).collect();
        let has_tool = |python: &&PathBuf| {
            let status = Command::new(python).args(["-c", HAS_TOOL]).stderr(Stdio::null()).status();
            status.is_ok_and(|status| status.success())
        };
        candidates.iter().find(has_tool).unwrap_or(&candidates[0]).clone()
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
        let python = self.python();
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

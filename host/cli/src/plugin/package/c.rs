//! A plugin in C: sources that a manifest names, and the SDK in the folder `sdk`.
//!
//! The sources are linked with the C library of WASI, of which only what they use is taken. What uses no file, clock or other service of
//! the host imports nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow, bail, ensure};
use serde::Deserialize;

use super::super::super::output::print_err;
use super::super::super::pack::pack_module;
use super::Package;
use super::core_module::{imported_functions, without_debug_sections};
use super::interpreter::interpreter_with;
use understudy_run_log::{read_file, read_text_file};

/// The file that says that a folder has a plugin in C.
pub const MANIFEST: &str = "plugin.toml";
/// The module of Python with the compiler.
const TOOL: &str = "ziglang";
/// The sources of the SDK that all plugins have.
const COMMON_SOURCES: [&str; 5] = ["src/memory.c", "src/panic.c", "src/text.c", "src/json.c", "src/config.c"];
const DECIDER_SOURCES: [&str; 4] =
    ["src/dictionary.c", "src/answers.c", "src/decider.c", "bindings/model_type.c"];
const METRIC_SOURCES: [&str; 2] = ["src/metric.c", "bindings/metric_type.c"];
/// The C library of WASI, no entry point, and a stack of 1 MiB. `assert` stays.
const OPTIONS: [&str; 11] = [
    "--target=wasm32-wasi",
    "-mexec-model=reactor",
    "-O2",
    // A call of the SDK costs more than its work otherwise.
    "-flto",
    "-UNDEBUG",
    "-Wall",
    "-Wextra",
    "-Isdk/include",
    "-Isdk/src",
    "-Wl,-z,stack-size=1048576",
    "-fno-color-diagnostics",
];

/// The package in a folder.
pub struct CPackage {
    folder: PathBuf,
    manifest: Manifest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Manifest {
    /// Display name of the plugin; with underscores, that of its component.
    name: String,
    /// Display version of the plugin.
    #[serde(default = "first_version")]
    version: String,
    language: Language,
    kind: Kind,
    /// Files relative to the folder.
    sources: Vec<String>,
    /// Further arguments of the compiler.
    #[serde(default)]
    flags: Vec<String>,
    /// File with the JSON Schema of the configuration, relative to the folder.
    config_schema: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Language {
    C,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Model,
    Comparator,
    Metric,
}

fn first_version() -> String {
    "0.1.0".to_owned()
}

impl CPackage {
    /// Reads `plugin.toml`.
    ///
    /// # Errors
    /// If it cannot be read, lacks a key, or has an unknown one.
    pub fn read(folder: &Path) -> anyhow::Result<CPackage> {
        let path = folder.join(MANIFEST);
        let shown = path.display();
        let text = read_text_file(&path).with_context(|| format!("cannot read {shown}"))?;
        let manifest: Manifest = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            anyhow!("cannot read {shown}:{line}: {}; correct it", error.message())
        })?;
        let Language::C = manifest.language;
        Ok(CPackage { folder: folder.to_owned(), manifest })
    }

    /// The compiler: that of `ziglang`, or else the program `zig`.
    fn compiler(&self) -> Command {
        let (python, has_tool) = interpreter_with(TOOL, &self.folder);
        let mut command = Command::new(if has_tool { python.as_path() } else { Path::new("zig") });
        if has_tool {
            command.args(["-m", TOOL]);
        }
        command.arg("cc");
        command
    }

    /// Compiles and links the sources.
    fn compile(&self, module: &Path) -> anyhow::Result<()> {
        let shown = self.folder.display();
        let Manifest { name, version, kind, sources, flags, .. } = &self.manifest;
        let of_kind = if *kind == Kind::Metric { &METRIC_SOURCES[..] } else { &DECIDER_SOURCES[..] };
        let mut command = self.compiler();
        command.current_dir(&self.folder).args(OPTIONS);
        for (constant, value) in [("NAME", name), ("VERSION", version)] {
            command.arg(format!("-DUS_PLUGIN_{constant}={value:?}"));
        }
        command.args(COMMON_SOURCES.iter().chain(of_kind).map(|source| format!("sdk/{source}")));
        command.args(flags).args(sources).arg("-o").arg(module);
        let output = command.output().map_err(|error| {
            anyhow!(
                "cannot build {shown}: cannot start `zig`: {error}; run `python3 -m venv .venv && .venv/bin/pip install {TOOL}` in the folder of the plugin"
            )
        })?;
        let printed = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cannot build {shown}: {}", printed.trim());
        if !printed.trim().is_empty() {
            print_err(printed.trim());
        }
        Ok(())
    }
}

impl Package for CPackage {
    fn component(&self) -> PathBuf {
        self.folder.join(self.manifest.name.replace(['-', '.'], "_")).with_extension("wasm")
    }

    fn build(&self, component: &Path) -> anyhow::Result<()> {
        let shown = self.folder.display();
        let component_path =
            std::path::absolute(component).context("the current folder does not exist any more")?;
        // The linker writes the name of its file into the module.
        let scratch = component_path.with_extension("build");
        std::fs::create_dir_all(&scratch).with_context(|| format!("cannot write {}", scratch.display()))?;
        let module = scratch.join("plugin.wasm");
        let built = self.compile(&module).and_then(|()| {
            let bytes = read_file(&module).with_context(|| format!("cannot read {}", module.display()))?;
            let imports = imported_functions(&bytes);
            if !imports.is_empty() {
                bail!(
                    "cannot build {shown}: the sources use {} of WASI, which a plugin does not have; {}",
                    imports.join(", "),
                    advice(&imports)
                );
            }
            std::fs::write(&module, without_debug_sections(&bytes))
                .with_context(|| format!("cannot write {}", module.display()))?;
            let schema = self.manifest.config_schema.as_ref().map(|path| self.folder.join(path));
            pack_module(&module, component, schema.as_deref())
        });
        // What stays is of no use, and in nobody's way.
        let _ = std::fs::remove_dir_all(&scratch);
        built
    }
}

/// What to do instead of a service of WASI.
fn advice(imports: &[String]) -> &'static str {
    let any =
        |prefixes: &[&str]| imports.iter().any(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    if any(&["fd_", "path_"]) {
        return "leave out printf, files and other input and output; a reason, us_panic or assert shows a text, and a file is an asset of the study";
    }
    if any(&["clock_"]) {
        return "read a timestamp of the row instead of the clock";
    }
    if any(&["random_"]) {
        return "compute a pseudorandom number from the row, since answers are replayed";
    }
    if any(&["proc_exit"]) {
        return "call us_panic instead of exit";
    }
    "leave out what needs it"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice_for(name: &str) -> &'static str {
        advice(&[name.to_owned()])
    }

    #[test]
    fn each_service_has_its_advice() {
        let names = ["fd_write", "path_open", "clock_time_get", "random_get", "proc_exit", "environ_get"];
        insta::assert_snapshot!(names.map(advice_for).join("\n"), @"
        leave out printf, files and other input and output; a reason, us_panic or assert shows a text, and a file is an asset of the study
        leave out printf, files and other input and output; a reason, us_panic or assert shows a text, and a file is an asset of the study
        read a timestamp of the row instead of the clock
        compute a pseudorandom number from the row, since answers are replayed
        call us_panic instead of exit
        leave out what needs it
        ");
    }
}

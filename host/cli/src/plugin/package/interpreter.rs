//! The Python that has a tool, among those that a folder of a plugin can mean.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whether Python has a module, as its exit code.
const HAS_MODULE: &str =
    "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)";

/// The Python of the active virtual environment, of that in the folder, of that of this program, or on the search path: the first with a
/// module, or else the first, and whether it has the module.
pub fn interpreter_with(module: &str, folder: &Path) -> (PathBuf, bool) {
    let of_environment = |folder: PathBuf| folder.join("bin/python");
    let active = env::var_os("VIRTUAL_ENV").map(|folder| of_environment(folder.into()));
    let own = std::path::absolute(folder).map(|folder| of_environment(folder.join(".venv"))).ok();
    let beside = env::current_exe().ok().map(|program| program.with_file_name("python"));
    let found = [active, own, beside].into_iter().flatten().filter(|python| python.is_file());
    let mut candidates: Vec<PathBuf> = found.chain([PathBuf::from("python3")]).collect();
    let has_module = |python: &PathBuf| {
        let status = Command::new(python).args(["-c", HAS_MODULE, module]).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    match candidates.iter().position(has_module) {
        Some(index) => (candidates.swap_remove(index), true),
        None => (candidates.swap_remove(0), false),
    }
}

//! Virtual environments of Python below `target`, in the versions that a file of requirements declares.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::shell::command;

/// The Python with the libraries that train and export models.
pub fn model_libraries(root: &Path) -> anyhow::Result<PathBuf> {
    virtual_environment(root, "models-venv", "examples/models/requirements.txt")
}

/// The Python of the virtual environment `target/NAME` with the packages of a file of requirements. Created once, and again if
/// the file has changed.
pub fn virtual_environment(root: &Path, name: &str, requirements: &str) -> anyhow::Result<PathBuf> {
    let wanted = root.join(requirements);
    let venv = root.join("target").join(name);
    let python = venv.join("bin/python");
    let stamp = venv.join("requirements.txt");
    let requirements = std::fs::read(&wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == requirements) {
        return Ok(python);
    }
    command("python3", root)
        .args(["-m", "venv"])
        .arg(&venv)
        .run()
        .context("the tests need python3 with venv")?;
    command(&python, root).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&wanted).run()?;
    std::fs::write(&stamp, requirements).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}

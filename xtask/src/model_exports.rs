//! Typical models of the libraries, exported to ONNX by the releases of `examples/models/requirements.txt`.

use std::path::Path;

use crate::host;
use crate::python::model_libraries;
use crate::shell::command;

/// The scripts.
const SCRIPTS: &str = "tests/oracles/tabular";
/// The page of the results.
const PAGE: &str = "docs/src/reference/exported-models.md";

/// Trains and exports the models, compares them with ONNX Runtime, and writes the page of the results.
pub fn compare(root: &Path) -> anyhow::Result<()> {
    let understudy = host(root)?;
    let folder = root.join("target/models");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    export(root)?;
    let script = root.join(SCRIPTS).join("model_table.py");
    let python = model_libraries(root)?;
    command(&python, root).arg("-B").arg(script).arg(folder).arg(understudy).arg(root.join(PAGE)).run()
}

/// Trains and exports the models into `target/models`, unless they are there.
pub fn export(root: &Path) -> anyhow::Result<()> {
    let folder = root.join("target/models");
    if !folder.join("models.json").is_file() {
        let script = root.join(SCRIPTS).join("exports.py");
        command(&model_libraries(root)?, root).arg("-B").arg(script).arg("full").arg(&folder).run()?;
    }
    Ok(())
}

//! What is to be downloaded: one reference, or all references of a study.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use toml::Value;

use understudy_run_log::read_text_file;
use understudy_study::{RegistryReference, RegistryTarget};

/// The references of one argument of the command.
pub struct Named {
    /// The folder of the study, or the current one.
    pub folder: PathBuf,
    /// The references, in the order in which they are written.
    pub targets: Vec<RegistryTarget>,
}

/// The references of an argument: a reference, or the path of a study.
///
/// # Errors
/// If a reference has another form than is expected, or the study cannot be read.
pub fn references(argument: &str) -> anyhow::Result<Named> {
    if argument.starts_with("oci:") {
        return Ok(Named { folder: PathBuf::from("."), targets: vec![RegistryTarget::parse(argument)?] });
    }
    let path = Path::new(argument);
    let text = read_text_file(path).map_err(|error| {
        anyhow!("cannot read {argument}: {error}; name the file of a study, or a reference, which begins with oci://")
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let targets = study_references(&text).with_context(|| format!("cannot read {argument}"))?;
    Ok(Named { folder: folder.unwrap_or(Path::new(".")).to_owned(), targets })
}

/// The references of a study. It may be unfinished: only the keys `plugin` are read.
fn study_references(text: &str) -> anyhow::Result<Vec<RegistryTarget>> {
    let study: toml::Table = match text.parse() {
        Ok(study) => study,
        Err(error) => bail!("{error}"),
    };
    let mut targets: Vec<RegistryTarget> = Vec::new();
    for plugin in plugins(&Value::Table(study)) {
        if plugin.starts_with("oci:") {
            let target = RegistryTarget::Digest(RegistryReference::parse(plugin)?);
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
    }
    Ok(targets)
}

/// The texts of all keys `plugin`.
fn plugins(value: &Value) -> Vec<&str> {
    match value {
        Value::Table(table) => table
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(plugin) if key == "plugin" => vec![&plugin[..]],
                value => plugins(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(plugins).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn every_plugin_of_an_unfinished_study_is_found_once() {
        let reference = |name: &str| format!("oci://localhost:5000/{name}@sha256:{DIGEST}");
        let text = format!(
            "comparator = {{ plugin = \"recorded\" }}\nmodels = [{{ plugin = \"{}\" }}, {{ plugin = \"{}\" }}]\n\
             [[metrics]]\nplugin = \"{}\"\nconfig = {{ note = \"oci://no\" }}\n",
            reference("a"),
            reference("a"),
            reference("b"),
        );
        let found: Vec<String> =
            study_references(&text).expect("it is TOML").iter().map(ToString::to_string).collect();
        assert_eq!(found, [reference("b"), reference("a")]);
    }

    #[test]
    fn a_study_needs_digests() {
        let error =
            study_references("[[models]]\nplugin = \"oci://ghcr.io/team/model:1\"").expect_err("a tag");
        insta::assert_snapshot!(error, @r#""oci://ghcr.io/team/model:1" has no digest, and a tag can be moved to another component; write oci://HOST/REPOSITORY@sha256:DIGEST, which `understudy plugin pull oci://ghcr.io/team/model:1` prints"#);
    }
}

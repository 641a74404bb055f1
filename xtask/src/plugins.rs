//! Builds the plugins of this repository as components into `target/plugins`.
//!
//! The guests have their own target folder, so that native builds neither wait for them nor rebuild because
//! of them.

use std::path::Path;

use anyhow::Context as _;
use understudy_component_build::Guest;

/// Builds every crate in `plugins` into `target/plugins`, and every crate in `tests/guests` into
/// `target/plugins/guests`.
pub fn build(root: &Path) -> anyhow::Result<()> {
    let plugins = root.join("target/plugins");
    let mut guests = guests(&root.join("plugins"), &plugins)?;
    guests.extend(self::guests(&root.join("tests/guests"), &plugins.join("guests"))?);
    understudy_component_build::build(root, &guests, &root.join("target/wasm"))
}

/// The crates in a folder. Their components go to `components`.
fn guests(folder: &Path, components: &Path) -> anyhow::Result<Vec<Guest>> {
    let cannot_list = || format!("cannot list {}", folder.display());
    let mut guests = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(cannot_list)? {
        let path = entry.with_context(cannot_list)?.path();
        if let Some(name) = path.file_name()
            && path.join("Cargo.toml").is_file()
        {
            let package = name.to_string_lossy().into_owned();
            let component = components.join(package.replace('-', "_")).with_extension("wasm");
            guests.push(Guest { package, component });
        }
    }
    guests.sort_by(|one, other| one.package.cmp(&other.package));
    Ok(guests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_plugins_of_a_folder_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let found = guests(&root.join("plugins"), Path::new("out")).unwrap();
        let overlap = found.iter().find(|guest| guest.package == "top-k-overlap").unwrap();
        assert_eq!(overlap.component, Path::new("out/top_k_overlap.wasm"));
        assert!(found.is_sorted_by(|one, other| one.package < other.package));
    }
}

//! The files of a plugin's source, by the times and sizes that they have.
//!
//! Invariants: what tools install and build is no source; a number of files is limited.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, ensure};

/// The most files of a plugin.
const MAX_FILES: usize = 10_000;
/// Folders of tools, in any language.
const TOOL_FOLDERS: [&str; 4] = ["target", "node_modules", "__pycache__", "venv"];
/// The folder of cargo's settings, which are source.
const CARGO_SETTINGS: &str = ".cargo";

/// Time of the latest change, and size in bytes.
type Stamp = (Option<SystemTime>, u64);

/// The files of a folder, as they were at the latest look.
pub(super) struct SourceFiles {
    folder: PathBuf,
    component: PathBuf,
    stamps: BTreeMap<PathBuf, Stamp>,
    /// Files that changed during the latest build.
    built: BTreeSet<PathBuf>,
    /// Files that changed during two builds in a row, so that the build writes them.
    products: BTreeSet<PathBuf>,
}

impl SourceFiles {
    /// The files of `folder` but `component`, before the first look.
    pub(super) fn new(folder: &Path, component: &Path) -> SourceFiles {
        SourceFiles {
            folder: folder.to_owned(),
            component: component.to_owned(),
            stamps: BTreeMap::new(),
            built: BTreeSet::new(),
            products: BTreeSet::new(),
        }
    }

    /// The files that were added, changed or removed since the latest look.
    ///
    /// # Errors
    /// If the folder is gone or has too many files.
    pub(super) fn look(&mut self) -> anyhow::Result<BTreeSet<PathBuf>> {
        let now = self.read()?;
        let changed = changes(&self.stamps, &now);
        self.stamps = now;
        Ok(changed)
    }

    /// After a build: notes the files that it writes itself. A file that changed during two builds in a row no longer counts. One
    /// that changed during this build only is still seen by the next look, since its author may have changed it.
    ///
    /// # Errors
    /// If the folder is gone or has too many files.
    pub(super) fn note_products(&mut self) -> anyhow::Result<()> {
        let built = changes(&self.stamps, &self.read()?);
        for product in built.intersection(&self.built) {
            self.stamps.remove(product);
            self.products.insert(product.clone());
        }
        self.built = built;
        Ok(())
    }

    fn read(&self) -> anyhow::Result<BTreeMap<PathBuf, Stamp>> {
        let mut stamps = BTreeMap::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                // A folder below may be removed at any time.
                Err(_) if folder != self.folder => continue,
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot watch {}", folder.display()));
                }
            };
            for entry in entries.flatten() {
                let path = entry.path();
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    let is_hidden = name.starts_with('.') && name != CARGO_SETTINGS;
                    if !is_hidden && !TOOL_FOLDERS.contains(&&*name) {
                        folders.push(path);
                    }
                } else if path != self.component
                    && !self.products.contains(&path)
                    && let Ok(about) = fs::metadata(&path)
                    && about.is_file()
                {
                    stamps.insert(path, (about.modified().ok(), about.len()));
                    ensure!(
                        stamps.len() <= MAX_FILES,
                        "cannot watch {}: it has more than {MAX_FILES} files; name the folder of a plugin",
                        self.folder.display()
                    );
                }
            }
        }
        Ok(stamps)
    }
}

/// Whether a component was written after the latest change of its source in `folder`.
///
/// # Errors
/// If the folder is gone or has too many files.
pub(super) fn is_current(folder: &Path, component: &Path) -> anyhow::Result<bool> {
    let Ok(written) = fs::metadata(component).and_then(|about| about.modified()) else { return Ok(false) };
    let stamps = SourceFiles::new(folder, component).read()?;
    Ok(stamps.values().all(|(changed, _)| changed.is_some_and(|changed| changed <= written)))
}

/// The files that are in only one of both, or differ.
fn changes(then: &BTreeMap<PathBuf, Stamp>, now: &BTreeMap<PathBuf, Stamp>) -> BTreeSet<PathBuf> {
    let changed = now.iter().filter(|(path, stamp)| then.get(*path) != Some(*stamp)).map(|(path, _)| path);
    let removed = then.keys().filter(|path| !now.contains_key(*path));
    changed.chain(removed).cloned().collect()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        fs::write(path, text).expect("it can be written");
    }

    fn names(folder: &Path, changed: &BTreeSet<PathBuf>) -> Vec<String> {
        changed.iter().map(|path| path.strip_prefix(folder).expect("below").display().to_string()).collect()
    }

    #[test]
    fn a_component_is_current_until_its_source_changes() {
        let folder = TempDir::new().expect("a folder");
        let folder = folder.path();
        let component = folder.join("plugin.wasm");
        let is_current = || is_current(folder, &component).expect("the folder is there");
        let age = |name: &str, seconds: u64| {
            let file = fs::File::options().write(true).open(folder.join(name)).expect("it is there");
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
                .expect("a time");
        };
        write(folder, "src/plugin.js", "1");
        age("src/plugin.js", 10);
        assert!(!is_current(), "it is not built");
        write(folder, "plugin.wasm", "built");
        age("plugin.wasm", 20);
        assert!(is_current());
        write(folder, "node_modules/tool/index.js", "1");
        assert!(is_current(), "what tools install is no source");
        age("src/plugin.js", 30);
        assert!(!is_current());
    }

    #[test]
    fn source_is_seen_and_what_tools_write_is_not() {
        let folder = TempDir::new().expect("a folder");
        let folder = folder.path();
        write(folder, "src/plugin.js", "1");
        write(folder, ".cargo/config.toml", "1");
        let mut files = SourceFiles::new(folder, &folder.join("plugin.wasm"));
        assert_eq!(names(folder, &files.look().expect("looked")), [".cargo/config.toml", "src/plugin.js"]);
        for tool in
            ["target/a", "node_modules/a/b", "src/__pycache__/c.pyc", ".git/HEAD", ".venv/a", "plugin.wasm"]
        {
            write(folder, tool, "1");
        }
        assert!(files.look().expect("looked").is_empty());
        write(folder, "src/plugin.js", "22");
        write(folder, "src/new.js", "");
        assert_eq!(names(folder, &files.look().expect("looked")), ["src/new.js", "src/plugin.js"]);
        fs::remove_dir_all(folder.join("src")).expect("it can be removed");
        assert_eq!(names(folder, &files.look().expect("looked")), ["src/new.js", "src/plugin.js"]);
    }

    #[test]
    fn a_file_that_each_build_writes_does_not_count() {
        let folder = TempDir::new().expect("a folder");
        let folder = folder.path();
        write(folder, "source", "1");
        let mut files = SourceFiles::new(folder, &folder.join("plugin.wasm"));
        files.look().expect("looked");
        for (build, expected) in [("a", &["log"][..]), ("bb", &[]), ("ccc", &[])] {
            write(folder, "log", build);
            files.note_products().expect("looked");
            assert_eq!(names(folder, &files.look().expect("looked")), expected, "{build}");
        }
        // The author's file is still seen if it changes during a build.
        write(folder, "source", "22");
        files.note_products().expect("looked");
        assert_eq!(names(folder, &files.look().expect("looked")), ["source"]);
    }

    #[test]
    fn a_folder_that_is_gone_is_an_error() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().to_owned();
        let mut files = SourceFiles::new(&path, &path.join("plugin.wasm"));
        drop(folder);
        let error = format!("{:#}", files.look().expect_err("it is gone"));
        assert!(error.starts_with("cannot watch "), "{error}");
    }
}

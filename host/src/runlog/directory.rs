//! The run directory: made once, for one study.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::LogError;

/// A run directory that this process made.
#[derive(Clone, Debug)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes the directory and writes the declaration into it.
    ///
    /// # Errors
    /// When it holds something already, saying what, or when it cannot be written.
    pub fn create(path: &Path, declaration: &str) -> Result<RunDirectory, LogError> {
        // A study's own folder has a study.toml too.
        let held = path.join("snapshots").is_dir().then(|| fs::read_to_string(path.join("study.toml")));
        match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
            Ok(true) => {
                let shown = path.display();
                return Err(LogError::Directory(match held.and_then(Result::ok) {
                    Some(held) if held == declaration => format!(
                        "{shown} already holds a run of this study; choose another directory with --run, or remove it"
                    ),
                    Some(held) if name(&held).is_some() && name(&held) == name(declaration) => format!(
                        "{shown} already holds a run of this study as it was before study.toml was changed; choose \
                         another directory with --run, or remove it"
                    ),
                    Some(held) => format!(
                        "{shown} already holds a run of another study{}; choose another directory with --run",
                        name(&held).map(|name| format!(", \"{name}\"")).unwrap_or_default()
                    ),
                    None => {
                        format!("{shown} is not empty and holds no run; choose another directory with --run")
                    }
                }));
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(LogError::io("use", path)(error));
            }
            Ok(false) | Err(_) => {}
        }
        fs::create_dir_all(path).map_err(LogError::io("make", path))?;
        let directory = RunDirectory { path: path.to_owned() };
        directory.write("study.toml", declaration.as_bytes())?;
        Ok(directory)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file aside, syncs it and renames it to its name, so that it is never seen half-written. Folders in
    /// the name are made.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), LogError> {
        let path = self.path.join(name);
        let error = LogError::io("write", &path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(&error)?;
        }
        let aside = path.with_extension("tmp");
        let mut file = fs::File::create(&aside).map_err(&error)?;
        file.write_all(bytes).and_then(|()| file.sync_data()).map_err(&error)?;
        fs::rename(&aside, &path).map_err(&error)
    }
}

/// The name in a declaration, for a message.
fn name(declaration: &str) -> Option<String> {
    let table: toml::Table = declaration.parse().ok()?;
    Some(table.get("study")?.as_str()?.to_owned())
}

//! The path of a file as a declaration in another folder writes it.

use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;

/// The path of a file relative to a directory, which need not exist. An absolute path stays one.
pub(super) fn relative_path(file: &Path, directory: &Path) -> anyhow::Result<PathBuf> {
    if file.is_absolute() {
        return Ok(file.to_owned());
    }
    let absolute = |path: &Path| {
        let path = std::path::absolute(path).with_context(|| format!("cannot locate {}", path.display()))?;
        Ok::<_, anyhow::Error>(normal(&path))
    };
    let (file, directory) = (absolute(file)?, absolute(directory)?);
    let common = file.components().zip(directory.components()).take_while(|(a, b)| a == b).count();
    let up = directory.components().skip(common).map(|_| Component::ParentDir);
    Ok(up.chain(file.components().skip(common)).collect())
}

/// A path without `..`, as if no directory were a link.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_declaration() {
        let relative = |file: &str, directory: &str| {
            relative_path(Path::new(file), Path::new(directory)).expect("a path").display().to_string()
        };
        assert_eq!(relative("feeds/s.csv", "."), "feeds/s.csv");
        assert_eq!(relative("feeds/s.csv", "study"), "../feeds/s.csv");
        assert_eq!(relative("feeds/s.csv", "feeds"), "s.csv");
        assert_eq!(relative("/data/s.csv", "study"), "/data/s.csv");
    }
}

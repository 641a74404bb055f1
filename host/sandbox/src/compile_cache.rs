//! A cache on disk of compiled plugins and of lowered models.
//!
//! Invariants:
//! - The name of a cache file consists of the digests of all that its content follows from: of a component and of the
//!   engine's settings; of an importer, a model file and the options.
//! - A cache file begins with the SHA-256 of its name and the rest, so no file is taken for another. An invalid file is
//!   ignored and replaced.
//! - Files are read and written only in a folder that belongs to the current user and that nobody else can
//!   write to.
//! - Files are written under a temporary name and renamed, so a partial file is never visible.

use std::fs;
use std::hash::{BuildHasher as _, DefaultHasher, Hash, Hasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::component_file::ComponentFile;

/// Loads the compiled component of `file` from `folder`, or compiles it and stores it there.
///
/// # Errors
/// If the component does not compile. An unusable cache is not an error, because it only costs time.
pub(super) fn load(engine: &Engine, file: &ComponentFile, folder: &Path) -> wasmtime::Result<Component> {
    if !is_private_folder(folder).unwrap_or(false) {
        return Component::new(engine, &file.bytes);
    }
    let mut settings = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut settings);
    let path = folder.join(format!("{}-{:016x}.cwasm", file.digest, settings.finish()));
    if let Some(code) = read(&path) {
        // SAFETY: `deserialize` trusts its input. `write` below wrote these bytes: their digest matches, and
        // only the current user can write to the folder and to the file.
        if let Ok(component) = unsafe { Component::deserialize(engine, &code) } {
            return Ok(component);
        }
    }
    let component = Component::new(engine, &file.bytes)?;
    let _ = write(&path, &component.serialize()?);
    Ok(component)
}

/// Reads the bytes named `name` from `folder`, or makes them and stores them there. The bytes follow from the name.
///
/// # Errors
/// Those of `make`. An unusable cache is not an error, because it only costs time.
pub(super) fn load_bytes<E>(
    folder: &Path,
    name: &str,
    make: impl FnOnce() -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    if !is_private_folder(folder).unwrap_or(false) {
        return make();
    }
    let path = folder.join(name);
    if let Some(bytes) = read(&path) {
        return Ok(bytes);
    }
    let bytes = make()?;
    let _ = write(&path, &bytes);
    Ok(bytes)
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let meta = fs::symlink_metadata(path).ok()?;
    if !meta.is_file() || others_may_write(&meta) || !is_owned_like_its_folder(path, &meta) {
        return None;
    }
    let mut bytes = fs::read(path).ok()?;
    let digest: [u8; 32] = bytes.get(..32)?.try_into().ok()?;
    bytes.drain(..32);
    (checksum(path, &bytes) == digest).then_some(bytes)
}

/// The SHA-256 of a cache file's name and of its code.
fn checksum(path: &Path, code: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    hash.update(code);
    hash.finalize().into()
}

fn write(path: &Path, code: &[u8]) -> io::Result<()> {
    let aside = temporary_path(path);
    let written = create(&aside).and_then(|mut file| {
        file.write_all(&checksum(path, code))?;
        file.write_all(code)?;
        fs::rename(&aside, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written
}

/// A unique temporary name beside `path`.
fn temporary_path(path: &Path) -> PathBuf {
    path.with_extension(format!("{:016x}.tmp", RandomState::new().build_hasher().finish()))
}

/// Creates a new file that only the current user can access.
fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether `folder`, which is created if missing, belongs to the current user and nobody else can write to
/// it.
#[cfg(unix)]
fn is_private_folder(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let meta = fs::symlink_metadata(folder)?;
    if !meta.is_dir() || others_may_write(&meta) {
        return Ok(false);
    }
    // The folder may belong to another user. A new file shows the current user's id.
    let probe = temporary_path(&folder.join("owner"));
    let owner = create(&probe).and_then(|file| file.metadata())?.uid();
    fs::remove_file(&probe)?;
    Ok(owner == meta.uid())
}

/// Whether a file has the owner of its folder, which is the current user.
#[cfg(unix)]
fn is_owned_like_its_folder(path: &Path, meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let folder = path.parent().and_then(|folder| fs::symlink_metadata(folder).ok());
    folder.is_some_and(|folder| folder.uid() == meta.uid())
}

#[cfg(unix)]
fn others_may_write(meta: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(meta) & 0o022 != 0
}

/// Without Unix permissions no folder is trusted.
#[cfg(not(unix))]
fn is_private_folder(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(not(unix))]
fn is_owned_like_its_folder(_: &Path, _: &fs::Metadata) -> bool {
    false
}

#[cfg(not(unix))]
fn others_may_write(_: &fs::Metadata) -> bool {
    true
}

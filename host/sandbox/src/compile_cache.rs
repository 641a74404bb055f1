//! Compiled plugins, kept from one start to the next.
//!
//! Always holds: a file of the cache is named after the digest of the component and of the engine's settings; it begins
//! with the digest of what follows; it is read and written only in a folder of our own that nobody else may write to; it
//! is written aside and renamed, so a half-written one is never seen. A file that does not fit is passed over and written
//! anew.

use std::fs;
use std::hash::{BuildHasher as _, DefaultHasher, Hash, Hasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::component::ComponentFile;

/// The component of `file`, compiled; from `folder` if it is there, and put there if it is not.
///
/// # Errors
/// When the component does not compile. That the cache cannot be used is no error: it costs time at the next start and
/// nothing else.
pub(super) fn load(engine: &Engine, file: &ComponentFile, folder: &Path) -> wasmtime::Result<Component> {
    if !is_private_folder(folder).unwrap_or(false) {
        return Component::new(engine, &file.bytes);
    }
    let mut settings = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut settings);
    let path = folder.join(format!("{}-{:016x}.cwasm", file.digest, settings.finish()));
    if let Some(code) = read(&path) {
        // SAFETY: `deserialize` runs what it is given. The bytes were written by `write` below: they carry their own
        // digest, and nobody but our own user can write to the folder or to the file.
        if let Ok(component) = unsafe { Component::deserialize(engine, &code) } {
            return Ok(component);
        }
    }
    let component = Component::new(engine, &file.bytes)?;
    let _ = write(&path, &component.serialize()?);
    Ok(component)
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let meta = fs::symlink_metadata(path).ok()?;
    if !meta.is_file() || others_may_write(&meta) {
        return None;
    }
    let mut bytes = fs::read(path).ok()?;
    let digest: [u8; 32] = bytes.get(..32)?.try_into().ok()?;
    bytes.drain(..32);
    (Sha256::digest(&bytes)[..] == digest).then_some(bytes)
}

fn write(path: &Path, code: &[u8]) -> io::Result<()> {
    let aside = temporary_path(path);
    let written = create(&aside).and_then(|mut file| {
        file.write_all(&Sha256::digest(code))?;
        file.write_all(code)?;
        fs::rename(&aside, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written
}

/// A name beside `path` that nobody else uses.
fn temporary_path(path: &Path) -> PathBuf {
    path.with_extension(format!("{:016x}.tmp", RandomState::new().build_hasher().finish()))
}

/// A file that was not there before, for us alone.
fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether `folder`, which is made if it is not there, belongs to us and only we may write to it.
#[cfg(unix)]
fn is_private_folder(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let meta = fs::symlink_metadata(folder)?;
    if !meta.is_dir() || others_may_write(&meta) {
        return Ok(false);
    }
    // A folder may let only its owner write and still be somebody else's. Who we are is seen from a file that we make.
    let probe = temporary_path(&folder.join("owner"));
    let owner = create(&probe).and_then(|file| file.metadata())?.uid();
    fs::remove_file(&probe)?;
    Ok(owner == meta.uid())
}

#[cfg(unix)]
fn others_may_write(meta: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(meta) & 0o022 != 0
}

/// Where rights cannot be told, nothing is trusted.
#[cfg(not(unix))]
fn is_private_folder(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(not(unix))]
fn others_may_write(_: &fs::Metadata) -> bool {
    true
}

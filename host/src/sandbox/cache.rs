//! Compiled plugins, kept from one start to the next.
//!
//! Always holds: a file of the cache is named after the digest of the component and of the engine's settings; it begins
//! with the digest of what follows; it is trusted only in a folder that nobody else may write to; it is written aside
//! and renamed, so a half-written one is never seen. A file that does not fit is passed over and written anew.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::load::File;

/// The component of `file`, compiled; from `folder` if it is there, and put there if it is not.
///
/// # Errors
/// When the component does not compile. That the cache cannot be used is no error.
pub(super) fn load(engine: &Engine, file: &File, folder: &Path) -> wasmtime::Result<Component> {
    let mut settings = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut settings);
    let path = folder.join(format!("{}-{:016x}.cwasm", file.digest, settings.finish()));
    if let Some(code) = read(&path, folder) {
        // SAFETY: `deserialize` runs what it is given. The bytes were written by `write` below: they carry their own
        // digest, and neither the folder nor the file can be written by anybody but their owner.
        if let Ok(component) = unsafe { Component::deserialize(engine, &code) } {
            return Ok(component);
        }
    }
    let component = Component::new(engine, &file.bytes)?;
    let code = component.serialize()?;
    // A cache that cannot be written costs time at the next start and nothing else.
    let _ = write(&path, folder, &code);
    Ok(component)
}

fn read(path: &Path, folder: &Path) -> Option<Vec<u8>> {
    if !(private(folder) && private(path)) {
        return None;
    }
    let mut bytes = std::fs::read(path).ok()?;
    let digest: [u8; 32] = bytes.get(..32)?.try_into().ok()?;
    bytes.drain(..32);
    (Sha256::digest(&bytes)[..] == digest).then_some(bytes)
}

fn write(path: &Path, folder: &Path, code: &[u8]) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let aside = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut bytes = Sha256::digest(code).to_vec();
    bytes.extend_from_slice(code);
    std::fs::write(&aside, bytes)?;
    #[cfg(unix)]
    std::fs::set_permissions(&aside, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    std::fs::rename(&aside, path)
}

/// Whether only its owner may write to it.
fn private(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::symlink_metadata(path).is_ok_and(|meta| meta.mode() & 0o022 == 0)
    }
    #[cfg(not(unix))]
    {
        path.exists()
    }
}

//! Compiles plugins of the workspace to WebAssembly and makes components of them.
//!
//! `cargo xtask plugins` and the build script of `host/components` use it.
//!
//! Invariants:
//! - A component imports nothing.
//! - A component does not depend on the compiler flags of the build around it, since seals contain its digest.

pub mod shell;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use wit_component::{ComponentEncoder, DecodedWasm};

use shell::{ShellCommand, cargo, command};

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "plugin";

/// Flags for the target: vector instructions, which every wasmtime has. Their results are those of scalar instructions.
const TARGET_FLAGS: [&str; 2] =
    ["CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-Ctarget-feature=+simd128"];

/// Debian packages of the compiler and the sources of its standard library, for machines without rustup. The model
/// importer and the neural runtime need Rust 1.94, the other guests 1.88.
const DEBIAN: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// Variables by which cargo passes the flags and wrappers of a build on to its build scripts.
const FLAGS: [&str; 4] = ["CARGO_ENCODED_RUSTFLAGS", "CLIPPY_ARGS", "RUSTC_WORKSPACE_WRAPPER", "RUSTFLAGS"];

/// A package and where its component goes.
pub struct Guest {
    /// Name of the package.
    pub package: String,
    /// Path of the component.
    pub component: PathBuf,
}

/// Compiles packages of the workspace in `root` and writes their components. `target_folder` keeps what the
/// compiler produces. An identical component is left untouched.
///
/// # Errors
/// If there is no compiler for WebAssembly, a package does not compile, or its module imports something.
pub fn build(root: &Path, guests: &[Guest], target_folder: &Path) -> anyhow::Result<()> {
    let packages = guests.iter().flat_map(|guest| ["--package", &guest.package]);
    let mut compiler = compiler(root)?
        .args(["--profile", PROFILE, "--target", TARGET, "--target-dir"])
        .arg(target_folder)
        .args(packages);
    for name in FLAGS {
        compiler.0.env_remove(name);
    }
    let [name, flags] = TARGET_FLAGS;
    compiler.0.env(name, flags);
    compiler.run().context("the plugins do not compile")?;

    let modules = target_folder.join(TARGET).join(PROFILE);
    for Guest { package, component } in guests {
        let module = modules.join(package.replace('-', "_")).with_extension("wasm");
        make(&module, component).with_context(|| format!("cannot make a component of {package}"))?;
    }
    Ok(())
}

/// A `cargo build` for the Wasm target. Installs the target if it is missing.
fn compiler(root: &Path) -> anyhow::Result<ShellCommand> {
    if library(root, Some(TARGET))?.is_dir() {
        return Ok(cargo(root).arg("build"));
    }
    let Err(refused) = command("rustup", root).args(["target", "add", TARGET]).run() else {
        return Ok(cargo(root).arg("build"));
    };
    eprintln!("{refused:#}; trying the packages {}", DEBIAN.join(", "));
    debian(root).with_context(|| {
        format!(
            "no compiler for {TARGET}; run `rustup target add {TARGET}` or install the Debian packages {}",
            DEBIAN.join(", ")
        )
    })
}

/// A `cargo build` with Debian's compiler, which also builds the standard library. It uses rustup's linker,
/// because Debian has none for Wasm.
fn debian(root: &Path) -> anyhow::Result<ShellCommand> {
    let [rustc, cargo] = ["/usr/bin/rustc", "/usr/bin/cargo"].map(Path::new);
    if !(rustc.is_file() && cargo.is_file() && Path::new("/usr/lib/rustlib/src/rust/library").is_dir()) {
        command("apt-get", root).args(["install", "--yes"]).args(DEBIAN).run()?;
    }
    let linkers = library(root, None)?.with_file_name("bin");
    ensure!(linkers.join("rust-lld").is_file(), "rust-lld is missing in {}", linkers.display());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(linkers).chain(std::env::split_paths(&path)))?;
    let cargo = command(cargo, root)
        .env("PATH", path)
        .env("RUSTC", rustc)
        // The standard library needs unstable features.
        .env("RUSTC_BOOTSTRAP", "1");
    Ok(cargo.args(["build", "-Zbuild-std=std,panic_abort", "--ignore-rust-version"]))
}

/// The library folder of a target, which may not exist; without a target, of the host.
fn library(root: &Path, target: Option<&str>) -> anyhow::Result<PathBuf> {
    let target = target.map(|target| ["--target", target]);
    let mut rustc = command("rustc", root).args(["--print", "target-libdir"]).args(target.iter().flatten());
    let shown = rustc.shown();
    let output = rustc.0.output().with_context(|| format!("cannot start `{shown}`"))?;
    ensure!(output.status.success(), "`{shown}` ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim_end().into())
}

/// Writes the component of a module. Leaves an identical file untouched.
fn make(module: &Path, component: &Path) -> anyhow::Result<()> {
    let module = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let bytes = encode(&module)?;
    if std::fs::read(component).is_ok_and(|existing| existing == bytes) {
        return Ok(());
    }
    let cannot_write = || format!("cannot write {}", component.display());
    std::fs::create_dir_all(component.parent().with_context(cannot_write)?).with_context(cannot_write)?;
    std::fs::write(component, bytes).with_context(cannot_write)
}

/// Encodes a module as a component.
fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let component = ComponentEncoder::default().module(module)?.validate(true).encode()?;
    let DecodedWasm::Component(resolve, world) = wit_component::decode(&component)? else {
        bail!("not a component");
    };
    let imports: Vec<_> =
        resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key)).collect();
    ensure!(
        imports.is_empty(),
        "the module imports {}; a plugin imports nothing: remove the dependency that uses a clock, randomness or files",
        imports.join(", ")
    );
    Ok(component)
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn modules_with_imports_and_other_files_are_rejected() {
        // An empty module, then one that imports a function.
        assert!(encode(b"\0asm\x01\0\0\0").is_ok());
        let importing = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x07\x01\x01e\x01f\0\0";
        assert!(encode(importing).is_err());
        assert!(encode(b"no Wasm").is_err());
    }
}

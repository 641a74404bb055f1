//! Builds the components that `lib.rs` includes.
//!
//! The nested cargo has its own target folder, so it does not wait for the build around it. It takes nothing from
//! `target/plugins`, so `cargo build` works in a fresh clone.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use understudy_component_build::{Guest, build};

/// The packages of the components: the importer and the model runtimes.
const PACKAGES: [&str; 3] = ["model-importer", "neural", "tabular"];

/// What the components are made of, relative to the root of the workspace.
const SOURCES: [&str; 7] = [
    "Cargo.lock",
    "Cargo.toml",
    "guest-sdk",
    "plugins/model-importer",
    "plugins/neural",
    "plugins/tabular",
    "wit",
];

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the crate is in host/")?;
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let guests = PACKAGES.map(|package| Guest {
        package: package.to_owned(),
        component: out.join(package.replace('-', "_")).with_extension("wasm"),
    });
    build(root, &guests, &out.join("target"))
}

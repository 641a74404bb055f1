//! Builds the components that `lib.rs` includes.
//!
//! The nested cargo has its own target folder, so it does not wait for the build around it. It takes nothing from
//! `target/plugins`, so `cargo build` works in a fresh clone.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use understudy_component_build::{Guest, build};

/// The packages of the components besides the stock plugins: the importer and the model runtimes.
const PACKAGES: [&str; 3] = ["model-importer", "neural", "tabular"];

/// The packages of the stock plugins, by the names that a study uses.
const STOCK_PLUGINS: [&str; 19] = [
    "agreement",
    "bias",
    "brier-score",
    "expected-calibration-error",
    "jaccard",
    "json-equality",
    "kappa",
    "kendall-tau",
    "log-loss",
    "mean-absolute-error",
    "mean-absolute-percentage-error",
    "ndcg",
    "quantile-loss",
    "r-squared",
    "rank-biased-overlap",
    "recorded",
    "root-mean-square-error",
    "top-k-overlap",
    "within-tolerance",
];

/// The level of compression. Higher ones save little, and this script is not optimised.
const LEVEL: i32 = 9;

/// What all components are made of, relative to the root of the workspace.
const SOURCES: [&str; 7] = [
    "Cargo.lock",
    "Cargo.toml",
    "guest-sdk/Cargo.toml",
    "guest-sdk/derive",
    "guest-sdk/scorer",
    "guest-sdk/src",
    "wit",
];

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the crate is in host/")?;
    let packages: Vec<&str> = PACKAGES.into_iter().chain(STOCK_PLUGINS).collect();
    let sources = packages.iter().map(|package| format!("plugins/{package}"));
    for source in SOURCES.map(str::to_owned).into_iter().chain(sources) {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let component = |package: &str| out.join(package).with_extension("wasm");
    let guests: Vec<Guest> = packages
        .iter()
        .map(|package| Guest { package: (*package).to_owned(), component: component(package) })
        .collect();
    build(root, &guests, &out.join("target"))?;
    for Guest { component, .. } in &guests {
        let bytes =
            std::fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
        let compressed = zstd::bulk::compress(&bytes, LEVEL)?;
        let path = component.with_extension("zst");
        std::fs::write(&path, compressed).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let stock = STOCK_PLUGINS.map(|name| {
        format!("(\"{name}\", Component(include_bytes!({:?}))),\n", component(name).with_extension("zst"))
    });
    std::fs::write(out.join("stock.rs"), format!("&[\n{}]", stock.concat())).context("cannot write stock.rs")
}

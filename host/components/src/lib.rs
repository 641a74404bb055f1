//! The components that are part of the program: stock plugins, and the components that import and run trained models.
//!
//! So a study needs no other file for a plugin that it names, nor for a trained model. The build script compiles them from
//! `plugins`.
//!
//! Invariants: no component imports anything.

/// The component of the world `importer`: imports a model file as a program that [`RUNTIME`] runs.
pub const IMPORTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/model-importer.wasm"));

/// The component of the world `model` that runs a lowered model. It receives the model as the asset `model`.
pub const RUNTIME: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tabular.wasm"));

/// The stock plugins: the comparator `recorded`, and metrics. Each has the name that a study uses.
pub const STOCK: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/stock.rs"));

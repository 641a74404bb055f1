//! The components that import and run trained models.
//!
//! They are part of the program, so a study that names a trained file needs no other plugin. The build script
//! compiles them from `plugins/model-importer` and `plugins/tabular`.
//!
//! Invariants: both components import nothing.

/// The component of the world `importer`: imports a model file as a program that [`RUNTIME`] runs.
pub const IMPORTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/model_importer.wasm"));

/// The component of the world `model` that runs a lowered model. It receives the model as the asset `model`.
pub const RUNTIME: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tabular.wasm"));

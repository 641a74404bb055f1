//! Imports XGBoost models (JSON and UBJSON), LightGBM models (text) and CatBoost models (JSON).
//!
//! The results are those of the libraries themselves: XGBoost adds in 32 bits, LightGBM and CatBoost in 64 bits, in
//! the order of the trees.
//!
//! Invariants:
//! - A file is untrusted. Reading it takes time and memory in proportion to its length.
//! - What cannot be lowered is an error that names it.

pub mod catboost;
mod document;
mod features;
mod imported_model;
pub mod lightgbm;
pub mod xgboost;

pub use imported_model::{BoosterError, ImportedModel, Task};

#[cfg(test)]
mod tests;

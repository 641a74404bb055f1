//! Tests the sandbox with hostile, faulty and invalid plugins.
//!
//! Invariants:
//! - No test depends on timing. Where a timeout is tested, every other limit is out of reach.

mod batch_splitting;
mod compile_cache;
mod component_loading;
mod config_schemas;
mod fixture;
mod grants;
mod handmade_component;
mod hostile_components;
mod instance_limits;
mod metrics;
mod misbehaviour;

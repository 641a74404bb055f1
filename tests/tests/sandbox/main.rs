//! The sandbox, called as the host calls it, against plugins that are hostile, clumsy or no plugins at all.
//!
//! Always holds: nothing here waits for a clock to prove something; where a limit of time is tested, every other limit is
//! out of reach.

mod compile_cache;
mod batch_splitting;
mod misbehaviour;
mod fixture;
mod grants;
mod handmade_component;
mod hostile_components;
mod instance_limits;
mod component_loading;
mod metrics;

//! State that request handlers of several folders share, in parts, so that each handler receives only what it
//! uses.

pub mod body_budget;
pub mod delivery_queue;
pub mod run_slot;

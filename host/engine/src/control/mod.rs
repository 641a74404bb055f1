//! The control interface of a running pipeline: the commands that it accepts, and the status that it
//! publishes.

pub mod messages;
pub mod published_absent_fields;
pub(crate) mod published_latency;
pub mod status;

//! The control interface of a running pipeline: the commands that it accepts, and the status that it
//! publishes.

pub mod messages;
pub mod status;

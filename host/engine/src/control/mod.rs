//! The messages to a running pipeline and its status.

pub mod messages;

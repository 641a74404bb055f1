//! The host of understudy: runs decision models in shadow.

pub mod batch;
pub mod sandbox;
#[path="/tmp/studystub.rs"] pub mod study;

//! The shared state of the request handlers, in parts: the run, the request-body budget, the delivery queue.

pub mod state;

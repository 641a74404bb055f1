//! What passes between threads. A test puts the channels of a model checker in its place.

pub use std::sync::mpsc::{Receiver, Sender, channel};

//! A run that is served: records are delivered to it over HTTP, and those who may can watch and steer it.
//!
//! The server has threads of its own, so that nobody who is slow, hostile or many holds up the run; it reaches the run only
//! through its [`Handle`](crate::run::Handle).
//!
//! Always holds: an answer of 202 is given only after the log has the records on disk; what the server holds in memory is
//! bounded; every request ends within its time.

mod answer;
mod auth;
mod body;
pub mod client;
mod glance;
mod intake;
mod listen;
mod live;
mod looks;
mod machine;
mod measured;
mod metrics;
mod page;
mod probe;
mod routes;
mod state;
mod status;
mod throttle;
mod watching;

pub use auth::{Access, Role, Who};
pub use listen::{Listening, Peer, listen};
pub use machine::Disk;
pub use state::{Served, Settings};
pub use status::{Phase, Queue, Status};

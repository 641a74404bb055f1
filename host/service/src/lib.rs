//! A run that is served: records are delivered to it over HTTP, and those who may can watch and steer it.
//!
//! The server has threads of its own, so that nobody who is slow, hostile or many holds up the run; it reaches the run only
//! through its [`Handle`](understudy_engine::Handle).
//!
//! Always holds: an answer of 202 is given only after the log has the records on disk; what the server holds in memory is
//! bounded; every request ends within its time; no endpoint but an open one is reached without a right to it.

mod answer;
mod auth;
mod body;
pub mod client;
mod control;
mod denied;
mod fresh;
mod glance;
mod guard;
mod intake;
mod listen;
mod live;
mod looks;
mod machine;
mod measured;
mod metrics;
mod mirror;
mod openapi;
mod page;
mod patient;
mod places;
mod probe;
mod routes;
mod state;
mod status;
mod throttle;
mod tls;
mod tokens;
mod watching;

pub use auth::{Access, Role, Who};
pub use fresh::Fresh;
pub use listen::{Listening, Peer, listen};
pub use machine::Disk;
pub use routes::{ROUTES, Route};
pub use state::{Served, Settings};
pub use status::{Phase, Queue, Status};
pub use tls::tls;
pub use tokens::{Tokens, make as make_token};

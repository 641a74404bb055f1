//! A run that is served: records are delivered to it over HTTP, and those who may can watch and steer it.
//!
//! The server has threads of its own, so that nobody who is slow, hostile or many holds up the run; it reaches the run only
//! through its [`Handle`](understudy_engine::Handle).
//!
//! Always holds: an answer of 202 is given only after the log has the records on disk; what the server holds in memory is
//! bounded; every request ends within its time; no endpoint but an open one is reached without a right to it.

mod admin;
mod app;
mod auth;
mod dashboard;
mod http;
mod ingest;
mod observability;
mod routes;
mod transport;
mod util;

pub use crate::app::state::{Served, Settings};
pub use crate::auth::roles::{Access, Role, Who};
pub use crate::auth::token_store::{Tokens, make as make_token};
pub use crate::observability::status::{Phase, Queue, Status};
pub use crate::routes::router::{ROUTES, Route};
pub use crate::transport::listener::{Listening, Peer, listen};
pub use crate::transport::tls::tls;
pub use crate::util::process_stats::Disk;
pub use crate::util::reloadable::Fresh;
pub use crate::transport::control_client;

//! The HTTP service of a run: it accepts records, and serves status, metrics, a dashboard and control
//! endpoints.
//!
//! Invariants:
//! - A response of 202 is sent only after the log has the records on disk.
//! - The memory that the server holds is bounded.
//! - Every request ends within a time limit.
//! - Every endpoint except the open ones requires a role.
//!
//! The server has threads of its own, so that slow, hostile or numerous clients do not delay the run. It
//! reaches the run only through its [`RunHandle`](understudy_engine::RunHandle).

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

pub use crate::app::body_budget::BodyLimits;
pub use crate::auth::roles::{Access, Principal, Role};
pub use crate::auth::token_store::{TokenStore, create_token};
pub use crate::observability::status::{Phase, QueueStatus, Status, plugin_rows};
pub use crate::routes::app_state::{AppSettings, AppState};
pub use crate::routes::router::{ROUTES, Route, router};
pub use crate::transport::control_client;
pub use crate::transport::listener::{ListenerContext, ListenerSettings, Server, listen};
pub use crate::transport::tls::tls_config;
pub use crate::util::reloadable::Reloadable;
pub use crate::util::resource_usage::DiskUsage;

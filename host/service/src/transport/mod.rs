//! Transport: listeners, TLS, connection limits, and the client of the control socket.

pub mod connection_limit;
pub mod control_client;
pub mod listener;
mod problem_bodies;
pub mod tls;

//! What every handler shares about HTTP: responses, and the peer of a connection.

pub mod peer;
pub mod response;

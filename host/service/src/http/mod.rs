//! What every handler shares about HTTP: responses, and the peer of a connection.

pub mod response;

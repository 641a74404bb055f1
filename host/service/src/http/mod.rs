//! Provides what all handlers share: responses, and the peer of a connection.

pub mod peer;
pub mod response;

//! The Arrow schemas of the log tables, and their rows encoded and decoded.

pub mod decode;
pub mod schema;

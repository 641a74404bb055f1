//! Authentication and authorization: roles, the token store, the middleware and the log of denied requests.

pub mod denied_log;
pub mod middleware;
pub mod roles;
pub mod token_store;

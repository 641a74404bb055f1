//! The endpoint table, its OpenAPI description, and the application state that joins all parts.

pub mod app_state;
pub mod openapi;
mod record_schema;
pub mod router;

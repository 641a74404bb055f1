//! Reads the JSON bodies of the endpoints for operators and auditors.

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::app::body_budget::BodyBudget;
use crate::http::response::Problem;
use crate::ingest::body::BodyFormat;

/// Reads and parses a JSON body of up to `limit` bytes, plain or compressed.
///
/// # Errors
/// 415 if the headers do not declare JSON, 422 if the body is not a `T`, and the errors of reading a body.
pub async fn parse_json<T: DeserializeOwned>(
    bodies: &BodyBudget,
    limit: usize,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Problem> {
    let format = BodyFormat::json_from_headers(headers)?;
    let (bytes, _permit) = bodies.read_within(limit, headers, body).await?;
    let text = format.decompress(&bytes, limit)?;
    let _text_permit = bodies.memory_permit(text.len().saturating_sub(bytes.len()))?;
    serde_json::from_slice(&text).map_err(|error| {
        let detail =
            format!("cannot parse the body: {error}; send a JSON object as /openapi.json describes it");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid body", detail)
    })
}

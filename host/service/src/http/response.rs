//! Response bodies: ingest receipts, and problems in the form of RFC 9457.
//!
//! Invariants:
//! - A problem names the cause and the remedy.
//! - A temporary problem has a `Retry-After` header.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;

use understudy_engine::RowExclusion;

/// A failed request: the body of every response with status 400 or above.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Problem {
    /// Short name of the kind of problem.
    pub title: &'static str,
    /// HTTP status of the response.
    pub status: u16,
    /// Cause and remedy.
    pub detail: String,
    /// Whether the same request can succeed later and is safe to repeat. It follows from the status.
    pub retry: bool,
    /// Value of `Retry-After` in seconds, if a retry can succeed.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem without `Retry-After`.
    pub fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Problem {
        let retry = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            || status.is_server_error();
        Problem { title, status: status.as_u16(), detail: detail.into(), retry, retry_after: None }
    }

    /// 429: a limit is reached for now.
    pub fn busy(reason: &str) -> Problem {
        let detail = format!("{reason}; nothing was accepted, retry after the time in Retry-After");
        Problem { retry_after: Some(1), ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail) }
    }

    /// 503: the run is still recovering from its log.
    pub fn starting() -> Problem {
        let detail = "the run is recovering from its log and accepts nothing yet; retry later";
        Problem { retry_after: Some(1), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "starting", detail) }
    }

    /// 503: the run is ending or has ended.
    pub fn ending() -> Problem {
        let detail = "the run is ending; nothing was accepted, retry if the run is served again";
        Problem { retry_after: Some(5), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "ending", detail) }
    }

    /// 503: the log could not be written, so that the state of the records is unknown.
    pub fn log_failed() -> Problem {
        let detail = "cannot write the log: the records may not be on disk; retry once the run is served again, records \
                      that were written then count as duplicates";
        Problem {
            retry_after: Some(30),
            ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "log failed", detail)
        }
    }

    /// 500: a handler panicked.
    pub fn internal() -> Problem {
        let detail = "internal error; this is a bug in understudy";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error", detail)
    }

    /// 500: a case view panicked.
    pub fn case_view_failed() -> Problem {
        let detail = "the case view failed; this is a bug in understudy, and the run continues";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error", detail)
    }

    /// 413: the body exceeds `limit` bytes.
    pub fn too_large(limit: usize) -> Problem {
        let detail = format!(
            "the body exceeds {limit} bytes, compressed or decompressed; send records in several requests, or serve with a larger \
             --max-body-mib, which does not apply to swaps"
        );
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body too large", detail)
    }

    /// 400: the body ended early, or its framing is not that of HTTP.
    pub fn incomplete() -> Problem {
        let detail = "the body is incomplete: the connection broke, or its framing is invalid; nothing was \
                      accepted, send the whole body";
        Problem::new(StatusCode::BAD_REQUEST, "incomplete body", detail)
    }

    /// 408: the body did not arrive within the request timeout.
    pub fn too_slow() -> Problem {
        let detail =
            "the body did not arrive within the request timeout; nothing was accepted, send it again";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "request timeout", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json_response(status, &self);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The result of delivering records.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct IngestReceipt {
    /// Number of records in the body.
    pub received: usize,
    /// Number of records that were accepted.
    pub accepted: usize,
    /// Number of records that are byte-identical to an earlier one. They are harmless.
    pub duplicates: usize,
    /// All other records, in the order of the body.
    pub excluded: Vec<ExcludedItem>,
}

/// An excluded record in a receipt. The run log keeps it with its reason.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct ExcludedItem {
    /// Index of the record in the body, from 0.
    pub record: usize,
    /// `rejected`, `conflict` or `late`.
    pub reason: &'static str,
    /// The reason in words.
    pub detail: String,
}

impl IngestReceipt {
    /// Appends the result of the next records of the body.
    pub fn add(&mut self, accepted: usize, excluded: Vec<RowExclusion>) {
        let before = self.received;
        self.received += accepted + excluded.len();
        self.accepted += accepted;
        for row in excluded {
            match row.reason {
                understudy_records::batch::ExclusionReason::Duplicate => self.duplicates += 1,
                reason => self.excluded.push(ExcludedItem {
                    record: before + row.row,
                    reason: reason.name(),
                    detail: row.detail,
                }),
            }
        }
    }
}

impl IntoResponse for IngestReceipt {
    /// 202 if at least one record was accepted or a duplicate, otherwise 422.
    fn into_response(self) -> Response<Body> {
        let status = match self.accepted + self.duplicates {
            0 => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::ACCEPTED,
        };
        json_response(status, &self)
    }
}

/// A response with a JSON body.
pub fn json_response(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_vec(value).expect("response types are plain data");
    content(status, "application/json", text)
}

/// A response that no cache stores and whose media type no browser guesses.
pub fn content(status: StatusCode, media: &'static str, bytes: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(bytes.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(HeaderName::from_static("cache-control"), HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

//! What is answered: what became of records, or a problem in the form of RFC 9457.
//!
//! Always holds: a problem says what was wrong and what to do; one that passes says when to come again.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;

use understudy_engine::RefusedRow;

/// A request that was not done.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Problem {
    /// In a word or two.
    pub title: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// What was wrong, and what to do.
    pub detail: String,
    /// Seconds after which it is worth another try.
    #[serde(skip)]
    pub again_after: Option<u32>,
}

impl Problem {
    /// A problem with its status.
    pub fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Problem {
        Problem { title, status: status.as_u16(), detail: detail.into(), again_after: None }
    }

    /// There is no room now.
    pub fn busy(why: &str) -> Problem {
        let detail = format!("nothing of it was taken: {why}. Send it again after the time in Retry-After");
        Problem { again_after: Some(1), ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail) }
    }

    /// The run has not begun.
    pub fn starting() -> Problem {
        let detail = "the run reads its log back and takes nothing yet; send it again";
        Problem { again_after: Some(1), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "starting", detail) }
    }

    /// The run takes nothing any more.
    pub fn ending() -> Problem {
        let detail = "nothing of it was taken: the run is ending. If it is served again, send it then";
        Problem { again_after: Some(5), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "ending", detail) }
    }

    /// The log could not be written.
    pub fn failed() -> Problem {
        let detail = "the log could not be written, so it is not known to be on disk. Send it again once the run is \
                      served again: what was taken all the same is then a duplicate";
        Problem {
            again_after: Some(30),
            ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, "log failed", detail)
        }
    }

    /// Something broke that should not.
    pub fn fault() -> Problem {
        let detail = "something broke that should not; this is a fault in understudy";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", detail)
    }

    /// A look was cut short.
    pub fn failed_look() -> Problem {
        let detail = "the look was cut short; this is a fault in understudy, and the run goes on";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not shown", detail)
    }

    /// The body is too large.
    pub fn too_large(most: usize) -> Problem {
        let detail = format!(
            "a body may have {most} bytes, unpacked too; send it in several requests, or serve with a larger --body-mib"
        );
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too large", detail)
    }

    /// The body took too long to come.
    pub fn too_slow() -> Problem {
        let detail = "nothing of it was taken: the body did not come within its time; send it again";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too slow", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, &self);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.again_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What became of records.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Taken {
    /// How many records there were.
    pub received: usize,
    /// How many were taken.
    pub taken: usize,
    /// How many had been taken before, the same to the byte: nothing is wrong with that.
    pub duplicates: usize,
    /// The others, by their place among the records, counted from 0.
    pub refused: Vec<RefusedRecord>,
}

/// A record that takes no part. It is kept with its reason.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct RefusedRecord {
    /// Its place, counted from 0.
    pub record: usize,
    /// `rejected`, `conflict` or `late`.
    pub class: &'static str,
    /// Why.
    pub reason: String,
}

impl Taken {
    /// Adds what became of further records, which stand behind those.
    pub fn add(&mut self, taken: usize, refused: Vec<RefusedRow>) {
        let before = self.received;
        self.received += taken + refused.len();
        self.taken += taken;
        for row in refused {
            match row.class {
                understudy_records::batch::Class::Duplicate => self.duplicates += 1,
                class => self.refused.push(RefusedRecord {
                    record: before + row.row,
                    class: class.name(),
                    reason: row.reason,
                }),
            }
        }
    }
}

impl IntoResponse for Taken {
    /// 202 if any record is in the log that counts, 422 if none is.
    fn into_response(self) -> Response<Body> {
        let status = match self.taken + self.duplicates {
            0 => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::ACCEPTED,
        };
        json(status, &self)
    }
}

/// An answer in JSON.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_vec(value).expect("an answer is plain data");
    content(status, "application/json", text)
}

/// An answer of a media type.
pub fn content(status: StatusCode, media: &'static str, bytes: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(bytes.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(HeaderName::from_static("cache-control"), HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

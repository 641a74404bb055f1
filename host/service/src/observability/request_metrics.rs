//! Middleware that counts and times every request, and logs failed ones.
//!
//! Invariants:
//! - A request is named by the pattern of its endpoint, never by its path, content or response.
//! - A flood of requests causes at most one log line per second and kind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, Response};
use axum::middleware::Next;

use crate::observability::metrics::RequestMetrics;
use crate::util::log_rate_limit::LogRateLimit;

/// Minimum time between two log messages of one kind.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// Rate limits of the log messages, by kind.
#[derive(Debug)]
pub struct LogThrottles {
    throttled: LogRateLimit,
    denied: LogRateLimit,
    failed: LogRateLimit,
}

impl Default for LogThrottles {
    fn default() -> LogThrottles {
        let [throttled, denied, failed] = std::array::from_fn(|_| LogRateLimit::new(LOG_INTERVAL));
        LogThrottles { throttled, denied, failed }
    }
}

/// Middleware: counts and times a request, and logs it if it was denied, throttled or failed.
pub async fn record_request(
    State(metrics): State<Arc<RequestMetrics>>,
    State(throttles): State<Arc<LogThrottles>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let began = Instant::now();
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        _ => "other",
    };
    let path = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let path = path.as_ref().map_or("other", MatchedPath::as_str);
    let status = response.status().as_u16();
    metrics.record(method, path, status, began.elapsed());
    let (rate_limit, message) = match status {
        401 | 403 => (&throttles.denied, "request denied"),
        429 => (&throttles.throttled, "request throttled"),
        500.. => (&throttles.failed, "request failed"),
        _ => return response,
    };
    if let Some(times) = rate_limit.due(began) {
        tracing::warn!(method, path, status, times, "{message}");
    }
    response
}

//! What is counted and logged of every request, whatever answers it.
//!
//! Always holds: a request is named by the pattern of its endpoint, never by what was asked for, sent or answered; a flood of
//! requests is no flood of log lines.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, Response};
use axum::middleware::Next;

use crate::app::state::Served;
use crate::util::log_rate_limit::Throttle;

/// How often the same is said.
const EVERY: Duration = Duration::from_secs(1);

/// What is said at most so often.
#[derive(Debug)]
pub struct Said {
    shed: Throttle,
    denied: Throttle,
    broken: Throttle,
}

impl Default for Said {
    fn default() -> Said {
        let [shed, denied, broken] = std::array::from_fn(|_| Throttle::new(EVERY));
        Said { shed, denied, broken }
    }
}

/// Counts a request, and logs it if it was refused.
pub async fn measured(state: State<Arc<Served>>, request: Request, next: Next) -> Response<Body> {
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
    state.0.metrics.answered(method, path, status, began.elapsed());
    let said = &state.0.said;
    let (throttle, what) = match status {
        401 | 403 => (&said.denied, "denied"),
        429 => (&said.shed, "shed"),
        500.. => (&said.broken, "not done"),
        _ => return response,
    };
    if let Some(times) = throttle.due(began) {
        tracing::warn!(method, path, status, times, "{what}");
    }
    response
}

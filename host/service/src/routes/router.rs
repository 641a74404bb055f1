//! The table of all endpoints: method, path, required access and handler.
//!
//! Invariants:
//! - A path that is not in the table is answered with 404, another method with 405.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get, post};

use crate::admin::{cases_and_review, swap_and_end, verdict_gate};
use crate::auth::middleware::{AuthLayer, authenticate};
use crate::auth::roles::Access;
use crate::dashboard::{assets, interim_verdict, live_view};
use crate::http::response::Problem;
use crate::ingest::{mirror, records};
use crate::observability::{health, metrics, request_metrics, status};
use crate::routes::app_state::AppState;
use crate::routes::openapi;

/// An endpoint.
pub struct Route {
    /// `GET`, `POST`, or `ANY` for all methods.
    pub method: &'static str,
    /// Path in the syntax of axum.
    pub path: &'static str,
    /// Access that it requires.
    pub access: Access,
    /// Constructor of its handler.
    pub handler: fn() -> MethodRouter<AppState>,
}

/// Abbreviates an entry of the table.
const fn route(
    method: &'static str,
    path: &'static str,
    access: Access,
    handler: fn() -> MethodRouter<AppState>,
) -> Route {
    Route { method, path, access, handler }
}

/// All endpoints.
pub const ROUTES: &[Route] = &[
    route("GET", "/livez", Access::Open, || get(health::live)),
    route("GET", "/readyz", Access::Open, || get(health::ready)),
    route("POST", "/v1/snapshots", Access::Feed, || post(records::snapshots)),
    route("POST", "/v1/decisions", Access::Feed, || post(records::decisions)),
    route("GET", "/v1/swaps", Access::Read, || get(swap_and_end::swaps)),
    route("POST", "/v1/swaps", Access::Operate, || post(swap_and_end::swap)),
    route("POST", "/v1/end", Access::Operate, || post(swap_and_end::end)),
    route("ANY", "/v1/mirror/", Access::Feed, || any(mirror::mirror)),
    route("ANY", "/v1/mirror/{*path}", Access::Feed, || any(mirror::mirror)),
    route("GET", "/openapi.json", Access::Open, || get(openapi::document)),
    route("GET", "/", Access::Open, || get(assets::html)),
    route("GET", "/dashboard.css", Access::Open, || get(assets::stylesheet)),
    route("GET", "/dashboard.js", Access::Open, || get(assets::refresh_script)),
    route("GET", "/forms.js", Access::Open, || get(assets::forms_script)),
    route("GET", "/live", Access::Read, || get(live_view::live)),
    route("GET", "/metrics", Access::Read, || get(metrics::metrics)),
    route("GET", "/v1/status", Access::Read, || get(status::status)),
    route("GET", "/v1/verdict", Access::Read, || get(interim_verdict::verdict)),
    route("POST", "/v1/verdict", Access::Read, || post(verdict_gate::gate)),
    route("GET", "/v1/whoami", Access::Read, || get(assets::whoami)),
    route("GET", "/v1/cases/{id}", Access::Audit, || get(cases_and_review::case)),
    route("GET", "/v1/review", Access::Audit, || get(cases_and_review::begin)),
    route("POST", "/v1/review", Access::Audit, || post(cases_and_review::judge)),
];

/// The router of all endpoints, with authentication and request metrics.
pub fn router(state: AppState) -> Router {
    let add = |router: Router<AppState>, route: &Route| {
        let layer =
            AuthLayer { tokens: state.tokens.clone(), denied: state.denied.clone(), access: route.access };
        router.route(route.path, (route.handler)().layer(from_fn_with_state(layer, authenticate)))
    };
    let router = ROUTES.iter().fold(Router::new(), add);
    router
        .fallback(|| async { not_found() })
        .method_not_allowed_fallback(|| async { method_not_allowed() })
        .layer(from_fn_with_state(state.clone(), request_metrics::record_request))
        .with_state(state)
}

fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not found", "no such endpoint; see /openapi.json for all endpoints")
}

fn method_not_allowed() -> Problem {
    let detail = "the endpoint does not support this method; see /openapi.json for its methods";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed", detail)
}

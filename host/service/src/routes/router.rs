//! Every endpoint, in one table: its method, its path, who may use it, and what answers.
//!
//! Always holds: what is not in the table is answered 404, a method that is not 405.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get, post};

use crate::admin::{cases_and_review, swap_and_end};
use crate::app::state::Served;
use crate::auth::middleware::{Gate, admit};
use crate::auth::roles::Access;
use crate::dashboard::{assets, live_view};
use crate::http::response::Problem;
use crate::ingest::{mirror, records};
use crate::observability::{health, metrics, request_metrics, status};
use crate::routes::openapi;

/// An endpoint.
pub struct Route {
    /// `GET`, `POST`, or `ANY` for every one.
    pub method: &'static str,
    /// Its path, as axum writes it.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What answers.
    pub answers: fn() -> MethodRouter<Arc<Served>>,
}

/// Every endpoint.
pub const ROUTES: &[Route] = &[
    Route { method: "GET", path: "/livez", access: Access::Open, answers: || get(probe::live) },
    Route { method: "GET", path: "/readyz", access: Access::Open, answers: || get(probe::ready) },
    Route {
        method: "POST",
        path: "/v1/snapshots",
        access: Access::Feed,
        answers: || post(intake::snapshots),
    },
    Route {
        method: "POST",
        path: "/v1/decisions",
        access: Access::Feed,
        answers: || post(intake::decisions),
    },
    Route { method: "GET", path: "/v1/swaps", access: Access::Read, answers: || get(control::swaps) },
    Route { method: "POST", path: "/v1/swaps", access: Access::Operate, answers: || post(control::swap) },
    Route { method: "POST", path: "/v1/end", access: Access::Operate, answers: || post(control::end) },
    Route { method: "ANY", path: "/v1/mirror/", access: Access::Feed, answers: || any(mirror::mirror) },
    Route {
        method: "ANY",
        path: "/v1/mirror/{*path}",
        access: Access::Feed,
        answers: || any(mirror::mirror),
    },
    Route { method: "GET", path: "/openapi.json", access: Access::Open, answers: || get(openapi::document) },
    Route { method: "GET", path: "/", access: Access::Open, answers: || get(page::frame) },
    Route { method: "GET", path: "/page.css", access: Access::Open, answers: || get(page::style) },
    Route { method: "GET", path: "/page.js", access: Access::Open, answers: || get(page::script) },
    Route { method: "GET", path: "/steer.js", access: Access::Open, answers: || get(page::steering) },
    Route { method: "GET", path: "/live", access: Access::Read, answers: || get(live::live) },
    Route { method: "GET", path: "/metrics", access: Access::Read, answers: || get(metrics::metrics) },
    Route { method: "GET", path: "/v1/status", access: Access::Read, answers: || get(status::status) },
    Route { method: "GET", path: "/v1/whoami", access: Access::Read, answers: || get(page::whoami) },
    Route { method: "GET", path: "/v1/cases/{id}", access: Access::Audit, answers: || get(looks::case) },
    Route { method: "GET", path: "/v1/review", access: Access::Audit, answers: || get(looks::begin) },
    Route { method: "POST", path: "/v1/review", access: Access::Audit, answers: || post(looks::judge) },
];

/// What answers requests.
pub fn router(served: Arc<Served>) -> Router {
    let add = |router: Router<Arc<Served>>, route: &Route| {
        let gate = Gate { served: served.clone(), access: route.access };
        router.route(route.path, (route.answers)().layer(from_fn_with_state(gate, admit)))
    };
    let router = ROUTES.iter().fold(Router::new(), add);
    router
        .fallback(|| async { nowhere() })
        .method_not_allowed_fallback(|| async { no_method() })
        .layer(from_fn_with_state(served.clone(), measured::measured))
        .with_state(served)
}

fn nowhere() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not found",
        "there is nothing here; /openapi.json says what there is",
    )
}

fn no_method() -> Problem {
    let detail = "it is not used with this method; /openapi.json says with which";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed", detail)
}

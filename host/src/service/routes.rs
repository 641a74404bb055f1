//! Every endpoint, in one table: its method, its path, who may use it, and what answers.
//!
//! Always holds: what is not in the table is answered 404, a method that is not 405.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get, post};

use super::answer::Problem;
use super::auth::Access;
use super::guard::{Gate, admit};
use super::state::Served;
use super::{intake, mirror, openapi, probe};

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
    Route { method: "ANY", path: "/v1/mirror/", access: Access::Feed, answers: || any(mirror::mirror) },
    Route {
        method: "ANY",
        path: "/v1/mirror/{*path}",
        access: Access::Feed,
        answers: || any(mirror::mirror),
    },
    Route { method: "GET", path: "/openapi.json", access: Access::Open, answers: || get(openapi::document) },
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

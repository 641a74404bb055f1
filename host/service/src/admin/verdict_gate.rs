//! `POST /v1/verdict`: a gate for rollouts that only look at the status of a response, such as a webhook of Flagger.
//!
//! Invariants:
//! - A response with status 200 means that the verdict is one of those that were asked for; any other response means that it
//!   is not, or that there is none.
//! - Nothing changes: a request reads the figures that `GET /v1/verdict` shows.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::admin::json_body::parse_json;
use crate::app::body_budget::BodyBudget;
use crate::dashboard::interim_verdict::current_verdict;
use crate::dashboard::live_report_cache::LiveReportCache;
use crate::http::response::{Problem, json_response};
use crate::observability::status::StatusSources;
use understudy_statistics::verdict::{Verdict, VerdictKind};
use understudy_study::ALL_SNAPSHOTS;

/// The verdicts that a gate may ask for.
const KINDS: [VerdictKind; 4] =
    [VerdictKind::Go, VerdictKind::NoGo, VerdictKind::Inconclusive, VerdictKind::Void];

/// What the gate asks for: `metadata` in the body of `POST /v1/verdict`, as Flagger sends it. The other keys of the body describe
/// the rollout. An unknown key is an error, since a misspelt one would ask for something else.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GateMetadata {
    /// Name of the model; the worst verdict of all models counts without it.
    model: Option<String>,
    /// Name of the scope; all of the input without it.
    scope: Option<String>,
    /// The verdicts with which the gate is open, separated by commas; GO without it.
    verdict: Option<String>,
}

/// `POST /v1/verdict`.
pub async fn gate(
    State(sources): State<StatusSources>,
    State(reports): State<Arc<LiveReportCache>>,
    State(bodies): State<Arc<BodyBudget>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let body: Map<String, Value> = parse_json(&bodies, bodies.limits.max_bytes, &headers, body).await?;
    let asked = GateMetadata::from_body(body)?;
    let open = asked.kinds()?;
    let verdict = current_verdict(&sources, &reports).await?;
    let found = ruling(&verdict, &asked)?;
    let [model, scope, kind, reason] =
        ["model", "scope", "verdict", "reason"].map(|key| found[key].as_str().unwrap_or_default());
    if open.iter().any(|open| open.name() == kind) {
        return Ok(json_response(StatusCode::OK, &found));
    }
    let detail = format!("the verdict on {model} in {scope} is {kind}: {reason}");
    Err(Problem::new(StatusCode::CONFLICT, "gate closed", detail))
}

impl GateMetadata {
    fn from_body(mut body: Map<String, Value>) -> Result<GateMetadata, Problem> {
        match body.remove("metadata") {
            None | Some(Value::Null) => Ok(GateMetadata::default()),
            Some(metadata @ Value::Object(_)) => {
                serde_json::from_value(metadata).map_err(|error| invalid(format!("`metadata`: {error}")))
            }
            Some(_) => {
                Err(invalid("`metadata` is not an object; send one with model, scope and verdict".to_owned()))
            }
        }
    }

    /// The verdicts with which the gate is open.
    fn kinds(&self) -> Result<Vec<VerdictKind>, Problem> {
        let names = self.verdict.as_deref().unwrap_or(VerdictKind::Go.name());
        let kind = |name: &str| {
            KINDS.into_iter().find(|kind| kind.name() == name.trim()).ok_or_else(|| {
                invalid(format!(
                    "`verdict` names {:?}; write GO, NO-GO, INCONCLUSIVE or VOID, or several with commas",
                    name.trim()
                ))
            })
        };
        names.split(',').map(kind).collect()
    }
}

/// The worst verdict that is asked for, with its main reason.
fn ruling(verdict: &Verdict, asked: &GateMetadata) -> Result<Value, Problem> {
    let scope = asked.scope.as_deref().unwrap_or(ALL_SNAPSHOTS);
    let Some((model, found)) = verdict.worst(asked.model.as_deref(), scope) else {
        let names = |names: Vec<&str>| names.join(", ");
        let models = verdict.models.iter().map(|model| model.model.as_str()).collect();
        let scopes = verdict.models.first().map_or(&[][..], |model| &model.scopes).iter();
        let scopes = scopes.map(|scope| scope.scope.as_str()).collect();
        return Err(invalid(format!(
            "the study has no such model or scope; its models are {}, and its scopes {}",
            names(models),
            names(scopes)
        )));
    };
    Ok(json!({
        "model": model.model,
        "scope": found.scope,
        "verdict": found.verdict.name(),
        "reason": found.main_reason(),
        "closed": verdict.closed,
    }))
}

fn invalid(detail: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid gate", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(verdict: Option<&str>) -> Result<Vec<VerdictKind>, String> {
        let asked = GateMetadata { verdict: verdict.map(str::to_owned), ..GateMetadata::default() };
        asked.kinds().map_err(|problem| problem.detail)
    }

    #[test]
    fn a_gate_is_open_with_the_named_verdicts() {
        assert_eq!(kinds(None), Ok(vec![VerdictKind::Go]));
        assert_eq!(kinds(Some("NO-GO, VOID")), Ok(vec![VerdictKind::NoGo, VerdictKind::Void]));
        for wrong in ["", "go", "GO,", "GO;VOID"] {
            let detail = kinds(Some(wrong)).expect_err("it is refused");
            assert!(
                detail.ends_with("write GO, NO-GO, INCONCLUSIVE or VOID, or several with commas"),
                "{detail}"
            );
        }
    }

    #[test]
    fn keys_of_the_rollout_are_ignored_and_misspelt_ones_of_the_gate_refused() {
        let read = |text: &str| {
            GateMetadata::from_body(serde_json::from_str(text).expect("an object")).map(|asked| asked.scope)
        };
        let flagger =
            r#"{"name":"podinfo","namespace":"test","phase":"Progressing","checksum":"85d557f47b"}"#;
        assert_eq!(read(flagger), Ok(None));
        assert_eq!(read(r#"{"metadata":null}"#), Ok(None));
        assert_eq!(read(r#"{"metadata":{"scope":"weekday"}}"#), Ok(Some("weekday".to_owned())));
        for wrong in
            [r#"{"metadata":{"scpoe":"weekday"}}"#, r#"{"metadata":{"scope":7}}"#, r#"{"metadata":["all"]}"#]
        {
            assert_eq!(read(wrong).expect_err("it is refused").status, 422, "{wrong}");
        }
    }
}

//! Control of a run: `POST /v1/swaps`, `GET /v1/swaps`, `POST /v1/end`.
//!
//! Invariants:
//! - A swap is answered only after the ledger records where it takes effect, or why it was abandoned.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::admin::json_body::parse_json;
use crate::app::body_budget::BodyBudget;
use crate::app::run_slot::RunSlot;
use crate::auth::roles::Principal;
use crate::http::response::{Problem, json_response};
use understudy_audit::read_entries;
use understudy_engine::{ModelFiles, Replacement, RunCommand, SwapError, SwapRequest};
use understudy_run_log::ledger::{Entry, Event, ShadowResult, SwapTrigger, SwappedModel};
use understudy_study::PerStream;

/// Body of `POST /v1/swaps`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SwapBody {
    /// Name of a plugin in the study, or `comparator`.
    plugin: String,
    /// Reason for the swap, which the ledger records.
    reason: String,
    /// The new component in base64; absent to keep the current one.
    component: Option<String>,
    /// Name of the component in messages.
    file: Option<PathBuf>,
    /// Another file of a trained model.
    model: Option<ModelBody>,
    /// The new configuration; absent to keep the current one.
    config: Option<Map<String, Value>>,
    /// Whether to restore the previous version.
    #[serde(default)]
    undo: bool,
    /// Whether to swap even if the answers are not equivalent.
    #[serde(default)]
    force: bool,
    /// Operator, if the sender is local and has no token.
    who: Option<String>,
}

/// The files of a trained model.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelBody {
    /// Path of the model file, for messages and the ledger.
    file: PathBuf,
    /// The model file in base64.
    bytes: String,
    /// The files that belong to it, by their paths relative to its folder, in base64.
    #[serde(default)]
    others: BTreeMap<String, String>,
}

/// A swap in the response of `GET /v1/swaps`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SwapEntry {
    /// Generation that the swap starts.
    pub generation: u32,
    /// `model`, `comparator` or `metric`.
    pub role: String,
    /// Name of the plugin in the study.
    pub plugin: String,
    /// Time of the request.
    pub at: jiff::Timestamp,
    /// What caused the swap.
    pub trigger: SwapTrigger,
    /// Operator who requested it.
    pub who: String,
    /// Reason that the operator gave.
    pub reason: String,
    /// SHA-256 of the new component in hexadecimal.
    pub sha256: String,
    /// SHA-256 of the replaced component in hexadecimal.
    pub replaces: String,
    /// The trained model that the new component runs, if a swap has replaced the sealed one.
    pub model: Option<SwappedModel>,
    /// Result of the shadow comparison on the latest pairs, if there was one.
    pub shadow: Option<ShadowResult>,
    /// Whether later results count as a comparator change.
    pub comparator_change: bool,
    /// First sequence number of each stream that belongs to the new generation; `None` if the swap was not
    /// applied.
    pub first_sequences: Option<PerStream<u64>>,
}

/// The swaps in the entries of a ledger.
pub fn swap_entries(entries: &[Entry]) -> Vec<SwapEntry> {
    let mut swaps: Vec<SwapEntry> = Vec::new();
    for Entry { at, event, .. } in entries {
        match event.clone() {
            Event::Swap {
                generation,
                role,
                name,
                sha256,
                replaces,
                model,
                trigger,
                who,
                reason,
                shadow,
                comparator_change,
                ..
            } => swaps.push(SwapEntry {
                generation,
                role,
                plugin: name,
                at: *at,
                trigger,
                who,
                reason,
                sha256,
                replaces,
                model,
                shadow,
                comparator_change,
                first_sequences: None,
            }),
            Event::SwapApplied { first_sequences, .. } => {
                if let Some(last) = swaps.last_mut() {
                    last.first_sequences = Some(first_sequences);
                }
            }
            _ => {}
        }
    }
    swaps
}

/// `GET /v1/swaps`.
pub async fn swaps(State(run): State<Arc<RunSlot>>) -> Result<Response<Body>, Problem> {
    let run = run.accepting_run()?.directory.clone();
    let read = tokio::task::spawn_blocking(move || read_entries(&run)).await;
    match read {
        Ok(Ok(entries)) => Ok(json_response(StatusCode::OK, &swap_entries(&entries))),
        Ok(Err(error)) => {
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "cannot read ledger", format!("{error:#}")))
        }
        Err(_) => Err(Problem::internal()),
    }
}

/// `POST /v1/swaps`.
pub async fn swap(
    State(run): State<Arc<RunSlot>>,
    State(bodies): State<Arc<BodyBudget>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let swapper = run.accepting_run()?.swapper.clone();
    // Components of plugins in Python exceed the limit of records. Operators may use all the memory for bodies.
    let request: SwapBody = parse_json(&bodies, bodies.limits.memory_bytes, &headers, body).await?;
    let request = request.into_request(&principal)?;
    // Compiling and the shadow comparison block their thread.
    let result = tokio::task::spawn_blocking(move || swapper.swap(&request)).await;
    let swap = result.map_err(|_| Problem::internal())?.map_err(swap_problem)?;
    Ok(json_response(
        StatusCode::OK,
        &serde_json::json!({
            "generation": swap.applied.generation,
            "plugin": swap.name,
            "sha256": swap.sha256,
            "first-sequences": swap.applied.from,
            "shadow": swap.shadow,
            "comparator-change": swap.comparator_change,
            "at": swap.applied.at,
            "pause-nanos": swap.applied.pause,
        }),
    ))
}

impl SwapBody {
    fn into_request(self, principal: &Principal) -> Result<SwapRequest, Problem> {
        let invalid = |detail: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid swap", detail);
        let component = match self.component {
            Some(text) => {
                let bytes = STANDARD.decode(text).map_err(|_| invalid("`component` is not base64"))?;
                Some((self.file.unwrap_or_else(|| PathBuf::from("the component")), bytes))
            }
            None => None,
        };
        let replacement = match (self.undo, component, self.config, self.model) {
            (true, None, None, None) => Replacement::Previous,
            (true, ..) => {
                return Err(invalid(
                    "`undo` restores the previous version; omit `component`, `config` and `model`",
                ));
            }
            (false, None, None, None) => {
                return Err(invalid(
                    "the request changes nothing; send `component`, `config`, `model` or `undo`",
                ));
            }
            (false, component, config, None) => Replacement::Plugin { component, config },
            (false, None, None, Some(model)) => {
                let files = model.files().map_err(|_| invalid("a file of `model` is not base64"))?;
                Replacement::Model { path: model.file, files }
            }
            (false, _, _, Some(_)) => {
                return Err(invalid("`model` brings its component; omit `component` and `config`"));
            }
        };
        let who = operator(principal, self.who);
        Ok(SwapRequest { slot: self.plugin, replacement, force: self.force, who, reason: self.reason })
    }
}

impl ModelBody {
    fn files(&self) -> Result<ModelFiles, base64::DecodeError> {
        let other = |(name, text): (&String, &String)| -> Result<_, base64::DecodeError> {
            Ok((name.clone(), STANDARD.decode(text)?))
        };
        Ok(ModelFiles {
            main: STANDARD.decode(&self.bytes)?,
            others: self.others.iter().map(other).collect::<Result<_, _>>()?,
        })
    }
}

fn swap_problem(error: SwapError) -> Problem {
    let (status, title) = match error {
        SwapError::UnknownSlot { .. } => (StatusCode::NOT_FOUND, "unknown plugin"),
        SwapError::MissingReason
        | SwapError::NoTrainedModel(_)
        | SwapError::Import { .. }
        | SwapError::Sandbox(_)
        | SwapError::Incompatible(_) => (StatusCode::UNPROCESSABLE_ENTITY, "incompatible plugin"),
        SwapError::NoPreviousVersion(_) | SwapError::Unchanged(_) => {
            (StatusCode::CONFLICT, "nothing to swap")
        }
        SwapError::NotEquivalent { .. } | SwapError::NoPairs => (StatusCode::CONFLICT, "not equivalent"),
        SwapError::RunEnding => return Problem::ending(),
        SwapError::Ledger(_) | SwapError::Log(_) | SwapError::Thread(_) | SwapError::LedgerIncomplete => {
            (StatusCode::INTERNAL_SERVER_ERROR, "swap failed")
        }
    };
    Problem::new(status, title, error.to_string())
}

/// Body of `POST /v1/end`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndRequest {
    /// Reason for the end, which the ledger records.
    reason: String,
    /// Operator, if the sender is local and has no token.
    who: Option<String>,
}

/// `POST /v1/end`: stops accepting records, and closes the run once the accepted ones are processed.
pub async fn end(
    State(run): State<Arc<RunSlot>>,
    State(bodies): State<Arc<BodyBudget>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let commands = run.accepting_run()?.commands.clone();
    let EndRequest { reason, who } = parse_json(&bodies, bodies.limits.max_bytes, &headers, body).await?;
    if reason.trim().is_empty() {
        let detail = "the reason is empty; give one for the ledger";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "missing reason", detail));
    }
    let who = operator(&principal, who);
    commands.send(RunCommand::End { who, reason }).await.map_err(|_| Problem::ending())?;
    run.drain();
    Ok(json_response(StatusCode::ACCEPTED, &serde_json::json!({ "ending": true })))
}

/// The operator for the ledger: the token's name or, for a local principal, the name in the request.
fn operator(principal: &Principal, who: Option<String>) -> String {
    match *principal == Principal::local() {
        true => who.unwrap_or_else(|| principal.name.clone()),
        false => principal.name.clone(),
    }
}

//! Steering a run: `POST /v1/swaps`, `GET /v1/swaps`, `POST /v1/end`.
//!
//! Always holds: an exchange is answered once the ledger says from where on it holds, or why it was not made.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::app::state::Served;
use crate::auth::roles::Who;
use crate::http::response::{Problem, json};
use crate::ingest::records::read;
use understudy_audit::entries;
use understudy_engine::{RunCommand, Replacement, SwapError, SwapRequest};
use understudy_run_log::ledger::{Entry, Event, SwapTrigger, ShadowResult};
use understudy_study::PerStream;

/// What is asked for with `POST /v1/swaps`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SwapBody {
    /// The name of a plugin in the study, or `comparator`.
    plugin: String,
    /// Why.
    reason: String,
    /// The component, in base64, if it is to be another.
    component: Option<String>,
    /// What messages call the component.
    file: Option<PathBuf>,
    /// The configuration, if it is to be another.
    config: Option<Map<String, Value>>,
    /// Whether whoever was before is to come back.
    #[serde(default)]
    undo: bool,
    /// Whether it is to be exchanged though it does not answer the same.
    #[serde(default)]
    anyway: bool,
    /// Who wants it, where that is not told by a token.
    who: Option<String>,
}

/// An exchange, as it is told.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SwapEntry {
    /// The generation that it began, or was to begin.
    pub generation: u32,
    /// `model`, `comparator` or `metric`.
    pub role: String,
    /// The part's name in the study.
    pub plugin: String,
    /// When it was asked for.
    pub at: jiff::Timestamp,
    /// How it came about.
    pub how: SwapTrigger,
    /// Who wanted it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// SHA-256 of the component, in hexadecimal.
    pub sha256: String,
    /// SHA-256 of the one in whose place it came.
    pub instead_of: String,
    /// What came of trying both on the latest pairs.
    pub tried: Option<ShadowResult>,
    /// Whether what follows is measured by another yardstick.
    pub new_yardstick: bool,
    /// The first sequence number of each stream that is its own; nothing if it was not made.
    pub from: Option<PerStream<u64>>,
}

/// The exchanges that a ledger tells of.
pub fn exchanges(entries: &[Entry]) -> Vec<SwapEntry> {
    let mut found: Vec<SwapEntry> = Vec::new();
    for Entry { at, event, .. } in entries {
        match event.clone() {
            Event::Swap {
                generation,
                role,
                name,
                sha256,
                replaces: instead_of,
                trigger: how,
                who,
                reason,
                shadow: tried,
                comparator_change: new_yardstick,
                ..
            } => found.push(SwapEntry {
                generation,
                role,
                plugin: name,
                at: *at,
                how,
                who,
                reason,
                sha256,
                instead_of,
                tried,
                new_yardstick,
                from: None,
            }),
            Event::SwapApplied { first_sequences: from, .. } => {
                if let Some(last) = found.last_mut() {
                    last.from = Some(from);
                }
            }
            _ => {}
        }
    }
    found
}

/// `GET /v1/swaps`.
pub async fn swaps(state: State<Arc<Served>>) -> Result<Response<Body>, Problem> {
    let run = state.0.run()?.directory.clone();
    let read = tokio::task::spawn_blocking(move || entries(&run)).await;
    match read {
        Ok(Ok(entries)) => Ok(json(StatusCode::OK, &exchanges(&entries))),
        Ok(Err(error)) => {
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no ledger", format!("{error:#}")))
        }
        Err(_) => Err(Problem::fault()),
    }
}

/// `POST /v1/swaps`.
pub async fn swap(
    state: State<Arc<Served>>,
    who: Extension<Who>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let served = state.0;
    let swapper = served.run()?.swapper.clone();
    let request: SwapBody = parsed(&served, &headers, body).await?;
    let wish = request.wish(&who)?;
    // It takes as long as compiling and trying take, on a thread of its own.
    let swapped = tokio::task::spawn_blocking(move || swapper.swap(&wish)).await;
    let swapped = swapped.map_err(|_| Problem::fault())?.map_err(refused)?;
    Ok(json(
        StatusCode::OK,
        &serde_json::json!({
            "generation": swapped.exchanged.generation,
            "plugin": swapped.name,
            "sha256": swapped.sha256,
            "from": swapped.exchanged.from,
            "tried": swapped.tried,
            "new-yardstick": swapped.new_yardstick,
            "at": swapped.exchanged.at,
            "held-up-nanos": swapped.exchanged.nanos,
        }),
    ))
}

impl SwapBody {
    fn wish(self, who: &Who) -> Result<SwapRequest, Problem> {
        let wrong = |detail: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not a swap", detail);
        let component = match self.component {
            Some(text) => {
                let bytes = STANDARD.decode(text).map_err(|_| wrong("`component` is not base64"))?;
                Some((self.file.unwrap_or_else(|| PathBuf::from("the component")), bytes))
            }
            None => None,
        };
        let new = match (self.undo, component, self.config) {
            (true, None, None) => Replacement::Previous,
            (true, ..) => {
                return Err(wrong("`undo` brings back what was before; leave `component` and `config` out"));
            }
            (false, None, None) => {
                return Err(wrong("nothing is to be exchanged; send `component`, `config` or `undo`"));
            }
            (false, component, config) => Replacement::Plugin { component, config },
        };
        let who = name(who, self.who);
        Ok(SwapRequest { part: self.plugin, new, anyway: self.anyway, who, reason: self.reason })
    }
}

fn refused(error: SwapError) -> Problem {
    let (status, title) = match error {
        SwapError::NoPart { .. } => (StatusCode::NOT_FOUND, "no such plugin"),
        SwapError::NoReason | SwapError::Sandbox(_) | SwapError::Misfit(_) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "not fit")
        }
        SwapError::NothingBefore(_) | SwapError::Same(_) => (StatusCode::CONFLICT, "nothing to exchange"),
        SwapError::Otherwise { .. } | SwapError::NoPairs => (StatusCode::CONFLICT, "not equivalent"),
        SwapError::Ending => return Problem::ending(),
        SwapError::Ledger(_) | SwapError::Log(_) | SwapError::Thread(_) | SwapError::Unsaid => {
            (StatusCode::INTERNAL_SERVER_ERROR, "not written")
        }
    };
    Problem::new(status, title, error.to_string())
}

/// What is asked for with `POST /v1/end`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndRequest {
    /// Why.
    reason: String,
    /// Who wants it, where that is not told by a token.
    who: Option<String>,
}

/// `POST /v1/end`: takes nothing more, and closes the run once what was taken is done.
pub async fn end(
    state: State<Arc<Served>>,
    who: Extension<Who>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response<Body>, Problem> {
    let served = state.0;
    let commands = served.run()?.commands.clone();
    let EndRequest { reason, who: said } = parsed(&served, &headers, body).await?;
    if reason.trim().is_empty() {
        let detail = "an end needs a reason: it is what the ledger says of it";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no reason", detail));
    }
    let who = name(&who, said);
    commands.send(RunCommand::End { who, reason }).await.map_err(|_| Problem::ending())?;
    served.drain();
    Ok(json(StatusCode::ACCEPTED, &serde_json::json!({ "ending": true })))
}

/// Who wants something: the token's name, or, of whoever may write the run directory anyway, what they say.
fn name(who: &Who, said: Option<String>) -> String {
    match *who == Who::local() {
        true => said.unwrap_or_else(|| who.name.clone()),
        false => who.name.clone(),
    }
}

/// A body in JSON.
async fn parsed<T: for<'de> Deserialize<'de>>(
    served: &Arc<Served>,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Problem> {
    let (bytes, _room) = read(served, headers, body).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "not understood",
            format!("the body is not what is asked for: {error}"),
        )
    })
}

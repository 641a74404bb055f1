//! A client of the control socket, through which commands reach the process that serves a run.
//!
//! Invariants:
//! - It connects to nothing but the control socket in the run directory.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::transport::listener::SOCKET;
use understudy_audit::read_entries;
use understudy_run_log::RunDirectory;
use understudy_run_log::ledger::is_closed;

/// Sends one request with an optional JSON body, and returns the status and body of the response.
///
/// # Errors
/// If no process serves the run, or the connection breaks before the response is complete.
pub fn request(
    run: &Path,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = connect(run).await?;
        let broke = "the process that serves the run closed the connection";
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.context(broke)?;
        tokio::spawn(connection);
        let content = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Body::from(content))
            .context("cannot build the request")?;
        let response = sender.send_request(request).await.context(broke)?;
        let status = response.status();
        Ok((status, response.into_body().collect().await.context(broke)?.to_bytes()))
    })
}

/// Sends one request, and returns the JSON body of a successful response.
///
/// # Errors
/// If the request cannot be sent, or the response has an error status; then the error is the detail of its
/// problem.
pub fn request_json(run: &Path, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
    let (status, bytes) = request(run, method, path, body)?;
    let response: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if !status.is_success() {
        match response["detail"].as_str() {
            Some(detail) => bail!("{detail}"),
            None => bail!("the process that serves the run responded with {status}"),
        }
    }
    Ok(response)
}

async fn connect(run: &Path) -> anyhow::Result<UnixStream> {
    let shown = run.display();
    let folder = match File::open(run) {
        Ok(folder) => folder,
        Err(error) => {
            RunDirectory::ensure_run(run)?;
            bail!("cannot open {shown}: {error}; run the command as the user who serves the run");
        }
    };
    let connected = UnixStream::connect(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd())).await;
    connected.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::NotADirectory => not_served(run),
        ErrorKind::PermissionDenied => anyhow!(
            "cannot reach the process that serves {shown}: {error}; run the command as the user who serves the run"
        ),
        _ => anyhow!("cannot reach the process that serves {shown}: {error}"),
    })
}

/// Why no process serves a run, and what to do. The socket exists before the ledger, so this is looked up only
/// after the connection has failed.
fn not_served(run: &Path) -> anyhow::Error {
    let shown = run.display();
    if let Err(error) = RunDirectory::ensure_run(run) {
        return error.into();
    }
    match read_entries(run).is_ok_and(|entries| is_closed(&entries)) {
        true => anyhow!("no process serves {shown}: the run has ended; see `understudy report {shown}`"),
        false => anyhow!("no process serves {shown}; start one with `understudy serve`"),
    }
}

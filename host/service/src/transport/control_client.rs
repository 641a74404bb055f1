//! Requests to the process that serves a run, through the socket in the run directory.
//!
//! Always holds: nothing is reached but that socket.

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

/// Sends one request, with a body in JSON if there is one, and gives the status and the body of the answer.
///
/// # Errors
/// When nobody serves the run, or the answer does not come.
pub fn request(
    run: &Path,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stream = connect(run).await?;
        let broke = "the process that serves the run has hung up";
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.context(broke)?;
        tokio::spawn(connection);
        let content = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Body::from(content))
            .context("no request")?;
        let answer = sender.send_request(request).await.context(broke)?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await.context(broke)?.to_bytes()))
    })
}

/// Sends one request, and gives the answer if it was done.
///
/// # Errors
/// When it was not done: what the answer says of that.
pub fn ask(run: &Path, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
    let (status, bytes) = request(run, method, path, body)?;
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if !status.is_success() {
        match answer["detail"].as_str() {
            Some(detail) => bail!("{detail}"),
            None => bail!("the process that serves the run answers {status}"),
        }
    }
    Ok(answer)
}

async fn connect(run: &Path) -> anyhow::Result<UnixStream> {
    let shown = run.display();
    let folder =
        File::open(run).map_err(|error| anyhow!("cannot open {shown}: {error}; name a run directory"))?;
    let connected = UnixStream::connect(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd())).await;
    connected.map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            anyhow!("nobody serves {shown} now; `understudy serve` does")
        }
        _ => anyhow!("cannot reach the process that serves {shown}: {error}"),
    })
}

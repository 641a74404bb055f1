//! `understudy serve`: a study whose records are delivered over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;

use super::Exit;
use super::logging::Logging;
use super::run::complete_run;
use understudy_engine::{ReadOrder, RunHandle, RunMode, RunOptions, load_study};
use understudy_run_log::signed_head::Signer;
use understudy_service::{
    AppSettings, AppState, BodyLimits, ListenerContext, ListenerSettings, Reloadable, TokenStore, listen,
    router, tls_config,
};

/// Maximum memory of all request bodies, in bytes.
const BODY_MEMORY_BYTES: usize = 128 << 20;
/// Age of the oldest queued delivery above which no further one is admitted.
const MAX_LAG: Duration = Duration::from_secs(5);

/// Serve a study over HTTP.
///
/// Accepts snapshots and decisions until the run is ended with `understudy end`. An interrupted run is
/// resumed at the end of its log.
#[derive(clap::Args)]
pub(super) struct Serve {
    /// Study declaration.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
    /// New run directory, or the directory of a run to resume [default: runs/STUDY-NAME].
    #[arg(long, value_name = "DIRECTORY")]
    run: Option<PathBuf>,
    /// IP address and port to listen on. Port 0 selects a free port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7878", value_parser = listen_address)]
    listen: SocketAddr,
    /// Maximum size of a request body in MiB, compressed and decompressed. The request of a swap may have 128 MiB.
    #[arg(long, value_name = "MIB", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    max_body_mib: u16,
    /// Token file from `understudy token`, which is reloaded when it changes. Without it, every user of this
    /// machine has all roles.
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Enable TLS with this PEM certificate chain, which is reloaded when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Allow other machines to connect without TLS, since a proxy or a service mesh terminates it.
    #[arg(long, conflicts_with = "tls_cert")]
    behind_tls_proxy: bool,
    /// Maximum number of open connections. One address may have three quarters of them.
    #[arg(long, value_name = "NUMBER", default_value_t = 1024, value_parser = clap::value_parser!(u16).range(1..=20_000))]
    max_connections: u16,
    /// Time limit in seconds for a TLS handshake, a request head, a request body, an unread response and an
    /// idle connection.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=600))]
    request_timeout: u16,
    /// Key file that signs the ledger's head, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    #[command(flatten)]
    logging: Logging,
}

/// Parses an address to listen on. Names of hosts are not accepted, because looking them up needs a network client.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:7878".to_owned())
}

impl Serve {
    pub fn execute(self) -> anyhow::Result<Exit> {
        self.logging.start()?;
        let logging = self.logging.clone();
        logging.log_failure(self.serve())
    }

    fn serve(self) -> anyhow::Result<Exit> {
        let (listener, app) = (self.listener_settings()?, self.app_settings()?);
        let loaded = load_study(&self.study, |_| {})?;
        loaded.require_http_source()?;
        if loaded.study.mirror.is_some() && app.tokens.is_none() {
            bail!(
                "cannot serve `[mirror]` without tokens: mirrored requests carry foreign Host and Origin headers, so that a proxy \
                 cannot be distinguished from a web page; pass --tokens"
            );
        }
        let directory = self.run.unwrap_or_else(|| PathBuf::from("runs").join(&loaded.study.name));
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let scheme = if listener.tls.is_some() { "https" } else { "http" };
        let state = AppState::new(loaded.study.clone(), app, signer.clone());
        let context = ListenerContext {
            router: router(state.clone()),
            denied: state.denied.clone(),
            mirrored: state.mirrored.clone(),
        };
        let server = Arc::new(listen(listener, context)?);
        self.logging.log_address(&format!("{scheme}://{}", server.address));
        let on_ready = {
            let (run, server) = (state.run.clone(), server.clone());
            Box::new(move |handle: RunHandle| {
                // Without the control socket the run still accepts records over the network.
                let bound = server.bind_control_socket(&handle.directory);
                bound.unwrap_or_else(|error| tracing::warn!("{error:#}"));
                server.log_run_events(&handle);
                tracing::info!(study = run.study.name, run = %handle.directory.display(), "run started");
                run.set_started(handle);
            })
        };
        let options = RunOptions { directory: &directory, order: ReadOrder::default(), signer };
        let mode = RunMode::Served { on_ready, shed: state.mirrored.shed.clone() };
        let exit = complete_run(loaded, options, mode, log, || state.run.drain());
        state.run.drain();
        if let Some(server) = Arc::into_inner(server) {
            server.finish();
        }
        let lost = state.mirrored.lost();
        if lost > 0 {
            tracing::error!(lost, "mirrored requests were answered, but may not be in the log");
        }
        match &exit {
            Ok(Exit::Interrupted) => tracing::info!("run interrupted; serve it again to resume it"),
            Ok(Exit::SourceFailed) | Err(_) => tracing::error!("run failed"),
            Ok(_) => tracing::info!("run ended"),
        }
        exit
    }

    /// Settings of the listener.
    ///
    /// # Errors
    /// If other machines could connect without authentication or encryption, or the certificate cannot be
    /// read.
    fn listener_settings(&self) -> anyhow::Result<ListenerSettings> {
        let listen = self.listen;
        if !listen.ip().is_loopback() {
            if self.tokens.is_none() {
                bail!(
                    "cannot listen on {listen} without tokens: other machines reach this address; create tokens with \
                     `understudy token` and pass --tokens, or listen on 127.0.0.1"
                );
            }
            if self.tls_cert.is_none() && !self.behind_tls_proxy {
                bail!(
                    "cannot listen on {listen} without TLS: tokens and records would be sent unencrypted; pass --tls-cert and \
                     --tls-key, or --behind-tls-proxy if a proxy terminates TLS"
                );
            }
        }
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(Arc::new(tls_config(certificate.clone(), key.clone())?)),
            _ => None,
        };
        Ok(ListenerSettings {
            address: listen,
            max_connections: usize::from(self.max_connections),
            timeout: Duration::from_secs(self.request_timeout.into()),
            tls,
        })
    }

    /// Settings of the application.
    ///
    /// # Errors
    /// If the token file cannot be read or contains no token.
    fn app_settings(&self) -> anyhow::Result<AppSettings> {
        let tokens = match self.tokens.clone() {
            None => None,
            Some(file) => {
                let shown = file.display().to_string();
                let tokens =
                    Reloadable::load(vec![file], |files| TokenStore::read(files.first().expect("one file")))?;
                if tokens.current().is_empty() {
                    bail!(
                        "{shown} contains no token, so nobody has access; create one with `understudy token`"
                    );
                }
                Some(Arc::new(tokens))
            }
        };
        let bodies = BodyLimits {
            max_bytes: usize::from(self.max_body_mib) << 20,
            memory_bytes: BODY_MEMORY_BYTES,
            timeout: Duration::from_secs(self.request_timeout.into()),
        };
        Ok(AppSettings { bodies, max_lag: MAX_LAG, tokens })
    }
}

/// Logs a message of the run.
fn log(message: String) {
    tracing::info!("{message}");
}

//! `understudy serve`: a run whose records are delivered over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;

use super::Exit;
use super::logging::Logging;
use super::run::conduct;
use understudy_engine::{Handle, Options, Order, check_served, prepare};
use understudy_run_log::note::Signer;
use understudy_service::{Fresh, Served, Settings, Tokens, listen, tls};

/// Serve a study: take snapshots and decisions over HTTP until the run is ended with `understudy end`. A run that was cut off
/// or stopped goes on where its log ends.
#[derive(clap::Args)]
pub(super) struct Serve {
    /// The study's declaration.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
    /// The directory to write, or that of a run that has not ended [default: runs/NAME-OF-THE-STUDY]
    #[arg(long, value_name = "DIRECTORY")]
    run: Option<PathBuf>,
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7878")]
    listen: SocketAddr,
    /// The largest body of a request, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    body_mib: u16,
    /// Who may do what: a file that `understudy token` writes. It is read again when it changes. Without it whoever reaches the
    /// run from this machine may do all.
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Speak TLS, with this certificate and those that vouch for it, in PEM. It is read again when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Listen beyond this machine without TLS, since something else before this process, such as a proxy or a mesh, speaks it.
    #[arg(long, conflicts_with = "tls_cert")]
    tls_before: bool,
    /// The most connections at once; one address may have three quarters of them.
    #[arg(long, value_name = "NUMBER", default_value_t = 1024, value_parser = clap::value_parser!(u16).range(1..=20_000))]
    connections: u16,
    /// Seconds that a request's head, and then its body, may take to come, that an answer may wait to be read, and that a
    /// connection may be idle.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=600))]
    patience: u16,
    /// Sign the ledger's head with this key, made by `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
    #[command(flatten)]
    logging: Logging,
}

impl Serve {
    pub fn execute(self) -> anyhow::Result<Exit> {
        self.logging.start()?;
        let logging = self.logging.clone();
        logging.failed(self.serve())
    }

    fn serve(self) -> anyhow::Result<Exit> {
        let settings = self.settings()?;
        let mut prepared = prepare(&self.study, |_| {})?;
        check_served(&prepared, true, false)?;
        if prepared.study.mirror.is_some() && settings.tokens.is_none() {
            bail!(
                "a mirrored request has the Host and the Origin that were meant for others, so that a proxy is not told from a page \
                 in a browser; serve a study that has `[mirror]` with --tokens"
            );
        }
        let directory = self.run.unwrap_or_else(|| PathBuf::from("runs").join(&prepared.study.name));
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let served = Served::new(prepared.study.clone(), settings, signer.clone());
        let listening = listen(&served)?;
        self.logging.listening(&format!("{scheme}://{}", listening.address));
        let listening = Arc::new(listening);
        let begun = {
            let (served, listening) = (served.clone(), listening.clone());
            Box::new(move |handle: Handle| {
                // Records are taken all the same.
                listening.listen_in(&handle.directory).unwrap_or_else(|error| tracing::warn!("{error:#}"));
                listening.tell_of(&handle);
                tracing::info!(study = served.study.name, run = %handle.directory.display(), "begun");
                served.begun(handle);
            })
        };
        let options = Options {
            directory: &directory,
            order: Order::default(),
            signer,
            replayed: None,
            look: None,
            served: Some(begun),
        };
        let exit = conduct(&mut prepared, options, log, || served.drain());
        served.drain();
        if let Some(listening) = Arc::into_inner(listening) {
            listening.finish();
        }
        let lost = served.mirrored.lost();
        if lost > 0 {
            tracing::error!(lost, "mirrored requests that were answered are not known to be in the log");
        }
        match &exit {
            Ok(_) => tracing::info!("ended"),
            Err(_) => tracing::error!("ended: the run could not go on"),
        }
        exit
    }

    /// How the run is served, if that is safe.
    fn settings(&self) -> anyhow::Result<Settings> {
        let listen = self.listen;
        if !listen.ip().is_loopback() {
            if self.tokens.is_none() {
                bail!(
                    "{listen} is reached from other machines, and without --tokens nobody could be told from anybody; make \
                     some with `understudy token`, or listen on 127.0.0.1"
                );
            }
            if self.tls_cert.is_none() && !self.tls_before {
                bail!(
                    "{listen} is reached from other machines, and without TLS tokens and records would go there in clear; give \
                     --tls-cert and --tls-key, or --tls-before if a proxy before this process speaks TLS"
                );
            }
        }
        let tokens = match self.tokens.clone() {
            None => None,
            Some(file) => {
                let shown = file.display().to_string();
                let tokens =
                    Fresh::read(vec![file], |files| Tokens::read(files.first().expect("there is one")))?;
                if tokens.now().is_empty() {
                    bail!(
                        "{shown} has no token, so that nobody may do anything; make one with `understudy token`"
                    );
                }
                Some(Arc::new(tokens))
            }
        };
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(Arc::new(tls(certificate.clone(), key.clone())?)),
            _ => None,
        };
        Ok(Settings {
            body_bytes: usize::from(self.body_mib) << 20,
            connections: usize::from(self.connections),
            patience: Duration::from_secs(self.patience.into()),
            tokens,
            tls,
            ..Settings::on(listen)
        })
    }
}

/// What a run says of itself, in the log.
fn log(what: String) {
    tracing::info!("{what}");
}

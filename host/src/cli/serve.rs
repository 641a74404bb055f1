//! `understudy serve`: a run whose records are delivered over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;

use super::Exit;
use super::logging::Logging;
use super::run::conduct;
use crate::run::{Handle, Options, Order, prepare};
use crate::runlog::note::Signer;
use crate::service::{Served, Settings, listen};

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
        if !self.listen.ip().is_loopback() {
            bail!("{} is reached from elsewhere, and there is nothing yet that says who may", self.listen);
        }
        let mut prepared = prepare(&self.study, |_| {})?;
        let directory = self.run.unwrap_or_else(|| PathBuf::from("runs").join(&prepared.study.name));
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let settings = Settings { body_bytes: usize::from(self.body_mib) << 20, ..Settings::on(self.listen) };
        let served = Served::new(prepared.study.clone(), settings, signer.clone());
        let listening = listen(&served)?;
        self.logging.listening(&format!("http://{}", listening.address));
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
        match &exit {
            Ok(_) => tracing::info!("ended"),
            Err(_) => tracing::error!("ended: the run could not go on"),
        }
        exit
    }
}

/// What a run says of itself, in the log.
fn log(what: String) {
    tracing::info!("{what}");
}

//! `understudy seal`: what a study promises, fixed before it is run.

use std::path::PathBuf;

use super::check::checked;
use super::{Exit, found};
use understudy_engine::{promise, seal_path};
use understudy_run_log::note::Signer;

/// Seal a study: write down, by digest, what it declares and every plugin and asset, in `seal.json` beside `study.toml` or
/// in `NAME.seal.json` beside any other `NAME.toml`. From then on `run` refuses the study when a value of the declaration, a
/// plugin or an asset is another. Comments, layout and the order of keys may change. A seal is never written over.
#[derive(clap::Args)]
pub(super) struct Seal {
    /// The study's declaration.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
    /// Sign the seal with this key, made by `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Seal {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let prepared = checked(&self.study)?;
        let (seal, new) = promise(&prepared, signer.as_ref())?;
        let (study, path) = (self.study.display(), seal_path(&self.study));
        let path = path.display();
        match new {
            true => found(format_args!("{study} is sealed in {path}: study \"{}\"", seal.study))?,
            false => {
                found(format_args!("{study} was sealed in {path} before, and nothing has changed since"))?
            }
        }
        found(format_args!("  declaration {:<24} {}", "", seal.declaration))?;
        for plugin in &seal.plugins {
            found(format_args!("  {:<11} {:<24} {}", plugin.role, plugin.name, plugin.sha256))?;
            for asset in &plugin.assets {
                found(format_args!("    asset     {:<24} {}", asset.name, asset.sha256))?;
            }
        }
        match &seal.signed {
            Some(signature) => {
                found(format_args!("sealed on {}, signed by {}", seal.sealed_at, signature.key))?
            }
            None => found(format_args!("sealed on {}, not signed", seal.sealed_at))?,
        }
        Ok(Exit::Done)
    }
}

//! `understudy key`: a key that signs ledgers and seals.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::anyhow;

use super::{Exit, found};
use understudy_run_log::note::Signer;

/// Make a key that signs ledgers and seals, and print the one that verifies them.
#[derive(clap::Args)]
pub(super) struct Key {
    /// The key's name, such as "hotel-shadow"; it stands in every signature.
    #[arg(value_name = "NAME")]
    name: String,
    /// Where to write the signing key. Nobody else may read the file.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

impl Key {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let signer = Signer::generate(&self.name)?;
        let shown = self.output.display();
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.output)
            .and_then(|mut file| file.write_all(signer.secret().as_bytes()).and_then(|()| file.sync_all()))
            .map_err(|error| anyhow!("cannot write {shown}: {error}; name a file that is not there yet"))?;
        found(signer.verifier())?;
        Ok(Exit::Done)
    }
}

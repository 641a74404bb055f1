//! `understudy key`: a key pair for ledgers and seals.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::anyhow;

use super::Exit;
use super::output::print_out;
use understudy_run_log::signed_head::Signer;

/// Create a signing key, and print its verifier key.
#[derive(clap::Args)]
pub(super) struct Key {
    /// Name of the key, such as "hotel-shadow". It is part of every signature.
    #[arg(value_name = "NAME")]
    name: String,
    /// New file for the signing key. Only its owner can read it.
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
            .map_err(|error| anyhow!("cannot write {shown}: {error}; name a file that does not exist yet"))?;
        print_out(signer.verifier())?;
        Ok(Exit::Done)
    }
}

//! `understudy seal`: a signed manifest of a study before it runs.

use std::path::PathBuf;

use super::Exit;
use super::check::checked_study;
use super::output::print_out;
use understudy_engine::{create_or_verify, seal_path, study_register};
use understudy_run_log::signed_head::Signer;
use understudy_sandbox::sha256_hex;

/// Seal a study before it runs.
///
/// Writes the digests of the declaration and of all plugins and assets to `seal.json` beside `study.toml`, or
/// to `NAME.seal.json` beside any other `NAME.toml`. From then on the study runs only if declaration, plugins
/// and assets are unchanged. Comments, layout and the order of keys may change. A seal is never overwritten.
/// Verdict and report name the digest of the seal, which is printed first. If the study names a register, the
/// new seal is appended to it.
#[derive(clap::Args)]
pub(super) struct Seal {
    /// Study declaration.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
    /// Key file that signs the seal, from `understudy key`.
    #[arg(long, value_name = "FILE")]
    sign_key: Option<PathBuf>,
}

impl Seal {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let signer = self.sign_key.as_deref().map(Signer::read).transpose()?;
        let sealed_study = checked_study(&self.study)?;
        let (seal, new) = create_or_verify(&sealed_study, signer.as_ref())?;
        let (study, path) = (self.study.display(), seal_path(&self.study));
        let path = path.display();
        match new {
            true => print_out(format_args!("{study} is sealed in {path}: study \"{}\"", seal.study))?,
            false => print_out(format_args!("{study} is already sealed in {path} and unchanged"))?,
        }
        print_out(format_args!("  seal        {:<24} {}", "", sha256_hex(seal.to_json().as_bytes())))?;
        print_out(format_args!("  declaration {:<24} {}", "", seal.declaration))?;
        for plugin in &seal.plugins {
            print_out(format_args!("  {:<11} {:<24} {}", plugin.role, plugin.name, plugin.sha256))?;
            for asset in &plugin.assets {
                print_out(format_args!("    asset     {:<24} {}", asset.name, asset.sha256))?;
            }
        }
        if let Some((position, path)) = seal.register.as_ref().zip(study_register(&sealed_study)) {
            print_out(format_args!(
                "  register    {:<24} {}",
                format!("entry {}", position.entry),
                path.display()
            ))?;
        }
        match &seal.signed {
            Some(signature) => {
                print_out(format_args!("sealed on {}, signed by {}", seal.time_text(), signature.key))?
            }
            None => print_out(format_args!("sealed on {}, not signed", seal.time_text()))?,
        }
        Ok(Exit::Done)
    }
}

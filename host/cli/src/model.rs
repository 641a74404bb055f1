//! `understudy model`: what is in a file of a trained model, and whether it answers as its library does.

mod arguments;
mod check;
mod comparison;
mod cost;
mod rows;
mod show;

use super::Exit;

/// Inspect files of trained models.
///
/// A study runs such a file with `plugin = "onnx"`, `"xgboost"`, `"lightgbm"` or `"catboost"`.
#[derive(clap::Args)]
pub(super) struct Model {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Show(show::Show),
    Check(check::Check),
}

impl Model {
    pub fn execute(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Show(show) => show.execute(),
            Command::Check(check) => check.execute(),
        }
    }
}

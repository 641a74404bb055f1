//! `understudy token`: a token for whoever may use a run that is served.

use std::path::PathBuf;

use super::{Exit, found, tell};
use understudy_service::{Role, make_token};

/// Make a token that lets its bearer use a run that is served, and print it. Its digest goes into the file, it itself nowhere:
/// keep it.
#[derive(clap::Args)]
pub(super) struct Token {
    /// What its bearer may do; may be given several times: `feed` delivers records, `read` sees aggregates, `operate` steers the
    /// run and sees aggregates, `audit` sees aggregates and cases.
    #[arg(long = "role", value_enum, required = true)]
    roles: Vec<Role>,
    /// Who bears it, such as "mirror-eu"; it stands in the ledger behind what they do.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The file for `serve --tokens`. It is made if it is not there; nobody else may read it.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

impl Token {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let token = make_token(&self.file, &self.name, &self.roles)?;
        found(token)?;
        tell(format_args!(
            "it is nowhere else, so keep it; to withdraw it take `{}` out of {}",
            self.name,
            self.file.display()
        ));
        Ok(Exit::Done)
    }
}

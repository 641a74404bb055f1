//! `understudy token`: access tokens for served runs.

use std::path::PathBuf;

use super::Exit;
use super::output::{print_err, print_out};
use understudy_service::{Role, create_token};

/// Create an access token for a served run.
///
/// Prints the token and adds its digest to the token file. The token itself is not stored.
#[derive(clap::Args)]
pub(super) struct Token {
    /// Role of the token. Repeatable.
    #[arg(long = "role", value_enum, required = true)]
    roles: Vec<Role>,
    /// Unique name of the token, such as "mirror-eu". The ledger records it as operator.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Token file for `serve --tokens`. It is created if it does not exist, readable by its owner only.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

impl Token {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let token = create_token(&self.file, &self.name, &self.roles)?;
        print_out(token)?;
        print_err(format_args!(
            "the token is stored nowhere else, so keep it; to revoke it, remove `{}` from {}",
            self.name,
            self.file.display()
        ));
        Ok(Exit::Done)
    }
}

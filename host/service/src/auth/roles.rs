//! Who may do what: roles, and the access that an endpoint asks for.
//!
//! Always holds: what no role allows is allowed to nobody; a request that is answered has a [`Who`] among its extensions.

use serde::{Deserialize, Serialize};

/// What somebody may do. One may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Deliver records; sees nothing.
    Feed,
    /// Steer the run and see its aggregates; sees no case.
    Operate,
    /// See the run's aggregates.
    Read,
    /// See the run's aggregates, and the cases of rows that are decided; each look is in the ledger.
    Audit,
}

impl Role {
    /// All four, in the order in which they are listed.
    pub const ALL: [Role; 4] = [Role::Feed, Role::Operate, Role::Read, Role::Audit];

    /// Its name, such as `feed`.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Feed => "feed",
            Role::Operate => "operate",
            Role::Read => "read",
            Role::Audit => "audit",
        }
    }
}

/// Who may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody: it tells nothing of the run.
    Open,
    /// Who feeds records.
    Feed,
    /// Who reads aggregates: `read`, `operate` and `audit`.
    Read,
    /// Who operates the run.
    Operate,
    /// Who audits it.
    Audit,
}

impl Access {
    /// Any one of these roles is enough. Empty where none is needed.
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Access::Open => &[],
            Access::Feed => &[Role::Feed],
            Access::Read => &[Role::Read, Role::Operate, Role::Audit],
            Access::Operate => &[Role::Operate],
            Access::Audit => &[Role::Audit],
        }
    }

    /// Whether one with these roles may.
    pub fn admits(self, roles: &[Role]) -> bool {
        self == Access::Open || self.roles().iter().any(|role| roles.contains(role))
    }
}

/// Who sends a request: among the extensions of every request that reaches an endpoint which is not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The name of the token; `local` for whoever may write the run directory, or serves on loopback without tokens.
    pub name: String,
    /// What they may do.
    pub roles: Vec<Role>,
}

impl Who {
    /// Somebody on this machine, who may do all.
    pub fn local() -> Who {
        Who { name: "local".to_owned(), roles: Role::ALL.to_vec() }
    }
}

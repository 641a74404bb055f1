//! Roles, and the access that an endpoint requires.
//!
//! Invariants:
//! - What no role of a principal permits is denied.

use serde::{Deserialize, Serialize};

/// A set of permissions. A token may have several roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Deliver records; read nothing.
    Feed,
    /// Control the run and read its aggregates; read no case.
    Operate,
    /// Read the run's aggregates.
    Read,
    /// Read the run's aggregates and its decided cases; the ledger records each access to a case.
    Audit,
}

impl Role {
    /// All roles, in the order in which lists show them.
    pub const ALL: [Role; 4] = [Role::Feed, Role::Operate, Role::Read, Role::Audit];

    /// The lower-case name, as in the token file.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Feed => "feed",
            Role::Operate => "operate",
            Role::Read => "read",
            Role::Audit => "audit",
        }
    }
}

/// The access that an endpoint requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// No authentication: the endpoint exposes nothing about the records of the run.
    Open,
    /// Role `feed`.
    Feed,
    /// Role `read`, `operate` or `audit`.
    Read,
    /// Role `operate`.
    Operate,
    /// Role `audit`.
    Audit,
}

impl Access {
    /// The roles of which one is sufficient; empty for [`Access::Open`].
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Access::Open => &[],
            Access::Feed => &[Role::Feed],
            Access::Read => &[Role::Read, Role::Operate, Role::Audit],
            Access::Operate => &[Role::Operate],
            Access::Audit => &[Role::Audit],
        }
    }

    /// Whether a principal with these roles has access.
    pub fn admits(self, roles: &[Role]) -> bool {
        self == Access::Open || self.roles().iter().any(|role| roles.contains(role))
    }
}

/// The authenticated sender of a request; an extension of every request to an endpoint that is not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Name of the token; `local` on the control socket, and on loopback without tokens.
    pub name: String,
    /// Roles of the token.
    pub roles: Vec<Role>,
}

impl Principal {
    /// The user of this machine, who has all roles.
    pub fn local() -> Principal {
        Principal { name: "local".to_owned(), roles: Role::ALL.to_vec() }
    }
}

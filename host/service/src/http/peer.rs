//! The other end of a connection.

use std::fmt;
use std::net::SocketAddr;

/// The client of a connection; an extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A client of the control socket, which needs write access to the run directory.
    Local,
    /// A client of the network listener.
    Remote(SocketAddr),
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Local => f.write_str("local"),
            Peer::Remote(address) => address.fmt(f),
        }
    }
}

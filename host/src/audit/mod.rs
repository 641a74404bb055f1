//! Looking at a run afterwards: whether it is whole, whether its plugins answer the same again, and its rows.
//!
//! Always holds: nothing of a run is changed but its ledger, which says who was shown what.

mod derived;
mod files;
mod finding;
mod sequences;
mod verify;

pub use finding::{Finding, Findings};
pub use verify::{VerifyError, verify};

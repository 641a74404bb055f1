//! Output of the commands: results on standard output, messages on standard error.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

use anyhow::Context as _;

/// Prints a line of the result. A reader that closes the pipe early, as `head` does, is not an error.
///
/// # Errors
/// If standard output cannot be written.
pub(super) fn print_out(line: impl Display) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Prints a message to standard error. A closed standard error is not an error.
pub(super) fn print_err(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

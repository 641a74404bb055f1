//! Returns the advice that ends the message of an I/O error in a run directory.

use std::io::{Error, ErrorKind};

/// Advice for an error of a file operation. It begins with a semicolon, and is empty if there is none. `operation` is a
/// verb, such as "read".
pub(crate) fn io_advice(operation: &str, error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::PermissionDenied if operation == "read" => "; run the command as a user who may read it",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; free some space, or choose another directory with --run; what was written before is kept"
        }
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied | ErrorKind::NotADirectory => {
            "; choose a directory that may be written to with --run"
        }
        _ => "",
    }
}

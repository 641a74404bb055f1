//! Returns the advice that ends the message about a file that cannot be read.

use std::io::{Error, ErrorKind};

/// Advice on permissions if the user may not read the file; `otherwise` for any other error.
pub fn read_advice<'t>(error: &Error, otherwise: &'t str) -> &'t str {
    match error.kind() {
        ErrorKind::PermissionDenied => "run the command as a user who may read it",
        _ => otherwise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_permission_has_advice_of_its_own() {
        let advice = |kind: ErrorKind| read_advice(&Error::from(kind), "check the path").to_owned();
        assert_eq!(advice(ErrorKind::PermissionDenied), "run the command as a user who may read it");
        assert_eq!(advice(ErrorKind::NotFound), "check the path");
    }
}

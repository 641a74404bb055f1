//! Bytes as text: the form of every digest in files, messages and reports.

use std::fmt::Write as _;

/// Bytes in lower-case hexadecimal, two digits each.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string accepts all text");
    }
    text
}

/// The first 12 digits of a digest: enough to tell digests apart, where people read them.
pub fn short_digest(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_lower_case_digits() {
        assert_eq!(hexadecimal(&[0x00, 0x0a, 0xff, 0x10]), "000aff10");
        assert_eq!(hexadecimal(&[]), "");
    }

    #[test]
    fn a_short_digest_has_at_most_12_digits() {
        assert_eq!(short_digest("0123456789abcdef"), "0123456789ab");
        assert_eq!(short_digest("0123"), "0123");
    }
}

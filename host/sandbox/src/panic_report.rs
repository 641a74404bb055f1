//! Reads panic messages from the memory of trapped guests.
//!
//! A guest imports nothing, so it cannot print. Instead, the SDK's panic hook writes a report into the
//! guest's own memory: [`MAGIC`], the length as a little-endian `u32`, then that many bytes of UTF-8.
//! `guest-sdk/src/panic.rs` writes it.

/// The first bytes of a report.
const MAGIC: &[u8; 32] = b"\0understudy panic report v1\0\0\0\0\0";
/// Maximum number of bytes to read of a message.
const MAX_LENGTH: usize = 4096;
/// Maximum number of occurrences of the magic to try, which bounds the search in a memory full of invalid
/// reports.
const MAX_CANDIDATES: usize = 64;

/// The message of the first valid report in `memory`.
pub(super) fn message(memory: &[u8]) -> Option<String> {
    let mut rest = memory;
    for _ in 0..MAX_CANDIDATES {
        let at = memchr::memmem::find(rest, MAGIC)?;
        rest = &rest[at + MAGIC.len()..];
        let length = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        if let Some(text) = rest.get(4..4 + length.min(MAX_LENGTH))
            && let Ok(text) = std::str::from_utf8(text)
        {
            return Some(text.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> Vec<u8> {
        [&MAGIC[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
    }

    #[test]
    fn finds_a_report_anywhere_in_memory() {
        let memory = [vec![7; 1000], report("src/lib.rs:3:5: no such room"), vec![0; 50]].concat();
        assert_eq!(message(&memory).as_deref(), Some("src/lib.rs:3:5: no such room"));
    }

    #[test]
    fn skips_invalid_reports() {
        let broken = [&MAGIC[..], &2u32.to_le_bytes(), &[0xff, 0xfe]].concat();
        assert_eq!(message(&broken), None);
        assert_eq!(message(&[broken.clone(), report("after it")].concat()).as_deref(), Some("after it"));
        assert_eq!(
            message(&[broken.repeat(MAX_CANDIDATES - 1), report("at last")].concat()).as_deref(),
            Some("at last")
        );
        assert_eq!(message(&[broken.repeat(MAX_CANDIDATES), report("too late")].concat()), None);
        assert_eq!(message(&report("cut off")[..36]), None);
        assert_eq!(message(&MAGIC[..20]), None);
        assert_eq!(message(b""), None);
    }
}

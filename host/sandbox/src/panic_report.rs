//! The message of a panic, read from the memory of a guest that has trapped.
//!
//! A guest imports nothing, so it has nowhere to write to. The SDK's panic hook leaves a report in the guest's own memory
//! instead: [`MAGIC`], the length as a little-endian `u32`, then that many bytes of UTF-8. The other side is
//! `guest-sdk/src/panic.rs`.

/// What a report begins with.
const MAGIC: &[u8; 32] = b"\0understudy panic report v1\0\0\0\0\0";
/// The longest message that is read.
const MAX_LENGTH: usize = 4096;
/// How many places are tried: a memory full of broken reports must not take long.
const MAX_CANDIDATES: usize = 64;

/// The report in `memory`, if there is one.
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
    fn a_report_is_found_wherever_it_stands() {
        let memory = [vec![7; 1000], report("src/lib.rs:3:5: no such room"), vec![0; 50]].concat();
        assert_eq!(message(&memory).as_deref(), Some("src/lib.rs:3:5: no such room"));
    }

    #[test]
    fn a_broken_report_is_passed_over() {
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

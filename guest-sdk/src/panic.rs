//! How a panic reaches the host from a guest that imports nothing.
//!
//! A guest can call nobody, so the panic hook leaves a report in the guest's own memory before it traps, and the host
//! searches the memory of a guest that trapped. Any language may do the same. The report lies anywhere in linear memory,
//! at any alignment:
//!
//! | bytes | what |
//! | --- | --- |
//! | 32 | the magic: NUL, `understudy panic report v1` in ASCII, five NULs |
//! | 4 | the length of the message in bytes, little-endian, at most 4096 |
//! | length | the message in UTF-8: `file:line:column: what was said` |
//!
//! Always holds: the magic stands in memory only where there is a report. It is kept inverted, and written byte by byte by
//! nothing but a panic. A row could hold it only by intent, so the message is for people to read, never to decide by.

#[cfg(any(test, target_arch = "wasm32"))]
mod report;

/// Has every panic from now on leave a report.
#[cfg(target_arch = "wasm32")]
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let said = payload.downcast_ref::<&str>().copied();
        let said = said.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let said = said.unwrap_or("a panic that says nothing");
        memory::leave(report::Message::new(panic.location(), said).report());
    }));
}

#[cfg(target_arch = "wasm32")]
mod memory {
    //! Where the report is left.

    use std::cell::UnsafeCell;

    use super::report::LONGEST;

    struct Place(UnsafeCell<[u8; LONGEST]>);

    // SAFETY: a guest has one thread.
    unsafe impl Sync for Place {}

    static PLACE: Place = Place(UnsafeCell::new([0; LONGEST]));

    pub fn leave(report: impl Iterator<Item = u8>) {
        let start = PLACE.0.get().cast::<u8>();
        for (index, byte) in report.take(LONGEST).enumerate() {
            // SAFETY: `index` is within the static, of which no reference is ever made. The write is volatile since
            // nobody in the guest reads it.
            unsafe { start.add(index).write_volatile(byte) };
        }
    }
}

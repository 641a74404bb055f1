//! The panic report: how a guest without imports passes a panic message to the host.
//!
//! The panic hook writes a report into the guest's own memory before the guest traps. The host searches the
//! memory of a trapped guest for it. Plugins in any language can do the same. The report can be anywhere in
//! linear memory, at any alignment:
//!
//! | bytes | content |
//! | --- | --- |
//! | 32 | the magic: NUL, `understudy panic report v1` in ASCII, five NULs |
//! | 4 | the length of the message in bytes, little-endian, at most 4096 |
//! | length | the message in UTF-8: `file:line:column: panic message` |
//!
//! Invariants:
//! - The magic is in memory only as part of a report. The code stores it inverted, and only a panic writes
//!   it.
//! - A row can contain the magic only by intent. So the message is for people, and no decision depends on it.

#[cfg(any(test, target_arch = "wasm32"))]
mod report;

/// Installs a panic hook that writes a report.
#[cfg(target_arch = "wasm32")]
pub fn install() {
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let message = payload.downcast_ref::<&str>().copied();
        let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = message.unwrap_or("panic without a message");
        memory::write(report::Message::new(panic.location(), message).report());
    }));
}

#[cfg(target_arch = "wasm32")]
mod memory {
    //! The static buffer of the report.

    use std::cell::UnsafeCell;

    use super::report::MAX_REPORT;

    struct Buffer(UnsafeCell<[u8; MAX_REPORT]>);

    // SAFETY: a guest has one thread.
    unsafe impl Sync for Buffer {}

    static BUFFER: Buffer = Buffer(UnsafeCell::new([0; MAX_REPORT]));

    pub fn write(report: impl Iterator<Item = u8>) {
        let start = BUFFER.0.get().cast::<u8>();
        for (index, byte) in report.take(MAX_REPORT).enumerate() {
            // SAFETY: `index` is within the static, and no reference to it exists. The write is volatile
            // because no code in the guest reads it.
            unsafe { start.add(index).write_volatile(byte) };
        }
    }
}

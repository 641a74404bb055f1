//! What `wasmtime` makes of `wit/shadow.wit`.
//!
//! Models and comparators export the same interface, so one set of bindings serves both. The columns that
//! go in are borrowed: each is copied once, into the guest's memory.

/// The worlds `model` and `comparator`.
pub mod decider {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "model",
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// The world `metric`.
pub mod scorer {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "metric",
    });
}

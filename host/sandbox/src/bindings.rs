//! Bindings that `wasmtime` generates from `wit/shadow.wit`.
//!
//! Models and comparators export the same interface, so one set of bindings serves both. Input columns are
//! borrowed, so each is copied once, into the guest's memory.

/// Bindings of the worlds `model` and `comparator`.
pub mod decider {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "model",
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

/// Bindings of the world `metric`.
pub mod scorer {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "metric",
    });
}

/// Bindings of the world `importer`.
pub mod importer {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "importer",
    });
}

//! The components that are part of the program: stock plugins, and the components that import and run trained models.
//!
//! So a study needs no other file for a plugin that it names, nor for a trained model. The build script compiles them from
//! `plugins`.
//!
//! Invariants: no component imports anything.

/// The component of the world `importer`: imports a model file as a lowered model for one of the runtimes.
pub const IMPORTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/model-importer.wasm"));

/// The stock plugins: `recorded`, a comparator or a model, and metrics. Each has the name that a study uses.
pub const STOCK_PLUGINS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/stock.rs"));

/// A component of the world `model` that runs a lowered model. It receives the model as the asset `model`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelRuntime {
    /// Its name, for messages.
    pub name: &'static str,
    /// The component.
    pub component: &'static [u8],
}

/// Runs models of tabular operators.
const TABULAR: ModelRuntime = ModelRuntime {
    name: "the tabular runtime",
    component: include_bytes!(concat!(env!("OUT_DIR"), "/tabular.wasm")),
};

/// Runs models with operators of nets, too.
const NEURAL: ModelRuntime = ModelRuntime {
    name: "the neural runtime",
    component: include_bytes!(concat!(env!("OUT_DIR"), "/neural.wasm")),
};

/// The first bytes of a lowered model that needs the neural runtime. `tabular_program::LoweredModel` writes them.
const NEURAL_MARK: &[u8] = b"USTFNEUR";

impl ModelRuntime {
    /// The smallest runtime that runs a lowered model.
    #[must_use]
    pub fn for_model(lowered: &[u8]) -> Self {
        if lowered.starts_with(NEURAL_MARK) { NEURAL } else { TABULAR }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_model_gets_the_neural_runtime() {
        assert_eq!(ModelRuntime::for_model(b"USTFNEUR\x02").name, "the neural runtime");
        assert_eq!(ModelRuntime::for_model(b"USTFMODL\x02").name, "the tabular runtime");
        assert_eq!(ModelRuntime::for_model(b"").name, "the tabular runtime");
    }
}

//! The components that import and run trained models.
//!
//! They are part of the program, so a study that names a trained file needs no other plugin. The build script
//! compiles them from `plugins/model-importer`, `plugins/tabular` and `plugins/neural`.
//!
//! Invariants: the components import nothing.

/// The component of the world `importer`: imports a model file as a lowered model for one of the runtimes.
pub const IMPORTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/model_importer.wasm"));

/// A component of the world `model` that runs a lowered model. It receives the model as the asset `model`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Its name, for messages.
    pub name: &'static str,
    /// The component.
    pub component: &'static [u8],
}

/// Runs models of tabular operators.
const TABULAR: Runtime = Runtime {
    name: "the model runtime",
    component: include_bytes!(concat!(env!("OUT_DIR"), "/tabular.wasm")),
};

/// Runs models with operators of nets, too.
const NEURAL: Runtime = Runtime {
    name: "the neural runtime",
    component: include_bytes!(concat!(env!("OUT_DIR"), "/neural.wasm")),
};

/// The first bytes of a lowered model that needs the neural runtime. `tabular_program::LoweredModel` writes them.
const NEURAL_MARK: &[u8] = b"USTFNEUR";

impl Runtime {
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
        assert_eq!(Runtime::for_model(b"USTFNEUR\x02").name, "the neural runtime");
        assert_eq!(Runtime::for_model(b"USTFMODL\x02").name, "the model runtime");
        assert_eq!(Runtime::for_model(b"").name, "the model runtime");
    }
}

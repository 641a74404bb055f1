//! The components that are part of the program: stock plugins, and the components that import and run trained models.
//!
//! So a study needs no other file for a plugin that it names, nor for a trained model. The build script compiles them from
//! `plugins`.
//!
//! Invariants: no component imports anything. Components are stored compressed, which saves four fifths of their size.

/// A component that is part of the program, compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component(&'static [u8]);

impl Component {
    /// The bytes of the component.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        zstd::stream::decode_all(self.0).expect("the build script compressed it")
    }
}

/// The component of the world `importer`: imports a model file as a lowered model for one of the runtimes.
pub const IMPORTER: Component = Component(include_bytes!(concat!(env!("OUT_DIR"), "/model-importer.zst")));

/// The stock plugins: `recorded`, a comparator or a model, and metrics. Each has the name that a study uses.
pub const STOCK_PLUGINS: &[(&str, Component)] = include!(concat!(env!("OUT_DIR"), "/stock.rs"));

/// A component of the world `model` that runs a lowered model. It receives the model as the asset `model`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelRuntime {
    /// Its name, for messages.
    pub name: &'static str,
    /// The component.
    pub component: Component,
}

/// Runs models of tabular operators.
const TABULAR: ModelRuntime = ModelRuntime {
    name: "the tabular runtime",
    component: Component(include_bytes!(concat!(env!("OUT_DIR"), "/tabular.zst"))),
};

/// Runs models with operators of nets, too.
const NEURAL: ModelRuntime = ModelRuntime {
    name: "the neural runtime",
    component: Component(include_bytes!(concat!(env!("OUT_DIR"), "/neural.zst"))),
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
    fn every_component_is_whole() {
        let stock = STOCK_PLUGINS.iter().map(|(_, component)| *component);
        for component in stock.chain([IMPORTER, TABULAR.component, NEURAL.component]) {
            assert!(component.bytes().starts_with(b"\0asm\x0d\0\x01\0"), "it begins as a component does");
        }
    }

    #[test]
    fn a_marked_model_gets_the_neural_runtime() {
        assert_eq!(ModelRuntime::for_model(b"USTFNEUR\x02").name, "the neural runtime");
        assert_eq!(ModelRuntime::for_model(b"USTFMODL\x02").name, "the tabular runtime");
        assert_eq!(ModelRuntime::for_model(b"").name, "the tabular runtime");
    }
}

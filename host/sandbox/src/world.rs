//! The WIT worlds of components: one interface over all sets of generated bindings.

use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::bindings::{decider, importer, scorer};
use super::limits::InstanceLimits;

/// Name of the interface that models and comparators export.
pub(super) const DECIDER: &str = "understudy:shadow/decider@0.1.0";
/// Name of the interface that metrics export.
pub(super) const SCORER: &str = "understudy:shadow/scorer@0.1.0";

/// Name of the interface that importers export.
pub(super) const MODEL_IMPORT: &str = "understudy:shadow/model-import@0.1.0";

/// The WIT world of a component: the common interface of all sets of generated bindings.
pub(super) trait World: Sized {
    /// Name of the exported interface.
    const EXPORT: &'static str;
    /// Linked code that exports this world.
    type Linked;
    fn prepare(pre: InstancePre<InstanceLimits>) -> wasmtime::Result<Self::Linked>;
    fn instantiate(linked: &Self::Linked, store: &mut Store<InstanceLimits>) -> wasmtime::Result<Self>;
    fn configure(
        &self,
        store: &mut Store<InstanceLimits>,
        config: &str,
        assets: &[(String, Vec<u8>)],
    ) -> wasmtime::Result<Result<(), String>>;
}

macro_rules! world {
    ($bindings:ident, $pre:ident, $world:ident, $interface:ident, $export:expr) => {
        impl World for $bindings::$world {
            const EXPORT: &'static str = $export;
            type Linked = $bindings::$pre<InstanceLimits>;

            fn prepare(pre: InstancePre<InstanceLimits>) -> wasmtime::Result<Self::Linked> {
                $bindings::$pre::new(pre)
            }

            fn instantiate(
                linked: &Self::Linked,
                store: &mut Store<InstanceLimits>,
            ) -> wasmtime::Result<Self> {
                linked.instantiate(store)
            }

            fn configure(
                &self,
                store: &mut Store<InstanceLimits>,
                config: &str,
                assets: &[(String, Vec<u8>)],
            ) -> wasmtime::Result<Result<(), String>> {
                use $bindings::exports::understudy::shadow::setup::Asset;
                // The bindings of one world borrow, those of the other own.
                let assets: Vec<_> = assets
                    .iter()
                    .map(|(name, bytes)| Asset { name: name.as_str().into(), bytes: bytes.as_slice().into() })
                    .collect();
                self.$interface().call_configure(store, config, &assets)
            }
        }
    };
}
world!(decider, ModelPre, Model, understudy_shadow_decider, DECIDER);
world!(scorer, MetricPre, Metric, understudy_shadow_scorer, SCORER);

/// An importer has no set-up.
impl World for importer::Importer {
    const EXPORT: &'static str = MODEL_IMPORT;
    type Linked = importer::ImporterPre<InstanceLimits>;

    fn prepare(pre: InstancePre<InstanceLimits>) -> wasmtime::Result<Self::Linked> {
        importer::ImporterPre::new(pre)
    }

    fn instantiate(linked: &Self::Linked, store: &mut Store<InstanceLimits>) -> wasmtime::Result<Self> {
        linked.instantiate(store)
    }

    fn configure(
        &self,
        _: &mut Store<InstanceLimits>,
        _: &str,
        _: &[(String, Vec<u8>)],
    ) -> wasmtime::Result<Result<(), String>> {
        Ok(Ok(()))
    }
}

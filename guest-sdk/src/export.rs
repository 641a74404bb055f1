//! What makes a plugin of a model, comparator or metric: the one instance, and the component's exports.
//!
//! Always holds: the exports exist only in Wasm, so that any number of plugins can be linked into one native program.

use std::sync::OnceLock;

use crate::bindings::exports::understudy::shadow::decider;
use crate::metric::{self, Scored};
use crate::{Asset, Decider, Metric, native};
use understudy_sdk_scorer::exports::understudy::shadow::scorer;

/// The plugin of a component, once it is configured.
pub struct Instance<P>(OnceLock<P>);

/// Sets an instance up from a configuration and assets.
pub type Configure<P> = fn(&Instance<P>, &str, Vec<Asset>) -> Result<(), String>;

impl<P> Instance<P> {
    /// Not configured.
    #[expect(clippy::new_without_default, reason = "it is only ever a static")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Keeps what `set_up` makes.
    ///
    /// # Errors
    /// What `set_up` says, or that there is a plugin already.
    fn configure(&self, set_up: impl FnOnce() -> Result<P, String>) -> Result<(), String> {
        #[cfg(target_arch = "wasm32")]
        crate::panic::install();
        self.0.set(set_up()?).map_err(|_| "the plugin is configured already".to_owned())
    }

    /// The plugin.
    ///
    /// # Errors
    /// When it is not configured.
    fn get(&self) -> Result<&P, String> {
        self.0.get().ok_or_else(|| "the plugin is not configured: call `configure` first".to_owned())
    }

    /// The plugin, where the contract has no way to say that it is not configured.
    fn expect(&self) -> &P {
        self.get().unwrap_or_else(|fault| panic!("{fault}"))
    }
}

impl<D: Decider> Instance<D> {
    /// `configure` of the interface `decider`.
    ///
    /// # Errors
    /// A sentence for the author of the study.
    pub fn configure_decider(&self, config: &str, assets: Vec<Asset>) -> Result<(), String> {
        self.configure(|| native::decider(config, assets))
    }

    /// `describe` of the interface `decider`.
    pub fn describe_decider(&self, name: &str, version: &str) -> decider::Description {
        let (name, version, plugin) = (name.to_owned(), version.to_owned(), self.expect());
        decider::Description { name, version, reads: plugin.reads(), answers: plugin.form() }
    }

    /// `decide` of the interface `decider`.
    ///
    /// # Errors
    /// Why the whole batch fails.
    pub fn decide(&self, rows: u32, columns: &[decider::Column]) -> Result<decider::Answers, String> {
        self.get()?.decide(rows, columns)
    }
}

impl<M: Metric> Instance<M> {
    /// `configure` of the interface `scorer`.
    ///
    /// # Errors
    /// A sentence for the author of the study.
    pub fn configure_scorer(&self, config: &str, assets: Vec<Asset>) -> Result<(), String> {
        self.configure(|| native::metric(config, assets))
    }

    /// `describe` of the interface `scorer`.
    pub fn describe_scorer(&self, name: &str, version: &str) -> scorer::Description {
        let metric = self.expect();
        let [least, greatest] = metric::bounds(&metric.range());
        scorer::Description {
            name: name.to_owned(),
            version: version.to_owned(),
            accepts: vec![M::Answer::<'static>::FORM],
            components: metric.components(),
            better: metric.better(),
            least,
            greatest,
        }
    }

    /// `score` of the interface `scorer`.
    ///
    /// # Errors
    /// Why the whole batch fails.
    pub fn score(
        &self,
        rows: u32,
        model: &scorer::Answers,
        comparator: &scorer::Answers,
    ) -> Result<Vec<Vec<f64>>, String> {
        metric::score(self.get()?, rows, model, comparator)
    }

    /// `reduce` of the interface `scorer`.
    pub fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        self.expect().reduce(rows, sums)
    }
}

/// Makes a plugin of a [`Model`](crate::Model) or [`Decider`](crate::Decider). Once a crate. The plugin has the name and
/// the version of the crate.
#[macro_export]
macro_rules! export_model {
    ($model:ty) => {
        // Natively nothing is exported; the type is still checked.
        #[cfg(not(target_arch = "wasm32"))]
        const _: $crate::export::Configure<$model> = $crate::export::Instance::configure_decider;

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            static PLUGIN: $crate::export::Instance<$model> = $crate::export::Instance::new();

            struct Exports;

            impl $crate::bindings::exports::understudy::shadow::decider::Guest for Exports {
                fn configure(config: String, assets: Vec<$crate::Asset>) -> Result<(), String> {
                    PLUGIN.configure_decider(&config, assets)
                }

                fn describe() -> $crate::bindings::exports::understudy::shadow::decider::Description {
                    PLUGIN.describe_decider(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
                }

                fn decide(rows: u32, columns: Vec<$crate::Column>) -> Result<$crate::Answers, String> {
                    PLUGIN.decide(rows, &columns)
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::export_decider!(Exports with_types_in $crate::bindings);
        };
    };
}

/// Makes a plugin of a [`Comparator`](crate::Comparator) or [`Decider`](crate::Decider), as [`export_model!`] does.
pub use crate::export_model as export_comparator;

/// Makes a plugin of a [`Metric`](crate::Metric). Once a crate. The plugin has the name and the version of the crate.
#[macro_export]
macro_rules! export_metric {
    ($metric:ty) => {
        // Natively nothing is exported; the type is still checked.
        #[cfg(not(target_arch = "wasm32"))]
        const _: $crate::export::Configure<$metric> = $crate::export::Instance::configure_scorer;

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            static PLUGIN: $crate::export::Instance<$metric> = $crate::export::Instance::new();

            struct Exports;

            impl $crate::scorer::exports::understudy::shadow::scorer::Guest for Exports {
                fn configure(config: String, assets: Vec<$crate::Asset>) -> Result<(), String> {
                    PLUGIN.configure_scorer(&config, assets)
                }

                fn describe() -> $crate::scorer::exports::understudy::shadow::scorer::Description {
                    PLUGIN.describe_scorer(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
                }

                fn score(
                    rows: u32,
                    model: $crate::Answers,
                    comparator: $crate::Answers,
                ) -> Result<Vec<Vec<f64>>, String> {
                    PLUGIN.score(rows, &model, &comparator)
                }

                fn reduce(rows: u64, sums: Vec<f64>) -> Option<f64> {
                    PLUGIN.reduce(rows, &sums)
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::scorer::export_scorer!(Exports with_types_in $crate::scorer);
        };
    };
}

#[cfg(test)]
mod tests;

//! Turns a model, comparator or metric into a plugin: the static instance and the exports of the component.
//!
//! Invariants:
//! - The exports exist only on Wasm, so that one native program can link any number of plugins.

use std::sync::OnceLock;

use crate::bindings::exports::understudy::shadow::decider;
use crate::metric::{self, ScoredAnswer};
use crate::{Asset, ColumnarModel, Metric, native};
use understudy_sdk_scorer::exports::understudy::shadow::scorer;

/// The static plugin of a component. Empty until `configure` succeeds.
pub struct Instance<P>(OnceLock<P>);

/// A function that configures an instance.
pub type Configure<P> = fn(&Instance<P>, &str, Vec<Asset>) -> Result<(), String>;

impl<P> Instance<P> {
    /// Creates an instance that is not configured.
    #[expect(clippy::new_without_default, reason = "only used for statics")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Stores the plugin that `set_up` returns.
    ///
    /// # Errors
    /// The error of `set_up`, or that the instance is already configured.
    fn configure(&self, set_up: impl FnOnce() -> Result<P, String>) -> Result<(), String> {
        #[cfg(target_arch = "wasm32")]
        crate::panic::install();
        self.0.set(set_up()?).map_err(|_| "the plugin is already configured".to_owned())
    }

    /// The configured plugin.
    ///
    /// # Errors
    /// If the instance is not configured.
    fn get(&self) -> Result<&P, String> {
        self.0.get().ok_or_else(|| "the plugin is not configured: call `configure` first".to_owned())
    }

    /// The configured plugin, for functions that cannot return an error. Panics if the instance is not
    /// configured.
    fn expect(&self) -> &P {
        self.get().unwrap_or_else(|fault| panic!("{fault}"))
    }
}

impl<D: ColumnarModel> Instance<D> {
    /// Implements `configure` of the interface `decider`.
    ///
    /// # Errors
    /// A message for the author of the study.
    pub fn configure_model(&self, config: &str, assets: Vec<Asset>) -> Result<(), String> {
        self.configure(|| native::model(config, assets))
    }

    /// Implements `describe` of the interface `decider`.
    pub fn describe_model(&self, name: &str, version: &str) -> decider::Description {
        let (name, version, plugin) = (name.to_owned(), version.to_owned(), self.expect());
        let (reads, answers) = (plugin.reads(), plugin.form());
        decider::Description { name, version, reads, answers, has_probabilities: plugin.has_probabilities() }
    }

    /// Implements `decide` of the interface `decider`.
    ///
    /// # Errors
    /// A message that says why the whole batch failed.
    pub fn decide(&self, rows: u32, columns: &[decider::Column]) -> Result<decider::Answers, String> {
        self.get()?.decide(rows, columns)
    }
}

impl<M: Metric> Instance<M> {
    /// Implements `configure` of the interface `scorer`.
    ///
    /// # Errors
    /// A message for the author of the study.
    pub fn configure_metric(&self, config: &str, assets: Vec<Asset>) -> Result<(), String> {
        self.configure(|| native::metric(config, assets))
    }

    /// Implements `describe` of the interface `scorer`.
    pub fn describe_metric(&self, name: &str, version: &str) -> scorer::Description {
        let metric = self.expect();
        let [minimum, maximum] = metric::bounds(&metric.range());
        scorer::Description {
            name: name.to_owned(),
            version: version.to_owned(),
            accepts: M::Answer::<'static>::FORMS.to_vec(),
            needs_probabilities: metric.needs_probabilities(),
            components: metric.components(),
            direction: metric.direction(),
            minimum,
            maximum,
        }
    }

    /// Implements `score` of the interface `scorer`.
    ///
    /// # Errors
    /// A message that says why the whole batch failed.
    pub fn score(
        &self,
        rows: u32,
        model: &scorer::Answers,
        comparator: &scorer::Answers,
    ) -> Result<Vec<Vec<f64>>, String> {
        metric::score(self.get()?, rows, model, comparator)
    }

    /// Implements `reduce` of the interface `scorer`.
    pub fn reduce(&self, rows: u64, sums: &[f64]) -> Option<f64> {
        self.expect().reduce(rows, sums)
    }
}

/// Exports a [`Model`](crate::Model) or [`ColumnarModel`](crate::ColumnarModel) as the plugin of a crate. Use
/// it once per crate. The plugin's name and version are those of the crate.
#[macro_export]
macro_rules! export_model {
    ($model:ty) => {
        // Native builds export nothing, but still check the type.
        #[cfg(not(target_arch = "wasm32"))]
        const _: $crate::export::Configure<$model> = $crate::export::Instance::configure_model;

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            static PLUGIN: $crate::export::Instance<$model> = $crate::export::Instance::new();

            $crate::config_schema_section!(<$model as $crate::ColumnarModel>::Config);

            struct Exports;

            impl $crate::bindings::exports::understudy::shadow::decider::Guest for Exports {
                fn configure(config: String, assets: Vec<$crate::Asset>) -> Result<(), String> {
                    PLUGIN.configure_model(&config, assets)
                }

                fn describe() -> $crate::bindings::exports::understudy::shadow::decider::Description {
                    PLUGIN.describe_model(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
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

/// Exports a [`Comparator`](crate::Comparator) or [`ColumnarModel`](crate::ColumnarModel), like
/// [`export_model!`].
pub use crate::export_model as export_comparator;

/// Exports a [`Metric`](crate::Metric) as the plugin of a crate. Use it once per crate. The plugin's name and
/// version are those of the crate.
#[macro_export]
macro_rules! export_metric {
    ($metric:ty) => {
        // Native builds export nothing, but still check the type.
        #[cfg(not(target_arch = "wasm32"))]
        const _: $crate::export::Configure<$metric> = $crate::export::Instance::configure_metric;

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            static PLUGIN: $crate::export::Instance<$metric> = $crate::export::Instance::new();

            $crate::config_schema_section!(<$metric as $crate::Metric>::Config);

            struct Exports;

            impl $crate::scorer::exports::understudy::shadow::scorer::Guest for Exports {
                fn configure(config: String, assets: Vec<$crate::Asset>) -> Result<(), String> {
                    PLUGIN.configure_metric(&config, assets)
                }

                fn describe() -> $crate::scorer::exports::understudy::shadow::scorer::Description {
                    PLUGIN.describe_metric(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
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

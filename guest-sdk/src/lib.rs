//! Write models, comparators and metrics for understudy in a few lines.
//!
//! A whole model:
//!
//! ```
//! use understudy_sdk::prelude::*;
//!
//! #[derive(Input)]
//! struct Booking<'a> {
//!     reserved_room_type: &'a str,
//! }
//!
//! struct BookedRoom;
//!
//! impl Model for BookedRoom {
//!     type Config = NoConfig;
//!     type Input<'a> = Booking<'a>;
//!     type Answer<'a> = &'a str;
//!
//!     fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
//!         Ok(Self)
//!     }
//!
//!     fn decide<'a>(&'a self, booking: Booking<'a>) -> &'a str {
//!         booking.reserved_room_type
//!     }
//! }
//!
//! export_model!(BookedRoom);
//! # fn main() {}
//! ```
//!
//! # Overview
//!
//! - [`Model`] maps one row to one answer. [`Comparator`] is the same trait. [`ColumnarModel`] is the layer
//!   below: it maps columns to answers, for plugins whose fields depend on their configuration.
//! - [`Input`](derive@Input) declares the fields that a model reads, and their types.
//! - [`Answer`] is implemented by the types that a model can return: labels, numbers, rankings, sets of
//!   labels and JSON values, optionally
//!   with a confidence ([`WithConfidence`]), class probabilities ([`WithProbabilities`]) or a reason for
//!   abstaining (`Result<_, Reason>`).
//! - [`ConfigSchema`](derive@ConfigSchema) describes a configuration, so that the host can check it before the plugin
//!   runs.
//! - [`Metric`] maps a pair of answers to components, and sums of components to the value of the metric.
//! - [`native`] runs a plugin without the sandbox, for tests and benchmarks.
//!
//! # Life cycle
//!
//! The host creates an instance and calls `configure` once. This deserialises the configuration of the study
//! into [`Model::Config`] and calls [`Model::new`], which returns the plugin or an error message for the
//! author of the study. The SDK answers `describe` from the types. After that, the host sends any number of
//! batches of any size.
//!
//! # Missing values
//!
//! A field of type `Option<_>` may be missing. All other fields are required: the host does not pass a row
//! without them, it records the row as unanswered. A value that does not fit its type (300 in a `u8`, JSON of
//! another shape) makes that row unanswered, with the name of the field; the other rows of the batch are
//! answered.
//!
//! # Rules for plugins
//!
//! A plugin imports nothing: no clock, no randomness, no file. It is a pure function of its configuration and
//! of the row. An answer must not depend on other rows of the batch or on earlier calls, because the host
//! chooses the batches, retries rows and replays them.
//!
//! If a row has no answer, return an `Err` with a [`Reason`]: [`Reason::Abstained`] by choice,
//! [`Reason::Failed`] for inability. A panic means a bug: it traps, and the host discards the answer and the
//! instance. The report still shows the panic's message and location; [`mod@panic`] describes how.
//!
//! # Building
//!
//! A plugin is a crate of type `cdylib`. Add `rlib` for tests and benchmarks:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib", "rlib"]
//! ```
//!
//! Build it for `wasm32-unknown-unknown`, which has nothing to import, then turn it into a component. In this
//! repository `cargo xtask plugins` does both. Elsewhere:
//!
//! ```sh
//! cargo build --release --target wasm32-unknown-unknown
//! understudy pack target/wasm32-unknown-unknown/release/my_model.wasm --output my_model.wasm
//! ```
//!
//! On Wasm the SDK sets the global allocator. Disable its default feature `allocator` to choose another.

extern crate self as understudy_sdk;

#[cfg(any(test, all(target_arch = "wasm32", feature = "allocator")))]
mod allocator;
pub mod answer;
#[doc(hidden)]
pub mod bindings;
mod columns;
pub mod config;
mod dictionary;
#[doc(hidden)]
pub mod export;
pub mod input;
pub mod metric;
mod model;
pub mod native;
pub mod panic;
mod setup;
mod strings;

#[doc(hidden)]
pub use understudy_sdk_scorer as scorer;

pub use answer::{Answer, WithConfidence, WithProbabilities, collect_answers};
pub use bindings::exports::understudy::shadow::columns::{Column, Field, Kind, Values};
pub use columns::Timestamp;
pub use config::ConfigSchema;
pub use export::export_comparator;
pub use input::{Input, Json, Reader};
pub use metric::{Components, JsonText, Label, LabelSet, Metric, NominalAnswer, Prediction};
pub use model::{ColumnarModel, Model};
pub use scorer::exports::understudy::shadow::answers::{
    Answers, Form, LabelSets, Labels, Probabilities, Rankings, Reason, Values as AnswerValues,
};
pub use scorer::exports::understudy::shadow::columns::Text;
pub use scorer::exports::understudy::shadow::scorer::Direction;
pub use scorer::exports::understudy::shadow::setup::Asset;
pub use setup::{Assets, NoConfig};

// Behind `Model`: the compiler names a trait by its first path, and most authors write models.
pub use model::Comparator;

/// The items that most plugins need: `use understudy_sdk::prelude::*`.
pub mod prelude {
    pub use crate::{
        Assets, Comparator, Components, ConfigSchema, Direction, Input, Json, JsonText, Label, LabelSet,
        Metric, Model, NoConfig, NominalAnswer, Prediction, Reason, Timestamp, WithConfidence,
        WithProbabilities, export_comparator, export_metric, export_model,
    };
}

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
//! # What there is
//!
//! - [`Model`]: a row in, an answer out. [`Comparator`] is the same. [`Decider`] is the layer below, by columns, for a
//!   plugin whose fields depend on its configuration.
//! - [`Input`](derive@Input): which fields a model reads, and as what types.
//! - [`Answer`]: what it can say: a label, a number, a ranking; with a confidence, or left open with a reason.
//! - [`Metric`]: a pair of answers in, components out, and the figure that their sums make.
//! - [`native`]: the same plugin without the sandbox, for tests and benches.
//!
//! # The life of a plugin
//!
//! The host makes an instance and calls `configure` once: the configuration of the study is deserialised into
//! [`Model::Config`], and [`Model::new`] makes the plugin, or refuses with a sentence for the author of the study. Then
//! `describe` is answered from the types. Then come batches of rows, any number of them, of any size.
//!
//! # Missing values
//!
//! A field of type `Option<_>` may be missing. All others are required: a row without one is never handed over, the host
//! records it as unanswered. A value that does not fit its type (300 in a `u8`, JSON of another shape) makes that row
//! unanswered, with the name of the field; the rest of the batch is answered.
//!
//! # What must not happen
//!
//! A plugin imports nothing: no clock, no randomness, no file. It is a pure function of its configuration and of the row:
//! what it says of a row may not depend on the other rows of the batch nor on earlier calls, since the host batches rows
//! as it likes, retries them, and replays them.
//!
//! A row that cannot be answered is an `Err` with a [`Reason`]: [`Reason::Abstained`] by choice, [`Reason::Failed`] by
//! inability. A panic is for bugs: it traps, and costs the row and the instance. The message and the place of the panic
//! reach the report all the same ([`mod@panic`] says how).
//!
//! # How to build
//!
//! A plugin is a crate of the type `cdylib`, to which `rlib` is added for tests and benches:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib", "rlib"]
//! ```
//!
//! It is built for `wasm32-unknown-unknown`, which has nothing to import, and then made a component. In this repository
//! `cargo xtask plugins` does both; elsewhere:
//!
//! ```sh
//! cargo build --release --target wasm32-unknown-unknown
//! understudy pack target/wasm32-unknown-unknown/release/my_model.wasm --output my_model.wasm
//! ```
//!
//! In Wasm the SDK is also the program's allocator; without its default feature `allocator` it leaves that to the author.

extern crate self as understudy_sdk;

#[cfg(any(test, all(target_arch = "wasm32", feature = "allocator")))]
mod allocator;
pub mod answer;
#[doc(hidden)]
pub mod bindings;
mod columns;
mod decider;
mod dictionary;
#[doc(hidden)]
pub mod export;
pub mod input;
pub mod metric;
pub mod native;
pub mod panic;
mod setup;
mod strings;

#[doc(hidden)]
pub use understudy_sdk_scorer as scorer;

pub use answer::{Answer, Sure, answers};
pub use bindings::exports::understudy::shadow::columns::{Column, Field, Kind, Values};
pub use columns::Timestamp;
pub use decider::{Comparator, Decider, Model};
pub use export::export_comparator;
pub use input::{Input, Reader};
pub use metric::{Components, Label, Metric};
pub use scorer::exports::understudy::shadow::answers::{Answers, Decisions, Form, Labels, Rankings, Reason};
pub use scorer::exports::understudy::shadow::columns::Text;
pub use scorer::exports::understudy::shadow::scorer::Direction;
pub use scorer::exports::understudy::shadow::setup::Asset;
pub use setup::{Assets, NoConfig};

/// What most plugins need: `use understudy_sdk::prelude::*`.
pub mod prelude {
    pub use crate::{
        Assets, Comparator, Components, Direction, Input, Label, Metric, Model, NoConfig, Reason, Sure,
        Timestamp, export_comparator, export_metric, export_model,
    };
}

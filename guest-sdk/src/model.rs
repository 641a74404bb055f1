//! The traits of models and comparators, by row and by column.
//!
//! The host calls a [`ColumnarModel`]: columns in, answers out. Most authors implement [`Model`], which
//! answers one row at a time. Every [`Model`] is a [`ColumnarModel`].

use serde::de::DeserializeOwned;

use crate::answer::{Answer, AnswerBuilder, collect_answers};
use crate::input::Input;
use crate::{Answers, Assets, Column, ConfigSchema, Field, Form, Reason};

/// A model or comparator that answers columns instead of rows.
///
/// Implement it if the fields that the plugin reads depend on its configuration, and [`Model`] otherwise.
///
/// ```
/// use understudy_sdk::prelude::*;
/// use understudy_sdk::{Answers, Column, ColumnarModel, Field, Form, Kind, Reader, collect_answers, native};
///
/// #[derive(serde::Deserialize, ConfigSchema)]
/// struct Config {
///     field: String,
/// }
///
/// /// Answers the text of a field that the study chooses.
/// struct Echo(Config);
///
/// impl ColumnarModel for Echo {
///     type Config = Config;
///
///     fn new(config: Config, _: &Assets) -> Result<Self, String> {
///         Ok(Self(config))
///     }
///
///     fn reads(&self) -> Vec<Field> {
///         vec![Field { name: self.0.field.clone(), kind: Kind::Text, required: true }]
///     }
///
///     fn form(&self) -> Form {
///         Form::Label
///     }
///
///     fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String> {
///         let reader = Reader::<&str>::bind(&self.0.field, rows as usize, &columns[0])?;
///         Ok(collect_answers(rows, |row| reader.read(row).map_err(Reason::Failed)))
///     }
/// }
///
/// let echo: Echo = native::model(r#"{"field": "room"}"#, vec![])?;
/// let answers = native::decide(&echo, 2, &[Column::text(["a", "b"])])?;
/// assert!(answers.unanswered.is_empty());
/// # Ok::<(), String>(())
/// ```
pub trait ColumnarModel: Sized + Send + Sync + 'static {
    /// The configuration, deserialised from the JSON object in the study.
    type Config: DeserializeOwned + ConfigSchema;

    /// Creates the plugin from its configuration and assets.
    ///
    /// # Errors
    /// A message for the author of the study.
    fn new(config: Self::Config, assets: &Assets) -> Result<Self, String>;

    /// The fields that the plugin reads. [`decide`](Self::decide) receives their columns in this order.
    fn reads(&self) -> Vec<Field>;

    /// The form of all answers of the plugin.
    fn form(&self) -> Form;

    /// Whether the answers have class probabilities. Without them by default.
    fn has_probabilities(&self) -> bool {
        false
    }

    /// Answers `rows` rows. `columns` are in the order of [`reads`](Self::reads).
    ///
    /// # Errors
    /// A message that says why the whole batch failed.
    fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String>;
}

/// A model or comparator that answers one row at a time.
///
/// It is a pure function of its configuration and of the row. The trait requires [`Sync`] because native code
/// shares a plugin between threads. `Sync` also makes it harder to carry state from one row to the next,
/// which the contract forbids.
///
/// ```
/// use understudy_sdk::{Column, native, prelude::*};
///
/// #[derive(Input)]
/// struct Booking<'a> {
///     room: &'a str,
///     guests: Option<u8>,
/// }
///
/// struct BookedRoom;
///
/// impl Model for BookedRoom {
///     type Config = NoConfig;
///     type Input<'a> = Booking<'a>;
///     type Answer<'a> = Result<WithConfidence<&'a str>, Reason>;
///
///     fn new(_: NoConfig, _: &Assets) -> Result<Self, String> {
///         Ok(Self)
///     }
///
///     fn decide<'a>(&'a self, booking: Booking<'a>) -> Self::Answer<'a> {
///         match booking.guests {
///             Some(guests) if guests > 4 => Err(Reason::Abstained("group booking".to_owned())),
///             guests => Ok(WithConfidence {
///                 answer: booking.room,
///                 confidence: if guests.is_some() { 0.9 } else { 0.5 },
///             }),
///         }
///     }
/// }
///
/// let model: BookedRoom = native::model("{}", vec![])?;
/// let columns = [Column::text(["a", "b"]), Column::integers([2, 8])];
/// let answers = native::decide(&model, 2, &columns)?;
/// assert_eq!(answers.unanswered.len(), 1);
/// # Ok::<(), String>(())
/// ```
pub trait Model: Sized + Send + Sync + 'static {
    /// The configuration: any type that serde can deserialise from a JSON object, or
    /// [`NoConfig`](crate::NoConfig). Derive `serde::Deserialize`, for which the plugin's crate needs serde with
    /// its feature `derive`. Use `#[serde(deny_unknown_fields)]`, so that a misspelt key is an error.
    /// Derive [`ConfigSchema`](derive@crate::ConfigSchema), too: the host then names line and column of a wrong value.
    type Config: DeserializeOwned + ConfigSchema;
    /// The fields of a row that the model reads.
    type Input<'a>: Input<'a>;
    /// The answer to a row. It may borrow from the row and from the model.
    type Answer<'a>: Answer;

    /// Creates the plugin from its configuration and assets.
    ///
    /// # Errors
    /// A message for the author of the study.
    fn new(config: Self::Config, assets: &Assets) -> Result<Self, String>;

    /// Answers one row.
    fn decide<'a>(&'a self, input: Self::Input<'a>) -> Self::Answer<'a>;
}

/// A comparator implements the trait of a model. Unlike a model it may read fields of the decision, whose
/// names begin with `decision.`.
pub use Model as Comparator;

impl<M: Model> ColumnarModel for M {
    type Config = <M as Model>::Config;

    fn new(config: Self::Config, assets: &Assets) -> Result<Self, String> {
        Model::new(config, assets)
    }

    fn reads(&self) -> Vec<Field> {
        M::Input::fields()
    }

    fn form(&self) -> Form {
        <M::Answer<'static> as Answer>::Builder::FORM
    }

    fn has_probabilities(&self) -> bool {
        <M::Answer<'static> as Answer>::Builder::HAS_PROBABILITIES
    }

    fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String> {
        let columns = M::Input::bind(rows as usize, columns)?;
        Ok(collect_answers(rows, |row| {
            let input = M::Input::row(&columns, row).map_err(Reason::Failed)?;
            Ok(Model::decide(self, input))
        }))
    }
}

#[cfg(test)]
mod tests;

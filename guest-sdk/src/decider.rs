//! Models and comparators, by columns and by rows.
//!
//! [`Decider`] is what the host calls: columns in, answers out. [`Model`] is what most authors write, one row at a time,
//! and every model is a decider.

use serde::de::DeserializeOwned;

use crate::answer::{Answer, Batch, answers};
use crate::input::Input;
use crate::{Answers, Assets, Column, Field, Form, Reason};

/// A model or comparator by columns, for one whose fields depend on its configuration. See [`Model`] for the others.
pub trait Decider: Sized + Send + Sync + 'static {
    /// Its configuration.
    type Config: DeserializeOwned;

    /// Sets it up.
    ///
    /// # Errors
    /// A sentence for the author of the study.
    fn new(config: Self::Config, assets: &Assets) -> Result<Self, String>;

    /// The fields it reads, in the order in which it wants the columns.
    fn reads(&self) -> Vec<Field>;

    /// The form of its answers.
    fn form(&self) -> Form;

    /// Answers `rows` rows, given the columns of the fields it reads.
    ///
    /// # Errors
    /// Why the whole batch fails.
    fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String>;
}

/// A model or comparator by rows: a pure function of its configuration and of the row.
///
/// A plugin is shared between threads where it runs natively, so it is [`Sync`]; that also keeps it from remembering
/// one row when it is asked about the next, which the contract forbids.
pub trait Model: Sized + Send + Sync + 'static {
    /// Its configuration: any type that serde can deserialise from a JSON object, or [`NoConfig`](crate::NoConfig). Put
    /// `#[serde(deny_unknown_fields)]` on it, so that a misspelt key is told to the author of the study.
    type Config: DeserializeOwned;
    /// What it reads of a row.
    type Input<'a>: Input<'a>;
    /// What it says of a row; it may borrow from the row and from the model.
    type Answer<'a>: Answer;

    /// Sets it up.
    ///
    /// # Errors
    /// A sentence for the author of the study.
    fn new(config: Self::Config, assets: &Assets) -> Result<Self, String>;

    /// Answers one row.
    fn decide<'a>(&'a self, input: Self::Input<'a>) -> Self::Answer<'a>;
}

/// A comparator has the shape of a model. Only its fields differ: it may read those of the decision, whose names begin
/// with `decision.`.
pub use Model as Comparator;

impl<M: Model> Decider for M {
    type Config = <M as Model>::Config;

    fn new(config: Self::Config, assets: &Assets) -> Result<Self, String> {
        Model::new(config, assets)
    }

    fn reads(&self) -> Vec<Field> {
        M::Input::fields()
    }

    fn form(&self) -> Form {
        <M::Answer<'static> as Answer>::Batch::FORM
    }

    fn decide(&self, rows: u32, columns: &[Column]) -> Result<Answers, String> {
        let columns = M::Input::bind(rows as usize, columns)?;
        Ok(answers(rows, |row| {
            let input = M::Input::row(&columns, row).map_err(Reason::Failed)?;
            Ok(Model::decide(self, input))
        }))
    }
}

#[cfg(test)]
mod tests;

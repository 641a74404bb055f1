//! The JSON Schema of a configuration, as a constant that the host reads without running the plugin.
//!
//! [`export_model!`](crate::export_model) and its siblings write the schema of [`Model::Config`](crate::Model::Config) into
//! the custom section `understudy:config-schema` of the module. `understudy check` validates a study's `config` against it
//! and names line and column of each mismatch; `understudy plugin show` prints it.
//!
//! [`ConfigSchema`](derive@ConfigSchema) derives the schema from a type and from the attributes that serde reads:
//!
//! ```
//! use serde::Deserialize;
//! use understudy_sdk::prelude::*;
//!
//! /// How many names count.
//! #[derive(Deserialize, ConfigSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     /// The number of names.
//!     #[config(minimum = 1, maximum = 1000)]
//!     k: usize,
//!     /// Whether upper and lower case differ. They do by default.
//!     #[serde(default)]
//!     ignore_case: bool,
//! }
//!
//! let schema: serde_json::Value = serde_json::from_str(&Config::SCHEMA.to_json()).unwrap();
//! assert_eq!(schema["properties"]["k"]["maximum"], 1000);
//! assert_eq!(schema["properties"]["k"]["description"], "The number of names.");
//! assert_eq!(schema["required"], serde_json::json!(["k"]));
//! ```
//!
//! The bounds of `#[config(...)]` are those of JSON Schema: `minimum`, `maximum`, `exclusive_minimum` and
//! `exclusive_maximum` of numbers, and `min_length` and `max_length` of texts, lists and maps. A whole number may be any
//! constant expression, another number is a literal. `#[config(any)]` accepts any value, for types without a schema.
//!
//! A schema only describes; serde still deserialises, and [`Model::new`](crate::Model::new) checks what a schema cannot say.

mod json_text;
mod types;

/// Derives [`ConfigSchema`] for a struct with named fields, a struct of one unnamed field, or an enum of unit variants. See
/// the [module](self) for the attributes.
pub use understudy_sdk_derive::ConfigSchema;

use json_text::JsonText;

/// A type that can be a configuration, or a value in one.
pub trait ConfigSchema {
    /// The schema of its JSON.
    const SCHEMA: Schema;
    /// Whether a field of this type must be written. `false` for `Option`.
    const IS_REQUIRED: bool = true;
}

/// A JSON Schema, built by constant functions.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    values: Values,
    description: Option<&'static str>,
    minimum: Option<Bound>,
    maximum: Option<Bound>,
    exclusive_minimum: Option<Bound>,
    exclusive_maximum: Option<Bound>,
    min_length: Option<Bound>,
    max_length: Option<Bound>,
}

/// The values that a schema accepts.
#[derive(Clone, Copy, Debug)]
enum Values {
    Any,
    Boolean,
    Integer,
    Number,
    Text,
    Choice(&'static [&'static str]),
    List(&'static Schema),
    Map(&'static Schema),
    Table { members: &'static [Member], is_closed: bool },
}

/// A bound of a number or of a length.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// A whole number.
    Integer(i64),
    /// The JSON text of a number, because a constant function cannot format one.
    Literal(&'static str),
}

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The key.
    pub name: &'static str,
    /// The schema of its value.
    pub schema: Schema,
    /// Whether the key must be written.
    pub is_required: bool,
}

impl Schema {
    /// Any value.
    pub const ANY: Schema = Schema::with_values(Values::Any);
    /// `true` or `false`.
    pub const BOOLEAN: Schema = Schema::with_values(Values::Boolean);
    /// A whole number.
    pub const INTEGER: Schema = Schema::with_values(Values::Integer);
    /// A number.
    pub const NUMBER: Schema = Schema::with_values(Values::Number);
    /// A text.
    pub const TEXT: Schema = Schema::with_values(Values::Text);

    const fn with_values(values: Values) -> Schema {
        Schema {
            values,
            description: None,
            minimum: None,
            maximum: None,
            exclusive_minimum: None,
            exclusive_maximum: None,
            min_length: None,
            max_length: None,
        }
    }

    /// One of some texts.
    pub const fn choice(texts: &'static [&'static str]) -> Schema {
        Schema::with_values(Values::Choice(texts))
    }

    /// A list of values.
    pub const fn list(element: &'static Schema) -> Schema {
        Schema::with_values(Values::List(element))
    }

    /// A table whose keys the author of the study chooses.
    pub const fn map(value: &'static Schema) -> Schema {
        Schema::with_values(Values::Map(value))
    }

    /// A table. `is_closed` says whether other keys are errors.
    pub const fn table(members: &'static [Member], is_closed: bool) -> Schema {
        Schema::with_values(Values::Table { members, is_closed })
    }

    /// Describes the value for the author of a study. An empty text changes nothing.
    pub const fn described(mut self, description: &'static str) -> Schema {
        if !description.is_empty() {
            self.description = Some(description);
        }
        self
    }

    /// The least value.
    pub const fn minimum(mut self, bound: Bound) -> Schema {
        self.minimum = Some(bound);
        self
    }

    /// The greatest value.
    pub const fn maximum(mut self, bound: Bound) -> Schema {
        self.maximum = Some(bound);
        self
    }

    /// The value below all others.
    pub const fn exclusive_minimum(mut self, bound: Bound) -> Schema {
        self.exclusive_minimum = Some(bound);
        self
    }

    /// The value above all others.
    pub const fn exclusive_maximum(mut self, bound: Bound) -> Schema {
        self.exclusive_maximum = Some(bound);
        self
    }

    /// The least number of characters, elements or keys.
    pub const fn min_length(mut self, bound: Bound) -> Schema {
        self.min_length = Some(bound);
        self
    }

    /// The greatest number of characters, elements or keys.
    pub const fn max_length(mut self, bound: Bound) -> Schema {
        self.max_length = Some(bound);
        self
    }

    /// The JSON text.
    pub fn to_json(&self) -> String {
        let mut bytes = vec![0; self.json_length()];
        JsonText::new(&mut bytes).root(self);
        String::from_utf8(bytes).expect("the parts are text")
    }

    /// Bytes of the JSON text.
    pub const fn json_length(&self) -> usize {
        let mut text = JsonText::new(&mut []);
        text.root(self);
        text.length()
    }

    /// The JSON text in an array of [`Schema::json_length`] bytes, for a custom section.
    pub const fn json_bytes<const LENGTH: usize>(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        JsonText::new(&mut bytes).root(self);
        bytes
    }
}

/// Writes the schema of a configuration into a custom section of the module.
#[doc(hidden)]
#[macro_export]
macro_rules! config_schema_section {
    ($config:ty) => {
        #[used]
        #[unsafe(link_section = "understudy:config-schema")]
        static CONFIG_SCHEMA: [u8; <$config as $crate::ConfigSchema>::SCHEMA.json_length()] =
            <$config as $crate::ConfigSchema>::SCHEMA.json_bytes();
    };
}

#[cfg(test)]
mod tests;

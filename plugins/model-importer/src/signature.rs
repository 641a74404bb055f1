//! The signature of an MLflow model: names, types and presence of its columns.

use serde::Deserialize;
use tabular_program::{Field, FieldKind};

/// The columns that a model reads, in order; none if the model has no signature, or one of tensors.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Signature(Vec<Column>);

/// A column of a signature.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Column {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default = "is_required")]
    required: bool,
}

fn is_required() -> bool {
    true
}

impl Signature {
    /// Parses the JSON text of a signature's inputs.
    ///
    /// # Errors
    /// If it is no list of columns.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let columns: Vec<Column> = serde_json::from_str(text).map_err(|error| {
            format!("the inputs of the signature cannot be read: {error}; log the model again")
        })?;
        let is_tensor = columns.iter().any(|column| column.kind == "tensor" || column.name.is_empty());
        Ok(Self(if is_tensor { Vec::new() } else { columns }))
    }

    /// The names of the columns.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.iter().map(|column| column.name.clone()).collect()
    }

    /// Applies types and presence to the fields of the same names. Returns notes for the author of the study.
    ///
    /// # Errors
    /// If a column has a type that no model reads, or another one than the model.
    pub(crate) fn apply(&self, fields: &mut [Field]) -> Result<Vec<String>, String> {
        let mut notes = Vec::new();
        for field in fields {
            let Some(column) = self.0.iter().find(|column| column.name == field.name) else { continue };
            let name = &field.name;
            let fits = match (&column.kind[..], field.kind) {
                ("string", FieldKind::Text) | ("boolean", FieldKind::Boolean) => true,
                ("integer" | "long", FieldKind::Integer | FieldKind::Number) => true,
                ("float" | "double", FieldKind::Number) => true,
                ("boolean", FieldKind::Number | FieldKind::Integer) => {
                    notes.push(format!(
                        "{name:?} is a truth value in the signature, and the model reads a number: write 0 and 1"
                    ));
                    true
                }
                _ => false,
            };
            if !fits {
                return Err(format!(
                    "the signature says that {name:?} is {}, and the model reads {}; log the model with the columns \
                     that it was trained on",
                    column.kind,
                    kind_name(field.kind)
                ));
            }
            field.required |= column.required;
        }
        Ok(notes)
    }
}

fn kind_name(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Boolean => "a truth value",
        FieldKind::Integer => "an integer",
        FieldKind::Number => "a number",
        FieldKind::Text => "text",
    }
}

//! The text of a LightGBM model: lines of a key and a value, in sections.

use std::collections::HashMap;

use crate::document::Value;
use crate::imported_model::BoosterError;

/// The sections of a model.
pub(super) struct Sections<'a> {
    pub(super) header: Section<'a>,
    pub(super) trees: Vec<Section<'a>>,
    /// Names of categories that pandas gave.
    pub(super) pandas_categories: Option<Value>,
}

/// The lines of a section.
#[derive(Default)]
pub(super) struct Section<'a> {
    values: HashMap<&'a str, &'a str>,
    /// Lines without a value.
    lines: Vec<&'a str>,
}

impl<'a> Sections<'a> {
    /// Reads a file.
    pub(super) fn parse(file: &'a [u8]) -> Result<Self, BoosterError> {
        let text = match std::str::from_utf8(file) {
            Ok(text) => text,
            Err(error) => {
                return Err(BoosterError::new(format!(
                    "byte {}: the file is not UTF-8",
                    error.valid_up_to()
                )));
            }
        };
        let mut lines = text.lines();
        if lines.next() != Some("tree") {
            return Err(BoosterError::new(
                "the file does not begin with the line \"tree\"; is it a LightGBM model?",
            ));
        }
        let mut sections = Self { header: Section::default(), trees: Vec::new(), pandas_categories: None };
        let mut is_complete = false;
        for line in lines.by_ref() {
            if line == "end of trees" {
                is_complete = true;
                break;
            }
            if line.starts_with("Tree=") {
                sections.trees.push(Section::default());
                continue;
            }
            let section = sections.trees.last_mut().unwrap_or(&mut sections.header);
            match line.split_once('=') {
                Some((key, value)) => {
                    section.values.insert(key, value);
                }
                None if line.is_empty() => {}
                None => section.lines.push(line),
            }
        }
        if !is_complete {
            return Err(BoosterError::new("the file ends before the line \"end of trees\""));
        }
        let mut has_open_parameters = false;
        for line in lines {
            match line {
                "parameters:" => has_open_parameters = true,
                "end of parameters" => has_open_parameters = false,
                _ => {}
            }
            if let Some(value) = line.strip_prefix("pandas_categorical:") {
                // A document is an object.
                let document = format!("{{\"names\":{value}}}");
                sections.pandas_categories = Value::parse(document.as_bytes())?.get("names").cloned();
            }
        }
        if has_open_parameters {
            return Err(BoosterError::new("the file ends before the line \"end of parameters\""));
        }
        Ok(sections)
    }
}

impl<'a> Section<'a> {
    /// The value of a key.
    pub(super) fn optional(&self, key: &str) -> Option<&'a str> {
        self.values.get(key).copied()
    }

    /// The value of a key.
    ///
    /// # Errors
    /// If the key is missing.
    pub(super) fn text(&self, key: &str) -> Result<&'a str, BoosterError> {
        self.optional(key).ok_or_else(|| BoosterError::new(format!("{key} is missing")))
    }

    /// Whether there is a line without a value.
    pub(super) fn has_line(&self, line: &str) -> bool {
        self.lines.contains(&line)
    }

    /// A number from 0 to 2^20.
    pub(super) fn size(&self, key: &str) -> Result<usize, BoosterError> {
        let text = self.text(key)?;
        match text.parse() {
            Ok(size) if size <= 1 << 20 => Ok(size),
            _ => {
                Err(BoosterError::new(format!("{key} is {text:?}, expected a number from 0 to {}", 1 << 20)))
            }
        }
    }

    /// Numbers of 64 bits that are separated by spaces; none if the key is missing.
    pub(super) fn doubles(&self, key: &str) -> Result<Vec<f64>, BoosterError> {
        let text = self.optional(key).unwrap_or_default();
        let numbers: Vec<f64> = self.numbers(key)?;
        // `inf` is a number, but digits that exceed 64 bits are none.
        let is_too_large = |(number, digits): &(&f64, &str)| {
            number.is_infinite() && digits.contains(|c: char| c.is_ascii_digit())
        };
        match numbers.iter().zip(text.split_ascii_whitespace()).find(is_too_large) {
            Some((_, digits)) => Err(BoosterError::new(format!("{key} has the number {digits:?}"))),
            None => Ok(numbers),
        }
    }

    /// Numbers that are separated by spaces; none if the key is missing.
    pub(super) fn numbers<T: std::str::FromStr>(&self, key: &str) -> Result<Vec<T>, BoosterError> {
        let text = self.optional(key).unwrap_or_default();
        text.split_ascii_whitespace()
            .map(|number| {
                number.parse().map_err(|_| BoosterError::new(format!("{key} has the number {number:?}")))
            })
            .collect()
    }
}

//! The JSON Schema that a plugin declares of its configuration, and the check of a configuration against it.
//!
//! Invariants:
//! - The schema of a hostile plugin costs at most a bounded time and stack: see `schema_limits`. Patterns match in linear
//!   time.
//! - Nothing is fetched: a reference leads into the schema itself.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value};

use super::component_file::ComponentFile;
use super::config_mismatch::ConfigMismatch;
use super::config_section::{read_section, with_section};
use super::{SandboxError, is_hidden, sanitize, schema_limits};

/// The largest compiled pattern and its largest cache, in bytes each.
const MAX_PATTERN: usize = 256 << 10;

/// A valid JSON Schema of a configuration.
pub struct ConfigSchema {
    value: Value,
    validator: Validator,
}

impl ConfigSchema {
    /// The schema that a component declares; `None` if it declares none. Runs no code of the component.
    ///
    /// # Errors
    /// If the schema is invalid or exceeds a limit.
    pub fn of_component(file: &ComponentFile) -> Result<Option<ConfigSchema>, SandboxError> {
        let refused =
            |why: String| SandboxError::ConfigSchema { path: file.path.clone(), why: sanitize(&why) };
        let Some(bytes) = read_section(&file.bytes).map_err(refused)? else { return Ok(None) };
        ConfigSchema::from_json(bytes).map(Some).map_err(refused)
    }

    /// Reads the text of a schema.
    ///
    /// # Errors
    /// Why the schema is invalid, or which limit it exceeds.
    pub fn from_json(bytes: &[u8]) -> Result<ConfigSchema, String> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
        schema_limits::check(&value)?;
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .should_validate_formats(false)
            .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN))
            .build(&value)
            .map_err(|error| {
                let at = error.instance_path().as_str();
                let what = match error.kind() {
                    ValidationErrorKind::Format { format } if format == "regex" => {
                        format!(
                            "{} is no pattern, is too large, or has look-around or back-references",
                            error.instance()
                        )
                    }
                    _ => error.to_string(),
                };
                if at.is_empty() { what } else { format!("at {at}: {what}") }
            })?;
        Ok(ConfigSchema { value, validator })
    }

    /// The keys that a configuration must have, each with what to write.
    pub fn required_keys(&self) -> Vec<(String, String)> {
        super::config_mismatch::required_keys(&self.value)
    }

    /// All values of a configuration that the schema does not accept; empty if it fits.
    pub fn mismatches(&self, config: &Value) -> Vec<ConfigMismatch> {
        let mut mismatches: Vec<ConfigMismatch> = Vec::new();
        for error in self.validator.iter_errors(config) {
            for mismatch in ConfigMismatch::from_error(&error, &self.value) {
                if !mismatches.contains(&mismatch) {
                    mismatches.push(mismatch);
                }
            }
        }
        mismatches
    }

    /// The schema over several lines, without characters that affect a terminal.
    pub fn pretty_text(&self) -> String {
        let text = serde_json::to_string_pretty(&self.value).unwrap_or_default();
        text.chars().map(|c| if c != '\n' && is_hidden(c) { ' ' } else { c }).collect()
    }

    /// A component that declares the schema `text`, for toolchains that cannot write custom sections.
    ///
    /// # Errors
    /// If the component declares a schema already, or the schema is invalid or exceeds a limit.
    pub fn add_to_component(component: &[u8], text: &str) -> Result<Vec<u8>, String> {
        if read_section(component)?.is_some() {
            return Err("the component declares one already".to_owned());
        }
        ConfigSchema::from_json(text.as_bytes())?;
        let bytes = with_section(component, text);
        read_section(&bytes)?;
        Ok(bytes)
    }
}

/// Checks a configuration against the schema that a component declares, if it declares one.
///
/// # Errors
/// If the schema is invalid, or the configuration does not fit it.
pub(super) fn check_config(file: &ComponentFile, config: &str) -> Result<(), SandboxError> {
    let Some(schema) = ConfigSchema::of_component(file)? else { return Ok(()) };
    // A configuration that is no JSON is left to the plugin.
    let config: Value = serde_json::from_str(config).unwrap_or(Value::Object(Map::new()));
    match schema.mismatches(&config) {
        mismatches if mismatches.is_empty() => Ok(()),
        mismatches => Err(SandboxError::ConfigMismatch { mismatches }),
    }
}

#[cfg(test)]
mod tests;

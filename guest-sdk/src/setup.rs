//! What a plugin is set up with: its configuration and its assets.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Asset;

/// The configuration of a plugin that has none: whatever key is given is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// The files that a study gives to a plugin.
#[derive(Clone, Debug, Default)]
pub struct Assets(Vec<Asset>);

impl Assets {
    /// What the file named `name` in `study.toml` holds; `None` if the study gives none of that name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|asset| asset.name == name).map(|asset| &asset.bytes[..])
    }
}

impl From<Vec<Asset>> for Assets {
    fn from(assets: Vec<Asset>) -> Self {
        Self(assets)
    }
}

/// Reads a configuration from the text of a JSON object.
pub(crate) fn config<C: DeserializeOwned>(json: &str) -> Result<C, String> {
    // By way of a value, since the line and column of a text that nobody wrote would only mislead.
    serde_json::from_str::<serde_json::Value>(json)
        .and_then(serde_json::from_value)
        .map_err(|error| format!("config: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_without_configuration_takes_none() {
        assert_eq!(config("{}"), Ok(NoConfig {}));
        insta::assert_snapshot!(config::<NoConfig>(r#"{"k": 3}"#).unwrap_err(), @"config: unknown field `k`, there are no fields");
    }

    #[test]
    fn an_asset_is_found_by_its_name() {
        let asset = |name: &str, bytes: &[u8]| Asset { name: name.to_owned(), bytes: bytes.to_owned() };
        let assets = Assets::from(vec![asset("weights", &[1, 2]), asset("table", &[3])]);
        assert_eq!(assets.get("table"), Some(&[3][..]));
        assert_eq!(assets.get("rooms"), None);
    }
}

//! Configuration and assets of a plugin.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Asset;

/// The configuration of a plugin without one: an empty object. Any key is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// The files that a study passes to a plugin.
///
/// ```
/// use understudy_sdk::{Asset, Assets};
///
/// let assets = Assets::from(vec![Asset { name: "weights".to_owned(), bytes: vec![1, 2] }]);
/// assert_eq!(assets.get("weights"), Some(&[1, 2][..]));
/// assert_eq!(assets.get("table"), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Assets(Vec<Asset>);

impl Assets {
    /// Content of the asset named `name` in `study.toml`; `None` if the study has no such asset.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|asset| asset.name == name).map(|asset| &asset.bytes[..])
    }
}

impl From<Vec<Asset>> for Assets {
    fn from(assets: Vec<Asset>) -> Self {
        Self(assets)
    }
}

/// Deserialises a configuration from the text of a JSON object.
pub(crate) fn config<C: DeserializeOwned>(json: &str) -> Result<C, String> {
    // The detour through `Value` drops line and column: nobody wrote this text, so they would mislead.
    serde_json::from_str::<serde_json::Value>(json)
        .and_then(serde_json::from_value)
        .map_err(|error| format!("config: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_without_configuration_rejects_keys() {
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

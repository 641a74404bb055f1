//! `seal.json`: what a run promised before its first snapshot: the declaration and every plugin and asset, by digest.
//!
//! Always holds: it is written once, before anything is read, and never again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::outcome::Kept;
use super::prepare::{Prepared, WhatIf};
use crate::runlog::ledger::Asset;
use crate::sandbox::{Assets, File, digest};

/// The name of the file.
pub const SEAL: &str = "seal.json";

/// What was promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Seal {
    /// The version of this file's form: 1.
    pub format: u32,
    /// The version of understudy that wrote it.
    pub understudy: String,
    /// When it was written.
    pub sealed_at: Timestamp,
    /// SHA-256 of `study.toml`, in hexadecimal.
    pub declaration: String,
    /// Every plugin.
    pub plugins: Vec<SealedPlugin>,
    /// What the snapshots and decisions are taken from, if it is the log of another run: the SHA-256 of that run's
    /// `seal.json`. Such a run is an offline evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<String>,
}

/// A plugin that was promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedPlugin {
    /// `model`, `comparator` or `metric`.
    pub role: String,
    /// Its name in the study.
    pub name: String,
    /// SHA-256 of the component, in hexadecimal.
    pub sha256: String,
    /// Its assets.
    pub assets: Vec<Asset>,
    /// The fields that it is granted besides those of the declaration, in a what-if.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grant: Vec<String>,
}

impl Seal {
    /// The seal of a study as it is prepared.
    pub fn of(prepared: &Prepared, sealed_at: Timestamp) -> Seal {
        let mut plugins = Vec::new();
        for member in &prepared.models {
            plugins.push(sealed("model", &member.name, &member.file, &member.assets));
        }
        let comparator = &prepared.comparator;
        plugins.push(sealed("comparator", &comparator.name, &comparator.file, &comparator.assets));
        for member in &prepared.metrics {
            plugins.push(sealed("metric", &member.name, &member.file, &member.assets));
        }
        Seal {
            format: 1,
            understudy: env!("CARGO_PKG_VERSION").to_owned(),
            sealed_at,
            declaration: digest(prepared.text.as_bytes()),
            plugins,
            replay_of: None,
        }
    }

    /// The seal of a what-if, over the log of the run whose seal has the digest `replay_of`.
    pub fn what_if(mut self, what_if: &WhatIf, replay_of: &str) -> Seal {
        for plugin in &mut self.plugins {
            if what_if.instead.iter().any(|(name, _)| *name == plugin.name) {
                plugin.grant.clone_from(&what_if.grant);
            }
        }
        Seal { replay_of: Some(replay_of.to_owned()), ..self }
    }

    /// The file's content.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a seal is plain data");
        json + "\n"
    }

    /// Reads the file's content.
    ///
    /// # Errors
    /// When it is not a seal that this version of understudy writes, to the byte.
    pub fn parse(bytes: &[u8]) -> Result<Seal, String> {
        let seal: Seal = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match seal.to_json().as_bytes() == bytes {
            true => Ok(seal),
            false => Err("it is not written as a seal is".to_owned()),
        }
    }

    /// The plugins as a run keeps them.
    pub fn kept(&self) -> Vec<Kept> {
        let kept = |plugin: &SealedPlugin| Kept {
            name: plugin.name.clone(),
            digest: plugin.sha256.clone(),
            assets: plugin.assets.iter().map(|asset| (asset.name.clone(), asset.sha256.clone())).collect(),
        };
        self.plugins.iter().map(kept).collect()
    }

    /// What of a study as it is now is not what was promised.
    pub fn changes(&self, now: &Seal) -> Vec<String> {
        let mut changes = Vec::new();
        if self.declaration != now.declaration {
            changes.push("study.toml".to_owned());
        }
        // A plugin that is there for one of them only comes with another declaration.
        for (then, now) in self.plugins.iter().zip(&now.plugins).filter(|(then, now)| then.name == now.name) {
            if then.sha256 != now.sha256 {
                changes.push(format!("the component of {} \"{}\"", then.role, then.name));
            }
            for (asset, _) in then.assets.iter().zip(&now.assets).filter(|(then, now)| then != now) {
                changes.push(format!("the asset `{}` of {} \"{}\"", asset.name, then.role, then.name));
            }
        }
        changes
    }
}

fn sealed(role: &str, name: &str, file: &File, assets: &Assets) -> SealedPlugin {
    let asset = |(name, bytes): &(String, Vec<u8>)| Asset { name: name.clone(), sha256: digest(bytes) };
    SealedPlugin {
        role: role.to_owned(),
        name: name.to_owned(),
        sha256: file.digest.clone(),
        assets: assets.iter().map(asset).collect(),
        grant: Vec::new(),
    }
}

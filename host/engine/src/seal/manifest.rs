//! `seal.json`: the manifest of a study, with its declaration and the digest of every plugin and asset.
//!
//! The seal covers what the declaration says, not its layout: see [`CanonicalStudy`].
//!
//! Invariants: a parsed seal equals its file to the byte, and its declaration digest belongs to the
//! declaration in it. The seal of a run is written before anything is read, and never changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::plugins::load::LoadedStudy;
use crate::plugins::loaded_plugin::LoadedPlugin;
use crate::plugins::stored_files::PluginOverrides;
use crate::plugins::stored_files::StoredPlugin;
use understudy_run_log::ledger::Asset;
use understudy_run_log::register::RegisterPosition;
use understudy_run_log::signed_head::{Signer, Verifier};
use understudy_sandbox::{PluginRole, sha256_hex};
use understudy_study::{CanonicalStudy, Plugin, short_digest};

pub use understudy_run_log::SEAL;

/// Version of the file format.
const FORMAT: u32 = 2;
/// Domain of the signature: this line, then the file without `signed`.
const KIND: &str = "understudy seal";

/// The content of `seal.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Seal {
    /// Version of the file format: 2.
    pub format: u32,
    /// The study's name.
    pub study: String,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// Version of understudy that wrote the seal.
    pub understudy: String,
    /// SHA-256 of the text of `declared`, in hexadecimal.
    pub declaration: String,
    /// Canonical form of the declaration, so that changes can be listed.
    pub declared: CanonicalStudy,
    /// All plugins: models, comparator, metrics.
    pub plugins: Vec<SealedPlugin>,
    /// Other files that the declaration names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Asset>,
    /// SHA-256 of the `seal.json` of the run whose log is replayed, in hexadecimal. Such a run is an offline
    /// evaluation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<String>,
    /// Where the seal is in the register of seals, if the study names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<RegisterPosition>,
    /// Signature over the seal, if it is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signature>,
}

/// A sealed plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedPlugin {
    /// `model`, `comparator` or `metric`.
    pub role: String,
    /// Its name in the study.
    pub name: String,
    /// SHA-256 of the component, in hexadecimal.
    pub sha256: String,
    /// SHA-256 of the configuration passed to the plugin, in hexadecimal.
    pub config: String,
    /// The assets, by name and digest.
    pub assets: Vec<Asset>,
    /// SHA-256 of the component that imported the model file, in hexadecimal. Only of a trained model.
    #[serde(rename = "importer-sha256", default, skip_serializing_if = "Option::is_none")]
    pub importer: Option<String>,
    /// Fields granted in a what-if, in addition to those of the declaration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grant: Vec<String>,
}

/// A signature over the whole content of a seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The verifier key, as `understudy key` prints it.
    pub key: String,
    /// The Ed25519 signature over the line `understudy seal` and the file without `signed`, in base64.
    pub ed25519: String,
}

impl Seal {
    /// The seal of a loaded study.
    pub fn from_study(loaded_study: &LoadedStudy, sealed_at: Timestamp) -> Seal {
        let study = &loaded_study.study;
        let models = study.models.iter().zip(&loaded_study.models);
        let metrics = study.metrics.iter().zip(&loaded_study.metrics);
        let mut plugins: Vec<_> = models
            .map(|(plugin, member)| SealedPlugin::from_plugin(PluginRole::Model, plugin, member))
            .collect();
        plugins.push(SealedPlugin::from_plugin(
            PluginRole::Comparator,
            &study.comparator,
            &loaded_study.comparator,
        ));
        plugins.extend(
            metrics.map(|(plugin, member)| SealedPlugin::from_plugin(PluginRole::Metric, plugin, member)),
        );
        Seal {
            format: FORMAT,
            study: study.name.clone(),
            sealed_at,
            understudy: env!("CARGO_PKG_VERSION").to_owned(),
            declaration: loaded_study.canonical.sha256(),
            declared: loaded_study.canonical.clone(),
            plugins,
            files: loaded_study.files.iter().map(asset).collect(),
            replay_of: None,
            register: None,
            signed: None,
        }
    }

    /// The time of the seal for people, to the second. The file has all digits of the clock.
    pub fn time_text(&self) -> String {
        self.sealed_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// Turns a seal into that of a what-if over the log of the run whose seal has the digest `replay_of`.
    pub fn what_if(mut self, what_if: &PluginOverrides, replay_of: &str) -> Seal {
        for plugin in &mut self.plugins {
            if what_if.instead.iter().any(|(name, _)| *name == plugin.name) {
                plugin.grant.clone_from(&what_if.grant);
            }
        }
        Seal { replay_of: Some(replay_of.to_owned()), ..self }
    }

    /// Signs the seal.
    pub fn sign(self, signer: &Signer) -> Seal {
        let key = signer.verifier().to_string();
        let ed25519 = signer.attest(KIND, &self.unsigned());
        Seal { signed: Some(Signature { key, ed25519 }), ..self }
    }

    /// The key that signed the seal, if it is signed.
    ///
    /// # Errors
    /// When the signature is not over what it says, or names no key.
    pub fn signer(&self) -> Result<Option<Verifier>, String> {
        let Some(Signature { key, ed25519 }) = &self.signed else { return Ok(None) };
        let verifier = Verifier::parse(key).map_err(|error| error.to_string())?;
        verifier.attested(KIND, &self.unsigned(), ed25519)?;
        Ok(Some(verifier))
    }

    /// The file content without the signature.
    fn unsigned(&self) -> String {
        Seal { signed: None, ..self.clone() }.to_json()
    }

    /// The file content.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("a seal is plain data");
        json + "\n"
    }

    /// Parses the file content.
    ///
    /// # Errors
    /// When it is not a seal that this version of understudy writes, to the byte.
    pub fn parse(bytes: &[u8]) -> Result<Seal, String> {
        #[derive(Deserialize)]
        struct Form {
            format: u32,
        }
        let Form { format } = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if format != FORMAT {
            return Err(format!("its format is {format}, and this version of understudy reads {FORMAT}"));
        }
        let seal: Seal = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if seal.to_json().as_bytes() != bytes {
            return Err("it does not have the layout that understudy writes".to_owned());
        }
        match seal.declared.sha256() == seal.declaration {
            true => Ok(seal),
            false => Err("its declaration does not match its digest".to_owned()),
        }
    }

    /// Whether the study names a register that has this seal. That of an offline evaluation is in none.
    pub fn names_register(&self) -> bool {
        let declared: serde_json::Value = serde_json::from_str(self.declared.text()).unwrap_or_default();
        self.replay_of.is_none() && declared["register"].is_string()
    }

    /// The plugins as a run directory stores them.
    pub fn stored_plugins(&self) -> Vec<StoredPlugin> {
        let kept = |plugin: &SealedPlugin| StoredPlugin {
            name: plugin.name.clone(),
            digest: plugin.sha256.clone(),
            assets: plugin.assets.iter().map(|asset| (asset.name.clone(), asset.sha256.clone())).collect(),
            importer: plugin.importer.clone(),
        };
        self.plugins.iter().map(kept).collect()
    }

    /// The differences between the sealed study and the current one, each in words.
    pub fn changes(&self, now: &Seal) -> Vec<String> {
        let mut changes = self.declared.changes(&now.declared);
        for then in &self.plugins {
            let same = |now: &&SealedPlugin| (&now.role, &now.name) == (&then.role, &then.name);
            // A removed plugin is already listed as a change of the declaration.
            let Some(now) = now.plugins.iter().find(same) else { continue };
            let of = format!("{} \"{}\"", then.role, then.name);
            if then.sha256 != now.sha256 {
                changes.push(format!("the component of {of} {}", was_and_is(&then.sha256, &now.sha256)));
            }
            if let (Some(then), Some(now)) = (&then.importer, &now.importer)
                && then != now
            {
                changes.push(format!("the importer of {of} {}", was_and_is(then, now)));
            }
            for asset in &then.assets {
                let same = now.assets.iter().find(|now| now.name == asset.name);
                if let Some(now) = same.filter(|now| now.sha256 != asset.sha256) {
                    let what = was_and_is(&asset.sha256, &now.sha256);
                    changes.push(format!("the asset `{}` of {of} {what}", asset.name));
                }
            }
        }
        for file in &self.files {
            let same = now.files.iter().find(|now| now.name == file.name);
            if let Some(now) = same.filter(|now| now.sha256 != file.sha256) {
                changes.push(format!("the file `{}` {}", file.name, was_and_is(&file.sha256, &now.sha256)));
            }
        }
        if changes.is_empty() && self.sealed_content() != now.sealed_content() {
            changes.push("the seal itself: its plugins contradict its declaration".to_owned());
        }
        changes
    }

    /// The content that a study must match, except for grants of what-ifs.
    fn sealed_content(&self) -> (&str, &CanonicalStudy, Vec<SealedPlugin>, &[Asset]) {
        let plugins = self.plugins.iter().map(|plugin| SealedPlugin { grant: Vec::new(), ..plugin.clone() });
        (&self.study, &self.declared, plugins.collect(), &self.files)
    }
}

impl SealedPlugin {
    fn from_plugin<P>(role: PluginRole, plugin: &Plugin, member: &LoadedPlugin<P>) -> SealedPlugin {
        SealedPlugin {
            role: role.name().to_owned(),
            name: member.name.clone(),
            sha256: member.file.digest.clone(),
            config: sha256_hex(plugin.config.to_string().as_bytes()),
            assets: member.assets.iter().map(asset).collect(),
            importer: member.importer.clone(),
            grant: Vec::new(),
        }
    }
}

fn asset((name, bytes): &(String, Vec<u8>)) -> Asset {
    Asset { name: name.clone(), sha256: sha256_hex(bytes) }
}

/// Two digests, shortened to 12 characters.
fn was_and_is(then: &str, now: &str) -> String {
    format!("was {}... and is {}...", short_digest(then), short_digest(now))
}

#[cfg(test)]
mod tests;

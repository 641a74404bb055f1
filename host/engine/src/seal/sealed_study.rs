//! A study under its seal: what a run, a report and a verification start from.
//!
//! Invariants: the blinding rule follows from the seal; an offline evaluation blinds nothing, since its
//! decisions were there before it started.

use std::ops::Deref;

use jiff::Timestamp;

use crate::plugins::blinding::BlindingRule;
use crate::plugins::load::LoadedStudy;
use crate::plugins::plugin_versions::PluginVersions;
use crate::seal::manifest::Seal;
use understudy_sandbox::sha256_hex;

/// A loaded study under its seal. It reads like the [`LoadedStudy`] that it contains.
pub struct SealedStudy {
    /// The declaration with its plugins.
    pub loaded: LoadedStudy,
    /// When the study was sealed.
    pub sealed_at: Timestamp,
    /// SHA-256 of the seal of the replayed run, in hexadecimal; `None` unless this is an offline evaluation.
    pub replay_of: Option<String>,
    /// Which ids are blinded; `None` if none is.
    pub blinding: Option<BlindingRule>,
    /// The versions of each plugin: the sealed ones, and those that swaps put in their place.
    pub versions: PluginVersions,
}

impl SealedStudy {
    /// Puts a loaded study under a seal. The share of blinded ids is the declared one.
    pub fn new(loaded: LoadedStudy, seal: &Seal) -> SealedStudy {
        let blinding = match seal.replay_of {
            None => BlindingRule::new(loaded.study.blinding.share, &sha256_hex(seal.to_json().as_bytes())),
            Some(_) => None,
        };
        let versions =
            PluginVersions::sealed(&loaded.study, &loaded.models, &loaded.comparator, &loaded.metrics);
        SealedStudy {
            loaded,
            sealed_at: seal.sealed_at,
            replay_of: seal.replay_of.clone(),
            blinding,
            versions,
        }
    }
}

impl Deref for SealedStudy {
    type Target = LoadedStudy;

    fn deref(&self) -> &LoadedStudy {
        &self.loaded
    }
}

//! The agreement beyond chance that a threshold on labels requires.
//!
//! Invariant: a threshold on labels always declares it. There is no default, because a threshold that a constant meets
//! looks the same as one that no constant meets.

use serde::Serialize;

use crate::table_reader::TableReader;
use crate::toml_value::Value;

/// The three forms of `chance` with their meanings, as the end of an error message.
pub const CHANCE_FORMS: &str = "chance = { gain = 0.0 } if agreement must exceed that of always giving the substrate's commonest \
     label, by at least this much; chance = { kappa = 0.4 } if Cohen's kappa must be at least this much; or chance = \
     \"not-asked\" if a model that always gives the commonest label may be GO, which every verdict then says";

/// The required agreement of labels beyond chance, over the windows that count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChanceRequirement {
    /// None: a model that always gives the commonest label can be GO.
    NotAsked,
    /// The minimum excess of the agreement over that of always giving the substrate's commonest label, from 0 to 1. The
    /// excess must also be above 0.
    Gain(f64),
    /// The minimum of Cohen's kappa, from 0 to 1. It must also be above 0, which is the kappa of every constant.
    Kappa(f64),
}

impl ChanceRequirement {
    /// The required minimum; 0 if nothing is required.
    pub fn least(self) -> f64 {
        match self {
            ChanceRequirement::NotAsked => 0.0,
            ChanceRequirement::Gain(least) | ChanceRequirement::Kappa(least) => least,
        }
    }
}

/// Reads `chance`. `None` if it could not be read, `Some(None)` if it is not declared.
pub(super) fn chance(section: &mut TableReader<'_>) -> Option<Option<ChanceRequirement>> {
    if section.is_text("chance") {
        let words = [("not-asked", ChanceRequirement::NotAsked)];
        return section.optional("chance", CHANCE_FORMS, |value| value.choice(&words)).map(Some);
    }
    let read = section.optional_section("chance", CHANCE_FORMS, requirement);
    if section.has("chance") { read.flatten().map(Some) } else { Some(None) }
}

fn requirement(section: &mut TableReader<'_>) -> Option<ChanceRequirement> {
    let expected = "a number from 0 to 1, such as 0.0";
    let within = |value: &Value<'_>| value.number().filter(|least| (0.0..=1.0).contains(least));
    let gain = section.optional("gain", expected, within);
    let kappa = section.optional("kappa", expected, within);
    match (section.has("gain"), section.has("kappa")) {
        (true, false) => gain.map(ChanceRequirement::Gain),
        (false, true) => kappa.map(ChanceRequirement::Kappa),
        (both, _) => {
            let has = if both { "both `gain` and `kappa`" } else { "neither `gain` nor `kappa`" };
            section.absent(section.line(), format!("`{}` has {has}; write {CHANCE_FORMS}", section.path()));
            None
        }
    }
}

//! What of compared pairs it takes to say where a model and the substrate part.
//!
//! Always holds: a compared pair is added once; to which half an id belongs is settled by the study's name and the id
//! alone.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::evaluation::verdict_stats::ScoredPairBatch;
use crate::log_schema::schema;
use crate::plugins::load::Prepared;
use crate::plugins::study_fields;
use understudy_statistics::scoring::{ProfileIndex, ProfiledBatch, SliceSums, DistributionBatch, DistributionsBySlice};

/// Adds pairs to profiles and spreads.
pub struct DivergenceCollector {
    metric: usize,
    index: ProfileIndex,
    key: u64,
}

impl DivergenceCollector {
    /// For a study.
    pub fn new(prepared: &Prepared) -> DivergenceCollector {
        DivergenceCollector {
            metric: prepared.study.divergence.metric,
            index: profile_index(prepared),
            key: prepared.key,
        }
    }

    /// Adds pairs.
    pub fn add(&self, seen: &ScoredPairBatch<'_>, profiles: &mut SliceSums, spreads: &mut DistributionsBySlice) {
        let ids: Vec<&str> = seen.answered.iter().map(|row| seen.sources.id(*row)).collect();
        let hashes: Vec<u64> = ids.iter().map(|id| keyed_id_hash(self.key, id)).collect();
        let of = self.index.profiles_of_rows(seen.conditions, ids.len());
        profiles.add(ProfiledBatch {
            windows: seen.windows,
            profiles: &of,
            hashes: &hashes,
            models: seen.models,
            metric: self.metric,
        });
        for (model, given) in seen.given.iter().enumerate() {
            let pairs = DistributionBatch {
                windows: seen.windows,
                conditions: seen.conditions,
                profiles: &of,
                hashes: &hashes,
                ids: &ids,
                comparator: seen.comparator,
            };
            spreads.add(model, given, pairs);
        }
    }
}

/// The profiles of a study, by the conditions that are searched.
pub fn profile_index(prepared: &Prepared) -> ProfileIndex {
    let sizes = study_fields::conditions(&prepared.study).sizes();
    let conditions = prepared.study.divergence.conditions.iter();
    ProfileIndex { conditions: conditions.map(|condition| (*condition, sizes[*condition])).collect() }
}

/// The hash of an id under a study's key: XXH3-64 with the key as its seed. It has nothing to do with what
/// is said of a pair, and is the same in every run of a study.
pub fn keyed_id_hash(key: u64, id: &str) -> u64 {
    xxh3_64_with_seed(id.as_bytes(), key)
}

//! Collects the sums by slice from which the report finds where a model and the substrate differ.
//!
//! Invariants: each evaluated pair is added once; the study's name and the id alone decide which half an id
//! belongs to.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::evaluation::verdict_stats::ScoredPairBatch;
use crate::plugins::study_fields;
use crate::seal::sealed_study::SealedStudy;
use understudy_statistics::scoring::{
    DistributionBatch, DistributionsBySlice, ProfileIndex, ProfiledBatch, SliceSums,
};

/// Adds evaluated pairs to the sums by slice and to the answer distributions.
pub struct DivergenceCollector {
    /// The index of the metric that is searched.
    metric: usize,
    profile_index: ProfileIndex,
    /// The study's hash key.
    key: u64,
}

impl DivergenceCollector {
    /// A collector for a study.
    pub fn new(sealed_study: &SealedStudy) -> DivergenceCollector {
        DivergenceCollector {
            metric: sealed_study.study.divergence.metric,
            profile_index: profile_index(sealed_study),
            key: sealed_study.key,
        }
    }

    /// Adds a batch of evaluated pairs.
    pub fn add(
        &self,
        batch: &ScoredPairBatch<'_>,
        sums: &mut SliceSums,
        distributions: &mut DistributionsBySlice,
    ) {
        let ids: Vec<&str> = batch.rows.iter().map(|row| batch.sources.id(*row)).collect();
        let hashes: Vec<u64> = ids.iter().map(|id| keyed_id_hash(self.key, id)).collect();
        let profiles = self.profile_index.profiles_of_rows(batch.conditions, ids.len());
        sums.add(ProfiledBatch {
            windows: batch.windows,
            profiles: &profiles,
            hashes: &hashes,
            models: batch.scores,
            metric: self.metric,
        });
        for (model, answers) in batch.models.iter().enumerate() {
            let pairs = DistributionBatch {
                windows: batch.windows,
                conditions: batch.conditions,
                profiles: &profiles,
                hashes: &hashes,
                ids: &ids,
                comparator: batch.comparator,
            };
            distributions.add(model, answers, pairs);
        }
    }
}

/// The profiles of a study: the combinations of values of the conditions that the divergence search uses.
pub fn profile_index(sealed_study: &SealedStudy) -> ProfileIndex {
    let sizes = study_fields::conditions(&sealed_study.study).sizes();
    let conditions = sealed_study.study.divergence.conditions.iter();
    ProfileIndex { conditions: conditions.map(|condition| (*condition, sizes[*condition])).collect() }
}

/// XXH3-64 of an id with the study's key as the seed. It is the same in every run of a study, and independent
/// of a pair's answers.
pub fn keyed_id_hash(key: u64, id: &str) -> u64 {
    xxh3_64_with_seed(id.as_bytes(), key)
}

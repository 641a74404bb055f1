//! Computes review statistics from the judgements in the ledger.
//!
//! Invariants: the ledger is the only input. A stratum without judgements is listed and contributes to no share.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::reviews::{
    FailureModeCount, JudgementCount, JudgementShare, ReviewSummary, StratumSummary,
};
use understudy_run_log::ledger::{Entry, Event, FailureMode, Judgement, SampledStratum};
use understudy_statistics::scoring::wilson_weighted;

/// The confidence of each bound by itself.
const CONFIDENCE: f64 = 0.95;

/// A judgement from the ledger, with the stratum of its row.
struct StratumJudgement<'e> {
    stratum: &'e str,
    judgement: Judgement,
    mode: Option<FailureMode>,
}

/// The reviews of one model that still count.
#[derive(Default)]
struct ModelReviews<'e> {
    /// The strata of the latest sample.
    strata: &'e [SampledStratum],
    /// By id and observation time. The last judgement of a row counts.
    rows: BTreeMap<(&'e str, Timestamp), StratumJudgement<'e>>,
    /// Judgements of earlier samples with other strata.
    superseded_judgements: u64,
}

/// The reviews of each model, in the order in which the models were first sampled.
///
/// The share of a judgement is its mean over the strata, weighted by their shares of the disagreements, W_h. Its
/// interval is Wilson's score interval at Kish's effective sample size, (sum of W_h^2 / n_h)^-1, where n_h is the
/// number of judgements in stratum h (L. Kish, "Survey Sampling", 1965, on the loss from unequal weights). There is
/// no finite-population correction, so the interval of a stratum that was judged completely is wider than necessary.
pub fn review_summaries(entries: &[Entry]) -> Vec<ReviewSummary> {
    let models = current_reviews(entries.iter().map(|entry| &entry.event));
    models.into_iter().map(|(model, reviewed)| summary(model, &reviewed)).collect()
}

/// The rows of a model whose judgements still count after the new sample `sampled`, by id and observation time.
/// Judgements of samples with other strata do not count, so their rows have to be judged again.
pub fn judged_row_keys<'e>(
    entries: &'e [Entry],
    sampled: &'e Event,
    model: &str,
) -> BTreeSet<(&'e str, Timestamp)> {
    let models = current_reviews(entries.iter().map(|entry| &entry.event).chain([sampled]));
    let rows = models.into_iter().filter(|(name, _)| *name == model).map(|(_, reviewed)| reviewed.rows);
    rows.flat_map(BTreeMap::into_keys).collect()
}

/// The reviews by model that count after these events.
fn current_reviews<'e>(events: impl Iterator<Item = &'e Event>) -> Vec<(&'e str, ModelReviews<'e>)> {
    let mut models: Vec<(&str, ModelReviews<'_>)> = Vec::new();
    for event in events {
        match event {
            Event::ReviewSample { model, strata, .. } => {
                let at = models.iter().position(|(name, _)| name == model).unwrap_or_else(|| {
                    models.push((model, ModelReviews::default()));
                    models.len() - 1
                });
                let reviewed = &mut models[at].1;
                let names = |strata: &[SampledStratum]| {
                    strata.iter().map(|stratum| stratum.name.clone()).collect::<BTreeSet<_>>()
                };
                if names(reviewed.strata) != names(strata) {
                    reviewed.superseded_judgements += reviewed.rows.len() as u64;
                    reviewed.rows.clear();
                }
                reviewed.strata = strata;
            }
            Event::Review { model, id, observed_at, stratum, judgement, failure_mode: mode, .. } => {
                if let Some((_, reviewed)) = models.iter_mut().find(|(name, _)| name == model) {
                    let judged = StratumJudgement { stratum, judgement: *judgement, mode: *mode };
                    reviewed.rows.insert((id, *observed_at), judged);
                }
            }
            _ => {}
        }
    }
    models
}

fn summary(model: &str, reviewed: &ModelReviews<'_>) -> ReviewSummary {
    let rows: Vec<&StratumJudgement<'_>> = reviewed.rows.values().collect();
    let strata: Vec<StratumSummary> = reviewed
        .strata
        .iter()
        .map(|stratum| {
            let own: Vec<_> = rows.iter().copied().filter(|row| row.stratum == stratum.name).collect();
            StratumSummary {
                name: stratum.name.clone(),
                disagreements: stratum.disagreements,
                judged: own.len() as u64,
                judgements: judgements(&own),
            }
        })
        .collect();
    let modes = std::iter::once(None).chain(FailureMode::ALL.map(Some)).map(|mode| {
        let count = rows.iter().filter(|row| row.mode == mode).count() as u64;
        FailureModeCount { mode, count }
    });
    let unjudged = strata.iter().filter(|stratum| stratum.disagreements > 0 && stratum.judged == 0);
    let (effective_sample_size, shares) = shares(&strata).unzip();
    ReviewSummary {
        model: model.to_owned(),
        disagreements: strata.iter().map(|stratum| stratum.disagreements).sum(),
        judged: rows.len() as u64,
        judgements: judgements(&rows),
        failure_modes: modes.filter(|entry| entry.count > 0).collect(),
        shares: shares.unwrap_or_default(),
        confidence: CONFIDENCE,
        effective_sample_size,
        unjudged_strata: unjudged.map(|stratum| stratum.name.clone()).collect(),
        superseded_judgements: reviewed.superseded_judgements,
        strata,
    }
}

/// The number of judgements of each kind.
fn judgements(rows: &[&StratumJudgement<'_>]) -> Vec<JudgementCount> {
    let count = |judgement| rows.iter().filter(|row| row.judgement == judgement).count() as u64;
    Judgement::ALL.map(|judgement| JudgementCount { judgement, count: count(judgement) }).to_vec()
}

/// The effective sample size and the share of each judgement, over the strata with judgements; `None` if there are none.
fn shares(strata: &[StratumSummary]) -> Option<(f64, Vec<JudgementShare>)> {
    let judged_strata: Vec<_> =
        strata.iter().filter(|stratum| stratum.disagreements > 0 && stratum.judged > 0).collect();
    let all: u64 = judged_strata.iter().map(|stratum| stratum.disagreements).sum();
    let weight = |stratum: &StratumSummary| stratum.disagreements as f64 / all as f64;
    let loss: f64 = judged_strata.iter().map(|stratum| weight(stratum).powi(2) / stratum.judged as f64).sum();
    let effective = (loss > 0.0).then(|| loss.recip())?;
    let share = |(at, judgement): (usize, Judgement)| {
        let part = |stratum: &&StratumSummary| {
            weight(stratum) * stratum.judgements[at].count as f64 / stratum.judged as f64
        };
        // Rounded weights may sum to slightly more than 1.
        let share = judged_strata.iter().map(part).sum::<f64>().min(1.0);
        Some(JudgementShare { judgement, share, interval: wilson_weighted(share, effective, CONFIDENCE)? })
    };
    Some((effective, Judgement::ALL.into_iter().enumerate().filter_map(share).collect()))
}

#[cfg(test)]
mod tests;

//! Review statistics from the judgements in the ledger.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::reviews::{JudgementCount, JudgementShare, ModeCount, ReviewSummary, StratumReviewed};
use understudy_run_log::ledger::{Entry, Event, FailureMode, Judgement, SampledStratum};
use understudy_statistics::scoring::wilson_weighted;

/// The confidence of each bound.
const CONFIDENCE: f64 = 0.95;

/// A judgement as it stands in the ledger.
struct Judged<'e> {
    stratum: &'e str,
    judgement: Judgement,
    mode: Option<FailureMode>,
}

/// What was judged of one model so far.
#[derive(Default)]
struct Reviewed<'e> {
    /// The last draw.
    strata: &'e [SampledStratum],
    /// By id and observed time: the last judgement of a row stands.
    rows: BTreeMap<(&'e str, Timestamp), Judged<'e>>,
    elsewise: u64,
}

/// What was judged, by model, in the order in which the models were first drawn from.
///
/// The share of a judgement is its mean over the strata weighted by their disagreements, W_h. Its bounds are Wilson's at that
/// share and at L. Kish's effective sample size, (sum of W_h^2 / n_h)^-1, where n_h were judged of stratum h: "Survey Sampling"
/// (1965), on the loss by unequal weights. That a stratum is finite is not made use of, so where all of it was judged the
/// bounds are wider than they need be.
pub fn judged(entries: &[Entry]) -> Vec<ReviewSummary> {
    let models = standing(entries.iter().map(|entry| &entry.event));
    models.into_iter().map(|(model, reviewed)| summary(model, &reviewed)).collect()
}

/// The rows of which a model's disagreement was judged, so that the judgement still counts once `sampled` has been drawn: by id
/// and observed time. Those of draws from other strata are in no figure, so they are to be judged again.
pub fn judged_rows<'e>(
    entries: &'e [Entry],
    sampled: &'e Event,
    model: &str,
) -> BTreeSet<(&'e str, Timestamp)> {
    let models = standing(entries.iter().map(|entry| &entry.event).chain([sampled]));
    let rows = models.into_iter().filter(|(name, _)| *name == model).map(|(_, reviewed)| reviewed.rows);
    rows.flat_map(BTreeMap::into_keys).collect()
}

/// What was judged by model, as far as it still counts.
fn standing<'e>(events: impl Iterator<Item = &'e Event>) -> Vec<(&'e str, Reviewed<'e>)> {
    let mut models: Vec<(&str, Reviewed<'_>)> = Vec::new();
    for event in events {
        match event {
            Event::ReviewSample { model, strata, .. } => {
                let at = models.iter().position(|(name, _)| name == model).unwrap_or_else(|| {
                    models.push((model, Reviewed::default()));
                    models.len() - 1
                });
                let reviewed = &mut models[at].1;
                let names = |strata: &[SampledStratum]| {
                    strata.iter().map(|stratum| stratum.name.clone()).collect::<BTreeSet<_>>()
                };
                if names(reviewed.strata) != names(strata) {
                    reviewed.elsewise += reviewed.rows.len() as u64;
                    reviewed.rows.clear();
                }
                reviewed.strata = strata;
            }
            Event::Review { model, id, observed_at, stratum, judgement, failure_mode: mode, .. } => {
                if let Some((_, reviewed)) = models.iter_mut().find(|(name, _)| name == model) {
                    let judged = Judged { stratum, judgement: *judgement, mode: *mode };
                    reviewed.rows.insert((id, *observed_at), judged);
                }
            }
            _ => {}
        }
    }
    models
}

fn summary(model: &str, reviewed: &Reviewed<'_>) -> ReviewSummary {
    let rows: Vec<&Judged<'_>> = reviewed.rows.values().collect();
    let strata: Vec<StratumReviewed> = reviewed
        .strata
        .iter()
        .map(|stratum| {
            let own: Vec<_> = rows.iter().copied().filter(|row| row.stratum == stratum.name).collect();
            StratumReviewed {
                name: stratum.name.clone(),
                disagreements: stratum.disagreements,
                judged: own.len() as u64,
                judgements: judgements(&own),
            }
        })
        .collect();
    let modes = std::iter::once(None).chain(FailureMode::ALL.map(Some)).map(|mode| {
        let count = rows.iter().filter(|row| row.mode == mode).count() as u64;
        ModeCount { mode, count }
    });
    let unjudged = strata.iter().filter(|stratum| stratum.disagreements > 0 && stratum.judged == 0);
    let (effective, shares) = shares(&strata).unzip();
    ReviewSummary {
        model: model.to_owned(),
        disagreements: strata.iter().map(|stratum| stratum.disagreements).sum(),
        judged: rows.len() as u64,
        judgements: judgements(&rows),
        modes: modes.filter(|counted| counted.count > 0).collect(),
        shares: shares.unwrap_or_default(),
        confidence: CONFIDENCE,
        effective,
        unjudged: unjudged.map(|stratum| stratum.name.clone()).collect(),
        elsewise: reviewed.elsewise,
        strata,
    }
}

/// How often each judgement was given.
fn judgements(rows: &[&Judged<'_>]) -> Vec<JudgementCount> {
    let count = |judgement| rows.iter().filter(|row| row.judgement == judgement).count() as u64;
    Judgement::ALL.map(|judgement| JudgementCount { judgement, count: count(judgement) }).to_vec()
}

/// The effective sample size and the share of each judgement, by the strata that were judged.
fn shares(strata: &[StratumReviewed]) -> Option<(f64, Vec<JudgementShare>)> {
    let told: Vec<_> =
        strata.iter().filter(|stratum| stratum.disagreements > 0 && stratum.judged > 0).collect();
    let all: u64 = told.iter().map(|stratum| stratum.disagreements).sum();
    let weight = |stratum: &StratumReviewed| stratum.disagreements as f64 / all as f64;
    let loss: f64 = told.iter().map(|stratum| weight(stratum).powi(2) / stratum.judged as f64).sum();
    let effective = (loss > 0.0).then(|| loss.recip())?;
    let share = |(at, judgement): (usize, Judgement)| {
        let part = |stratum: &&StratumReviewed| {
            weight(stratum) * stratum.judgements[at].count as f64 / stratum.judged as f64
        };
        // Weights that were rounded may sum to a little more than 1.
        let share = told.iter().map(part).sum::<f64>().min(1.0);
        Some(JudgementShare { judgement, share, interval: wilson_weighted(share, effective, CONFIDENCE)? })
    };
    Some((effective, Judgement::ALL.into_iter().enumerate().filter_map(share).collect()))
}

#[cfg(test)]
mod tests;

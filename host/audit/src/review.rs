//! Judging a sample of a model's disagreements: what is drawn, who is shown it, what is said of it.
//!
//! Always holds: before the first case is shown, the ledger says who is shown all that are to be; what was judged before is
//! not asked again as long as it counts; a judgement is in the ledger before the next case is shown.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use serde_json::Value;

use super::case::{cases, key_of, values_of};
use super::decided::{Counts, decided};
use super::disagreements::Disagreements;
use super::exposure::Exposure;
use super::sample::{Drawn, ELSEWHERE, Key, Sampler, Stratum};
use super::{entries, reviews};
use understudy_engine::{Prepared, conditions};
use understudy_report::model::case::Case;
use understudy_report::judged_rows;
use understudy_run_log::REPORT;
use understudy_run_log::ledger::{Entry, Event, FailureMode, Judgement, Ledger, SampledStratum};
use understudy_run_log::note::Signer;

/// What is to be judged.
#[derive(Clone, Debug)]
pub struct Review {
    /// Whose disagreements; the first model's unless named.
    pub model: Option<String>,
    /// How many at most.
    pub sample: usize,
    /// What the draw is seeded with; the seal's digest unless given.
    pub seed: Option<String>,
}

/// A case that is to be judged.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The case.
    pub case: Case,
    /// The stratum that it was drawn from.
    pub stratum: String,
    key: Key,
}

/// Cases that are to be judged, and where judgements go.
pub struct Judging {
    /// The model.
    pub model: String,
    /// How many disagreements there are.
    pub disagreements: u64,
    /// How many were drawn.
    pub drawn: usize,
    /// Those of them that have not been judged yet, in the order in which they are to be shown.
    pub asked: Vec<Asked>,
    run: PathBuf,
    who: String,
    ledger: Option<Ledger>,
}

/// Draws disagreements of a model, and has the ledger say that `who` is shown those that are not judged yet. `seal` is the
/// digest of the run's seal.
///
/// # Errors
/// When there is no such model, or no disagreement; when the log cannot be read, or the ledger cannot be written.
pub fn begin_review(
    prepared: &Prepared,
    seal: &str,
    run: &Path,
    review: &Review,
    who: String,
    signer: Option<Signer>,
) -> anyhow::Result<Judging> {
    let model = chosen(prepared, review.model.as_deref())?;
    let name = &prepared.models[model].name;
    let seed = review.seed.as_deref().unwrap_or(seal);
    let strata = strata(prepared, run, name);
    let disagreements = Disagreements::of(prepared, run)?;
    let mut sampler = Sampler::new(&strata, seed, review.sample);
    let counts = decided(prepared, run, |batch| {
        let differs = disagreements.rows(&batch, model)?;
        for row in (0..batch.num_rows()).filter(|row| differs[*row]) {
            let (id, observed) = key_of(&batch, row);
            let values = values_of(prepared, &batch, row);
            sampler.add((&id, observed), |condition| values[condition]);
        }
        Ok(())
    })?;
    let (sizes, drawn) = sampler.finish();
    let all: u64 = sizes.iter().sum();
    ensure!(
        all > 0,
        "{name} and the substrate differ in no decided row, so there is nothing to judge; a row is shown once its decision has \
         come and its horizon is over"
    );
    let known = entries(run)?;
    let stratum = |at: usize| strata.get(at).map_or(ELSEWHERE, |stratum| stratum.name.as_str()).to_owned();
    let of = |at: usize| drawn.iter().filter(|row| row.stratum == at).count() as u64;
    let sampled = sizes.iter().enumerate();
    let sampled =
        sampled.map(|(at, size)| SampledStratum { name: stratum(at), disagreements: *size, drawn: of(at) });
    let sampled = Event::ReviewSample { model: name.clone(), seed: seed.to_owned(), strata: sampled.collect() };
    let before: BTreeSet<Key> = judged_rows(&known, &sampled, name)
        .into_iter()
        .map(|(id, observed)| (id.to_owned(), observed.as_microsecond()))
        .collect();
    let left: Vec<Drawn> = drawn.iter().filter(|row| !before.contains(&row.key)).cloned().collect();
    let mut judging = Judging {
        model: name.clone(),
        disagreements: all,
        drawn: drawn.len(),
        asked: Vec::new(),
        run: run.to_owned(),
        who,
        ledger: None,
    };
    if left.is_empty() {
        return Ok(judging);
    }
    let wanted: BTreeSet<Key> = left.iter().map(|row| row.key.clone()).collect();
    let mut found = cases(prepared, run, &wanted, &disagreements)?;
    for row in left {
        let Some(case) = found.remove(&row.key) else {
            bail!("the log has lost the row \"{}\" since", row.key.0)
        };
        judging.asked.push(Asked { case, stratum: stratum(row.stratum), key: row.key });
    }
    judging.ledger = Some(record(run, &judging, counts, signer, sampled, &known)?);
    Ok(judging)
}

/// Has the ledger say who is shown what, and what was drawn, unless it said so last.
fn record(
    run: &Path,
    judging: &Judging,
    counts: Counts,
    signer: Option<Signer>,
    sampled: Event,
    known: &[Entry],
) -> anyhow::Result<Ledger> {
    let mut exposure = Exposure::new(judging.who.clone(), "review".to_owned());
    judging.asked.iter().for_each(|asked| exposure.add_id(&asked.key.0));
    let ledger = exposure.record(run, counts, signer)?;
    let own =
        |entry: &&Entry| matches!(&entry.event, Event::ReviewSample { model, .. } if *model == judging.model);
    if known.iter().rev().find(own).is_none_or(|last| last.event != sampled) {
        ledger.append(sampled)?;
    }
    Ok(ledger)
}

impl Judging {
    /// Writes down what was judged of a case.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn judge(
        &self,
        asked: &Asked,
        judgement: Judgement,
        mode: Option<FailureMode>,
        note: &str,
    ) -> anyhow::Result<()> {
        let Some(ledger) = &self.ledger else { bail!("nothing was asked, so nothing can be judged") };
        reviews::take_away(&self.run)?;
        ledger.append(Event::Review {
            who: self.who.clone(),
            model: self.model.clone(),
            id: asked.key.0.clone(),
            observed_at: asked.case.observed_at,
            stratum: asked.stratum.clone(),
            judgement,
            failure_mode: mode,
            note: note.trim().to_owned(),
        })?;
        reviews::write(&self.run)
    }
}

/// The index of the model that is named, or of the first.
fn chosen(prepared: &Prepared, model: Option<&str>) -> anyhow::Result<usize> {
    let Some(named) = model else { return Ok(0) };
    match prepared.models.iter().position(|model| model.name == named) {
        Some(at) => Ok(at),
        None => {
            let names: Vec<_> = prepared.models.iter().map(|model| model.name.as_str()).collect();
            bail!("the study has no model \"{named}\"; it has {}", names.join(", "))
        }
    }
}

/// The classes in which the run's report says that the model and the substrate part; none where it says nothing of them.
fn strata(prepared: &Prepared, run: &Path, model: &str) -> Vec<Stratum> {
    let report = std::fs::read(run.join(REPORT)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    report.map_or_else(Vec::new, |report: Value| classes(prepared, &report, model))
}

/// The classes of a report, but for those of which a term is none of the study's.
fn classes(prepared: &Prepared, report: &Value, model: &str) -> Vec<Stratum> {
    let known = conditions(&prepared.study);
    let declared = &prepared.study.conditions;
    let term = |term: &Value| {
        let (condition, value) = (term["condition"].as_str()?, term["value"].as_str()?);
        let at = declared.iter().position(|declared| declared.name == condition)?;
        Some((at, known.values(at).iter().position(|known| known == value)?))
    };
    let stratum = |class: &Value| {
        let terms: Vec<_> = class["terms"].as_array()?.iter().map(term).collect::<Option<_>>()?;
        let named =
            terms.iter().map(|(at, value)| format!("{} {}", declared[*at].name, known.values(*at)[*value]));
        let name = named.collect::<Vec<_>>().join(" and ");
        (!terms.is_empty()).then_some(Stratum { name, terms })
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let models = list(&report["divergence"]["models"]);
    let own = models.iter().filter(|of| of["model"] == *model);
    own.flat_map(|of| list(&of["classes"])).filter_map(|class| stratum(&class)).collect()
}

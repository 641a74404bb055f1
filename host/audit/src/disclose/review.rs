//! Review sessions: a sample of a model's disagreements is shown to a reviewer, who judges each.
//!
//! Invariants: before the first case is shown, the ledger records the exposure of all cases of the session. A
//! row is not asked again while its judgement counts. A judgement is in the ledger before the next case is
//! shown.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use serde_json::Value;

use crate::disclose::access_record::Exposure;
use crate::disclose::case::{cases, condition_values};
use crate::disclose::decided_rows::{DisclosureCounts, DisclosureCutoff, RowKey, row_key};
use crate::disclose::disagreements::Disagreements;
use crate::disclose::pair_scan::PairScan;
use crate::disclose::review_sample::{Drawn, ELSEWHERE, Sampler, Stratum};
use crate::reviews_file;
use crate::run_files::read_entries;
use understudy_engine::{SealedStudy, conditions};
use understudy_report::judged_row_keys;
use understudy_report::model::case::Case;
use understudy_run_log::REPORT;
use understudy_run_log::ledger::{Entry, Event, FailureMode, Judgement, Ledger, SampledStratum};
use understudy_run_log::read_file;
use understudy_run_log::signed_head::Signer;
use understudy_study::Micros;

/// Options of a review session.
#[derive(Clone, Debug)]
pub struct ReviewRequest {
    /// The name of the model; the first model by default.
    pub model: Option<String>,
    /// The largest number of rows in the sample.
    pub sample: usize,
    /// The seed of the sample; the digest of the seal by default.
    pub seed: Option<String>,
}

/// A case that awaits a judgement.
#[derive(Clone, Debug)]
pub struct PendingCase {
    /// The case.
    pub case: Case,
    /// The stratum from which it was drawn.
    pub stratum: String,
    key: RowKey,
}

/// A review session: the cases to judge. Judgements are written to the ledger.
pub struct CaseReview {
    /// The name of the model.
    pub model: String,
    /// The number of the model's disagreements.
    pub disagreements: u64,
    /// The size of the sample.
    pub drawn: usize,
    /// The rows of the sample that are not judged yet, in the order in which they are shown.
    pub cases: Vec<PendingCase>,
    run: PathBuf,
    who: String,
    ledger: Option<Ledger>,
}

/// Draws a sample of a model's disagreements, and records the exposure of `who` to those that are not judged
/// yet. `seal` is the digest of the run's seal.
///
/// # Errors
/// If there is no such model, or no disagreement; or if the log cannot be read or the ledger cannot be
/// written.
pub fn begin_review(
    sealed_study: &SealedStudy,
    seal: &str,
    run: &Path,
    request: &ReviewRequest,
    who: String,
    signer: Option<Signer>,
) -> anyhow::Result<CaseReview> {
    let model = chosen(sealed_study, request.model.as_deref())?;
    let name = &sealed_study.models[model].name;
    let seed = request.seed.as_deref().unwrap_or(seal);
    let strata = strata(sealed_study, run, name);
    let cutoff = DisclosureCutoff::read(sealed_study, run)?;
    let scan = PairScan::new(sealed_study, run, cutoff);
    let disagreements = Disagreements::load(sealed_study, &scan)?;
    let mut sampler = Sampler::new(&strata, seed, request.sample);
    scan.for_each(|batch| {
        let disagrees = disagreements.mask(&batch, model)?;
        for row in (0..batch.num_rows()).filter(|row| disagrees[*row]) {
            let (id, observed) = row_key(&batch, row);
            let values = condition_values(sealed_study, &batch, row);
            sampler.add((&id, observed), |condition| values[condition]);
        }
        Ok(())
    })?;
    let (sizes, drawn) = sampler.finish();
    let all: u64 = sizes.iter().sum();
    ensure!(
        all > 0,
        "nothing to review: {name} and the substrate agree on all decided rows; a row is shown once its decision has arrived and \
         its horizon is over"
    );
    let known = read_entries(run)?;
    let stratum = |at: usize| strata.get(at).map_or(ELSEWHERE, |stratum| stratum.name.as_str()).to_owned();
    let of = |at: usize| drawn.iter().filter(|row| row.stratum == at).count() as u64;
    let sampled = sizes.iter().enumerate();
    let sampled =
        sampled.map(|(at, size)| SampledStratum { name: stratum(at), disagreements: *size, drawn: of(at) });
    let sampled =
        Event::ReviewSample { model: name.clone(), seed: seed.to_owned(), strata: sampled.collect() };
    let before: BTreeSet<RowKey> = judged_row_keys(&known, &sampled, name)
        .into_iter()
        .map(|(id, observed)| (id.to_owned(), Micros(observed.as_microsecond())))
        .collect();
    let left: Vec<Drawn> = drawn.iter().filter(|row| !before.contains(&row.key)).cloned().collect();
    let mut session = CaseReview {
        model: name.clone(),
        disagreements: all,
        drawn: drawn.len(),
        cases: Vec::new(),
        run: run.to_owned(),
        who,
        ledger: None,
    };
    if left.is_empty() {
        return Ok(session);
    }
    let wanted: BTreeSet<RowKey> = left.iter().map(|row| row.key.clone()).collect();
    let mut found = cases(sealed_study, run, &cutoff, &wanted, &disagreements)?;
    for row in left {
        let Some(case) = found.remove(&row.key) else {
            bail!("row \"{}\" is missing from the log; run `understudy verify` for details", row.key.0)
        };
        session.cases.push(PendingCase { case, stratum: stratum(row.stratum), key: row.key });
    }
    session.ledger =
        Some(record(run, &session, DisclosureCounts::read(run, &cutoff)?, signer, sampled, &known)?);
    Ok(session)
}

/// Records the exposure and, unless the last such entry is the same, the sample.
fn record(
    run: &Path,
    session: &CaseReview,
    counts: DisclosureCounts,
    signer: Option<Signer>,
    sampled: Event,
    known: &[Entry],
) -> anyhow::Result<Ledger> {
    let mut exposure = Exposure::new(session.who.clone(), "review".to_owned());
    session.cases.iter().for_each(|case| exposure.add_id(&case.key.0));
    let ledger = exposure.record(run, counts, signer)?;
    let own =
        |entry: &&Entry| matches!(&entry.event, Event::ReviewSample { model, .. } if *model == session.model);
    if known.iter().rev().find(own).is_none_or(|last| last.event != sampled) {
        ledger.append(sampled)?;
    }
    Ok(ledger)
}

impl CaseReview {
    /// Records the judgement of a case.
    ///
    /// # Errors
    /// If the ledger or the reviews file cannot be written.
    pub fn judge(
        &self,
        case: &PendingCase,
        judgement: Judgement,
        mode: Option<FailureMode>,
        note: &str,
    ) -> anyhow::Result<()> {
        let Some(ledger) = &self.ledger else { bail!("cannot record a judgement: the session has no case") };
        reviews_file::remove(&self.run)?;
        ledger.append(Event::Review {
            who: self.who.clone(),
            model: self.model.clone(),
            id: case.key.0.clone(),
            observed_at: case.case.observed_at,
            stratum: case.stratum.clone(),
            judgement,
            failure_mode: mode,
            note: note.trim().to_owned(),
        })?;
        reviews_file::write(&self.run)
    }
}

/// The index of the named model, or of the first.
fn chosen(sealed_study: &SealedStudy, model: Option<&str>) -> anyhow::Result<usize> {
    let Some(named) = model else { return Ok(0) };
    match sealed_study.models.iter().position(|model| model.name == named) {
        Some(at) => Ok(at),
        None => {
            let names: Vec<_> = sealed_study.models.iter().map(|model| model.name.as_str()).collect();
            bail!("the study has no model \"{named}\"; it has {}", names.join(", "))
        }
    }
}

/// The strata: the subgroups in which the run's report finds that model and substrate differ; none if it has
/// no such subgroup.
fn strata(sealed_study: &SealedStudy, run: &Path, model: &str) -> Vec<Stratum> {
    let report = read_file(&run.join(REPORT)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    report.map_or_else(Vec::new, |report: Value| subgroups(sealed_study, &report, model))
}

/// The subgroups of a report whose terms all belong to the study.
fn subgroups(sealed_study: &SealedStudy, report: &Value, model: &str) -> Vec<Stratum> {
    let known = conditions(&sealed_study.study);
    let declared = &sealed_study.study.conditions;
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
    own.flat_map(|of| list(&of["subgroups"])).filter_map(|class| stratum(&class)).collect()
}

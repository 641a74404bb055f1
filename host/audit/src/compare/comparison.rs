//! `understudy compare`: compares models with each other, of one run or of two runs of the same feed.
//!
//! Invariants:
//! - Every figure covers the pairs that all models have.
//! - Only closed runs are compared. Before the end, the difference of two slices or of two looks would tell of a single
//!   pair whose decision somebody may still act on.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};

use crate::compare::run_join::{JoinInput, join};
use crate::run_files::read_entries;
use understudy_engine::{LoadedPlugin, SealedStudy, conditions};
use understudy_report::model::comparison::{
    AgreementCounts, ComparedModel, ComparedRun, ComparisonSlice, MetricDifference, ModelComparison, RunModel,
};
use understudy_report::model::report::PluginInfo;
use understudy_run_log::ledger::is_closed;
use understudy_sandbox::{Better, Scorer, ScorerPlugin};
use understudy_statistics::scoring::{PairedComparison, PairedRow};
use understudy_study::{AnswerForm, Condition, Plugin as Declared, Split};

/// The confidence of each bound.
const CONFIDENCE: f64 = 0.95;
/// The smallest number of pairs of a value's slice.
const MIN_PAIRS: u64 = 5;
/// The version of the JSON format.
const FORMAT: u32 = 2;

/// A run to compare.
pub struct ComparisonRun {
    /// The run directory.
    pub run: PathBuf,
    /// The study, with the plugins that the run stored.
    pub sealed_study: SealedStudy,
}

/// Compares the models of one or two runs with the model `reference` of the first run, or with its first
/// model.
///
/// # Errors
/// If a run is not closed; if there are no two models, or they have no metric or pair in common; or if a log
/// cannot be read.
pub fn compare(runs: &[ComparisonRun], reference: Option<&str>) -> anyhow::Result<ModelComparison> {
    let [first, ..] = runs else { bail!("no run to compare; name one or two run directories") };
    for run in runs {
        ensure_comparable(run)?;
    }
    let reference = chosen(first, reference)?;
    let members: Vec<(usize, usize)> = runs
        .iter()
        .enumerate()
        .flat_map(|(at, run)| (0..run.sealed_study.models.len()).map(move |model| (at, model)))
        .collect();
    let others: Vec<_> = members.into_iter().filter(|member| *member != (0, reference)).collect();
    ensure!(
        !others.is_empty(),
        "nothing to compare: {} has one model; name a second run, such as one made by `understudy replay`",
        first.run.display()
    );
    let common: Vec<CommonMetric> = common_metrics(runs);
    ensure!(
        !common.is_empty(),
        "the runs have no metric in common, that is, one with the same name, component, configuration and assets"
    );
    let split: Vec<Vec<usize>> = common_conditions(runs);
    let inputs = runs.iter().enumerate().map(|(at, run)| JoinInput {
        sealed_study: &run.sealed_study,
        run: &run.run,
        metrics: common.iter().map(|common| common.places[at]).collect(),
        conditions: split.iter().map(|places| places[at]).collect(),
    });
    let inputs: Vec<JoinInput<'_>> = inputs.collect();
    let known = conditions(&first.sealed_study.study);
    let sizes: Vec<usize> = split.iter().map(|places| known.values(places[0]).len()).collect();
    let components: Vec<usize> = common.iter().map(|common| common.components).collect();
    let mut paired = vec![PairedComparison::new(components, &sizes); others.len()];
    let joined = join(&inputs, |rows| {
        for (paired, (run, model)) in paired.iter_mut().zip(&others) {
            let agrees = rows[0].agrees[reference].zip(rows[*run].agrees[*model]);
            paired.add(&PairedRow {
                group: rows[0].group,
                values: &rows[0].values,
                reference: &rows[0].scores[reference],
                other: &rows[*run].scores[*model],
                agrees,
            });
        }
    })?;
    ensure!(joined.both > 0, "{}", no_common_pairs(runs));
    let mut scorers: Vec<Scorer> = common
        .iter()
        .map(|common| first.sealed_study.versions.metrics[common.places[0]].current().plugin.instance())
        .collect();
    let values = split.iter().enumerate().flat_map(|(condition, places)| {
        known.values(places[0]).iter().enumerate().map(move |(value, name)| (condition, value, name))
    });
    let named: Vec<_> = values
        .map(|(condition, value, name)| {
            let declared = &first.sealed_study.study.conditions[split[condition][0]].name;
            ((condition, value), (declared.clone(), name.clone()))
        })
        .collect();
    let counts_agreement = match first.sealed_study.comparator.plugin.form {
        AnswerForm::Label | AnswerForm::Ranking | AnswerForm::LabelSet | AnswerForm::Json => true,
        // Numbers rarely agree exactly.
        AnswerForm::Number => false,
    };
    let mut compared_models = Vec::new();
    for (paired, (run, model)) in paired.iter().zip(&others) {
        let mut slices = vec![comparison_slice(paired, None, None, counts_agreement, &common, &mut scorers)?];
        for (value, name) in named.iter().filter(|(value, _)| paired.pairs(Some(*value)) >= MIN_PAIRS) {
            slices.push(comparison_slice(
                paired,
                Some(*value),
                Some(name),
                counts_agreement,
                &common,
                &mut scorers,
            )?);
        }
        compared_models.push(ComparedModel { model: run_model(&runs[*run], *model), slices });
    }
    let compared = runs.iter().zip(joined.pairs).map(|(run, pairs)| ComparedRun {
        run: shown(&run.run),
        study: run.sealed_study.study.name.clone(),
        pairs,
        unmatched_pairs: pairs - joined.both,
    });
    Ok(ModelComparison {
        format: FORMAT,
        confidence: CONFIDENCE,
        runs: compared.collect(),
        pairs: joined.both,
        same_comparator: runs.iter().all(|run| {
            let [own, its] =
                [run, first].map(|run| (&run.sealed_study.comparator, &run.sealed_study.study.comparator));
            is_same(own, its)
        }),
        reference: run_model(first, reference),
        others: compared_models,
    })
}

/// Checks that a run is closed.
fn ensure_comparable(run: &ComparisonRun) -> anyhow::Result<()> {
    let remedy = match run.sealed_study.replay_of {
        Some(_) => "repeat the replay into another directory",
        None => "end the run, or read its interim reports",
    };
    ensure!(
        is_closed(&read_entries(&run.run)?),
        "cannot compare the models of {}: the run is not closed, and the difference of two comparisons would tell the outcome of \
         single pairs; {remedy}",
        run.run.display()
    );
    Ok(())
}

/// The index of the model with which the others are compared.
fn chosen(first: &ComparisonRun, reference: Option<&str>) -> anyhow::Result<usize> {
    let Some(named) = reference else { return Ok(0) };
    let names: Vec<&str> = first.sealed_study.models.iter().map(|model| model.name.as_str()).collect();
    match names.iter().position(|name| *name == named) {
        Some(at) => Ok(at),
        None => bail!("{} has no model \"{named}\"; it has {}", first.run.display(), names.join(", ")),
    }
}

/// A metric that all runs have.
struct CommonMetric {
    /// Its index in each run.
    places: Vec<usize>,
    /// The number of its components, including the one that the host adds.
    components: usize,
    name: String,
    better: Better,
    /// The smallest and the largest possible value.
    range: (Option<f64>, Option<f64>),
}

/// Whether two plugins are the same: same component, configuration and assets.
fn is_same<P>(
    (one, its): (&LoadedPlugin<P>, &Declared),
    (other, others): (&LoadedPlugin<P>, &Declared),
) -> bool {
    one.file.digest == other.file.digest && its.config == others.config && one.assets == other.assets
}

fn common_metrics(runs: &[ComparisonRun]) -> Vec<CommonMetric> {
    let [first, ..] = runs else { return Vec::new() };
    let common = |(at, member): (usize, &LoadedPlugin<_>)| {
        let declared = &first.sealed_study.study.metrics[at];
        let place = |run: &ComparisonRun| {
            let mut metrics = run.sealed_study.metrics.iter().zip(&run.sealed_study.study.metrics);
            metrics.position(|own| own.0.name == member.name && is_same(own, (member, declared)))
        };
        let metric: &ScorerPlugin = &member.plugin;
        Some(CommonMetric {
            places: runs.iter().map(place).collect::<Option<_>>()?,
            components: metric.components.len() + 1,
            name: member.name.clone(),
            better: metric.better,
            range: metric.range,
        })
    };
    first.sealed_study.metrics.iter().enumerate().filter_map(common).collect()
}

/// The conditions that all runs have, by their indices in each run.
fn common_conditions(runs: &[ComparisonRun]) -> Vec<Vec<usize>> {
    let [first, ..] = runs else { return Vec::new() };
    let common = |condition: &Condition| {
        let calendar = !matches!(condition.split, Split::Values { .. } | Split::Bins { .. });
        let place = |run: &ComparisonRun| {
            let zone = run.sealed_study.study.time_zone == first.sealed_study.study.time_zone;
            let at = run.sealed_study.study.conditions.iter().position(|own| own == condition);
            at.filter(|_| zone || !calendar)
        };
        runs.iter().map(place).collect::<Option<_>>()
    };
    first.sealed_study.study.conditions.iter().filter_map(common).collect()
}

/// The comparison of two models over some of the pairs.
fn comparison_slice(
    paired: &PairedComparison,
    value: Option<(usize, usize)>,
    name: Option<&(String, String)>,
    counts_agreement: bool,
    common: &[CommonMetric],
    scorers: &mut [Scorer],
) -> anyhow::Result<ComparisonSlice> {
    let mut metrics = Vec::new();
    for (at, (common, scorer)) in common.iter().zip(scorers).enumerate() {
        let mut failure = None;
        let mut reduce = |pairs, sums: &[f64]| {
            scorer.reduce(pairs, sums).unwrap_or_else(|what| {
                failure.get_or_insert(what);
                None
            })
        };
        let found = paired.estimate(value, at, CONFIDENCE, &mut reduce);
        if let Some(what) = failure {
            bail!("metric \"{}\": {what}", common.name);
        }
        metrics.push(MetricDifference {
            metric: common.name.clone(),
            better: common.better,
            pairs: found.pairs,
            reference: found.reference,
            other: found.other,
            difference: found.difference,
            interval: found.interval.map(|interval| interval.clamped_difference(common.range)),
            p_value: found.p_value,
        });
    }
    let counts = paired.agreements(value);
    let agreement = AgreementCounts {
        both: counts.both,
        only_reference: counts.reference,
        only_other: counts.other,
        neither: counts.neither,
    };
    let (condition, value_name) = name.cloned().unzip();
    Ok(ComparisonSlice {
        condition,
        value: value_name,
        pairs: paired.pairs(value),
        agreement: counts_agreement.then_some(agreement),
        metrics,
    })
}

fn no_common_pairs(runs: &[ComparisonRun]) -> String {
    match runs {
        [one, other] => format!(
            "{} and {} have no evaluated pair in common: pairs are joined by id and event time, so both runs must read the same \
             feed",
            one.run.display(),
            other.run.display()
        ),
        _ => "nothing to compare: no pair was evaluated".to_owned(),
    }
}

fn run_model(run: &ComparisonRun, model: usize) -> RunModel {
    let member = &run.sealed_study.models[model];
    RunModel {
        run: shown(&run.run),
        plugin: PluginInfo {
            name: member.name.clone(),
            title: member.plugin.title.clone(),
            digest: member.file.digest.clone(),
        },
    }
}

fn shown(run: &Path) -> String {
    run.display().to_string()
}

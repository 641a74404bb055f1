//! Models side by side: several of one run, or those of two runs of the same feed.
//!
//! Always holds: every figure is of the pairs that all the models have; nothing leaves here but sums, each over at least as many
//! pairs as it takes to tell of none of them.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};

use super::entries;
use super::joined::{Look, join};
use understudy_engine::{Member, Prepared, conditions};
use understudy_report::model::comparison::Agreement;
use understudy_report::model::comparison::Beside;
use understudy_report::model::comparison::Compared;
use understudy_report::model::comparison::MetricPair;
use understudy_report::model::comparison::ModelOf;
use understudy_report::model::comparison::Part;
use understudy_report::model::report::Plugin;
use understudy_report::model::comparison::SideBySide;
use understudy_run_log::ledger::is_closed;
use understudy_sandbox::{Better, Scorer, ScorerPlugin};
use understudy_statistics::scoring::{AgreementCounts, PairedComparison, PairedRow};
use understudy_study::{Condition, Form, Plugin as Declared, Split};

/// The confidence of each bound.
const CONFIDENCE: f64 = 0.95;
/// Pairs that a part has at least; with fewer, its figures would tell of single rows.
const LEAST: u64 = 5;
/// The version of the layout.
const FORMAT: u32 = 1;

/// One of the runs that are compared.
pub struct Comparing {
    /// Its directory.
    pub run: PathBuf,
    /// The study, with the plugins that it kept.
    pub prepared: Prepared,
}

/// Sets the models of one or two runs beside one of the first run: `reference`, or its first.
///
/// # Errors
/// When there are no two models, or nothing that they have in common; or when a log cannot be read.
pub fn compare(runs: &[Comparing], reference: Option<&str>) -> anyhow::Result<SideBySide> {
    let [first, ..] = runs else { bail!("name a run") };
    let reference = chosen(first, reference)?;
    let members: Vec<(usize, usize)> = runs
        .iter()
        .enumerate()
        .flat_map(|(at, run)| (0..run.prepared.models.len()).map(move |model| (at, model)))
        .collect();
    let others: Vec<_> = members.into_iter().filter(|member| *member != (0, reference)).collect();
    ensure!(
        !others.is_empty(),
        "{} has one model, so there is nothing to set it beside; name a second run, such as a what-if of `understudy replay`",
        first.run.display()
    );
    let common: Vec<Common> = common_metrics(runs);
    ensure!(
        !common.is_empty(),
        "the runs have no metric in common: one of the same name, with the same component, configuration and assets"
    );
    let split: Vec<Vec<usize>> = common_conditions(runs);
    let looks = runs.iter().enumerate().map(|(at, run)| Look {
        prepared: &run.prepared,
        run: &run.run,
        metrics: common.iter().map(|common| common.places[at]).collect(),
        conditions: split.iter().map(|places| places[at]).collect(),
    });
    let looks: Vec<Look<'_>> = looks.collect();
    let known = conditions(&first.prepared.study);
    let sizes: Vec<usize> = split.iter().map(|places| known.values(places[0]).len()).collect();
    let components: Vec<usize> = common.iter().map(|common| common.components).collect();
    let mut paired = vec![PairedComparison::new(components, &sizes); others.len()];
    let joined = join(&looks, |rows| {
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
    ensure!(joined.both > 0, "{}", nothing(runs));
    for run in runs {
        ensure!(
            joined.both >= LEAST || is_closed(&entries(&run.run)?),
            "{} is going on, and fewer than {LEAST} pairs would tell of single rows; compare when there are more",
            run.run.display()
        );
    }
    let mut scorers: Vec<Scorer> = common
        .iter()
        .map(|common| first.prepared.cast.metrics[common.places[0]].now().plugin.instance())
        .collect();
    let values = split.iter().enumerate().flat_map(|(condition, places)| {
        known.values(places[0]).iter().enumerate().map(move |(value, name)| (condition, value, name))
    });
    let named: Vec<_> = values
        .map(|(condition, value, name)| {
            let declared = &first.prepared.study.conditions[split[condition][0]].name;
            ((condition, value), (declared.clone(), name.clone()))
        })
        .collect();
    let labels = first.prepared.comparator.plugin.form != Form::Number;
    let mut beside = Vec::new();
    for (paired, (run, model)) in paired.iter().zip(&others) {
        let mut parts = vec![part(paired, None, None, labels, &common, &mut scorers)?];
        for (value, name) in named.iter().filter(|(value, _)| paired.pairs(Some(*value)) >= LEAST) {
            parts.push(part(paired, Some(*value), Some(name), labels, &common, &mut scorers)?);
        }
        beside.push(Beside { model: model_of(&runs[*run], *model), parts });
    }
    let compared = runs.iter().zip(joined.pairs).map(|(run, pairs)| Compared {
        run: shown(&run.run),
        study: run.prepared.study.name.clone(),
        pairs,
        only_here: pairs - joined.both,
    });
    Ok(SideBySide {
        format: FORMAT,
        confidence: CONFIDENCE,
        runs: compared.collect(),
        pairs: joined.both,
        same_comparator: runs.iter().all(|run| {
            let [own, its] =
                [run, first].map(|run| (&run.prepared.comparator, &run.prepared.study.comparator));
            is_same(own, its)
        }),
        reference: model_of(first, reference),
        others: beside,
    })
}

/// The index of the model that the others are set beside.
fn chosen(first: &Comparing, reference: Option<&str>) -> anyhow::Result<usize> {
    let Some(named) = reference else { return Ok(0) };
    let names: Vec<&str> = first.prepared.models.iter().map(|model| model.name.as_str()).collect();
    match names.iter().position(|name| *name == named) {
        Some(at) => Ok(at),
        None => bail!("{} has no model \"{named}\"; it has {}", first.run.display(), names.join(", ")),
    }
}

/// A metric that all runs have.
struct Common {
    /// Its place in each run.
    places: Vec<usize>,
    /// How many components it has, that of the host among them.
    components: usize,
    name: String,
    better: Better,
    /// The least and the greatest figure there can be.
    range: (Option<f64>, Option<f64>),
}

/// Whether two members of studies do the same: the same component, with the same configuration and assets.
fn is_same<P>((one, its): (&Member<P>, &Declared), (other, others): (&Member<P>, &Declared)) -> bool {
    one.file.digest == other.file.digest && its.config == others.config && one.assets == other.assets
}

fn common_metrics(runs: &[Comparing]) -> Vec<Common> {
    let [first, ..] = runs else { return Vec::new() };
    let common = |(at, member): (usize, &Member<_>)| {
        let declared = &first.prepared.study.metrics[at];
        let place = |run: &Comparing| {
            let mut metrics = run.prepared.metrics.iter().zip(&run.prepared.study.metrics);
            metrics.position(|own| own.0.name == member.name && is_same(own, (member, declared)))
        };
        let metric: &ScorerPlugin = &member.plugin;
        Some(Common {
            places: runs.iter().map(place).collect::<Option<_>>()?,
            components: metric.components.len() + 1,
            name: member.name.clone(),
            better: metric.better,
            range: metric.range,
        })
    };
    first.prepared.metrics.iter().enumerate().filter_map(common).collect()
}

/// The places of the conditions that all runs have, in each run.
fn common_conditions(runs: &[Comparing]) -> Vec<Vec<usize>> {
    let [first, ..] = runs else { return Vec::new() };
    let common = |condition: &Condition| {
        let calendar = !matches!(condition.split, Split::Values { .. } | Split::Bins { .. });
        let place = |run: &Comparing| {
            let zone = run.prepared.study.time_zone == first.prepared.study.time_zone;
            let at = run.prepared.study.conditions.iter().position(|own| own == condition);
            at.filter(|_| zone || !calendar)
        };
        runs.iter().map(place).collect::<Option<_>>()
    };
    first.prepared.study.conditions.iter().filter_map(common).collect()
}

/// The two over some of the pairs.
fn part(
    paired: &PairedComparison,
    value: Option<(usize, usize)>,
    name: Option<&(String, String)>,
    labels: bool,
    common: &[Common],
    scorers: &mut [Scorer],
) -> anyhow::Result<Part> {
    let mut metrics = Vec::new();
    for (at, (common, scorer)) in common.iter().zip(scorers).enumerate() {
        let mut wrong = None;
        let mut reduce = |pairs, sums: &[f64]| {
            scorer.reduce(pairs, sums).unwrap_or_else(|what| {
                wrong.get_or_insert(what);
                None
            })
        };
        let found = paired.estimate(value, at, CONFIDENCE, &mut reduce);
        if let Some(what) = wrong {
            bail!("metric \"{}\": {what}", common.name);
        }
        metrics.push(MetricPair {
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
    let AgreementCounts { both, reference, other, neither } = paired.agreements(value);
    let agreement = Agreement { both, only_reference: reference, only_other: other, neither };
    let (condition, value_name) = name.cloned().unzip();
    Ok(Part {
        condition,
        value: value_name,
        pairs: paired.pairs(value),
        agreement: labels.then_some(agreement),
        metrics,
    })
}

fn nothing(runs: &[Comparing]) -> String {
    match runs {
        [one, other] => format!(
            "{} and {} have no compared pair in common: pairs are joined by id and observed time, so both have to be of the same \
             feed",
            one.run.display(),
            other.run.display()
        ),
        _ => "no pair was compared whose horizon is over, so there is nothing to set side by side".to_owned(),
    }
}

fn model_of(run: &Comparing, model: usize) -> ModelOf {
    let member = &run.prepared.models[model];
    ModelOf {
        run: shown(&run.run),
        plugin: Plugin {
            name: member.name.clone(),
            title: member.plugin.title.clone(),
            digest: member.file.digest.clone(),
        },
    }
}

fn shown(run: &Path) -> String {
    run.display().to_string()
}

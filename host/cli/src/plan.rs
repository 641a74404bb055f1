//! `understudy plan`: what a declared study can tell, before it begins.
//!
//! Always holds: a volume is stated or measured, never assumed; nothing is run and nothing written.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};

use super::report::{Format, style};
use super::{Exit, found};
use understudy_engine::{Prepared, prepare};
use understudy_report as report;
use understudy_sandbox::ScorerPlugin;
use understudy_statistics::verdict::plan::{self, ShareOrigin, PairsPerWindow, ScoreKind, ValueShares, PlanVolume};
use understudy_study::{self as study, Condition, Counted, Study, Threshold};

/// The most comparisons of a window that can be stated.
const MOST: u64 = 1_000_000_000;

/// Say what a declared study can tell before it begins: how many comparisons there will be, how small a margin can be told
/// apart, and how likely GO is if the truth is known.
#[derive(clap::Args)]
pub(super) struct Plan {
    /// The study's declaration.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
    /// How many compared pairs a window will hold.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    per_window: Option<u64>,
    /// How many windows there will be, where the threshold counts all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    windows: Option<u64>,
    /// The share of a condition's value among the comparisons, such as day.weekend=0.3.
    #[arg(long, value_name = "CONDITION.VALUE=SHARE", value_parser = stated)]
    share: Vec<Stated>,
    /// A run of the like: its pairs by window, and the shares of its conditions' values.
    #[arg(long, value_name = "RUN")]
    measured: Option<PathBuf>,
    /// The standard deviation of one pair's score, in units of the metric; for metrics whose scores are not 0 or 1.
    #[arg(long, value_name = "S", value_parser = positive)]
    spread: Option<f64>,
    /// The share of the substrate's commonest answer, from 0 to 1.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    base_rate: Option<f64>,
    /// The form to print it in.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A share as it is stated: of which value of which condition.
#[derive(Clone)]
struct Stated {
    condition: String,
    value: String,
    share: f64,
}

fn stated(text: &str) -> Result<Stated, String> {
    let parts = text.rsplit_once('=').and_then(|(of, share)| Some((of.split_once('.')?, share)));
    let ((condition, value), number) =
        parts.ok_or("write the condition, a point, its value, =, and the share, such as day.weekend=0.3")?;
    Ok(Stated { condition: condition.to_owned(), value: value.to_owned(), share: share(number)? })
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1, such as 0.3".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    let spread = text.parse().ok().filter(|spread: &f64| *spread > 0.0 && spread.is_finite());
    spread.ok_or_else(|| "a standard deviation is a number above 0, such as 12.5".to_owned())
}

impl Plan {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let Prepared { study, metrics, references, .. } = prepare(&self.study, |_| ())?;
        let threshold = study.threshold.as_ref().ok_or_else(|| {
            anyhow!(
                "{} declares no [threshold], so there is nothing to plan for; declare what would permit the next stage",
                self.study.display()
            )
        })?;
        let measured = self.measured.as_deref().map(|run| read(run, &study)).transpose()?;
        let metric = &metrics[threshold.metric];
        let score = self.score(&metric.name, &metric.plugin)?;
        let volume = self.volume(&study, threshold, &references, measured.as_ref())?;
        let plan = plan::plan(&study, threshold, score, metric.plugin.range, &volume);
        match self.format {
            Format::Text => found(report::plan(&plan, style(std::io::stdout().is_terminal())).trim_end())?,
            Format::Json => found(serde_json::to_string_pretty(&plan)?)?,
        }
        Ok(Exit::Done)
    }

    /// Scores of a single component from 0 to 1 are taken as hits, unless their spread is stated.
    fn score(&self, name: &str, metric: &ScorerPlugin) -> anyhow::Result<ScoreKind> {
        let hits = metric.components.len() == 1 && metric.range == (Some(0.0), Some(1.0));
        if let Some(spread) = self.spread {
            ensure!(
                self.base_rate.is_none(),
                "--base-rate is for scores that are 0 or 1, and --spread for others; leave one of them out"
            );
            return Ok(ScoreKind::Spread(spread));
        }
        ensure!(
            hits,
            "the scores of `{name}` are not 0 or 1, so how much they vary has to be said; give --spread S, the standard \
             deviation of one pair's score"
        );
        Ok(ScoreKind::ZeroOrOne)
    }

    fn volume(
        &self,
        study: &Study,
        threshold: &Threshold,
        references: &[Vec<f64>],
        measured: Option<&report::Report>,
    ) -> anyhow::Result<PlanVolume> {
        if let (Some(windows), Counted::First(declared) | Counted::Latest(declared)) =
            (self.windows, threshold.windows)
        {
            bail!(
                "--windows {windows} is for a threshold that counts all, and this one declares {declared}; leave it out"
            );
        }
        let per_window = match (self.per_window, measured) {
            (Some(stated), _) => PairsPerWindow::Stated(stated),
            (None, Some(report)) => PairsPerWindow::Measured(pairs(report)),
            (None, None) => bail!(
                "how many comparisons a {} will hold is not known; say --per-window N, or --measured RUN with a run of the \
                 like",
                study.windows.every.name()
            ),
        };
        for Stated { condition, .. } in &self.share {
            let names: Vec<_> = study.conditions.iter().map(|condition| condition.name.as_str()).collect();
            ensure!(
                names.contains(&condition.as_str()),
                "--share names the condition `{condition}`, and the study has {}",
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            );
        }
        let shares = study.conditions.iter().enumerate().map(|(index, condition)| {
            let measured = || measured.and_then(|report| measured_shares(report, condition));
            let reference = || {
                let place = threshold.references.iter().position(|reference| reference.condition == index)?;
                let values = references.get(place)?.iter().copied().map(Some).collect();
                Some(ValueShares { origin: ShareOrigin::Reference, values })
            };
            Ok(self.stated_shares(condition)?.or_else(measured).or_else(reference))
        });
        Ok(PlanVolume {
            per_window,
            windows: self.windows,
            shares: shares.collect::<anyhow::Result<_>>()?,
            base_rate: self.base_rate,
        })
    }

    /// The shares that are stated of a condition. Those of its other values are 0 if these come to 1, and else unknown.
    fn stated_shares(&self, condition: &Condition) -> anyhow::Result<Option<ValueShares>> {
        let of_condition = || self.share.iter().filter(|stated| stated.condition == condition.name);
        if of_condition().next().is_none() {
            return Ok(None);
        }
        let names = condition.split.values();
        let mut values = vec![None; names.len()];
        for Stated { value, share, .. } in of_condition() {
            let place = names.iter().position(|name| name == value).ok_or_else(|| {
                anyhow!(
                    "--share names `{value}`, and the condition `{}` has {}",
                    condition.name,
                    names.join(", ")
                )
            })?;
            values[place] = Some(*share);
        }
        let sum: f64 = values.iter().flatten().sum();
        ensure!(
            sum <= 1.0 + 1e-6,
            "the shares stated of `{}` come to {sum:.3}; those of everything come to 1",
            condition.name
        );
        if sum >= 1.0 - 1e-6 {
            values.iter_mut().for_each(|share| *share = share.or(Some(0.0)));
        }
        Ok(Some(ValueShares { origin: ShareOrigin::Stated, values }))
    }
}

/// The report of a run that can be measured by.
fn read(run: &Path, study: &Study) -> anyhow::Result<report::Report> {
    let path = run.join(understudy_run_log::REPORT);
    let shown = path.display();
    let text = std::fs::read(&path)
        .with_context(|| format!("cannot read {shown}; name a run directory whose run has ended"))?;
    let report: report::Report = serde_json::from_slice(&text)
        .with_context(|| format!("{shown} is not a report of this version of understudy"))?;
    ensure!(
        pairs(&report).iter().sum::<u64>() > 0,
        "{shown} has no compared pair, so nothing can be measured by it; say --per-window N"
    );
    // A clock that is put forward or back makes a window an hour longer or shorter, so any window tells their kind.
    let hours = report.windows.first().map_or(0, |window| window.start.duration_until(window.end).as_hours());
    let every = match hours {
        ..=2 => study::Every::Hour,
        3..=26 => study::Every::Day,
        27..=200 => study::Every::Week,
        _ => study::Every::Month,
    };
    ensure!(
        every == study.windows.every,
        "the windows of {shown} are {}s and those of the study {}s, so it cannot be told what one will hold; say --per-window N",
        every.name(),
        study.windows.every.name()
    );
    Ok(report)
}

/// Compared pairs by window; the same for every model and metric.
fn pairs(report: &report::Report) -> Vec<u64> {
    let scores = report.models.first().and_then(|model| model.scores.first());
    scores.map_or_else(Vec::new, |scores| scores.windows.iter().map(|figure| figure.pairs).collect())
}

/// The shares of a run, if it has the same condition with the same values.
fn measured_shares(report: &report::Report, condition: &Condition) -> Option<ValueShares> {
    let names = condition.split.values();
    let index =
        report.conditions.iter().position(|known| known.name == condition.name && known.values == names)?;
    let scores = report.models.first()?.scores.first()?;
    let all = scores.overall.pairs as f64;
    let values = scores.conditions.get(index)?.iter().map(|figure| Some(figure.pairs as f64 / all)).collect();
    Some(ValueShares { origin: ShareOrigin::Measured, values })
}

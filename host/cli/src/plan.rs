//! `understudy plan`: the statistical power of a declared study.
//!
//! Invariants:
//! - The volume is stated or measured, never assumed.
//! - Nothing is run, and nothing is written.

use std::io::{ErrorKind, IsTerminal as _};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail, ensure};

use super::Exit;
use super::output::print_out;
use super::report::{Format, style};
use understudy_engine::{LoadedStudy, load_study};
use understudy_report as report;
use understudy_run_log::{REPORT, RunDirectory, read_file};
use understudy_sandbox::ScorerPlugin;
use understudy_statistics::scoring::WindowClock;
use understudy_statistics::verdict::plan::{
    self, PairsPerWindow, PlanVolume, ScoreKind, ShareOrigin, ValueShares,
};
use understudy_study::{
    self as study, AnswerForm, ChanceRequirement, Condition, Study, Threshold, WindowChoice,
};

/// Maximum value of `--per-window`.
const MAX_PER_WINDOW: u64 = 1_000_000_000;

/// Estimate the statistical power of a study before it starts.
///
/// Prints the number of comparisons, the smallest margin that the study can detect, and the probability of GO
/// for assumed true values.
#[derive(clap::Args)]
pub(super) struct Plan {
    /// Study declaration.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
    /// Number of compared pairs in a window.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_PER_WINDOW))]
    per_window: Option<u64>,
    /// Number of windows, if the threshold counts all windows.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    windows: Option<u64>,
    /// Share of a condition's value among the comparisons, from 0 to 1, such as day.weekend=0.3. Repeatable.
    #[arg(long, value_name = "CONDITION.VALUE=SHARE", value_parser = parse_stated_share)]
    share: Vec<StatedShare>,
    /// Comparable run, whose pairs per window and shares of condition values are used.
    #[arg(long, value_name = "RUN")]
    measured: Option<PathBuf>,
    /// Standard deviation of one pair's score in units of the metric, for metrics whose scores are not 0 or
    /// 1.
    #[arg(long, value_name = "S", value_parser = positive)]
    std_dev: Option<f64>,
    /// Share of the substrate's commonest label, above 0 and at most 1.
    #[arg(long, value_name = "SHARE", value_parser = parse_positive_share)]
    commonest_share: Option<f64>,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The stated share of a condition's value.
#[derive(Clone)]
struct StatedShare {
    condition: String,
    value: String,
    share: f64,
}

fn parse_stated_share(text: &str) -> Result<StatedShare, String> {
    let parts = text.rsplit_once('=').and_then(|(of, share)| Some((of.split_once('.')?, share)));
    let ((condition, value), number) =
        parts.ok_or("expected CONDITION.VALUE=SHARE, such as day.weekend=0.3")?;
    Ok(StatedShare { condition: condition.to_owned(), value: value.to_owned(), share: parse_share(number)? })
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 1, such as 0.3".to_owned())
}

fn parse_positive_share(text: &str) -> Result<f64, String> {
    let share = parse_share(text).ok().filter(|share| *share > 0.0);
    share.ok_or_else(|| "expected a number above 0 and at most 1, such as 0.97".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    let std_dev = text.parse().ok().filter(|std_dev: &f64| *std_dev > 0.0 && std_dev.is_finite());
    std_dev.ok_or_else(|| "expected a number above 0, such as 12.5".to_owned())
}

impl Plan {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let LoadedStudy { study, metrics, references, .. } = load_study(&self.study, |_| ())?;
        let threshold = study.threshold.as_ref().ok_or_else(|| {
            anyhow!("cannot plan {}: it declares no [threshold]; declare one", self.study.display())
        })?;
        let measured = self.measured.as_deref().map(|run| read_report(run, &study)).transpose()?;
        let metric = &metrics[threshold.metric];
        let score = self.score(&metric.name, &metric.plugin)?;
        let volume = self.volume(&study, threshold, &references, measured.as_ref())?;
        let plan = plan::plan_study(&study, threshold, score, metric.plugin.range, &volume);
        match self.format {
            Format::Text => {
                print_out(report::render_plan(&plan, style(std::io::stdout().is_terminal())).trim_end())?
            }
            Format::Json => print_out(serde_json::to_string_pretty(&plan)?)?,
        }
        Ok(Exit::Done)
    }

    /// The kind of the metric's scores. Scores of a single component with range 0 to 1 count as hits, unless
    /// `--std-dev` is given.
    fn score(&self, name: &str, metric: &ScorerPlugin) -> anyhow::Result<ScoreKind> {
        let hits = metric.components.len() == 1 && metric.range == (Some(0.0), Some(1.0));
        if let Some(std_dev) = self.std_dev {
            ensure!(
                self.commonest_share.is_none(),
                "--commonest-share applies to scores that are 0 or 1, --std-dev to others; omit one of them"
            );
            return Ok(ScoreKind::Normal(std_dev));
        }
        ensure!(
            hits,
            "cannot plan metric `{name}`: its scores are not 0 or 1; give --std-dev S, the standard deviation of one pair's \
             score"
        );
        Ok(ScoreKind::Binary)
    }

    /// Refuses `--commonest-share` where no figure of the plan depends on it.
    fn ensure_share_is_used(&self, threshold: &Threshold) -> anyhow::Result<()> {
        if self.commonest_share.is_none() {
            return Ok(());
        }
        ensure!(
            threshold.form == AnswerForm::Label,
            "--commonest-share is the share of the commonest label, but the answers of this study are {}s; omit it",
            threshold.form.name()
        );
        ensure!(
            !matches!(threshold.chance, Some(ChanceRequirement::Kappa(_))),
            "--commonest-share has no effect: the threshold requires Cohen's kappa, and no figure of the plan depends on it; omit \
             it"
        );
        Ok(())
    }

    fn volume(
        &self,
        study: &Study,
        threshold: &Threshold,
        references: &[Vec<f64>],
        measured: Option<&report::Report>,
    ) -> anyhow::Result<PlanVolume> {
        self.ensure_share_is_used(threshold)?;
        if let (Some(windows), WindowChoice::First(declared) | WindowChoice::Latest(declared)) =
            (self.windows, threshold.windows)
        {
            bail!(
                "--windows {windows} applies only to a threshold that counts all windows, but this one declares {declared}; omit it"
            );
        }
        let per_window = match (self.per_window, measured) {
            (Some(stated), _) => PairsPerWindow::Stated(stated),
            (None, Some(report)) => {
                let clock = WindowClock::new(study.windows, study.time_zone.clone());
                PairsPerWindow::Measured(plan::measured_windows(clock, &pairs(report)))
            }
            (None, None) => bail!(
                "unknown number of comparisons per {}; give --per-window N, or --measured RUN with a comparable run",
                study.windows.every.name()
            ),
        };
        for StatedShare { condition, .. } in &self.share {
            let names: Vec<_> = study.conditions.iter().map(|condition| condition.name.as_str()).collect();
            ensure!(
                names.contains(&condition.as_str()),
                "unknown condition `{condition}` in --share; the study has {}",
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
            commonest_share: self.commonest_share,
        })
    }

    /// The stated shares of a condition's values. Other values have share 0 if the stated ones add up to 1,
    /// and are otherwise unknown.
    fn stated_shares(&self, condition: &Condition) -> anyhow::Result<Option<ValueShares>> {
        let of_condition = || self.share.iter().filter(|stated| stated.condition == condition.name);
        if of_condition().next().is_none() {
            return Ok(None);
        }
        let names = condition.split.values();
        let mut values = vec![None; names.len()];
        for StatedShare { value, share, .. } in of_condition() {
            let place = names.iter().position(|name| name == value).ok_or_else(|| {
                anyhow!(
                    "unknown value `{value}` in --share; condition `{}` has {}",
                    condition.name,
                    names.join(", ")
                )
            })?;
            values[place] = Some(*share);
        }
        let sum: f64 = values.iter().flatten().sum();
        ensure!(
            sum <= 1.0 + 1e-6,
            "the shares of condition `{}` add up to {sum:.3}; they must not exceed 1",
            condition.name
        );
        if sum >= 1.0 - 1e-6 {
            values.iter_mut().for_each(|share| *share = share.or(Some(0.0)));
        }
        Ok(Some(ValueShares { origin: ShareOrigin::Stated, values }))
    }
}

/// The report of a comparable run.
fn read_report(run: &Path, study: &Study) -> anyhow::Result<report::Report> {
    let path = run.join(REPORT);
    let shown = path.display();
    RunDirectory::ensure_run(run)?;
    let text = read_file(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => anyhow!(
            "cannot measure the volume: {} holds a run that has not ended, so it has no {REPORT}; resume it with \
             `understudy run`, or give --per-window N",
            run.display()
        ),
        _ => anyhow!("cannot read {shown}: {error}; give --per-window N instead"),
    })?;
    let report: report::Report = serde_json::from_slice(&text).map_err(|error| {
        anyhow!(
            "cannot read {shown}: it is not a report of this version of understudy: {error}; name a run of this \
             version, or give --per-window N"
        )
    })?;
    ensure!(
        pairs(&report).iter().any(|(_, pairs)| *pairs > 0),
        "cannot measure the volume: {shown} has no compared pair; give --per-window N"
    );
    // Daylight saving time changes the length of a window by an hour, so that ranges identify the unit.
    let hours = report.windows.first().map_or(0, |window| window.start.duration_until(window.end).as_hours());
    let every = match hours {
        ..=2 => study::Every::Hour,
        3..=26 => study::Every::Day,
        27..=200 => study::Every::Week,
        _ => study::Every::Month,
    };
    ensure!(
        every == study.windows.every,
        "cannot measure the volume: {shown} has {} windows, the study {} windows; give --per-window N",
        every.name(),
        study.windows.every.name()
    );
    Ok(report)
}

/// Compared pairs of each window with pairs, by the start (µs) of the window; the same for every model and metric.
fn pairs(report: &report::Report) -> Vec<(i64, u64)> {
    let scores = report.models.first().and_then(|model| model.scores.first());
    let values = scores.map_or(&[][..], |scores| &scores.windows);
    let windows = report.windows.iter().map(|window| window.start.as_microsecond());
    windows.zip(values.iter().map(|value| value.pairs)).collect()
}

/// The shares of a condition's values in a run; `None` if the run lacks the condition or has other values.
fn measured_shares(report: &report::Report, condition: &Condition) -> Option<ValueShares> {
    let names = condition.split.values();
    let index =
        report.conditions.iter().position(|known| known.name == condition.name && known.values == names)?;
    let scores = report.models.first()?.scores.first()?;
    let all = scores.overall.pairs as f64;
    let values = scores.conditions.get(index)?.iter().map(|figure| Some(figure.pairs as f64 / all)).collect();
    Some(ValueShares { origin: ShareOrigin::Measured, values })
}

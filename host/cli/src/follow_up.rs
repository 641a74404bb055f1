//! `understudy follow-up`: the declaration of the study that a verdict asks for.

mod declaration;
mod deferred_scope;
mod planned_windows;
mod stored_parts;
mod toml_edits;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};

use super::Exit;
use super::output::{print_err, print_out};
use super::relative_path::relative_path;
use declaration::{FollowUpText, declaration};
use deferred_scope::DeferredScope;
use planned_windows::{PlannedWindows, ScopeVolume};
use stored_parts::stored_parts;
use understudy_audit::DecidedRun;
use understudy_report::Report;
use understudy_run_log::ledger::{LedgerState, SwapOutcome};
use understudy_run_log::{REPORT, read_file, read_text_file};
use understudy_study::{CanonicalStudy, Study, parse};

/// Write the declaration of the study that a verdict asks for.
///
/// The scope is one whose verdict is INCONCLUSIVE, or a value of a condition that no scope was declared for. Plugins, fields,
/// sources, comparator and metrics are those of the decided study, each plugin by its SHA-256. Windows follow from the
/// comparisons that the run measured in the scope. The bound stays open, and `understudy check` asks for it.
#[derive(clap::Args)]
pub(super) struct FollowUp {
    /// Run directory of the decided run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Scope of the new study: a declared scope, a value of a condition such as weekend or day.weekend, or all.
    #[arg(long, value_name = "SCOPE")]
    scope: String,
    /// File for the declaration, in the folder to which the paths of its sources are relative [default: standard output].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl FollowUp {
    pub fn execute(self) -> anyhow::Result<Exit> {
        if let Some(path) = self.output.as_deref().filter(|path| path.exists()) {
            bail!("{} exists already; name another file with --output", path.display());
        }
        let text = self.text()?;
        match &self.output {
            None => print_out(text.trim_end())?,
            Some(path) => {
                std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
                let shown = path.display();
                print_err(format_args!(
                    "written to {shown}; answer its question, then `understudy check {shown}`"
                ));
            }
        }
        Ok(Exit::Done)
    }

    fn text(&self) -> anyhow::Result<String> {
        let run = &self.run;
        let decided = DecidedRun::read(run)?;
        ensure!(
            decided.verdict.closed,
            "the verdict of {} is from before the end of the run; run `understudy decide` once the run is closed",
            run.display()
        );
        let (study, declared) = declared_study(run, &decided)?;
        let threshold = study.threshold.as_ref().context("the study of the verdict declares no threshold")?;
        let scope = DeferredScope::find(&study, &decided.verdict, &self.scope)?;
        let report = read_report(run)?;
        let volume = ScopeVolume::measure(&report, &study, threshold, &scope)?;
        let metric =
            report.metrics.get(threshold.metric).context("the report lacks the metric of the threshold")?;
        let windows = PlannedWindows::plan(&study, threshold, &scope, metric, &volume);
        let folder = match self.output.as_deref().and_then(Path::parent) {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let parts = stored_parts(run, &decided.seal, &study, &relative_path(run, folder)?)?;
        let recorded = LedgerState::from_entries(&decided.entries);
        if recorded.swaps.iter().any(|swap| matches!(swap.outcome, SwapOutcome::Applied { .. })) {
            print_err(
                "note: plugins were swapped during the run; the declaration has those that were sealed",
            );
        }
        let of = FollowUpText {
            study: &study,
            threshold,
            scope: &scope,
            windows: &windows,
            volume: &volume,
            parts: &parts,
            run: &run.display().to_string(),
            first_entry: &decided.first_entry(),
            seal: &decided.seal_sha256,
            verdict: &decided.verdict_sha256,
        };
        declaration(&declared, &of)
            .map_err(|error| anyhow!("cannot read {}: {error}", run.join("study.toml").display()))
    }
}

/// The declaration of a run, and its text.
///
/// # Errors
/// If the file is not what was sealed.
fn declared_study(run: &Path, decided: &DecidedRun) -> anyhow::Result<(Study, String)> {
    let path = run.join("study.toml");
    let shown = path.display();
    let text = read_text_file(&path).with_context(|| format!("cannot read {shown}"))?;
    ensure!(
        CanonicalStudy::from_toml(&text).is_ok_and(|canonical| canonical == decided.seal.declared),
        "{shown} is not the declaration that was sealed; run `understudy verify` for details"
    );
    let study = parse(&text).map_err(|invalid| anyhow!("{}", invalid.faults.display(&path)))?;
    Ok((study, text))
}

fn read_report(run: &Path) -> anyhow::Result<Report> {
    let path = run.join(REPORT);
    let shown = path.display();
    let bytes = read_file(&path).with_context(|| format!("cannot read {shown}"))?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("cannot read {shown}: it is not a report of this version of understudy"))
}

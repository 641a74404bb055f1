//! `understudy check`: the errors of a study, as many at once as do not hide each other.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::Exit;
use super::feed_check::examine;
use super::output::{print_err, print_out};
use understudy_engine::{LoadedStudy, load_and_verify, load_study, study_register};
use understudy_report::counted;
use understudy_run_log::read_text_file;
use understudy_run_log::register::{RegisterError, RegisterEvent, ensure_appendable, read_register};
use understudy_statistics::verdict::{
    ceiling_requirement, chance_requirement, chooses_end, has_nested_bounds, verdict_notes,
};
use understudy_study::{Fault, Study, parse};

/// Report the errors and warnings of a study, with their lines.
///
/// Loads the declaration, its plugins and the beginning of its sources, and runs nothing. An error can hide others: if something was
/// not checked because of an error, the last line says what. Warns of keys
/// that no record at the beginning of a file has, of records there that cannot be decoded, and of a study that
/// has changed since it was sealed. Errors are a file whose first 1,000 records cannot be decoded, and a
/// register of seals that cannot be used.
#[derive(clap::Args)]
pub(super) struct Check {
    /// Study declaration.
    #[arg(value_name = "STUDY.TOML")]
    study: PathBuf,
}

impl Check {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let loaded_study = checked_study(&self.study)?;
        let register = register_line(&loaded_study)?;
        let study = &loaded_study.study;
        for Fault { line, message } in &study.warnings {
            print_err(format_args!("{}:{line}: warning: {message}", self.study.display()));
        }
        let findings = examine(study, &loaded_study.folder);
        for warning in findings.warnings {
            print_err(format_args!("warning: {warning}"));
        }
        anyhow::ensure!(findings.errors.is_empty(), "{}", findings.errors.join("\n"));
        if let Err(error) = load_and_verify(&loaded_study) {
            print_err(format_args!("warning: {error}"));
        }
        print_out(format_args!("{} is valid: study \"{}\"", self.study.display(), study.name))?;
        for model in &loaded_study.models {
            print_out(format_args!("  model       {:<24} {}", model.name, model.plugin.title))?;
        }
        print_out(format_args!(
            "  comparator  {:<24} {}",
            loaded_study.comparator.name, loaded_study.comparator.plugin.title
        ))?;
        for (index, metric) in loaded_study.metrics.iter().enumerate() {
            let primary = if index == study.primary { ", primary" } else { "" };
            print_out(format_args!("  metric      {:<24} {}{primary}", metric.name, metric.plugin.title))?;
        }
        if let Some(threshold) = &study.threshold {
            if let Some(required) = chance_requirement(threshold) {
                print_out(format_args!("  chance      {required}"))?;
            }
            if let Some(required) = ceiling_requirement(threshold) {
                print_out(format_args!("  ceiling     {required}"))?;
            }
            let is_nested = has_nested_bounds(threshold, chooses_end(study, threshold));
            for note in verdict_notes(study, threshold, is_nested) {
                print_out(format_args!("  note        {note}"))?;
            }
        }
        if let Some(register) = register {
            print_out(format_args!("  register    {register}"))?;
        }
        Ok(Exit::Done)
    }
}

/// The line about the register of seals: its path and how many seals of the study it has. `None` if the study names no
/// register.
///
/// # Errors
/// If the register cannot be used. Then the study can neither be sealed nor run.
fn register_line(loaded_study: &LoadedStudy) -> Result<Option<String>, RegisterError> {
    let Some(path) = study_register(loaded_study) else { return Ok(None) };
    let shown = path.display();
    let line = match read_register(&path)? {
        Some(register) => {
            let seals = register.entries().iter().filter(|entry| match &entry.event.event {
                RegisterEvent::StudySealed(sealed) => sealed.study == loaded_study.study.name,
                RegisterEvent::RegisterOpened { .. } | RegisterEvent::RunStarted { .. } => false,
            });
            format!("{shown} has {} of this study", counted(seals.count() as u64, "seal", "seals"))
        }
        None => format!("{shown} does not exist yet; the first seal creates it"),
    };
    ensure_appendable(&path)?;
    Ok(Some(line))
}

/// What is not checked if the declaration itself has errors.
const HIDDEN_BY_DECLARATION: &str = "not checked yet, because of the errors above: the sources and their records, the fields that plugins read, and \
                                     the answers that metrics score; correct the errors, and check again";

/// A valid study whose sources can be read.
///
/// # Errors
/// The errors of the study, one per line, and what they hide.
pub(super) fn checked_study(path: &Path) -> anyhow::Result<LoadedStudy> {
    match load_study(path, |_| ()) {
        Ok(loaded_study) => {
            let errors = source_errors(path, &loaded_study.study);
            anyhow::ensure!(errors.is_empty(), "{}", errors.join("\n"));
            Ok(loaded_study)
        }
        Err(error) => {
            let mut errors = vec![error.to_string()];
            // If only plugins are at fault, the sources are known.
            match read_text_file(path).ok().map(|text| parse(&text)) {
                Some(Ok(study)) => {
                    errors.extend(source_errors(path, &study));
                    errors.extend(examine(&study, &folder_of(path)).errors);
                }
                Some(Err(_)) => errors.push(HIDDEN_BY_DECLARATION.to_owned()),
                None => {}
            }
            Err(anyhow!(errors.join("\n")))
        }
    }
}

/// Why sources of the study at `path` cannot be read, each with its line.
fn source_errors(path: &Path, study: &Study) -> Vec<String> {
    let errors = understudy_sources::check(study, &folder_of(path));
    let line = |kind| study.source_lines[kind];
    errors.iter().map(|(kind, error)| format!("{}:{}: {error}", path.display(), line(*kind))).collect()
}

/// The folder that relative paths of a declaration start from.
fn folder_of(study: &Path) -> PathBuf {
    study.parent().map(Path::to_owned).unwrap_or_default()
}

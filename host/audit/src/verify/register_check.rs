//! Checks that the seal and the start of a run are in the register of seals that the study names.
//!
//! Invariants:
//! - The register is trusted only as far as the seal vouches for it: by its first entry, by the entry before the
//!   seal's, and by the key of the seal's entry.
//! - Nothing is written.

use std::path::{Component, Path, PathBuf};

use crate::verify::issue::VerifyReport;
use understudy_engine::{SEAL, Seal, check_registered};
use understudy_report::counted;
use understudy_run_log::ledger::{LEDGER, RunStart};
use understudy_run_log::read_text_file;
use understudy_run_log::register::{RegisterContent, RegisterError, read_register, register_file};
use understudy_run_log::signed_head::Verifier;
use understudy_study::parse;

/// The name of this check in a report, and the location of its issues.
pub(crate) const REGISTER: &str = "register";

/// The path of the register's file: `moved_to`, or else the path at the start of the run. `None` if neither is known.
pub(crate) fn register_of_run(run: &Path, start: &RunStart, moved_to: Option<&Path>) -> Option<PathBuf> {
    let recorded = || Some(without_detours(run.join(&start.register.as_ref()?.path)));
    moved_to.map(register_file).or_else(recorded)
}

/// The path without the detours of `..`, as a reader writes it: `register.jsonl` for `run/../register.jsonl`. A path through
/// a symbolic link, where the two differ, stays as it is.
fn without_detours(path: PathBuf) -> PathBuf {
    let mut short = PathBuf::new();
    for part in path.components() {
        match (part, short.components().next_back()) {
            (Component::ParentDir, Some(Component::Normal(_))) => {
                short.pop();
            }
            _ => short.push(part),
        }
    }
    let is_same =
        path.canonicalize().ok().zip(short.canonicalize().ok()).is_some_and(|(one, other)| one == other);
    if is_same { short } else { path }
}

/// Checks that seal and run are in the register. Returns its entries; `None` if the study names no register, if the
/// register has a fault, or if it does not exist. In the last case the check is skipped. If there are `keys`, one of
/// them must have signed the seal's entry if that is signed.
pub(crate) fn check(
    run: &Path,
    start: &RunStart,
    seal: &Seal,
    keys: &[Verifier],
    moved_to: Option<&Path>,
    report: &mut VerifyReport,
) -> Option<RegisterContent> {
    if !seal.names_register() {
        return None;
    }
    let (Some(registration), Some(path)) = (&start.register, register_of_run(run, start, moved_to)) else {
        report.issue(
            LEDGER,
            "the study names a register, and the first entry of the ledger has no registration",
        );
        return None;
    };
    let content = match read_register(&path) {
        Ok(Some(content)) => content,
        Ok(None) => {
            let what = format!(
                "{} does not exist; name its new path with --register if it or the run was moved, or restore it from a copy",
                path.display()
            );
            report.skipped.push((REGISTER, what));
            return None;
        }
        // A directory or a device is no evidence about the register of the run.
        Err(error @ RegisterError::NotAFile { .. }) => {
            report.skipped.push((REGISTER, error.to_string()));
            return None;
        }
        Err(error) => {
            report.issue(REGISTER, error);
            return None;
        }
    };
    let before = report.issues.len();
    report.check(REGISTER, |report| {
        let shown = path.display();
        let text = read_text_file(&run.join("study.toml")).map_err(|error| error.to_string());
        let study = text.and_then(|text| parse(&text).map_err(|invalid| invalid.faults.to_string()));
        let found = study
            .and_then(|study| check_registered(&content, seal, &study))
            .and_then(|()| content.check_run(&start.seal, &registration.run));
        if let Err(what) = found {
            report.issue(REGISTER, format_args!("{shown}: {what}"));
            return String::new();
        }
        let (entry, key) = match &seal.register {
            Some(position) => (position.entry, position.key.as_deref()),
            None => (0, None),
        };
        let signed = match key {
            Some(key) if !keys.is_empty() && !keys.iter().any(|given| given.to_string() == key) => {
                let what = "the seal's entry is signed with";
                report.issue(
                    REGISTER,
                    format_args!("{shown}: {what} {key}, which is not among the given keys"),
                );
                return String::new();
            }
            Some(key) => format!("signed with {key}"),
            None => format!("not signed; the digest in {SEAL} vouches for what is before it"),
        };
        let entries = counted(content.entries().len() as u64, "entry", "entries");
        format!(
            "the seal is entry {entry}, counted from 0, of the {entries} in {shown}, each chained to the one before; {signed}"
        )
    });
    (report.issues.len() == before).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_no_detour_unless_a_link_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        let [run, other] = ["run", "other"].map(|name| folder.path().join(name));
        std::fs::create_dir_all(other.join("deep")).unwrap();
        std::fs::create_dir(&run).unwrap();
        std::fs::write(folder.path().join("register.jsonl"), "").unwrap();
        let register = folder.path().join("register.jsonl");
        assert_eq!(without_detours(run.join("../register.jsonl")), register);
        assert_eq!(without_detours(other.join("deep/../../register.jsonl")), register);
        let absent = run.join("../absent.jsonl");
        assert_eq!(without_detours(absent.clone()), absent);
        std::os::unix::fs::symlink(other.join("deep"), folder.path().join("link")).unwrap();
        std::fs::write(other.join("register.jsonl"), "").unwrap();
        let through_link = folder.path().join("link/../register.jsonl");
        assert_eq!(without_detours(through_link.clone()), through_link);
    }
}

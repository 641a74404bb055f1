//! The scope that a verdict leaves open.
//!
//! Invariants: pure; a scope that was decided is refused.

use anyhow::{anyhow, bail};

use crate::init::declared_name;
use understudy_statistics::verdict::{ModelVerdict, ScopeVerdict, Verdict, VerdictKind};
use understudy_study::{ALL_SNAPSHOTS, Study};

/// The most values of conditions that an error names.
const LISTED_VALUES: usize = 20;

/// Which figures of the report are those of the scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScopeFigures {
    /// Those over all of the input.
    All,
    /// Those of the declared scope with this index.
    Declared(usize),
    /// Those of a value, by the indices of condition and value.
    Value { condition: usize, value: usize },
}

/// A scope whose verdict is missing or INCONCLUSIVE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeferredScope {
    /// Its name in the new study.
    pub name: String,
    /// The conditions that it restricts, each with its values, by name; empty for all of the input.
    pub terms: Vec<(String, Vec<String>)>,
    /// Where its figures are.
    pub figures: ScopeFigures,
    /// Why it is open, as the end of a sentence.
    pub reason: String,
}

impl DeferredScope {
    /// Finds what a user calls a scope: `all`, a declared scope, `CONDITION.VALUE`, or a value that only one condition has.
    ///
    /// # Errors
    /// If there is no such scope, or the verdict decides it.
    pub(super) fn find(study: &Study, verdict: &Verdict, wanted: &str) -> anyhow::Result<DeferredScope> {
        let figures = find_figures(study, wanted)?;
        let (name, terms) = match figures {
            ScopeFigures::All => (ALL_SNAPSHOTS.to_owned(), Vec::new()),
            ScopeFigures::Declared(index) => {
                let scope = &study.scopes[index];
                let term = |(condition, values): &(usize, Vec<usize>)| {
                    let declared = &study.conditions[*condition];
                    let names = declared.split.values();
                    (declared.name.clone(), values.iter().map(|value| names[*value].clone()).collect())
                };
                (scope.name.clone(), scope.values.iter().map(term).collect())
            }
            ScopeFigures::Value { condition, value } => {
                let declared = &study.conditions[condition];
                let value = declared.split.values()[value].clone();
                (declared_name(wanted), vec![(declared.name.clone(), vec![value])])
            }
        };
        let ruled = match figures {
            ScopeFigures::Value { .. } => None,
            ScopeFigures::All | ScopeFigures::Declared(_) => Some(name.as_str()),
        };
        let reason = open_reason(verdict, wanted, ruled)?;
        Ok(DeferredScope { name, terms, figures, reason })
    }
}

/// Why the verdict leaves a scope open. `ruled` is its name in the verdict; `None` if no verdict was asked for.
///
/// # Errors
/// If it does not.
fn open_reason(verdict: &Verdict, wanted: &str, ruled: Option<&str>) -> anyhow::Result<String> {
    // A study that is VOID as a whole has no evidence on any part of its input.
    let scope = ruled.unwrap_or(ALL_SNAPSHOTS);
    if let Some((_, void)) =
        rulings(verdict, scope).into_iter().find(|(_, found)| found.verdict == VerdictKind::Void)
    {
        bail!(
            "the verdict on {scope} is VOID, so nothing of it is deferred: {}; remove the cause and run the study again",
            void.main_reason()
        );
    }
    if ruled.is_none() {
        return Ok("it had no verdict, because the study declared no scope for it".to_owned());
    }
    if let Some((model, open)) =
        rulings(verdict, scope).into_iter().find(|(_, found)| found.verdict == VerdictKind::Inconclusive)
    {
        return Ok(format!("the verdict on {} was INCONCLUSIVE: {}", model.model, open.main_reason()));
    }
    let decided: Vec<String> = rulings(verdict, scope)
        .into_iter()
        .map(|(model, found)| format!("{} {}", model.model, found.verdict.name()))
        .collect();
    Err(anyhow!(
        "nothing is deferred in {wanted}: its verdict is {}; name a scope that is INCONCLUSIVE, or a value of a condition \
         without a scope",
        decided.join(", ")
    ))
}

/// The rulings on a scope, with their models.
fn rulings<'v>(verdict: &'v Verdict, scope: &str) -> Vec<(&'v ModelVerdict, &'v ScopeVerdict)> {
    let ruling =
        |model: &'v ModelVerdict| Some((model, model.scopes.iter().find(|found| found.scope == scope)?));
    verdict.models.iter().filter_map(ruling).collect()
}

fn find_figures(study: &Study, wanted: &str) -> anyhow::Result<ScopeFigures> {
    if wanted == ALL_SNAPSHOTS {
        return Ok(ScopeFigures::All);
    }
    if let Some(index) = study.scopes.iter().position(|scope| scope.name == wanted) {
        return Ok(ScopeFigures::Declared(index));
    }
    let mut values = Vec::new();
    for (condition, declared) in study.conditions.iter().enumerate() {
        for (value, name) in declared.split.values().into_iter().enumerate() {
            values.push((condition, value, format!("{}.{name}", declared.name), name));
        }
    }
    let found: Vec<_> = match values.iter().find(|(_, _, path, _)| path == wanted) {
        Some(exact) => vec![exact],
        None => values.iter().filter(|(.., name)| name == wanted).collect(),
    };
    match found[..] {
        [(condition, value, ..)] => {
            let (condition, value) = (*condition, *value);
            let is_same = |values: &Vec<(usize, Vec<usize>)>| *values == [(condition, vec![value])];
            Ok(match study.scopes.iter().position(|scope| is_same(&scope.values)) {
                Some(index) => ScopeFigures::Declared(index),
                None => ScopeFigures::Value { condition, value },
            })
        }
        [] => {
            let scopes = study.scopes.iter().map(|scope| scope.name.as_str());
            let names: Vec<&str> = [ALL_SNAPSHOTS].into_iter().chain(scopes).collect();
            let listed: Vec<&str> =
                values.iter().map(|(_, _, path, _)| path.as_str()).take(LISTED_VALUES).collect();
            let more = if values.len() > LISTED_VALUES { ", and more" } else { "" };
            let values = match listed.is_empty() {
                true => "it has no conditions".to_owned(),
                false => format!("the values of its conditions are {}{more}", listed.join(", ")),
            };
            bail!("unknown scope \"{wanted}\"; the study has the scopes {}, and {values}", names.join(", "))
        }
        _ => {
            let paths: Vec<&str> = found.iter().map(|(_, _, path, _)| path.as_str()).collect();
            bail!("several conditions have the value \"{wanted}\"; write one of {}", paths.join(", "))
        }
    }
}

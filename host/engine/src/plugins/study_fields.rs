//! Resolves the fields, conditions and scopes of a study that plugins and the threshold refer to.

use understudy_statistics::scoring::Conditions;
use understudy_study::{DECISION_PREFIX, Field, Scope, Study};

/// The declared field behind the name that a plugin uses.
pub fn declared_field<'s>(study: &'s Study, name: &str) -> Option<&'s Field> {
    match name.strip_prefix(DECISION_PREFIX) {
        Some(key) => study.decisions.fields.iter().find(|field| field.name == key),
        None => study.inputs.fields.iter().find(|field| field.name == name),
    }
}

/// The classifier of a study's conditions.
pub fn conditions(study: &Study) -> Conditions {
    Conditions::new(&study.conditions, study.time_zone.clone())
        .expect("the declaration allows no more values than can be told apart")
}

/// The index, among the declared snapshot fields, of the field that clusters pairs; `None` if each id is its
/// own cluster.
pub fn cluster_field(study: &Study) -> Option<usize> {
    let name = study.threshold.as_ref()?.cluster.as_ref()?;
    study.inputs.fields.iter().position(|field| field.name == *name)
}

/// Collects the scopes that a snapshot matches into `found`: 0 for all records, and the declared scopes from
/// 1.
pub fn matching_scopes(scopes: &[Scope], value: impl Fn(usize) -> u16, found: &mut Vec<u16>) {
    found.clear();
    found.push(0);
    let holds = |scope: &Scope| scope.holds(|condition| usize::from(value(condition)));
    found.extend(scopes.iter().zip(1..).filter(|(scope, _)| holds(scope)).map(|(_, index)| index));
}

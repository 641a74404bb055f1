//! The verdicts of a study in a few words, as the head of every rendering shows them.
//!
//! Invariants: the verdicts on all of the input come first, the worst at the head. Every scope is named whose verdict
//! differs from that on all of the input. Every model has its own reason.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::format::counted;
use understudy_statistics::verdict::{ScopeVerdict, Verdict, VerdictKind};
use understudy_study::ALL_SNAPSHOTS;

/// The verdicts of one kind on the same part of the input.
pub struct VerdictGroup<'v> {
    /// Their kind.
    pub kind: VerdictKind,
    /// What they are on, such as `for scope weekend`; empty for one model on all of the input.
    pub subject: String,
    /// Each verdict with its own name, such as `forest`; the name is empty if the verdict is the only one.
    pub members: Vec<(String, &'v ScopeVerdict)>,
}

impl VerdictGroup<'_> {
    /// The kind and what it is on, such as `GO for scope weekend`.
    pub fn title(&self) -> String {
        match self.subject.as_str() {
            "" => self.kind.name().to_owned(),
            subject => format!("{} {subject}", self.kind.name()),
        }
    }

    /// The main reason, if all verdicts of the group have the same.
    pub fn common_reason(&self) -> Option<&str> {
        let mut reasons = self.members.iter().map(|(_, ruling)| ruling.main_reason());
        let first = reasons.next()?;
        reasons.all(|reason| reason == first).then_some(first)
    }
}

/// The verdicts on a scope, or on all of the input and on the scopes that differ from it; of one model or of all.
pub fn verdict_groups<'v>(
    verdict: &'v Verdict,
    model: Option<&str>,
    scope: Option<&str>,
) -> Vec<VerdictGroup<'v>> {
    let models: Vec<_> =
        verdict.models.iter().filter(|found| model.is_none_or(|name| found.model == name)).collect();
    let is_named = verdict.models.len() > 1;
    let ruling = |model: usize, scope: &str| models[model].scopes.iter().find(|ruling| ruling.scope == scope);
    let main = scope.unwrap_or(ALL_SNAPSHOTS);

    let mut whole = BTreeMap::<Reverse<VerdictKind>, Vec<usize>>::new();
    for (at, found) in (0..models.len()).filter_map(|at| Some((at, ruling(at, main)?))) {
        whole.entry(Reverse(found.verdict)).or_default().push(at);
    }
    // By kind and models, so that scopes with the same verdicts share a group.
    let mut parts = BTreeMap::<(Reverse<VerdictKind>, Vec<usize>), Vec<&str>>::new();
    let scopes = models.first().map(|model| model.scopes.iter()).into_iter().flatten();
    for part in scopes.filter(|part| scope.is_none() && part.scope != ALL_SNAPSHOTS) {
        let mut kinds = BTreeMap::<Reverse<VerdictKind>, Vec<usize>>::new();
        for at in 0..models.len() {
            let (Some(of_all), Some(found)) = (ruling(at, main), ruling(at, &part.scope)) else { continue };
            if found.verdict != of_all.verdict {
                kinds.entry(Reverse(found.verdict)).or_default().push(at);
            }
        }
        for key in kinds {
            parts.entry(key).or_default().push(&part.scope);
        }
    }
    let whole = whole.into_iter().map(|(kind, of)| ((kind, of), vec![main]));
    let groups = whole.chain(parts).map(|((Reverse(kind), of), scopes)| {
        let names: Vec<&str> = of.iter().map(|at| models[*at].model.as_str()).collect();
        let who = match names.len() {
            _ if !is_named => String::new(),
            all if all == models.len() && all > 1 => {
                format!("all {}", counted(all as u64, "model", "models"))
            }
            _ => names.join(", "),
        };
        let is_single = of.len() == 1 && scopes.len() == 1;
        let members = of.iter().flat_map(|at| scopes.iter().map(move |scope| (*at, *scope)));
        let members = members.filter_map(|(at, scope)| {
            let name = member_name(is_named.then_some(models[at].model.as_str()), scope);
            Some((if is_single { String::new() } else { name }, ruling(at, scope)?))
        });
        VerdictGroup { kind, subject: subject(&who, &scopes), members: members.collect() }
    });
    groups.collect()
}

/// The models and scopes of a group in words.
fn subject(who: &str, scopes: &[&str]) -> String {
    let noun = if scopes.len() == 1 { "scope" } else { "scopes" };
    match (who, scopes) {
        ("", [ALL_SNAPSHOTS]) => String::new(),
        (_, [ALL_SNAPSHOTS]) => format!("for {who}"),
        ("", _) => format!("for {noun} {}", scopes.join(", ")),
        _ => format!("for {who} in {noun} {}", scopes.join(", ")),
    }
}

/// The name of one of several verdicts; `model` is absent if the study has only one.
fn member_name(model: Option<&str>, scope: &str) -> String {
    match (model, scope) {
        (Some(model), ALL_SNAPSHOTS) => model.to_owned(),
        (Some(model), _) => format!("{model}, scope {scope}"),
        (None, _) => format!("scope {scope}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::verdict::tests::verdict_of;
    use VerdictKind::{Go, Inconclusive, NoGo, Void};

    fn shown(verdict: &Verdict, model: Option<&str>, scope: Option<&str>) -> String {
        let line = |group: &VerdictGroup<'_>| {
            let members: Vec<&str> = group.members.iter().map(|(name, _)| name.as_str()).collect();
            format!("{} [{}]", group.title(), members.join("; "))
        };
        verdict_groups(verdict, model, scope).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_scope_with_another_verdict_is_named_whatever_is_worse() {
        let one = |scopes: &[(&str, VerdictKind)]| shown(&verdict_of(&[("forest", scopes)]), None, None);
        insta::assert_snapshot!(one(&[("all", Go), ("nl", Inconclusive), ("de", Go)]), @"
        GO []
        INCONCLUSIVE for scope nl []
        ");
        insta::assert_snapshot!(one(&[("all", NoGo), ("weekend", Go)]), @"
        NO-GO []
        GO for scope weekend []
        ");
        insta::assert_snapshot!(one(&[("all", Go), ("nl", NoGo), ("de", NoGo), ("fr", Void)]), @"
        GO []
        VOID for scope fr []
        NO-GO for scopes nl, de [scope nl; scope de]
        ");
        insta::assert_snapshot!(one(&[("all", NoGo), ("nl", NoGo)]), @"NO-GO []");
    }

    #[test]
    fn every_model_is_named_with_its_own_verdict() {
        let verdict = verdict_of(&[
            ("forest", &[("all", NoGo), ("weekend", NoGo)]),
            ("xgboost", &[("all", NoGo), ("weekend", NoGo)]),
            ("booked-room", &[("all", NoGo), ("weekend", Go)]),
        ]);
        insta::assert_snapshot!(shown(&verdict, None, None), @"
        NO-GO for all 3 models [forest; xgboost; booked-room]
        GO for booked-room in scope weekend []
        ");
        insta::assert_snapshot!(shown(&verdict, Some("booked-room"), None), @"
        NO-GO for booked-room []
        GO for booked-room in scope weekend []
        ");
        insta::assert_snapshot!(shown(&verdict, None, Some("weekend")), @"
        NO-GO for forest, xgboost in scope weekend [forest, scope weekend; xgboost, scope weekend]
        GO for booked-room in scope weekend []
        ");
        let mixed = verdict_of(&[("forest", &[("all", Go)]), ("xgboost", &[("all", NoGo)])]);
        insta::assert_snapshot!(shown(&mixed, None, None), @"
        NO-GO for xgboost []
        GO for forest []
        ");
    }
}

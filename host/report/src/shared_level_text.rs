//! Says how a verdict shares the level of its bounds with others, the same for every rendering.

use crate::format::count;
use understudy_statistics::verdict::{ScopeVerdict, Verdict, format_confidence};

/// The confidence of each bound of a verdict, and why it may differ from that of another verdict.
pub fn level_sentence(verdict: &Verdict, ruling: &ScopeVerdict) -> String {
    let confidence = format_confidence(ruling.confidence);
    let all = || verdict.models.iter().flat_map(|model| &model.scopes);
    let (verdicts, sharing) = (all().count() as u64, ruling.level_shared_by);
    if all().all(|ruling| ruling.level_shared_by <= 1) {
        return format!("Each bound has confidence {confidence}.");
    }
    let declared = format_confidence(1.0 - verdict.confidence);
    if sharing == verdicts {
        return format!(
            "Each bound has confidence {confidence}, because {} verdicts share the level {declared}.",
            count(verdicts)
        );
    }
    let passed = verdicts.saturating_sub(sharing);
    let rest = match sharing {
        1 => "this verdict has the whole level".to_owned(),
        _ => format!("the other {} share the level", count(sharing)),
    };
    format!(
        "Each bound has confidence {confidence}: {} of {} verdicts passed before, so {rest} {declared} (Holm's method).",
        count(passed),
        count(verdicts)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::verdict::tests::verdict_of;
    use understudy_statistics::verdict::VerdictKind::{Go, Inconclusive};

    #[test]
    fn the_level_of_every_step_is_explained() {
        let mut verdict = verdict_of(&[("forest", &[("all", Inconclusive), ("nl", Go), ("de", Go)])]);
        let mut text = |shares: [(u64, f64); 3]| {
            let scopes = &mut verdict.models[0].scopes;
            for (ruling, (shared_by, confidence)) in scopes.iter_mut().zip(shares) {
                (ruling.level_shared_by, ruling.confidence) = (shared_by, confidence);
            }
            verdict.models[0]
                .scopes
                .iter()
                .map(|ruling| level_sentence(&verdict, ruling))
                .collect::<Vec<_>>()
                .join("\n")
        };
        insta::assert_snapshot!(text([(1, 0.95); 3]), @"
        Each bound has confidence 0.95.
        Each bound has confidence 0.95.
        Each bound has confidence 0.95.
        ");
        insta::assert_snapshot!(text([(1, 0.95), (3, 0.983333), (2, 0.975)]), @"
        Each bound has confidence 0.95: 2 of 3 verdicts passed before, so this verdict has the whole level 0.05 (Holm's method).
        Each bound has confidence 0.983333, because 3 verdicts share the level 0.05.
        Each bound has confidence 0.975: 1 of 3 verdicts passed before, so the other 2 share the level 0.05 (Holm's method).
        ");
    }
}

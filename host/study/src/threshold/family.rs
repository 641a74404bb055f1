//! Reads how several verdicts of one study share the confidence of their bounds.
//!
//! Invariant: a study whose bounds decide several verdicts declares it. There is no default, because it determines how
//! likely a false GO is.

use serde::Serialize;

use super::Evidence;
use crate::table_reader::TableReader;
use crate::validate;

/// The numbers that give the number of verdicts: each model has one on all of the input, and one on each scope.
#[derive(Clone, Copy)]
pub(crate) struct VerdictCount {
    pub(crate) models: usize,
    pub(crate) scopes: usize,
}

/// How the error rates of several verdicts are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Each verdict has the declared confidence on its own, so a false GO among several is likelier than one alone.
    Each,
    /// The confidence is that of no false GO among all models and scopes, by Holm's step-down method.
    Holm,
}

/// Reads `family`, which is required if bounds decide more than one verdict. `None` if it could not be read,
/// `Some(None)` if it is neither declared nor required.
pub(super) fn family(
    section: &mut TableReader<'_>,
    evidence: Option<Evidence>,
    count: VerdictCount,
) -> Option<Option<Family>> {
    let words = [("each", Family::Each), ("holm", Family::Holm)];
    let read = section.optional("family", &validate::one_of(&words), |value| value.choice(&words));
    if section.has("family") {
        if evidence == Some(Evidence::Point) {
            section.refuse(
                "family",
                "evidence = \"point\" has no confidence that verdicts could share; remove it, or write evidence = \"bound\"",
            );
        }
        return read.map(Some);
    }
    let verdicts = count.models * (1 + count.scopes);
    let Some(Evidence::Bound(confidence)) = evidence.filter(|_| verdicts > 1) else { return Some(None) };
    let several =
        |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let scopes = match count.scopes {
        0 => String::new(),
        scopes => format!(" and on {}", several(scopes, "scope")),
    };
    let several_go = match ((verdicts as f64 * (1.0 - confidence)) * 1e6).round() / 1e6 {
        level if level < 1.0 => format!("One or more false GOs then have a probability of up to {level}"),
        _ => "With this many verdicts, the probability of a false GO may be as high as 1".to_owned(),
    };
    let message = format!(
        "`{}` is not declared, and bounds at confidence {confidence} decide {verdicts} verdicts ({}, each on all of the \
         input{scopes}); write family = \"holm\" if this is the confidence of no false GO at all. Write family = \"each\" if each \
         verdict has this confidence on its own. {several_go}",
        section.at("family"),
        several(count.models, "model"),
    );
    section.absent(&["family"], section.line(), &message);
    None
}

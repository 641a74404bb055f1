//! Sentences about the substrate's own noise, the same for every rendering.

use crate::format::{UNDEFINED, count, counted, interval_text, six_decimals};
use crate::model::ceiling::{CeilingReport, InputClassFieldInfo, InputClassValue, RaterReport, ScopeCeiling};
use understudy_statistics::scoring::MIN_REPEATED_INPUT_CLASSES;
use understudy_statistics::verdict::CeilingShare;

/// What the report says about the ceiling, sentence by sentence.
pub fn ceiling_sentences(ceiling: &CeilingReport) -> Vec<String> {
    let mut sentences = vec![format!(
        "Snapshots are one input class if they are equal in {}.",
        list(&ceiling.fields.iter().map(field_text).collect::<Vec<_>>())
    )];
    if let Some(all) = ceiling.scopes.first() {
        sentences.extend(scope_sentences(all));
    }
    sentences.push(format!(
        "The confidence of each bound is {}. The ceiling is the square root of the substrate's agreement with itself. A model \
         that sees more than these fields can exceed it.",
        ceiling.confidence
    ));
    if let Some(raters) = &ceiling.raters {
        sentences.extend(rater_sentences(raters));
    }
    sentences
}

fn scope_sentences(all: &ScopeCeiling) -> Vec<String> {
    let InputClassValue { classes, decisions, .. } = all.self_agreement;
    let mut sentences = vec![format!(
        "{} decided at least twice, with {}.",
        counted(classes, "input class was", "input classes were"),
        counted(decisions, "decision", "decisions")
    )];
    if !all.complete {
        sentences
            .push("These are a random sample of the input classes, so that memory is bounded.".to_owned());
    }
    sentences.push(match (all.self_agreement.value, all.ceiling.value) {
        (Some(own), Some(ceiling)) => format!(
            "The share of equal pairs of decisions for the same input class is {}. So the ceiling of the agreement of a model that \
             sees only these fields is {}.",
            six_decimals(own),
            six_decimals(ceiling)
        ),
        _ => format!("Pairs of decisions for the same input class: {}", too_few(classes)),
    });
    sentences
}

fn rater_sentences(raters: &RaterReport) -> Vec<String> {
    let share = |who: &str, found: &InputClassValue| match found.value {
        Some(value) => format!(
            "Among pairs of decisions of {who} for the same input class, the share of equal pairs is {}; {}.",
            bounded(found, value),
            counted(found.classes, "input class has such pairs", "input classes have such pairs")
        ),
        None => format!("Pairs of decisions of {who}: {}", too_few(found.classes)),
    };
    vec![
        format!("The field `{}` says who decided.", raters.field),
        share("one rater", &raters.same_rater),
        share("different raters", &raters.different_raters),
    ]
}

fn too_few(classes: u64) -> String {
    format!(
        "{}; an estimate needs at least {MIN_REPEATED_INPUT_CLASSES}.",
        counted(classes, "input class has such pairs", "input classes have such pairs")
    )
}

/// A field of an input class, with its bins.
fn field_text(field: &InputClassFieldInfo) -> String {
    match &field.edges[..] {
        [] => format!("`{}`", field.name),
        edges => {
            let edges: Vec<String> = edges.iter().map(f64::to_string).collect();
            format!("`{}` (in bins with edges at {})", field.name, list(&edges))
        }
    }
}

fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A value with its bounds.
pub fn input_class_value_text(found: &InputClassValue) -> String {
    found.value.map_or_else(|| UNDEFINED.to_owned(), |value| bounded(found, value))
}

fn bounded(found: &InputClassValue, value: f64) -> String {
    match found.interval {
        Some(bounds) => format!("{} ({})", six_decimals(value), interval_text(bounds, six_decimals)),
        None => six_decimals(value),
    }
}

/// What a verdict says about the agreement as a share of the ceiling.
pub fn ceiling_share_text(found: &CeilingShare) -> String {
    let value = |value: Option<f64>| value.map_or_else(|| UNDEFINED.to_owned(), six_decimals);
    let bounds = found
        .interval
        .map_or_else(String::new, |bounds| format!(", bounds {}", interval_text(bounds, six_decimals)));
    format!(
        "{} of the ceiling{bounds}: agreement {} and ceiling {} in {} with {}",
        value(found.share),
        value(found.agreement),
        value(found.ceiling),
        counted(found.classes, "repeated input class", "repeated input classes"),
        counted(found.decisions, "decision", "decisions")
    )
}

/// How many pairs have raters that are not listed; `None` if all raters are.
pub fn unlisted_raters(raters: &RaterReport) -> Option<String> {
    let others = counted(raters.other_pairs, "pair of other raters is", "pairs of other raters are");
    (raters.other_pairs > 0).then(|| format!("{others} not listed."))
}

/// A share of equal answers by its counts; a dash where it is withheld.
pub fn equal_text(equal: Option<u64>, pairs: u64) -> String {
    match equal {
        Some(equal) if pairs > 0 => {
            format!("{} ({} of {})", six_decimals(equal as f64 / pairs as f64), count(equal), count(pairs))
        }
        _ => UNDEFINED.to_owned(),
    }
}

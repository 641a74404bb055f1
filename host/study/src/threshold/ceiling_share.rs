//! The share of the substrate's ceiling that a threshold requires.
//!
//! Invariants: the study declares a ceiling; the threshold is a lower bound; a bound needs input classes that are
//! independent of each other, so it excludes a cluster.

use super::Evidence;
use crate::table_reader::TableReader;
use crate::toml_value::Value;

/// Reads the share of the ceiling that a threshold requires, above 0 and up to 1. `is_declared` is whether the study has
/// the section `[ceiling]`.
pub(super) fn of_ceiling(
    section: &mut TableReader<'_>,
    evidence: Option<Evidence>,
    is_declared: bool,
) -> Option<f64> {
    if section.has("at-most") {
        let reason = "the ceiling limits agreement from above, so the metric needs a lower bound; remove it, or write \
                      at-least";
        section.refuse("of-ceiling", reason);
        return None;
    }
    let within = |value: &Value<'_>| value.number().filter(|share| *share > 0.0 && *share <= 1.0);
    let share = section.optional("of-ceiling", "a number above 0 and up to 1, such as 0.95", within);
    if section.has("of-ceiling") && !is_declared {
        let message = format!(
            "`{}` needs the section [ceiling], which says what an input class is; declare it, or remove the key",
            section.at("of-ceiling")
        );
        section.fault(section.line_of("of-ceiling"), message);
    }
    if section.has("of-ceiling") && section.has("cluster") && matches!(evidence, Some(Evidence::Bound(_))) {
        let message = format!(
            "`{}` has no bound with `cluster`: its bound assumes independent input classes, and a cluster can have \
             several input classes; remove one of the two keys, or write evidence = \"point\"",
            section.at("of-ceiling")
        );
        section.fault(section.line_of("of-ceiling"), message);
    }
    share
}

#[cfg(test)]
mod tests {
    use crate::test_support::VALID;

    #[test]
    fn a_share_of_the_ceiling_needs_a_ceiling() {
        let threshold = "[threshold]\nat-least = 0.8\nquantifier = \"pooled\"\nwindows = { first = 2 }\nevidence = \"point\"\n\
                         of-ceiling = 0.95\n";
        let with = |more: &str, edits: &[(&str, &str)]| {
            let text = format!("{VALID}{threshold}{more}");
            let text = edits.iter().fold(text, |text, (from, to)| text.replacen(from, to, 1));
            crate::parse(&text).map_err(|invalid| invalid.faults.to_string())
        };
        let study = with("[ceiling]\n", &[]).unwrap();
        assert_eq!(study.threshold.unwrap().of_ceiling, Some(0.95));
        let message = with("", &[]).unwrap_err();
        assert!(message.contains("`threshold.of-ceiling` needs the section [ceiling]"), "{message}");
        let message = with("[ceiling]\n", &[("at-least", "at-most")]).unwrap_err();
        assert!(message.contains("`threshold.of-ceiling` is not allowed here"), "{message}");
        let bound = "evidence = \"bound\"\nconfidence = 0.95\ncluster = \"segment\"";
        let message = with("[ceiling]\n", &[("evidence = \"point\"", bound)]).unwrap_err();
        assert!(message.contains("`threshold.of-ceiling` has no bound with `cluster`"), "{message}");
        let study = with("[ceiling]\n", &[("0.95", "1")]).unwrap();
        assert_eq!(study.threshold.unwrap().of_ceiling, Some(1.0));
        for share in ["0", "1.5"] {
            let message = with("[ceiling]\n", &[("0.95", share)]).unwrap_err();
            let expected = format!("`threshold.of-ceiling` is {share}; write a number above 0");
            assert!(message.contains(&expected), "{message}");
        }
    }
}

//! Reads `[divergence]` and `[interim]`: the divergence search and the schedule of interim reports.
//!
//! Invariants: every key has a default; every metric, condition and value that is named is declared in the same file.

use super::table_reader::{TableReader, bounded};
use super::threshold::{Declarations, chosen};
use super::toml_value::Value;
use super::validate;

/// Settings of the search for subgroups in which a model and the substrate differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// The index of the metric in the study.
    pub metric: usize,
    /// The indices of the conditions whose values are combined to subgroups, ascending.
    pub conditions: Vec<usize>,
    /// The indices of the conditions that are left out because they would give too many profiles, ascending. Empty if the
    /// study names the conditions.
    pub passed_over: Vec<usize>,
    /// The largest number of values in a subgroup, from 1 to 3.
    pub depth: usize,
    /// The minimum share of the compared pairs in a subgroup, above 0 and up to 0.5.
    pub support: f64,
    /// The false discovery rate among the listed subgroups, above 0 and up to 0.5.
    pub level: f64,
    /// The subgroups that are suspected in advance: per subgroup its conditions, each with the indices of its values.
    pub suspected: Vec<Vec<(usize, Vec<usize>)>>,
}

impl Divergence {
    /// Whether a subgroup, given by conditions and values, was suspected in advance: a suspected subgroup has exactly these
    /// conditions and contains these values.
    pub fn suspects(&self, subgroup: &[(usize, usize)]) -> bool {
        self.suspected.iter().any(|suspected| suspects(suspected, subgroup))
    }
}

/// Whether a suspected subgroup has exactly the conditions of `subgroup` and contains its values.
pub fn suspects(suspected: &[(usize, Vec<usize>)], subgroup: &[(usize, usize)]) -> bool {
    suspected.len() == subgroup.len()
        && subgroup.iter().all(|(condition, value)| {
            suspected.iter().any(|(own, values)| own == condition && values.contains(value))
        })
}

/// The schedule of interim reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interim {
    /// The number of windows between two interim reports; `None` for no interim reports.
    pub every: Option<u64>,
}

/// Reads the section `[divergence]`.
pub(super) fn divergence(root: &mut TableReader<'_>, known: &Declarations<'_>) -> Option<Divergence> {
    root.section_or_default("divergence", "[divergence] with the settings to change", |section| {
        let metric = known.metric(section);
        let named = section.list("conditions", "a list of conditions, such as [\"day\"]", Value::word);
        let depth = bounded(section, "depth", validate::DEPTH) as usize;
        let support = portion(section, "support", validate::SUPPORT);
        let level = portion(section, "level", validate::DISCOVERIES);
        let suspected = section.sections(
            "suspected",
            "[[divergence.suspected]] with where = { day = \"weekend\" }",
            |section| chosen(section, known),
        );
        let path = section.at("conditions");
        let is_declared = section.has("conditions");
        let mut conditions = Vec::new();
        for (name, line) in named {
            match known.condition(&path, name) {
                Ok(condition) => conditions.extend(condition),
                Err(message) => section.fault(line, message),
            }
        }
        conditions.sort_unstable();
        conditions.dedup();
        let profiles = |conditions: &[usize]| {
            conditions.iter().fold(1u64, |all, at| all.saturating_mul(known.values(*at).len() as u64))
        };
        if is_declared && profiles(&conditions) > validate::MOST_PROFILES {
            let message = format!(
                "`{path}` have {} combinations, more than the limit of {}; name fewer conditions, or declare fewer values",
                profiles(&conditions),
                validate::MOST_PROFILES
            );
            section.fault(section.line_of("conditions"), message);
        }
        let mut passed_over = Vec::new();
        if !is_declared {
            for condition in 0..known.conditions.len() {
                let with = [&conditions[..], &[condition]].concat();
                match profiles(&with) <= validate::PROFILES {
                    true => conditions = with,
                    false => passed_over.push(condition),
                }
            }
        }
        let suspected = suspected.into_iter().collect::<Option<_>>()?;
        Some(Divergence { metric: metric?, conditions, passed_over, depth, support, level, suspected })
    })
}

/// The schedule of interim reports.
pub(super) fn interim(root: &mut TableReader<'_>) -> Interim {
    root.section_or_default("interim", "[interim] with every = 4", |section| {
        let within = |value: &Value<'_>| value.integer().filter(|every| (1..=10_000).contains(every));
        let every = section.optional("every", "a whole number of windows from 1 to 10000", within);
        Interim { every: every.map(i64::unsigned_abs) }
    })
}

fn portion(section: &mut TableReader<'_>, key: &'static str, default: f64) -> f64 {
    let within = |value: &Value<'_>| value.number().filter(|share| *share > 0.0 && *share <= 0.5);
    section.optional(key, "a number above 0 and up to 0.5, such as 0.05", within).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use crate::test_support::{VALID, faults, read};

    #[test]
    fn every_key_has_a_default() {
        let study = read(&[]);
        let divergence = &study.divergence;
        assert_eq!((divergence.metric, divergence.depth), (0, 3));
        assert_eq!((divergence.support, divergence.level), (0.01, 0.05));
        assert_eq!(divergence.conditions, [0, 1]);
        assert_eq!(divergence.passed_over, [0; 0]);
        assert_eq!(study.interim.every, None);
    }

    #[test]
    fn settings_are_read() {
        let more = format!(
            "{VALID}[divergence]\nmetric = \"agreement\"\nconditions = [\"lead-time\"]\ndepth = 2\nsupport = 0.02\n\
             level = 0.1\n[[divergence.suspected]]\nwhere = {{ segment = [\"direct\", \"groups\"] }}\n\
             [interim]\nevery = 4\n"
        );
        let study = crate::parse(&more).unwrap();
        let divergence = &study.divergence;
        assert_eq!(divergence.conditions, [1]);
        assert_eq!(divergence.passed_over, [0; 0]);
        assert_eq!((divergence.depth, divergence.support, divergence.level), (2, 0.02, 0.1));
        assert!(divergence.suspects(&[(0, 1)]));
        assert!(!divergence.suspects(&[(0, 2)]));
        assert!(!divergence.suspects(&[(0, 1), (1, 0)]));
        assert_eq!(study.interim.every, Some(4));
    }

    #[test]
    fn faults_name_their_lines() {
        let windows = "[windows]";
        let wrong = "[divergence]\nconditions = [\"segmnt\"]\nsupport = 0.0\ndepth = 4\n[interim]\nevery = 0\n[windows]";
        let said = faults(&[(windows, wrong)]);
        insta::assert_snapshot!(said.display(std::path::Path::new("study.toml")));
    }

    #[test]
    fn too_many_profiles_are_a_fault_of_named_conditions_and_skip_others() {
        let many: Vec<String> = (0..30_000).map(|value| format!("\"{value}\"")).collect();
        let many = format!("values = [{}]", many.join(", "));
        let by_default = [("values = [\"direct\", \"groups\"]", many.as_str())];
        assert_eq!(read(&by_default).divergence.conditions, [1]);
        assert_eq!(read(&by_default).divergence.passed_over, [0]);
        let bins: Vec<String> = (0..60).map(|edge| edge.to_string()).collect();
        let bins = format!("bins = [{}]", bins.join(", "));
        let named = "[divergence]\nconditions = [\"segment\", \"lead-time\"]\n[windows]";
        let said = faults(&[by_default[0], ("bins = [7, 30]", &bins), ("[windows]", named)]);
        let said = said.display(std::path::Path::new("study.toml")).to_string();
        assert!(said.contains("have 1860124 combinations, more than the limit of 1000000"), "{said}");
        // A thousand values with `other` and `missing`, and a thousand bins with `missing`: exactly the limit.
        let many: Vec<String> = (0..998).map(|value| format!("\"{value}\"")).collect();
        let many = format!("values = [{}]", many.join(", "));
        let bins: Vec<String> = (0..998).map(|edge| edge.to_string()).collect();
        let bins = format!("bins = [{}]", bins.join(", "));
        let values = ("values = [\"direct\", \"groups\"]", many.as_str());
        let study = read(&[values, ("bins = [7, 30]", &bins), ("[windows]", named)]);
        assert_eq!(study.divergence.conditions, [0, 1]);
    }
}

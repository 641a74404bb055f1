//! How it is looked for where a model and the substrate part, and how often a run is reported on before its end.
//!
//! Always holds: every key has a default; whatever is named, a metric, a condition, a value, is declared in the same file.

use super::check;
use super::parse::bounded;
use super::section::Section;
use super::threshold::{Known, chosen};
use super::value::Value;

/// How it is looked for where a model and the substrate part.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// The index of the metric.
    pub metric: usize,
    /// The indices of the conditions whose values are combined, ascending.
    pub conditions: Vec<usize>,
    /// The indices of the conditions that are not, since with them there would be too many profiles, ascending; none where it is
    /// declared which are combined.
    pub passed_over: Vec<usize>,
    /// How many values are combined at most: 1 to 3.
    pub depth: usize,
    /// The least share of the compared pairs that a class has.
    pub support: f64,
    /// The share of the listed classes that may be no such class, on average: the false discovery rate.
    pub level: f64,
    /// The classes that were suspected in advance, each by conditions and, of each, the indices of its values.
    pub suspected: Vec<Vec<(usize, Vec<usize>)>>,
}

impl Divergence {
    /// Whether a class, by conditions and values, was suspected in advance: one of exactly these conditions, whose values
    /// are among those named.
    pub fn suspects(&self, class: &[(usize, usize)]) -> bool {
        self.suspected.iter().any(|suspected| suspects(suspected, class))
    }
}

/// Whether a class is what was suspected.
pub fn suspects(suspected: &[(usize, Vec<usize>)], class: &[(usize, usize)]) -> bool {
    suspected.len() == class.len()
        && class.iter().all(|(condition, value)| {
            suspected.iter().any(|(own, values)| own == condition && values.contains(value))
        })
}

/// How often a run is reported on before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interim {
    /// After so many windows at a time; never, if there is none.
    pub every: Option<u64>,
}

/// How it is looked for where they part.
pub(super) fn divergence(root: &mut Section<'_>, known: &Known<'_>) -> Option<Divergence> {
    root.section_or_default("divergence", "[divergence] with the settings to change", |section| {
        let metric = known.metric(section);
        let named = section.list("conditions", "a list of conditions, such as [\"day\"]", Value::word);
        let depth = bounded(section, "depth", check::DEPTH) as usize;
        let support = portion(section, "support", check::SUPPORT);
        let level = portion(section, "level", check::DISCOVERIES);
        let suspected = section.sections(
            "suspected",
            "[[divergence.suspected]] with where = { day = \"weekend\" }",
            |section| chosen(section, known),
        );
        let path = section.at("conditions");
        let given = section.has("conditions");
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
        if given && profiles(&conditions) > check::MOST_PROFILES {
            let message = format!(
                "`{path}` combine to {} profiles, and at most {} are told apart; name fewer, or declare fewer values",
                profiles(&conditions),
                check::MOST_PROFILES
            );
            section.fault(section.line_of("conditions"), message);
        }
        let mut passed_over = Vec::new();
        if !given {
            for condition in 0..known.conditions.len() {
                let with = [&conditions[..], &[condition]].concat();
                match profiles(&with) <= check::PROFILES {
                    true => conditions = with,
                    false => passed_over.push(condition),
                }
            }
        }
        let suspected = suspected.into_iter().collect::<Option<_>>()?;
        Some(Divergence { metric: metric?, conditions, passed_over, depth, support, level, suspected })
    })
}

/// How often a run is reported on before its end.
pub(super) fn interim(root: &mut Section<'_>) -> Interim {
    root.section_or_default("interim", "[interim] with every = 4", |section| {
        let within = |value: &Value<'_>| value.integer().filter(|every| (1..=10_000).contains(every));
        let every = section.optional("every", "a whole number of windows from 1 to 10000", within);
        Interim { every: every.map(i64::unsigned_abs) }
    })
}

fn portion(section: &mut Section<'_>, key: &'static str, default: f64) -> f64 {
    let within = |value: &Value<'_>| value.number().filter(|share| *share > 0.0 && *share <= 0.5);
    section.optional(key, "a number above 0 and up to 0.5, such as 0.05", within).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use crate::sample::{SOUND, faults, read};

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
    fn what_is_written_is_read() {
        let more = format!(
            "{SOUND}[divergence]\nmetric = \"agreement\"\nconditions = [\"lead-time\"]\ndepth = 2\nsupport = 0.02\n\
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
    fn what_is_wrong_is_said_with_its_line() {
        let windows = "[windows]";
        let wrong = "[divergence]\nconditions = [\"segmnt\"]\nsupport = 0.0\ndepth = 4\n[interim]\nevery = 0\n[windows]";
        let said = faults(&[(windows, wrong)]);
        insta::assert_snapshot!(said.display(std::path::Path::new("study.toml")));
    }

    #[test]
    fn conditions_that_combine_to_too_many_profiles_are_refused_when_named_and_passed_over_when_not() {
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
        assert!(said.contains("combine to 1860124 profiles, and at most 1000000 are told apart"), "{said}");
    }
}

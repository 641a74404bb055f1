//! The content of a flow figure: the path of every record of a study from the feed to its verdict or to a way out.
//!
//! Invariants: every step has its count. Steps without records are included, so the figures of all runs have the same
//! steps.

use crate::format::counted;

/// The paths of the records from the feed to the verdict. Both paths begin at the feed and end where `joined` begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Where both paths begin.
    pub feed: FlowNode,
    /// The steps of the snapshots, whose answers are only logged.
    pub shadow: Vec<FlowStep>,
    /// The steps of the decisions, which are actioned.
    pub actioned: Vec<FlowStep>,
    /// The steps of the pairs.
    pub joined: Vec<FlowStep>,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowStep {
    /// The records or windows that go on.
    Continuing(FlowCount),
    /// The ways out of the study at this place.
    Exits(FlowExits),
    /// A part of the study.
    Node(FlowNode),
}

/// A count with its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowCount {
    /// The number of records, pairs or windows.
    pub count: u64,
    /// The noun of the count, such as `snapshots received`.
    pub label: String,
}

/// The ways out of the study at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowExits {
    /// The sum of the ways in a word, such as `excluded`.
    pub label: String,
    /// Each way out with its records.
    pub ways: Vec<FlowCount>,
}

impl FlowExits {
    /// All records that leave here.
    pub fn records(&self) -> u64 {
        self.ways.iter().map(|way| way.count).fold(0, u64::saturating_add)
    }

    /// The ways that no record took, in words, such as `none late or rejected`. `None` if every way was taken.
    pub fn unused(&self) -> Option<String> {
        let unused: Vec<&str> =
            self.ways.iter().filter(|way| way.count == 0).map(|way| way.label.as_str()).collect();
        match &unused[..] {
            [] => None,
            [one] => Some(format!("none {one}")),
            [most @ .., last] => Some(format!("none {} or {last}", most.join(", "))),
        }
    }
}

/// A part of the study, such as the comparator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowNode {
    /// The kind of the part, such as `Comparator`.
    pub title: String,
    /// Its names and their counts.
    pub lines: Vec<FlowLine>,
    /// The effect of its output outside of the study, for models and substrate.
    pub effect: Option<FlowEffect>,
}

/// A line of a part of the study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowLine {
    /// A name. It is cut if it is too long.
    Name(String),
    /// Other text. It is broken into lines.
    Text(String),
}

/// The effect of answers or decisions outside of the study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowEffect {
    /// Nothing: they are only logged.
    Logged {
        /// The answers of all models.
        answers: u64,
    },
    /// They are carried out.
    Actioned,
}

impl FlowEffect {
    /// The effect in words: phrases that each have a line of their own.
    pub fn words(self) -> Vec<String> {
        match self {
            FlowEffect::Logged { answers } => {
                vec![counted(answers, "answer", "answers"), "logged, not actioned".to_owned()]
            }
            FlowEffect::Actioned => vec!["actioned".to_owned()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_that_no_record_took_are_named_together() {
        let exits = |ways: &[(&str, u64)]| FlowExits {
            label: "excluded".to_owned(),
            ways: ways
                .iter()
                .map(|(label, records)| FlowCount { count: *records, label: (*label).to_owned() })
                .collect(),
        };
        assert_eq!(exits(&[("late", 1)]).unused(), None);
        assert_eq!(exits(&[("late", 0), ("rejected", 2)]).unused().as_deref(), Some("none late"));
        let three = exits(&[("late", 0), ("rejected", 0), ("duplicate", 0)]);
        assert_eq!(three.unused().as_deref(), Some("none late, rejected or duplicate"));
        assert_eq!((three.records(), exits(&[("late", 3), ("rejected", 4)]).records()), (0, 7));
    }
}

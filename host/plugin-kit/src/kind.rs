//! The kinds of plugins, and the example of each: the same rule, rows and tests in every language.

/// The kind of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Answers rows.
    Model,
    /// Expresses the decision in the form of answers.
    Comparator,
    /// Scores answers.
    Metric,
}

impl Kind {
    /// What the example does, as a sentence.
    pub fn summary(self) -> &'static str {
        match self {
            Kind::Model => "A model for understudy: answers the booked room, and another one for long stays.",
            Kind::Comparator => "A comparator for understudy: the recorded room as a label.",
            Kind::Metric => "A metric for understudy: the share of pairs with the same label.",
        }
    }

    /// A section of README.md: the fields of the example, and its part of `study.toml`.
    pub fn fields_section(self) -> &'static str {
        match self {
            Kind::Model => include_str!("../templates/model-fields.md.txt"),
            Kind::Comparator => include_str!("../templates/comparator-fields.md.txt"),
            Kind::Metric => include_str!("../templates/metric-fields.md.txt"),
        }
    }

    /// Rows for the example, JSON Lines.
    pub fn rows(self) -> &'static str {
        match self {
            Kind::Model => MODEL_ROWS,
            Kind::Comparator => COMPARATOR_ROWS,
            Kind::Metric => METRIC_ROWS,
        }
    }

    /// The answers that the example gives, JSON Lines.
    pub fn expected_answers(self) -> &'static str {
        match self {
            Kind::Model => MODEL_EXPECTED,
            Kind::Comparator => COMPARATOR_EXPECTED,
            Kind::Metric => METRIC_EXPECTED,
        }
    }
}

const MODEL_ROWS: &str = r#"{"room": "single", "nights": 2}
{"room": "double", "nights": 7}
{"room": "double"}
"#;
const MODEL_EXPECTED: &str = r#"{"input": {"room": "single", "nights": 2}, "expected": "single"}
{"input": {"room": "double", "nights": 7}, "expected": "apartment"}
{"input": {"room": "double"}, "unanswered": "abstained: the number of nights is unknown"}
"#;
const COMPARATOR_ROWS: &str = r#"{"decision.room": "single"}
{"decision.room": " Double "}
{"decision.room": null}
"#;
const COMPARATOR_EXPECTED: &str = r#"{"input": {"decision.room": "single"}, "expected": "single"}
{"input": {"decision.room": " Double "}, "expected": "double"}
{"input": {}, "unanswered": "abstained: no room was assigned"}
"#;
const METRIC_ROWS: &str = r#"{"model": "a", "comparator": "a"}
{"model": "a", "comparator": "b"}
{"comparator": "b"}
"#;
const METRIC_EXPECTED: &str = r#"{"input": {"model": "a", "comparator": "a"}, "expected": {"hits": 1}}
{"input": {"model": "a", "comparator": "b"}, "expected": {"hits": 0}}
{"value": 0.5}
{"input": {"comparator": "b"}, "expected": {"hits": 0}}
{"input": {"model": "b", "comparator": "b"}, "expected": {"hits": 1}}
{"value": 0.5}
"#;

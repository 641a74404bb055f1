//! Reads `revisions` and `version` of `[decisions]`: what happens to a later decision with the same id.
//!
//! Invariants: the version field is a declared field of the decisions whose values have an order.

use super::FieldKind;
use super::table_reader::TableReader;
use super::toml_value::Value;
use super::validate::{self, Fields};

/// Which decision counts if several decisions within the horizon of a snapshot have its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Revisions {
    /// The decision that arrived first. Later ones that differ are excluded as conflicts.
    #[default]
    Refuse,
    /// The first decision by event time. The others are kept and counted as revised.
    First,
    /// The last decision in the order of revisions. The others are kept and counted as revised.
    Last {
        /// The index of the version field among the fields of the decisions. Without it the order of revisions is the
        /// order of the event times.
        version: Option<usize>,
    },
}

const REVISIONS: [(&str, Revisions); 3] =
    [("refuse", Revisions::Refuse), ("first", Revisions::First), ("last", Revisions::Last { version: None })];

impl Revisions {
    /// The names in `study.toml`.
    pub(super) const NAMES: [&'static str; 3] = [REVISIONS[0].0, REVISIONS[1].0, REVISIONS[2].0];

    /// The name in `study.toml`, such as `last`.
    pub const fn name(self) -> &'static str {
        match self {
            Revisions::Refuse => "refuse",
            Revisions::First => "first",
            Revisions::Last { .. } => "last",
        }
    }

    /// Whether a snapshot can have several decisions, of which one counts.
    pub const fn are_accepted(self) -> bool {
        !matches!(self, Revisions::Refuse)
    }

    /// The index of the version field among the fields of the decisions; `None` without one.
    pub const fn version_field(self) -> Option<usize> {
        match self {
            Revisions::Last { version } => version,
            Revisions::Refuse | Revisions::First => None,
        }
    }
}

/// The kinds of fields whose values have an order.
const ORDERED: [FieldKind; 4] =
    [FieldKind::Integer, FieldKind::Number, FieldKind::Timestamp, FieldKind::Text];

/// Reads the keys `revisions` and `version` of the section `[decisions]`.
pub(super) fn revisions(section: &mut TableReader<'_>) -> (Option<Revisions>, Option<String>) {
    const VERSION: &str =
        "the name of a field of [decisions.fields] that grows with each revision, such as \"revision\"";
    let declared =
        section.optional("revisions", &validate::one_of(&REVISIONS), |value| value.choice(&REVISIONS));
    let written = section.has("revisions");
    if declared.is_some_and(|declared| !matches!(declared, Revisions::Last { .. })) || !written {
        section.refuse(
            "version",
            "it says which decision is the last one; remove it, or write revisions = \"last\"",
        );
        return (if written { declared } else { Some(Revisions::Refuse) }, None);
    }
    let version = section.optional("version", VERSION, Value::word).map(str::to_owned);
    (declared, version)
}

/// Adds the version field to the revisions, after the fields are read.
pub(super) fn with_version(
    section: &TableReader<'_>,
    revisions: Option<Revisions>,
    version: Option<String>,
    fields: &Fields,
) -> Option<Revisions> {
    let Some(name) = version else { return revisions };
    let Some(index) = fields.iter().position(|field| field.name == name) else {
        let names: Vec<_> = fields.iter().map(|field| field.name.clone()).collect();
        let message = format!(
            "`{}` is `{name}`, but [decisions.fields] does not declare this field; {}",
            section.at("version"),
            validate::instead(&name, &names, "revision")
        );
        section.fault(section.line_of("version"), message);
        return None;
    };
    // A kind that could not be read is a fault of its own.
    if let Some(kind) = fields[index].value
        && !ORDERED.contains(&kind)
    {
        let message = format!(
            "`{}` is `{name}`, whose type {} has no order; name an integer, number, timestamp or text field",
            section.at("version"),
            kind.name()
        );
        section.fault(section.line_of("version"), message);
        return None;
    }
    revisions.map(|_| Revisions::Last { version: Some(index) })
}

#[cfg(test)]
mod tests {
    use super::Revisions;
    use crate::test_support::{faults, read};

    const HORIZON: &str = "horizon = \"2d\"\n";
    const FIELDS: &str = "[decisions.fields]\nroom = \"text\"\n";

    fn declared(keys: &str, fields: &str) -> Revisions {
        read(&[(HORIZON, &format!("{HORIZON}{keys}")), (FIELDS, &format!("{FIELDS}{fields}"))]).revisions
    }

    #[test]
    fn keys_are_read_and_have_defaults() {
        assert_eq!(declared("", ""), Revisions::Refuse);
        assert_eq!(declared("revisions = \"refuse\"\n", ""), Revisions::Refuse);
        assert_eq!(declared("revisions = \"first\"\n", ""), Revisions::First);
        assert_eq!(declared("revisions = \"last\"\n", ""), Revisions::Last { version: None });
        for kind in ["integer", "number", "timestamp", "text"] {
            let found = declared("revisions = \"last\"\nversion = \"rev\"\n", &format!("rev = \"{kind}\"\n"));
            assert_eq!(found, Revisions::Last { version: Some(1) }, "{kind}");
        }
    }

    #[test]
    fn names_are_those_of_the_declaration() {
        for name in Revisions::NAMES {
            assert_eq!(declared(&format!("revisions = \"{name}\"\n"), "").name(), name);
        }
    }

    #[test]
    fn faults_name_their_lines() {
        let report = |keys: &str, fields: &str| {
            let edits = [(HORIZON, format!("{HORIZON}{keys}")), (FIELDS, format!("{FIELDS}{fields}"))];
            let edits: Vec<(&str, &str)> = edits.iter().map(|(from, to)| (*from, to.as_str())).collect();
            faults(&edits).to_string()
        };
        let reports = [
            report("revisions = \"newest\"\n", ""),
            report("version = \"rev\"\n", "rev = \"integer\"\n"),
            report("revisions = \"first\"\nversion = \"rev\"\n", "rev = \"integer\"\n"),
            report("revisions = \"last\"\nversion = \"rve\"\n", "rev = \"integer\"\n"),
            report("revisions = \"last\"\nversion = \"rev\"\n", "rev = \"boolean\"\n"),
            report("revisions = \"last\"\nversion = 7\n", ""),
        ];
        insta::assert_snapshot!(reports.join("\n"), @r#"
        study.toml:15: `decisions.revisions` is "newest"; write one of "refuse", "first", "last"
        study.toml:15: `decisions.version` is not allowed here: it says which decision is the last one; remove it, or write revisions = "last"
        study.toml:16: `decisions.version` is not allowed here: it says which decision is the last one; remove it, or write revisions = "last"
        study.toml:16: `decisions.version` is `rve`, but [decisions.fields] does not declare this field; did you mean `rev`? declared: `room`, `rev`
        study.toml:16: `decisions.version` is `rev`, whose type boolean has no order; name an integer, number, timestamp or text field
        study.toml:16: `decisions.version` is 7; write the name of a field of [decisions.fields] that grows with each revision, such as "revision"
        "#);
    }
}

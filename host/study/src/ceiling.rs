//! Reads `[ceiling]`: which snapshots share an input class, so that the substrate can be compared with itself.
//!
//! Invariants: the same file declares every named field; only integers and numbers have bins, and their edges ascend;
//! an input class has at least one field.

use super::table_reader::TableReader;
use super::toml_value::Value;
use super::validate::{self, BINS, DECISION_PREFIX, DeclaredFields};
use super::{FieldKind, Plugin};

const FIELDS: &str = "a list of the snapshot's fields, such as [\"lead_time\", \"segment\"]";
const RATER: &str = "a field of [decisions.fields] that says who decided, such as \"dispatcher_id\"";

/// The kinds of fields that can have bins.
const BINNED: [FieldKind; 2] = [FieldKind::Integer, FieldKind::Number];
/// The kinds of fields that can identify a rater.
const NAMING: [FieldKind; 3] = [FieldKind::Text, FieldKind::Integer, FieldKind::Boolean];

/// How the substrate is compared with itself: snapshots that are equal in the fields are one input class.
#[derive(Clone, Debug, PartialEq)]
pub struct Ceiling {
    /// The fields that make an input class; at least one.
    pub fields: Vec<InputClassField>,
    /// The index of the field that says who decided, among the fields of the decisions.
    pub rater: Option<usize>,
    /// Whether reports name the raters. Otherwise they are numbered.
    pub show_raters: bool,
    /// The line of the declaration, from 1.
    pub line: usize,
}

/// A field in which the snapshots of an input class are equal.
#[derive(Clone, Debug, PartialEq)]
pub struct InputClassField {
    /// The index of the field among the fields of the snapshots.
    pub field: usize,
    /// The edges between its bins, strictly ascending. Without edges, the values themselves are compared.
    pub edges: Vec<f64>,
}

/// Reads the section `[ceiling]`. `None` if it is not declared, `Some(None)` if it could not be read. The default of
/// `fields` is every field that a model is granted, so that an input class has all that a model can see.
pub(super) fn ceiling(
    root: &mut TableReader<'_>,
    declared: &DeclaredFields,
    models: &[Option<Plugin>],
) -> Option<Option<Ceiling>> {
    let is_declared = root.has("ceiling");
    let read = root.optional_section("ceiling", "[ceiling] with fields = [\"lead_time\"]", |section| {
        let fields = section.filled_list("fields", FIELDS, Value::word);
        let bins = section.list_entries("bins", BINS, Value::number);
        let rater = section.optional("rater", RATER, Value::word);
        let shows = section.optional("show-raters", "true or false", Value::boolean).unwrap_or(false);
        if !section.has("rater") {
            section.refuse("show-raters", "it names the raters; remove it, or write the key `rater`");
        }
        let names = match section.has("fields") {
            true => named(section, declared, fields),
            false => granted(section, declared, models),
        };
        let mut edges = vec![Vec::new(); names.as_ref().map_or(0, Vec::len)];
        for bin in bins {
            let path = section.at("bins");
            let index = names.iter().flatten().position(|name| *name == bin.name);
            let listed = bin.value.unwrap_or_default();
            match check_bins(&path, declared, (&bin.name, bin.line), &listed) {
                Err((line, message)) => section.fault(line, message),
                Ok(()) => match index {
                    Some(index) => edges[index] = listed.into_iter().map(|(edge, _)| edge).collect(),
                    None if names.is_some() => {
                        let message = format!(
                            "`{path}` has `{}`, which is not a field of an input class; add it to `{}`, or remove it",
                            bin.name,
                            section.at("fields")
                        );
                        section.fault(bin.line, message);
                    }
                    None => {}
                },
            }
        }
        let rater =
            rater.map(|name| section.check("rater", rater_field(&section.at("rater"), declared, name)));
        let names = names?;
        warn_of_finer_models(section, models, &names, &edges);
        let inputs = declared.inputs.as_ref()?;
        let index = |name: &String| inputs.iter().position(|field| field.name == *name);
        let fields =
            names.iter().zip(edges).map(|(name, edges)| Some(InputClassField { field: index(name)?, edges }));
        let rater = match rater {
            Some(found) => found?,
            None => None,
        };
        Some(Ceiling {
            fields: fields.collect::<Option<_>>()?,
            rater,
            show_raters: shows,
            line: section.line(),
        })
    });
    is_declared.then(|| read.flatten())
}

/// The fields that are named, each once; `None` if one of them is not declared.
fn named(
    section: &TableReader<'_>,
    declared: &DeclaredFields,
    fields: Vec<(&str, usize)>,
) -> Option<Vec<String>> {
    let path = section.at("fields");
    let mut names: Vec<String> = Vec::new();
    let mut sound = !fields.is_empty();
    for (name, line) in fields {
        let fault = match name.starts_with(DECISION_PREFIX) {
            true => Some(format!(
                "`{path}` contains `{name}`, but an input class is made of what was known before the decision; use a field of \
                 [inputs.fields]"
            )),
            false => declared.input(&format!("`{path}` contains"), name).err(),
        };
        let fault = fault.or_else(|| {
            let is_repeated = names.iter().any(|known| known == name);
            is_repeated.then(|| format!("`{path}` contains `{name}` twice; remove one"))
        });
        match fault {
            Some(message) => {
                section.fault(line, message);
                sound = false;
            }
            None => names.push(name.to_owned()),
        }
    }
    sound.then_some(names)
}

/// Every snapshot field that a model is granted, in the order of their declaration; `None` if there is none.
fn granted(
    section: &TableReader<'_>,
    declared: &DeclaredFields,
    models: &[Option<Plugin>],
) -> Option<Vec<String>> {
    let inputs = declared.inputs.as_ref()?;
    let is_granted = |name: &String| models.iter().flatten().any(|model| model.grant.contains(name));
    let names: Vec<String> =
        inputs.iter().map(|field| &field.name).filter(|name| is_granted(name)).cloned().collect();
    if names.is_empty() && !models.contains(&None) {
        let path = section.at("fields");
        let message = format!("`{path}` is missing, and no model is granted a field; write {FIELDS}");
        section.absent(&["fields"], section.line(), &message);
    }
    (!names.is_empty()).then_some(names)
}

/// Checks the bins of the field `name`. `line` is that of its entry, and each edge has its own line.
///
/// # Errors
/// If the field cannot have bins, or the edges do not ascend: the line and the message of the fault.
fn check_bins(
    path: &str,
    declared: &DeclaredFields,
    (name, line): (&str, usize),
    edges: &[(f64, usize)],
) -> Result<(), (usize, String)> {
    let kind = declared.input(&format!("`{path}` has"), name).map_err(|message| (line, message))?;
    if let Some(kind) = kind.filter(|kind| !BINNED.contains(kind)) {
        let message = format!(
            "`{path}` has `{name}` of kind {}, but only integers and numbers have bins; remove it, so that its values \
             themselves are compared",
            kind.name()
        );
        return Err((line, message));
    }
    let path = format!("{path}.{name}");
    let fault = |pair: &[(f64, usize)]| {
        validate::bin_fault(&path, pair[0].0, pair[1].0).map(|message| (pair[1].1, message))
    };
    edges.windows(2).find_map(fault).map_or(Ok(()), Err)
}

/// The index of the rater's field among the fields of the decisions; `None` if these could not be read.
fn rater_field(path: &str, declared: &DeclaredFields, name: &str) -> Result<Option<usize>, String> {
    let Some(fields) = &declared.decisions else { return Ok(None) };
    let key = name.strip_prefix(DECISION_PREFIX).unwrap_or(name);
    let Some(index) = fields.iter().position(|field| field.name == key) else {
        let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let instead = validate::instead(key, &names, "dispatcher_id");
        return Err(format!(
            "`{path}` is `{name}`, but [decisions.fields] does not declare this field; {instead}"
        ));
    };
    match fields[index].value {
        Some(kind) if !NAMING.contains(&kind) => Err(format!(
            "`{path}` is `{name}` of kind {}, which cannot identify a rater; use a field of kind text, integer or boolean",
            kind.name()
        )),
        _ => Ok(Some(index)),
    }
}

/// Warns of models that can tell snapshots of one input class apart: the ceiling does not hold for them.
fn warn_of_finer_models(
    section: &TableReader<'_>,
    models: &[Option<Plugin>],
    names: &[String],
    edges: &[Vec<f64>],
) {
    for model in models.iter().flatten() {
        let finer = model.grant.iter().filter(|grant| {
            let at = names.iter().position(|name| name == *grant);
            at.is_none_or(|at| !edges[at].is_empty())
        });
        let finer: Vec<&String> = finer.collect();
        if !finer.is_empty() {
            let message = format!(
                "model \"{}\" is granted {}, in which snapshots of one input class may differ: it can exceed the ceiling, which \
                 holds for a model that sees no more than the input class",
                model.name,
                validate::listed(&finer, ", ")
            );
            section.warn(section.line(), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ceiling, InputClassField};
    use crate::test_support::{faults, read};

    const WINDOWS: &str = "[windows]";

    fn declared(keys: &str) -> (Ceiling, Vec<String>) {
        let study = read(&[(WINDOWS, &format!("[ceiling]\n{keys}[windows]"))]);
        let warnings = study.warnings.iter().map(|fault| fault.message.clone()).collect();
        (study.ceiling.unwrap(), warnings)
    }

    #[test]
    fn a_study_need_not_declare_a_ceiling() {
        assert_eq!(read(&[]).ceiling, None);
    }

    #[test]
    fn an_input_class_has_all_granted_fields_by_default() {
        let (ceiling, warnings) = declared("");
        let exact = |field| InputClassField { field, edges: Vec::new() };
        assert_eq!(ceiling.fields, [exact(0), exact(1)]);
        assert_eq!((ceiling.rater, ceiling.show_raters), (None, false));
        assert_eq!(warnings, [""; 0]);
    }

    #[test]
    fn keys_are_read() {
        let (ceiling, warnings) = declared(
            "fields = [\"segment\", \"lead_time\"]\nbins = { lead_time = [7, 30.5] }\nrater = \"room\"\nshow-raters = true\n",
        );
        let fields = [
            InputClassField { field: 1, edges: Vec::new() },
            InputClassField { field: 0, edges: vec![7.0, 30.5] },
        ];
        assert_eq!(ceiling.fields, fields);
        assert_eq!((ceiling.rater, ceiling.show_raters), (Some(0), true));
        assert_eq!(
            warnings,
            [
                "model \"rules\" is granted `lead_time`, in which snapshots of one input class may differ: it can exceed the \
              ceiling, which holds for a model that sees no more than the input class"
            ]
        );
        let (_, warnings) = declared("fields = [\"segment\"]\n");
        assert!(warnings[0].starts_with("model \"rules\" is granted `lead_time`"), "{warnings:?}");
        let (ceiling, _) = declared("rater = \"decision.room\"\n");
        assert_eq!(ceiling.rater, Some(0));
    }

    #[test]
    fn faults_name_their_lines() {
        let report = |keys: &str| faults(&[(WINDOWS, &format!("[ceiling]\n{keys}\n[windows]"))]).to_string();
        let reports = [
            report("fields = []"),
            report("fields = [\"lead_tme\", \"segment\", \"segment\", \"decision.room\"]"),
            report("bins = { segment = [1, 2], price = [1], lead_time = [30, 7] }"),
            report("bins = { lead_time = [\"a\"] }"),
            report("bins = { lead_time = [nan] }"),
            report("bins = { lead_time = [1, inf, 0] }"),
            report("bins = { lead_time = 7 }"),
            report("bins = { lead_time = [] }"),
            report("rater = \"dispatcher\""),
            report("show-raters = true"),
        ];
        insta::assert_snapshot!(reports.join("\n"));
        let ungranted = [("grant = [\"lead_time\", \"segment\"]\n", ""), (WINDOWS, "[ceiling]\n[windows]")];
        let message = faults(&ungranted).to_string();
        assert!(
            message.contains("`ceiling.fields` is missing, and no model is granted a field"),
            "{message}"
        );
        let kind =
            [("room = \"text\"", "room = \"json\""), (WINDOWS, "[ceiling]\nrater = \"room\"\n[windows]")];
        let message = faults(&kind).to_string();
        assert!(
            message.contains("`ceiling.rater` is `room` of kind json, which cannot identify a rater"),
            "{message}"
        );
    }
    #[test]
    fn bins_are_no_fault_of_their_own_where_the_fields_of_an_input_class_are_not_known() {
        let keys = "fields = [\"lead_tme\"]\nbins = { price = [1] }";
        let faults = faults(&[(WINDOWS, &format!("[ceiling]\n{keys}\n[windows]"))]);
        let messages: Vec<&str> = faults.as_slice().iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].contains("`lead_tme`"), "{messages:?}");
    }
}

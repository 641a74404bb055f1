//! Reads `[threshold]`, `[[scopes]]` and `[blinding]`.
//!
//! Invariants: every metric, condition, value and field that is named is declared in the same file.

use std::path::PathBuf;

use super::{
    Blinding, Cycle, Direction, Evidence, InterferenceEffect, Quantifier, Reference, Scope, Shares,
    Threshold, VerdictCount, WindowChoice, ceiling_share, chance, family,
};
use crate::named_entry::NamedEntry;
use crate::similar_names::{LABELS, warn_of_similar_names};
use crate::table_reader::{TableReader, bounded};
use crate::toml_value::Value;
use crate::validate::{self, DeclaredFields, NAME, NameRegistry};
use crate::{AnswerForm, Condition, Plugin};

const WINDOWS: &str = "{ first = 8 } or { latest = 8 }, or { all = true } with quantifier = \"pooled\"";
const SHARES: &str = "a number from 0 to 1, such as 0.25";
const VALUE: &str = "a value of that condition, or a list of some, such as [\"direct\", \"groups\"]";

/// The declarations that a threshold may refer to; `None` for those that could not be read.
pub(crate) struct Declarations<'k> {
    pub(crate) metrics: &'k [Option<Plugin>],
    pub(crate) primary: Option<usize>,
    pub(crate) conditions: &'k [Option<Condition>],
    pub(crate) fields: &'k DeclaredFields,
    /// The models and scopes of the file.
    pub(crate) verdicts: VerdictCount,
    /// Whether the file has the section `[ceiling]`.
    pub(crate) is_ceiling_declared: bool,
}

impl Declarations<'_> {
    /// The index of a name. `Ok(None)` if it may be a declaration that could not be read, `Err` with a message otherwise.
    fn index(
        &self,
        path: &str,
        sort: &str,
        name: &str,
        names: &[Option<&str>],
    ) -> Result<Option<usize>, String> {
        if let Some(index) = names.iter().position(|known| *known == Some(name)) {
            return Ok(Some(index));
        }
        if names.contains(&None) {
            return Ok(None);
        }
        let known: Vec<&str> = names.iter().flatten().copied().collect();
        let instead = match validate::nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? declared: {}", validate::listed(&known, ", ")),
            None if known.is_empty() => format!("declare it under [[{sort}s]]"),
            None => format!("declared: {}", validate::listed(&known, ", ")),
        };
        Err(format!("`{path}` is `{name}`, but no {sort} has this name; {instead}"))
    }

    pub(crate) fn condition(&self, path: &str, name: &str) -> Result<Option<usize>, String> {
        let names: Vec<_> =
            self.conditions.iter().map(|known| known.as_ref().map(|known| known.name.as_str())).collect();
        self.index(path, "condition", name, &names)
    }

    /// The names of a condition's values.
    pub(crate) fn values(&self, condition: usize) -> Vec<String> {
        self.conditions[condition].as_ref().map(|known| known.split.values()).unwrap_or_default()
    }

    /// The index of the metric that a section names; the primary metric by default.
    pub(crate) fn metric(&self, section: &mut TableReader<'_>) -> Option<usize> {
        let named = section.optional("metric", "the name of a metric, such as \"agreement\"", Value::word);
        let Some(name) = named else { return self.primary.filter(|_| !section.has("metric")) };
        let names: Vec<_> =
            self.metrics.iter().map(|metric| metric.as_ref().map(|metric| metric.name.as_str())).collect();
        section.check("metric", self.index(&section.at("metric"), "metric", name, &names)).flatten()
    }

    /// The index of a value of a condition.
    fn value(&self, path: &str, condition: usize, name: &str) -> Result<usize, String> {
        let values = self.values(condition);
        values.iter().position(|value| value == name).ok_or_else(|| {
            let of = self.conditions[condition].as_ref().map_or("", |known| &known.name);
            format!(
                "`{path}` names `{name}`, but the condition `{of}` has no such value; its values are {}",
                validate::listed(&values, ", ")
            )
        })
    }
}

/// Reads the section `[threshold]`.
pub(crate) fn threshold(section: &mut TableReader<'_>, known: &Declarations<'_>) -> Option<Threshold> {
    let metric = known.metric(section);
    let bound = bound(section);
    let quantifiers = [("every-window", Quantifier::EveryWindow), ("pooled", Quantifier::Pooled)];
    let quantifier =
        section.required("quantifier", &validate::one_of(&quantifiers), |value| value.choice(&quantifiers));
    let windows = section.section("windows", WINDOWS, windows).flatten();
    let evidence = evidence(section);
    let least_per_window = bounded(section, "least-per-window", validate::LEAST_COMPARISONS).unsigned_abs();
    let least_per_condition =
        bounded(section, "least-per-condition", validate::LEAST_COMPARISONS).unsigned_abs();
    let conditions = section.list("conditions", "a list of conditions, such as [\"day\"]", Value::word);
    let least_coverage = share(section, "least-coverage").unwrap_or(validate::LEAST_COVERAGE);
    let most_rejected = share(section, "most-rejected").unwrap_or(validate::MOST_REJECTED);
    let most_late = share(section, "most-late").unwrap_or(validate::MOST_LATE);
    let most_conflict = share(section, "most-conflict").unwrap_or(validate::MOST_CONFLICT);
    let most_orphaned = share(section, "most-orphaned").unwrap_or(validate::MOST_ORPHANED);
    let most_shed = share(section, "most-shed").unwrap_or(validate::MOST_SHED);
    let most_unanswered = share(section, "most-unanswered").unwrap_or(validate::MOST_UNANSWERED);
    let cluster = section.optional("cluster", "a field of the snapshots, such as \"guest\"", Value::word);
    let chance = chance::chance(section);
    let of_ceiling = ceiling_share::of_ceiling(section, evidence, known.is_ceiling_declared);
    let family = family::family(section, evidence, known.verdicts);
    let cycle = section
        .optional_section("cycle", "{ condition = \"month\", times = 1 }", |section| cycle(section, known));
    let references = section.sections("reference", "[[threshold.reference]] for each condition", |section| {
        reference(section, known)
    });
    let on_exposure = interference(section, "on-exposure");
    let on_comparator_change = interference(section, "on-comparator-change");

    if (quantifier, windows) == (Some(Quantifier::EveryWindow), Some(WindowChoice::All)) {
        let message = "`threshold.windows` is { all = true }, but quantifier = \"every-window\" needs a number of windows; \
                       write { first = 8 } or { latest = 8 }";
        section.fault(section.line_of("windows"), message.to_owned());
    }
    let path = section.at("conditions");
    let named = conditions.into_iter().filter_map(|(name, line)| {
        known.condition(&path, name).map_err(|message| section.fault(line, message)).ok().flatten()
    });
    let conditions = named.collect();
    if let Some(name) = cluster {
        section.check("cluster", known.fields.input(&format!("`{}` is", section.at("cluster")), name));
    }
    let (direction, bound) = bound?;
    Some(Threshold {
        metric: metric?,
        direction,
        bound,
        quantifier: quantifier?,
        windows: windows?,
        evidence: evidence?,
        least_per_window,
        least_per_condition,
        conditions,
        least_coverage,
        most_rejected,
        most_late,
        most_conflict,
        most_orphaned,
        most_shed,
        most_unanswered,
        cluster: cluster.map(str::to_owned),
        chance: chance?,
        form: AnswerForm::Label,
        of_ceiling,
        family: family?,
        cycle: match cycle {
            Some(read) => Some(read?),
            None => None,
        },
        references: references.into_iter().collect::<Option<_>>()?,
        on_exposure: on_exposure?,
        on_comparator_change: on_comparator_change?,
        line: section.line(),
    })
}

fn bound(section: &mut TableReader<'_>) -> Option<(Direction, f64)> {
    let number = "a finite number in units of the metric, such as 0.85";
    let least = section.optional("at-least", number, Value::number);
    let most = section.optional("at-most", number, Value::number);
    match (section.has("at-least"), section.has("at-most")) {
        (true, false) => least.map(|bound| (Direction::AtLeast, bound)),
        (false, true) => most.map(|bound| (Direction::AtMost, bound)),
        (both, _) => {
            let has = if both { "both `at-least` and `at-most`" } else { "neither `at-least` nor `at-most`" };
            let message = format!(
                "`{}` has {has}; write at-least = 0.85 if higher values are better, or at-most if lower values are better",
                section.path()
            );
            section.absent(&["at-least", "at-most"], section.line(), &message);
            None
        }
    }
}

fn windows(section: &mut TableReader<'_>) -> Option<WindowChoice> {
    let number = "a whole number from 1 to 10000";
    let count = |value: &Value<'_>| value.integer().filter(|count| (1..=10_000).contains(count));
    let first = section.optional("first", number, count);
    let latest = section.optional("latest", number, count);
    let all = section
        .optional("all", "true, or first or latest instead", |value| value.boolean().filter(|all| *all));
    let there: Vec<_> = ["first", "latest", "all"].into_iter().filter(|key| section.has(key)).collect();
    match there[..] {
        ["first"] => first.map(|count| WindowChoice::First(count.unsigned_abs())),
        ["latest"] => latest.map(|count| WindowChoice::Latest(count.unsigned_abs())),
        ["all"] => all.map(|_| WindowChoice::All),
        _ => {
            let has =
                if there.is_empty() { "none of these".to_owned() } else { validate::listed(&there, " and ") };
            let message = format!(
                "`{}` needs exactly one of `first`, `latest` and `all`, and has {has}; write {WINDOWS}",
                section.path()
            );
            section.absent(&["first", "latest", "all"], section.line(), &message);
            None
        }
    }
}

fn evidence(section: &mut TableReader<'_>) -> Option<Evidence> {
    let kinds = [("point", false), ("bound", true)];
    let kind = section.required("evidence", &validate::one_of(&kinds), |value| value.choice(&kinds));
    let confidence = "a number above 0.5 and below 1, such as 0.95";
    let within = |value: &Value<'_>| value.number().filter(|level| *level > 0.5 && *level < 1.0);
    let level = section.optional("confidence", confidence, within);
    match kind? {
        false => {
            section.refuse(
                "confidence",
                "evidence = \"point\" has no confidence; remove it, or write evidence = \"bound\"",
            );
            Some(Evidence::Point)
        }
        true if section.has("confidence") => level.map(Evidence::Bound),
        true => {
            let message = format!(
                "`{}` is missing, the confidence of the bound; write {confidence}",
                section.at("confidence")
            );
            section.absent(&["confidence"], section.line(), &message);
            None
        }
    }
}

fn cycle(section: &mut TableReader<'_>, known: &Declarations<'_>) -> Option<Cycle> {
    let name = section.required("condition", "a calendar condition, such as \"month\"", Value::word);
    let times = "a whole number from 1 to 1000";
    let count = |value: &Value<'_>| value.integer().filter(|times| (1..=1000).contains(times));
    let read = section.optional("times", times, count);
    let times = if section.has("times") { read } else { Some(1) };
    let path = section.at("condition");
    let condition = section.check("condition", known.condition(&path, name?)).flatten()?;
    if known.conditions[condition].as_ref().is_some_and(|condition| !condition.split.is_calendar()) {
        let message = format!(
            "`{path}` is `{}`, which is not a calendar condition; name a condition with `calendar`",
            name?
        );
        section.fault(section.line_of("condition"), message);
        return None;
    }
    Some(Cycle { condition, times: times?.unsigned_abs() })
}

fn reference(section: &mut TableReader<'_>, known: &Declarations<'_>) -> Option<Reference> {
    let name = section.required("condition", "the name of a condition, such as \"segment\"", Value::word);
    let shares = section.entries("shares", SHARES, portion);
    let file = section.optional("file", "a path such as \"reference.json\"", Value::word);
    let tolerance = section.required("tolerance", "a number from 0 to 1, such as 0.05", portion);
    let path = section.at("condition");
    let condition = section.check("condition", known.condition(&path, name?)).flatten();
    let shares = match (section.has("shares"), section.has("file")) {
        (false, true) => file.map(|file| Shares::File(PathBuf::from(file))),
        (true, false) => condition.and_then(|condition| listed(section, known, condition, shares)),
        (both, _) => {
            let has = if both { "both `shares` and `file`" } else { "neither `shares` nor `file`" };
            let message = format!(
                "`{}` has {has}; write shares = {{ direct = 0.4, groups = 0.6 }}, or file = \"reference.json\" with such an object",
                section.path()
            );
            section.absent(&["shares", "file"], section.line(), &message);
            None
        }
    };
    Some(Reference { condition: condition?, shares: shares?, tolerance: tolerance?, line: section.line() })
}

/// The shares, indexed by value.
fn listed(
    section: &TableReader<'_>,
    known: &Declarations<'_>,
    condition: usize,
    listed: Vec<NamedEntry<f64>>,
) -> Option<Shares> {
    let mut shares = vec![0.0; known.values(condition).len()];
    let mut sound = true;
    for NamedEntry { name, value, line } in &listed {
        match known.value(&section.at("shares"), condition, name) {
            Ok(index) => shares[index] = (*value)?,
            Err(message) => {
                sound = false;
                section.fault(*line, message);
            }
        }
    }
    let sum: f64 = shares.iter().sum();
    if sound && (sum - 1.0).abs() > 1e-6 {
        let message = format!("the sum of `{}` is {sum}; write shares with the sum 1", section.at("shares"));
        section.fault(section.line_of("shares"), message);
        return None;
    }
    sound.then_some(Shares::Listed(shares))
}

fn interference(section: &mut TableReader<'_>, key: &'static str) -> Option<InterferenceEffect> {
    let kinds = [("void", InterferenceEffect::Void), ("split", InterferenceEffect::Split)];
    let read = section.optional(key, &validate::one_of(&kinds), |value| value.choice(&kinds));
    if section.has(key) { read } else { Some(InterferenceEffect::Void) }
}

/// Reads one scope and declares its name.
fn scope(section: &mut TableReader<'_>, known: &Declarations<'_>, names: &mut NameRegistry) -> Option<Scope> {
    let name = section.required("name", NAME, Value::name);
    let values = chosen(section, known);
    let name = name.filter(|name| section.check("name", names.claim_part(name, section.line())).is_some());
    Some(Scope { name: name?.to_owned(), values: values? })
}

/// Reads `where`: the conditions that restrict a part of the input, each with the indices of its values.
pub(crate) fn chosen(
    section: &mut TableReader<'_>,
    known: &Declarations<'_>,
) -> Option<Vec<(usize, Vec<usize>)>> {
    let place = section.at("where");
    let chosen = section.entries("where", VALUE, Value::scalars);
    if chosen.is_empty() {
        let message = format!("`{place}` names no value; write where = {{ day = \"weekday\" }}");
        section.absent(&["where"], section.line(), &message);
        return None;
    }
    let mut values = Vec::new();
    for NamedEntry { name, value, line } in chosen {
        let path = format!("{place}.{name}");
        let condition = known.condition(&place, &name).map_err(|what| section.fault(line, what)).ok()??;
        let mut indices = Vec::new();
        for value in value? {
            indices
                .push(known.value(&path, condition, &value).map_err(|what| section.fault(line, what)).ok()?);
        }
        indices.sort_unstable();
        indices.dedup();
        values.push((condition, indices));
    }
    Some(values)
}

/// Reads the sections `[[scopes]]`.
pub(crate) fn scopes(root: &mut TableReader<'_>, known: &Declarations<'_>) -> Option<Vec<Scope>> {
    let mut names = NameRegistry::new("scope");
    let expected = "[[scopes]] once for each scope, with name and where";
    let scopes = root.sections("scopes", expected, |section| scope(section, known, &mut names));
    warn_of_similar_names(root, "scope", LABELS, names.declared());
    scopes.into_iter().collect()
}

/// Reads the section `[blinding]`. By default a tenth of the ids is blinded if the study has a threshold.
pub(crate) fn blinding(root: &mut TableReader<'_>) -> Blinding {
    let threshold = root.has("threshold");
    let default = if threshold { validate::BLINDED } else { 0.0 };
    root.section_or_default("blinding", "[blinding] with share = 0.1", |section| {
        let within = |value: &Value<'_>| value.number().filter(|share| (0.0..=0.5).contains(share));
        Blinding { share: section.optional("share", "a number from 0 to 0.5", within).unwrap_or(default) }
    })
}

fn portion(value: &Value<'_>) -> Option<f64> {
    value.number().filter(|share| (0.0..=1.0).contains(share))
}

fn share(section: &mut TableReader<'_>, key: &'static str) -> Option<f64> {
    section.optional(key, SHARES, portion)
}

#[cfg(test)]
mod tests;

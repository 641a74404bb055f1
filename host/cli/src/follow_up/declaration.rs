//! Writes the declaration of a follow-up: the declaration of the decided study, with other windows and another scope.
//!
//! Invariants: pure; all that is not about the new scope, its windows and where files are stays as it was declared, with its
//! comments. The bound is left out, so the declaration is not valid before its author has written one.

use toml::Value;
use toml::de::DeTable;

use super::deferred_scope::DeferredScope;
use super::planned_windows::{PlannedWindows, ScopeVolume};
use super::stored_parts::{StoredPart, StoredParts};
use super::toml_edits::{TomlEdits, TomlEntry, entry, tables};
use crate::init::declared_name;
use understudy_report::{count, counted};
use understudy_study::{Direction, Every, Study, Threshold};

/// The key of the file of a trained model.
const MODEL_FILE: &str = "file";
/// The keys that say how it is imported.
const MODEL_FILE_OPTIONS: [&str; 5] = ["fields", "labels", "score-threshold", "softmax", "top"];
/// The longest line of a comment, in characters.
const COMMENT_CHARS: usize = 118;

/// What a declaration is written from.
pub(super) struct FollowUpText<'a> {
    /// The decided study.
    pub study: &'a Study,
    /// Its threshold.
    pub threshold: &'a Threshold,
    /// The scope of the new study.
    pub scope: &'a DeferredScope,
    /// The windows of the new study.
    pub windows: &'a PlannedWindows,
    /// What they follow from.
    pub volume: &'a ScopeVolume,
    /// Plugins and files.
    pub parts: &'a StoredParts,
    /// The run directory, for people.
    pub run: &'a str,
    /// The hash of the first entry of the ledger.
    pub first_entry: &'a str,
    /// SHA-256 of the seal.
    pub seal: &'a str,
    /// SHA-256 of the verdict.
    pub verdict: &'a str,
}

/// The text of the declaration. `declared` is that of the decided study.
///
/// # Errors
/// If it is not TOML.
pub(super) fn declaration(declared: &str, of: &FollowUpText<'_>) -> Result<String, toml::de::Error> {
    let parsed = DeTable::parse(declared)?;
    let root = parsed.get_ref();
    let mut edits = TomlEdits::new(declared, root);
    let name = declared_name(&format!("{}-{}", of.study.name, of.scope.name));
    if let Some((_, value)) = entry(root, "study") {
        edits.replace(value, &text_value(&name));
    }
    for key in ["models", "comparator", "metrics"] {
        for table in entry(root, key).map(|(_, value)| tables(value.get_ref())).unwrap_or_default() {
            write_plugin(&mut edits, table, &of.parts.plugins);
        }
    }
    if let Some(windows) = table(root, "windows") {
        if let Some((_, every)) = entry(windows, "every") {
            edits.replace(every, &text_value(of.windows.every.name()));
        }
        if let Some(week_ends) = entry(windows, "week-ends").filter(|_| of.windows.every != Every::Week) {
            edits.remove(week_ends);
        }
    }
    if let Some(threshold) = table(root, "threshold") {
        write_threshold(&mut edits, threshold, of);
    }
    for key in ["scopes", "follow-up"] {
        edits.remove_tables(key);
        // Inline, it has no header.
        if let Some(inline) = entry(root, key).filter(|inline| is_inline(declared, *inline)) {
            edits.remove(inline);
        }
    }
    let mut head = comment(&introduction(of));
    let sources = "The records of the new study: not those of the first run, which have been seen. Paths start from the folder of \
                   this file.";
    for (key, says) in
        [("sources", sources.to_owned()), ("windows", windows_comment(of)), ("threshold", question(of))]
    {
        // A table without a header has its comment at the top.
        if let Err(lines) = edits.write_above(key, comment(&says)) {
            head += &format!("#\n{lines}");
        }
    }
    let mut text = format!("{head}\n{}\n", edits.apply().trim());
    if !of.scope.terms.is_empty() {
        text += &scope_table(of.scope);
    }
    text += &format!(
        "\n# The verdict that asks for this study. It is sealed with the rest, and shown in the provenance of the report.\n\
         [follow-up]\nrun = \"{}\"\nseal = \"{}\"\nverdict = \"{}\"\nscope = {}\n",
        of.first_entry,
        of.seal,
        of.verdict,
        text_value(&of.scope.name)
    );
    Ok(text)
}

/// Whether a table or a list of tables is written behind its key.
fn is_inline(text: &str, (key, value): TomlEntry<'_>) -> bool {
    let (key, value) = (key.span(), value.span());
    value.start >= key.end && text[key.end..value.start].trim() == "="
}

/// A table of a table.
fn table<'d>(root: &'d DeTable<'d>, key: &str) -> Option<&'d DeTable<'d>> {
    entry(root, key).and_then(|(_, value)| value.get_ref().as_table())
}

/// What the file is, and where it comes from.
fn introduction(of: &FollowUpText<'_>) -> String {
    format!(
        "Written by `understudy follow-up` from the verdict on the study {}, whose run is in {}. The scope {} is open: {}. \
         Plugins, fields, sources, comparator and metrics are those of that study, each plugin by its SHA-256. Read the comments on \
         windows and sources, and answer the question at the threshold. `understudy check` names what is missing.",
        of.study.name, of.run, of.scope.name, of.scope.reason
    )
}

fn windows_comment(of: &FollowUpText<'_>) -> String {
    let PlannedWindows { every, count: windows, per_window, is_too_few, .. } = *of.windows;
    let unit = every.name();
    let declared = of.study.windows.every;
    let mut text = format!(
        "In the first run, {} had {} a {} on average, over {}.",
        of.scope.name,
        counted(of.volume.scope.round() as u64, "comparison", "comparisons"),
        declared.name(),
        counted(of.volume.windows as u64, "window", "windows"),
    );
    if every != declared {
        let least = count(of.threshold.least_per_window);
        text +=
            &format!(" A window needs {least}, so it is a {unit} here and no longer a {}.", declared.name());
    }
    let pooled = (windows as f64 * per_window).round() as u64;
    text += &format!(
        " {} have about {}. The run takes them and the parts of {unit}s before the first and after the last.",
        counted(windows, unit, &format!("{unit}s")),
        counted(pooled, "comparison", "comparisons"),
    );
    if is_too_few {
        text += " That is fewer than the threshold requires, so no GO is possible: choose another scope, or a lower \
                 `least-per-window`.";
    }
    text
}

/// The question that the author has to answer.
fn question(of: &FollowUpText<'_>) -> String {
    let Threshold { direction, bound, metric, .. } = of.threshold;
    let (key, side) = match direction {
        Direction::AtLeast => ("at-least", "above"),
        Direction::AtMost => ("at-most", "below"),
    };
    let metric = &of.study.metrics[*metric].name;
    let mut text = format!(
        "QUESTION: which value of {metric} in {} permits the next stage? The first study required `{key} = {bound}`. Write `{key} = \
         ...` into this table before the first run.",
        of.scope.name
    );
    match of.windows.margin {
        Some(margin) => {
            text += &format!(
                " With that bound, GO has a probability of 0.8 if the true value is {margin:.4} {side} it. `understudy plan` \
                 says the same of your bound."
            );
        }
        None => text += " `understudy plan` says what these windows can find.",
    }
    text
}

/// Writes where the component and the assets of a plugin are.
fn write_plugin(edits: &mut TomlEdits<'_>, table: &DeTable<'_>, parts: &[StoredPart]) {
    let name = entry(table, "name").and_then(|(_, value)| value.get_ref().as_str());
    let Some(part) = parts.iter().find(|part| Some(part.name.as_str()) == name) else { return };
    if let Some((_, plugin)) = entry(table, "plugin") {
        edits.replace(plugin, &text_value(&part.plugin));
    }
    if part.is_trained_model {
        let assets: Vec<String> = part
            .assets
            .iter()
            .map(|(name, path)| format!("{} = {}", key_text(name), text_value(path)))
            .collect();
        if let Some(file) = entry(table, MODEL_FILE) {
            edits.replace_entry(file, format!("assets = {{ {} }}", assets.join(", ")));
        }
        for key in ["assets", "config"].into_iter().chain(MODEL_FILE_OPTIONS) {
            // Assets and config of a trained model are empty.
            entry(table, key).into_iter().for_each(|option| edits.remove(option));
        }
        return;
    }
    let declared = entry(table, "assets").and_then(|(_, value)| value.get_ref().as_table());
    for (name, path) in &part.assets {
        if let Some((_, value)) = declared.and_then(|assets| entry(assets, name)) {
            edits.replace(value, &text_value(path));
        }
    }
}

/// Leaves the bound open, and sets the number of windows.
fn write_threshold(edits: &mut TomlEdits<'_>, threshold: &DeTable<'_>, of: &FollowUpText<'_>) {
    for key in ["at-least", "at-most"] {
        entry(threshold, key).into_iter().for_each(|bound| edits.remove(bound));
    }
    if let Some(windows) = table(threshold, "windows") {
        for key in ["first", "latest"] {
            if let Some((_, count)) = entry(windows, key) {
                // At most 10,000.
                edits.replace(count, &Value::Integer(of.windows.count as i64));
            }
        }
    }
    let verdicts = of.study.models.len() * if of.scope.terms.is_empty() { 1 } else { 2 };
    if let Some(confidence) = entry(threshold, "confidence").filter(|_| verdicts > 1)
        && of.threshold.family.is_none()
    {
        edits.insert_before(confidence, "family = \"holm\"");
    }
    for reference in
        entry(threshold, "reference").map(|(_, value)| tables(value.get_ref())).unwrap_or_default()
    {
        let Some((_, file)) = entry(reference, "file") else { continue };
        let declared = file.get_ref().as_str();
        if let Some((_, path)) = of.parts.files.iter().find(|(name, _)| Some(name.as_str()) == declared) {
            edits.replace(file, &text_value(path));
        }
    }
}

/// The scope of the new study.
fn scope_table(scope: &DeferredScope) -> String {
    let term = |(condition, values): &(String, Vec<String>)| {
        let values: Vec<String> = values.iter().map(|value| text_value(value).to_string()).collect();
        let value = match &values[..] {
            [only] => only.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        format!("{} = {value}", key_text(condition))
    };
    let terms: Vec<String> = scope.terms.iter().map(term).collect();
    format!(
        "\n{}[[scopes]]\nname = {}\nwhere = {{ {} }}\n",
        comment("The scope that the first verdict left open."),
        text_value(&scope.name),
        terms.join(", ")
    )
}

fn text_value(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// A key as TOML.
fn key_text(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_bare { name.to_owned() } else { text_value(name).to_string() }
}

/// A text as lines of a comment, each with its line break.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if line.chars().count() + 1 + word.chars().count() > COMMENT_CHARS && line.len() > 1 {
            lines += &line;
            lines.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line += word;
    }
    lines + &line + "\n"
}

#[cfg(test)]
mod tests;

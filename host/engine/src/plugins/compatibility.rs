//! Checks that loaded plugins fit their study and each other.
//!
//! Invariants: each error names the line that can fix it; no model reads a field of the decision.

use crate::plugins::load::Loader;
use crate::plugins::loaded_plugin::LoadedPlugin;
use crate::plugins::study_fields::declared_field;
use understudy_sandbox::{Better, DeciderPlugin, InputField, PluginRole, ScorerPlugin};
use understudy_study::{
    AnswerForm, ChanceRequirement, DECISION_PREFIX, Direction, Plugin, PluginSource, Study, chance_forms,
};

/// The reasons why a plugin with these inputs cannot fill a slot during a run: it may only read the fields
/// that the seal grants.
pub(crate) fn access_violations(
    study: &Study,
    slot: &Plugin,
    role: PluginRole,
    reads: &[InputField],
) -> Vec<String> {
    let mut found = Vec::new();
    for InputField { name, kind, .. } in reads {
        let wanted = kind.name();
        match declared_field(study, name).map(|field| field.kind) {
            _ if role == PluginRole::Model && name.starts_with(DECISION_PREFIX) => {
                found.push(format!("it reads `{name}`, and a model is never shown the decision"));
            }
            None => found.push(format!("it reads `{name}`, which the study does not have")),
            Some(has) if !has.is_readable_as(*kind) => {
                found.push(format!("it reads `{name}` as {wanted}, and the study declares it as {}", has.name()));
            }
            Some(_) if !slot.grant.contains(name) => found.push(format!(
                "it reads `{name}`, which {} \"{}\" is not granted; the seal fixes the grants, so a plugin that reads more needs a new study",
                role.name(),
                slot.name
            )),
            Some(_) => {}
        }
    }
    found
}

impl Loader<'_> {
    /// Reports a threshold that the metric always meets, never meets, or meets in the wrong direction.
    pub(crate) fn check_threshold(
        &mut self,
        study: &Study,
        comparator: &LoadedPlugin<DeciderPlugin>,
        metrics: &[LoadedPlugin<ScorerPlugin>],
    ) {
        let Some(threshold) = &study.threshold else { return };
        // A metric that failed to load has its own error, and shifts the indices of the others.
        let Some(metric) = metrics.get(threshold.metric).filter(|_| metrics.len() == study.metrics.len())
        else {
            return;
        };
        let (name, bound) = (&metric.name, threshold.bound);
        let (least, greatest) = metric.plugin.range;
        let below = |edge: Option<f64>| edge.is_some_and(|edge| bound <= edge);
        let above = |edge: Option<f64>| edge.is_some_and(|edge| bound >= edge);
        let what = match (threshold.direction, metric.plugin.better) {
            (Direction::AtMost, Better::Higher) => Some(
                "at-most, but higher values are closer: a model that never agrees would pass; write at-least"
                    .to_owned(),
            ),
            (Direction::AtLeast, Better::Lower) => Some(
                "at-least, but lower values are closer: a model that is always wrong would pass; write at-most"
                    .to_owned(),
            ),
            (Direction::AtLeast, Better::Higher) if below(least) => Some(format!(
                "at-least = {bound}, which every value of the metric meets; write a bound that can be missed"
            )),
            (Direction::AtLeast, Better::Higher)
                if bound != greatest.unwrap_or(f64::MAX) && above(greatest) =>
            {
                Some(format!(
                    "at-least = {bound}, which no value of the metric reaches; write a bound that can be met"
                ))
            }
            (Direction::AtMost, Better::Lower) if above(greatest) => Some(format!(
                "at-most = {bound}, which every value of the metric meets; write a bound that can be missed"
            )),
            (Direction::AtMost, Better::Lower) if bound != least.unwrap_or(f64::MIN) && below(least) => {
                Some(format!(
                    "at-most = {bound}, which no value of the metric reaches; write a bound that can be met"
                ))
            }
            _ => None,
        };
        if let Some(what) = what {
            self.fault(threshold.line, format!("the threshold of metric \"{name}\" requires {what}"));
        }
        if let Some(what) = chance_fault(threshold.chance, comparator.plugin.form) {
            self.fault(threshold.line, what);
        }
    }

    /// Reports a ceiling on numbers, and a required share of the ceiling if the metric cannot be the share of equal answers.
    pub(crate) fn check_ceiling(
        &mut self,
        study: &Study,
        comparator: &LoadedPlugin<DeciderPlugin>,
        metrics: &[LoadedPlugin<ScorerPlugin>],
    ) {
        let Some(ceiling) = &study.ceiling else { return };
        if comparator.plugin.form == AnswerForm::Number {
            let what = "[ceiling] counts equal decisions, but the answers are numbers, which are rarely equal; remove \
                        [ceiling]";
            self.fault(ceiling.line, what.to_owned());
        }
        let Some(threshold) = study.threshold.as_ref().filter(|threshold| threshold.of_ceiling.is_some())
        else {
            return;
        };
        let metric = metrics.get(threshold.metric).filter(|_| metrics.len() == study.metrics.len());
        let is_share = |metric: &LoadedPlugin<ScorerPlugin>| {
            metric.plugin.range == (Some(0.0), Some(1.0)) && metric.plugin.components.len() == 1
        };
        if let Some(metric) = metric.filter(|metric| !is_share(metric)) {
            let what = format!(
                "the threshold requires a share of the ceiling, which limits the share of equal answers, but metric \"{}\" is \
                 not that share; remove of-ceiling, or choose a metric that is the share of equal answers",
                metric.name
            );
            self.fault(threshold.line, what);
        }
    }

    /// Reports the fields that a plugin reads and that are missing, of another type, or not granted.
    pub(crate) fn check_reads(
        &mut self,
        study: &Study,
        plugin: &Plugin,
        role: PluginRole,
        reads: &[InputField],
    ) {
        let what = format!("{} \"{}\"", role.name(), plugin.name);
        let mut ungranted = Vec::new();
        for InputField { name, kind, .. } in reads {
            if role == PluginRole::Model && name.starts_with(DECISION_PREFIX) {
                self.fault(
                    plugin.source_line,
                    format!(
                        "{what} reads `{name}`, and a model is never shown the decision: that would leak its target into \
                         its input; let it read fields of the snapshot only"
                    ),
                );
                continue;
            }
            let (table, key) = match name.strip_prefix(DECISION_PREFIX) {
                Some(key) => ("decisions.fields", key),
                None => ("inputs.fields", name.as_str()),
            };
            let wanted = kind.name();
            match declared_field(study, name).map(|field| field.kind) {
                None => {
                    let renamed = match plugin.source {
                        PluginSource::ModelFile(_) => {
                            ", or, if the feed has it under another name, write fields = [...] in the order of training"
                        }
                        PluginSource::Stock(_) | PluginSource::Path(_) | PluginSource::Registry(_) => "",
                    };
                    self.fault(
                        plugin.source_line,
                        format!(
                            "{what} reads `{name}`, which the study does not declare; add {key} = \"{wanted}\" to [{table}]{renamed}"
                        ),
                    );
                }
                Some(found) if !found.is_readable_as(*kind) => {
                    let found = found.name();
                    self.fault(
                        plugin.source_line,
                        format!(
                            "{what} reads `{name}` as {wanted}, and [{table}] declares it as {found}; write \
                             {key} = \"{wanted}\" there if that is what the records hold"
                        ),
                    );
                }
                Some(_) => {}
            }
            if !plugin.grant.contains(name) {
                ungranted.push(name);
            }
        }
        if !ungranted.is_empty() {
            let listed = |names: &[&String], quote: &str| {
                names.iter().map(|name| format!("{quote}{name}{quote}")).collect::<Vec<_>>().join(", ")
            };
            let all: Vec<_> = plugin.grant.iter().chain(ungranted.iter().copied()).collect();
            let (ungranted, all) = (listed(&ungranted, "`"), listed(&all, "\""));
            self.fault(
                plugin.grant_line,
                format!("{what} is not granted {ungranted}, which it reads; write grant = [{all}]"),
            );
        }
        let mut names = reads.iter().map(|field| &field.name).chain(&plugin.grant);
        if role == PluginRole::Comparator && !names.any(|name| name.starts_with(DECISION_PREFIX)) {
            self.fault(
                plugin.source_line,
                format!(
                    "{what} neither reads nor is granted a field of the decision, so the models would be compared with the snapshots; let it read \
                     fields of [decisions.fields], such as `decision.{}`",
                    study.decisions.fields.first().map_or("NAME", |field| &field.name)
                ),
            );
        }
    }

    /// Reports the models and metrics whose answer form differs from that of the comparator.
    pub(crate) fn check_forms(
        &mut self,
        study: &Study,
        models: &[LoadedPlugin<DeciderPlugin>],
        comparator: &LoadedPlugin<DeciderPlugin>,
        metrics: &[LoadedPlugin<ScorerPlugin>],
    ) {
        let form = comparator.plugin.form;
        let line = |plugins: &[Plugin], name: &str| {
            plugins.iter().find(|plugin| plugin.name == name).map_or(1, |plugin| plugin.source_line)
        };
        for model in models.iter().filter(|model| model.plugin.form != form) {
            let message = format!(
                "model \"{}\" answers with {}, and comparator \"{}\" with {}, which cannot be compared; let them \
                 answer in one form",
                model.name,
                model.plugin.form.with_article(),
                comparator.name,
                form.with_article()
            );
            self.fault(line(&study.models, &model.name), message);
        }
        for metric in metrics.iter().filter(|metric| !metric.plugin.accepts.contains(&form)) {
            let message = format!(
                "metric \"{}\" does not score {}, which is what comparator \"{}\" answers with; choose another metric",
                metric.name,
                form.with_article(),
                comparator.name
            );
            self.fault(line(&study.metrics, &metric.name), message);
        }
        let lacks = |model: &&LoadedPlugin<DeciderPlugin>| {
            !model.plugin.has_probabilities && model.plugin.form == form
        };
        for metric in metrics.iter().filter(|metric| metric.plugin.needs_probabilities) {
            for model in models.iter().filter(lacks) {
                let message = format!(
                    "metric \"{}\" needs class probabilities, and model \"{}\" reports none; let the model report them \
                     (a trained classifier does if its scores add up to 1, a model in Rust with `WithProbabilities`), or \
                     remove the metric",
                    metric.name, model.name
                );
                self.fault(line(&study.metrics, &metric.name), message);
            }
        }
    }
}

/// What is wrong with the requirement beyond chance, given the form of the answers; `None` if nothing is.
fn chance_fault(chance: Option<ChanceRequirement>, form: AnswerForm) -> Option<String> {
    let forms = chance_forms(form);
    let weak = match form {
        AnswerForm::Label => {
            "labels: where one label is common, a model that always gives it may meet the bound"
        }
        AnswerForm::Number => {
            "numbers: where they vary little, a model that always gives one number may meet the bound"
        }
        AnswerForm::Ranking => {
            "rankings: where some items are common, a model that always gives these may meet the bound"
        }
        AnswerForm::LabelSet => {
            "sets of labels: where one set is common, a model that always gives it may meet the bound"
        }
        AnswerForm::Json => {
            "JSON values: where one value is common, a model that always gives it may meet the bound"
        }
    };
    match (chance, form) {
        (None, _) => Some(format!(
            "the threshold does not declare `chance`, and the answers are {weak}; write {forms}"
        )),
        (Some(ChanceRequirement::Kappa(_)), form) if form != AnswerForm::Label => Some(format!(
            "the threshold requires Cohen's kappa, which is defined for labels, but the answers have the form {}; write {forms}",
            form.name()
        )),
        (Some(ChanceRequirement::Gain(least)), AnswerForm::Label) if least > 1.0 => Some(format!(
            "the threshold requires a gain of {least}, but the agreement of labels is a share, so no gain exceeds 1; write a \
             number from 0 to 1"
        )),
        _ => None,
    }
}

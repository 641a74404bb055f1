//! Runs metrics: a vector of components per pair of answers, and the value of the metric from sums of
//! components.
//!
//! Invariants:
//! - Every component is finite.
//! - A pair on which the metric fails has zero components and is listed, so that the value covers the scored
//!   pairs only.

use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::batch_sizing::BatchSizer;
use super::bindings::scorer::Metric as Bindings;
use super::bindings::scorer::exports::understudy::shadow::{answers as wit, columns::Text, scorer};
use super::borrowed_columns::{bytes, offsets};
use super::component::link;
use super::component_file::{Assets, ComponentFile, PluginRole};
use super::config_schema::check_config;
use super::instance::{InstanceSpec, InstanceSupervisor};
use super::usage::UsageCounters;
use super::{Sandbox, SandboxError, description_validation};
use understudy_records::batch::{AnswerColumn, Answers, Names, Reason};
use understudy_study::AnswerForm;

/// Which values of a metric are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Higher values are better.
    Higher,
    /// Lower values are better.
    Lower,
}

/// A loaded metric. It can be instantiated any number of times.
#[derive(Clone)]
pub struct ScorerPlugin {
    sandbox: Sandbox,
    spec: Arc<InstanceSpec<Bindings>>,
    /// Display name and version.
    pub title: String,
    /// Answer forms that the metric can score.
    pub accepts: Vec<AnswerForm>,
    /// Whether the metric needs class probabilities of the model.
    pub needs_probabilities: bool,
    /// Names of the components, at least one.
    pub components: Vec<String>,
    /// Which values of the metric are better.
    pub better: Better,
    /// Smallest and largest possible value; `None` if unbounded.
    pub range: (Option<f64>, Option<f64>),
}

impl ScorerPlugin {
    /// Compiles, links, instantiates and configures a metric, and reads its description.
    ///
    /// # Errors
    /// See [`SandboxError`].
    pub fn load(
        sandbox: &Sandbox,
        file: &ComponentFile,
        config: String,
        assets: Assets,
        cache: Option<&Path>,
    ) -> Result<ScorerPlugin, SandboxError> {
        let linked = link::<Bindings>(sandbox, file, PluginRole::Metric.with_article(), cache)?;
        check_config(file, &config)?;
        let spec = Arc::new(InstanceSpec { linked, config, assets, usage_counters: Arc::default() });
        let mut supervisor = InstanceSupervisor::<Bindings>::new(sandbox.clone(), spec.clone());
        supervisor.start()?;
        let description = supervisor
            .call("describe", |world, store| world.understudy_shadow_scorer().call_describe(store))
            .map_err(SandboxError::Call)?;
        supervisor.settle(0);
        let forms = [
            (wit::Form::Label, AnswerForm::Label),
            (wit::Form::Number, AnswerForm::Number),
            (wit::Form::Ranking, AnswerForm::Ranking),
            (wit::Form::LabelSet, AnswerForm::LabelSet),
            (wit::Form::Json, AnswerForm::Json),
        ];
        let accepts =
            forms.into_iter().filter(|(form, _)| description.accepts.contains(form)).map(|(_, form)| form);
        Ok(ScorerPlugin {
            sandbox: sandbox.clone(),
            spec,
            title: description_validation::title(&description.name, &description.version),
            accepts: accepts.collect(),
            needs_probabilities: description.needs_probabilities,
            components: description_validation::components(description.components)?,
            better: match description.direction {
                scorer::Direction::HigherIsBetter => Better::Higher,
                scorer::Direction::LowerIsBetter => Better::Lower,
            },
            range: description_validation::range(description.minimum, description.maximum)?,
        })
    }

    /// The assets that the study passes to the plugin.
    pub fn assets(&self) -> Assets {
        self.spec.assets.clone()
    }

    /// The usage counters of all instances of the plugin.
    pub fn usage_counters(&self) -> Arc<UsageCounters> {
        self.spec.usage_counters.clone()
    }

    /// Creates an instance. It starts with the first batch or with [`Scorer::start`].
    pub fn instance(&self) -> Scorer {
        Scorer {
            supervisor: InstanceSupervisor::new(self.sandbox.clone(), self.spec.clone()),
            components: self.components.len(),
            batch_sizer: BatchSizer::new(),
        }
    }

    /// Creates an instance for rows that are processed again or on trial. Its usage is not that of the plugin.
    pub fn uncounted_instance(&self) -> Scorer {
        let supervisor = InstanceSupervisor::uncounted(self.sandbox.clone(), self.spec.clone());
        Scorer { supervisor, ..self.instance() }
    }
}

/// The components of a batch of pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredBatch {
    /// One column per component, with one value per pair.
    pub components: Vec<Vec<f64>>,
    /// Pairs on which the metric failed, with the failure, by ascending row index. Their components are 0.
    pub broken: Vec<(u32, String)>,
}

impl Scorer {
    /// Creates the instance before the first batch.
    ///
    /// # Errors
    /// If the plugin cannot be instantiated or configured.
    pub fn start(&mut self) -> Result<(), SandboxError> {
        self.supervisor.start()
    }
}

/// One instance of a metric.
pub struct Scorer {
    supervisor: InstanceSupervisor<Bindings>,
    components: usize,
    batch_sizer: BatchSizer,
}

impl Scorer {
    /// Scores pairs of answers. The comparator must have answered every row.
    pub fn score(&mut self, model: &Answers, comparator: &Answers) -> ScoredBatch {
        let rows = model.rows();
        let slice = |answers: &Answers, from: usize, to: usize| {
            let picks: Vec<_> = (from..to).map(|row| (0, row)).collect();
            Answers::gather(&[answers], &picks)
        };
        let mut scored = ScoredBatch { components: vec![Vec::new(); self.components], broken: Vec::new() };
        let mut start = 0;
        while start < rows {
            let end = start + self.batch_sizer.next(rows - start, self.supervisor.fuel());
            let called = if end - start == rows {
                self.call(model, comparator)
            } else {
                self.call(&slice(model, start, end), &slice(comparator, start, end))
            };
            let components = match called {
                Ok(components) => {
                    self.batch_sizer.record_success(end - start, self.supervisor.used);
                    self.supervisor.settle(end - start);
                    components
                }
                Err(why) => {
                    self.batch_sizer.record_failure(end - start);
                    if end - start > 1 || self.supervisor.failed_after_answers {
                        continue;
                    }
                    self.supervisor.settle(1);
                    scored.broken.push((start as u32, why));
                    vec![vec![0.0]; self.components]
                }
            };
            for (all, mut more) in scored.components.iter_mut().zip(components) {
                all.append(&mut more);
            }
            start = end;
        }
        scored
    }

    /// The value of the metric over `rows` pairs, given the sum of each component; `None` if it is undefined.
    ///
    /// # Errors
    /// If the metric traps or returns a value that is not finite.
    pub fn reduce(&mut self, rows: u64, sums: &[f64]) -> Result<Option<f64>, String> {
        let value = self
            .supervisor
            .call("reduce", |world, store| world.understudy_shadow_scorer().call_reduce(store, rows, sums))
            .map_err(|error| error.to_string())?;
        match value {
            Some(value) if !value.is_finite() => Err(format!("`reduce` returned {value}")),
            value => Ok(value),
        }
    }

    fn call(&mut self, model: &Answers, comparator: &Answers) -> Result<Vec<Vec<f64>>, String> {
        let rows = model.rows();
        let (model, comparator) = (to_wit(model), to_wit(comparator));
        let components = self
            .supervisor
            .call("score", |world, store| {
                world.understudy_shadow_scorer().call_score(store, rows as u32, &model, &comparator)
            })
            .map_err(|error| error.to_string())?
            .map_err(|why| format!("`score` returned an error: {}", super::sanitize(&why)))?;
        if components.len() != self.components || components.iter().any(|values| values.len() != rows) {
            return Err(format!("`score` did not return {} components of {rows} rows", self.components));
        }
        match components.iter().flatten().find(|value| !value.is_finite()) {
            Some(bad) => Err(format!("`score` returned the component {bad}; components must be finite")),
            None => Ok(components),
        }
    }
}

/// Converts answers to an argument of a call.
fn to_wit(answers: &Answers) -> wit::Answers {
    let text = |names: &Names| Text { offsets: offsets(names).into_owned(), bytes: bytes(names).to_vec() };
    let values = match &answers.decisions {
        AnswerColumn::Labels { names, codes } => {
            wit::Values::Labels(wit::Labels { names: text(names), codes: codes.clone() })
        }
        AnswerColumn::Numbers(numbers) => wit::Values::Numbers(numbers.clone()),
        AnswerColumn::Rankings { names, offsets, codes } => wit::Values::Rankings(wit::Rankings {
            names: text(names),
            offsets: offsets.clone(),
            codes: codes.clone(),
        }),
        AnswerColumn::LabelSets { names, offsets, codes } => wit::Values::LabelSets(wit::LabelSets {
            names: text(names),
            offsets: offsets.clone(),
            codes: codes.clone(),
        }),
        AnswerColumn::Json { texts, codes } => {
            wit::Values::Json(wit::Labels { names: text(texts), codes: codes.clone() })
        }
    };
    let reason = |(row, reason): &(u32, Reason)| match reason {
        Reason::Abstained(why) => (*row, wit::Reason::Abstained(why.clone())),
        Reason::Failed(why) | Reason::Broke(why) => (*row, wit::Reason::Failed(why.clone())),
        Reason::Blinded => unreachable!("blinded snapshots are answered before they are scored"),
    };
    let probabilities = answers.probabilities.as_ref().map(|own| wit::Probabilities {
        names: text(&own.names),
        offsets: own.offsets.clone(),
        codes: own.codes.clone(),
        values: own.values.clone(),
    });
    wit::Answers {
        values,
        confidence: answers.confidence.clone(),
        probabilities,
        unanswered: answers.unanswered.iter().map(reason).collect(),
    }
}

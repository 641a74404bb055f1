//! Metrics: pairs of answers in, a vector of components for each pair out; sums in, a figure out.
//!
//! Always holds: every component is finite; a pair that the metric breaks on has only zeros and is named, so that the
//! figure is taken over the pairs that were scored.

use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bindings::scorer::Metric as Bindings;
use super::bindings::scorer::exports::understudy::shadow::{answers as wit, columns::Text, scorer};
use super::borrowed_columns::{bytes, offsets};
use super::instance::{InstanceSpec, InstanceSupervisor};
use super::component::{Assets, ComponentFile, PluginRole, link};
use super::usage::UsageCounters;
use super::batch_sizing::BatchSizer;
use super::{Sandbox, SandboxError, description_validation};
use understudy_records::batch::{Answers, AnswerColumn, Names, Reason};
use understudy_study::Form;

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// A metric, ready to be instantiated any number of times.
#[derive(Clone)]
pub struct ScorerPlugin {
    sandbox: Sandbox,
    spec: Arc<InstanceSpec<Bindings>>,
    /// What the plugin calls itself, and its version.
    pub title: String,
    /// The forms that it can score.
    pub accepts: Vec<Form>,
    /// The names of its components, at least one.
    pub components: Vec<String>,
    /// Which way is better.
    pub better: Better,
    /// The least and the greatest figure there can be.
    pub range: (Option<f64>, Option<f64>),
}

impl ScorerPlugin {
    /// Compiles, links, instantiates and configures a metric, and asks it what it is.
    ///
    /// # Errors
    /// Whatever makes it unusable, see [`SandboxError`].
    pub fn load(
        sandbox: &Sandbox,
        file: &ComponentFile,
        config: String,
        assets: Assets,
        cache: Option<&Path>,
    ) -> Result<ScorerPlugin, SandboxError> {
        let pre = link::<Bindings>(sandbox, file, PluginRole::Metric, cache)?;
        let spec = Arc::new(InstanceSpec { pre, config, assets, meter: Arc::default() });
        let mut supervisor = InstanceSupervisor::<Bindings>::new(sandbox.clone(), spec.clone());
        supervisor.start()?;
        let said = supervisor
            .call("describe", |world, store| world.understudy_shadow_scorer().call_describe(store))
            .map_err(SandboxError::Call)?;
        let forms = [
            (wit::Form::Label, Form::Label),
            (wit::Form::Number, Form::Number),
            (wit::Form::Ranking, Form::Ranking),
        ];
        let accepts =
            forms.into_iter().filter(|(given, _)| said.accepts.contains(given)).map(|(_, form)| form);
        Ok(ScorerPlugin {
            sandbox: sandbox.clone(),
            spec,
            title: description_validation::title(&said.name, &said.version),
            accepts: accepts.collect(),
            components: description_validation::components(said.components)?,
            better: match said.direction {
                scorer::Direction::HigherIsBetter => Better::Higher,
                scorer::Direction::LowerIsBetter => Better::Lower,
            },
            range: description_validation::range(said.minimum, said.maximum)?,
        })
    }

    /// The files that it was given.
    pub fn assets(&self) -> Assets {
        self.spec.assets.clone()
    }

    /// What its instances use.
    pub fn meter(&self) -> Arc<UsageCounters> {
        self.spec.meter.clone()
    }

    /// One more instance.
    pub fn instance(&self) -> Scorer {
        Scorer {
            supervisor: InstanceSupervisor::new(self.sandbox.clone(), self.spec.clone()),
            components: self.components.len(),
            batch_sizer: BatchSizer::new(),
        }
    }
}

/// The components of a batch of pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredBatch {
    /// For each component one value a pair.
    pub components: Vec<Vec<f64>>,
    /// The pairs that the metric broke on, with what happened; ascending. Their components are 0.
    pub broken: Vec<(u32, String)>,
}

impl Scorer {
    /// Makes the instance before the first batch comes.
    ///
    /// # Errors
    /// When the plugin cannot be set up.
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
    /// Scores pairs. The comparator has answered every one of them.
    pub fn score(&mut self, model: &Answers, comparator: &Answers) -> ScoredBatch {
        let rows = model.rows();
        let part = |answers: &Answers, from: usize, to: usize| {
            let picks: Vec<_> = (from..to).map(|row| (0, row)).collect();
            Answers::gather(&[answers], &picks)
        };
        let mut scored = ScoredBatch { components: vec![Vec::new(); self.components], broken: Vec::new() };
        let mut start = 0;
        while start < rows {
            let end = start + self.batch_sizer.next(rows - start, self.supervisor.fuel());
            let outcome = if end - start == rows {
                self.call(model, comparator)
            } else {
                self.call(&part(model, start, end), &part(comparator, start, end))
            };
            let components = match outcome {
                Ok(components) => {
                    self.batch_sizer.record_success(end - start, self.supervisor.used);
                    components
                }
                Err(why) => {
                    self.batch_sizer.failed(end - start);
                    if end - start > 1 {
                        continue;
                    }
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

    /// The figure over `rows` pairs from the sums of the components; `None` where it is not defined.
    ///
    /// # Errors
    /// When the metric traps, or answers something that is not finite.
    pub fn reduce(&mut self, rows: u64, sums: &[f64]) -> Result<Option<f64>, String> {
        let figure = self
            .supervisor
            .call("reduce", |world, store| world.understudy_shadow_scorer().call_reduce(store, rows, sums))
            .map_err(|error| error.to_string())?;
        match figure {
            Some(figure) if !figure.is_finite() => Err(format!("`reduce` returned {figure}")),
            figure => Ok(figure),
        }
    }

    fn call(&mut self, model: &Answers, comparator: &Answers) -> Result<Vec<Vec<f64>>, String> {
        let rows = model.rows();
        let (model, comparator) = (given(model), given(comparator));
        let components = self
            .supervisor
            .call("score", |world, store| {
                world.understudy_shadow_scorer().call_score(store, rows as u32, &model, &comparator)
            })
            .map_err(|error| error.to_string())?
            .map_err(|why| format!("`score` returned an error: {}", super::clean(&why)))?;
        if components.len() != self.components || components.iter().any(|values| values.len() != rows) {
            return Err(format!("`score` did not return {} components of {rows} rows", self.components));
        }
        match components.iter().flatten().find(|value| !value.is_finite()) {
            Some(bad) => Err(format!("`score` returned the component {bad}; components must be finite")),
            None => Ok(components),
        }
    }
}

/// Answers as a call takes them.
fn given(answers: &Answers) -> wit::Answers {
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
    };
    let reason = |(row, reason): &(u32, Reason)| match reason {
        Reason::Abstained(why) => (*row, wit::Reason::Abstained(why.clone())),
        Reason::Failed(why) | Reason::Broke(why) => (*row, wit::Reason::Failed(why.clone())),
        Reason::Blinded => unreachable!("a blinded snapshot is asked about before it is scored"),
    };
    wit::Answers {
        values,
        confidence: answers.confidence.clone(),
        unanswered: answers.unanswered.iter().map(reason).collect(),
    }
}

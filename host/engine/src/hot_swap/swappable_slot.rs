//! The steps of a swap that differ between the kinds of plugin slots.

use crate::control::messages::SwapInstances;
use crate::evaluation::pair_evaluator::EvaluatorSwap;
use crate::hot_swap::shadow_comparison::ShadowComparison;
use crate::inference::determinism_check::SharedDeterminismStats;
use crate::inference::worker_pool::{ModelInstance, ModelSwap};
use crate::plugins::compatibility;
use crate::plugins::slot_kind::{ComparatorSlot, MetricSlot, ModelSlot, SlotKind, SlotVersion};
use understudy_run_log::ledger::ShadowResult;
use understudy_sandbox::{DeciderPlugin, PluginRole, SandboxError, ScorerPlugin};
use understudy_study::{Plugin, Study};

/// A plugin that can be compared with a candidate for its slot.
pub(crate) trait ComparablePlugin: Sized {
    /// The reasons why `candidate` cannot take over the slot from this plugin. None if it can: it reads only
    /// what the slot was granted with the seal, and its results can be added to the same sums. `declared` is
    /// the declaration of the slot.
    fn incompatibilities(
        &self,
        study: &Study,
        declared: &Plugin,
        role: PluginRole,
        candidate: &Self,
    ) -> Vec<String>;

    /// Runs this plugin and the candidate on the sampled pairs.
    fn shadow_compare(&self, comparison: &ShadowComparison<'_>, candidate: &Self) -> ShadowResult;
}

impl ComparablePlugin for DeciderPlugin {
    fn incompatibilities(
        &self,
        study: &Study,
        declared: &Plugin,
        role: PluginRole,
        candidate: &DeciderPlugin,
    ) -> Vec<String> {
        let mut reasons = compatibility::access_violations(study, declared, role, &candidate.reads);
        if candidate.form != self.form {
            let (new, old) = (candidate.form.with_article(), self.form.with_article());
            reasons.push(format!("it answers with {new}, the current plugin with {old}"));
        }
        match (candidate.has_probabilities, self.has_probabilities) {
            (true, false) => {
                reasons.push("it reports class probabilities, and the current plugin none".to_owned())
            }
            (false, true) => {
                reasons.push("it reports no class probabilities, and the current plugin does".to_owned())
            }
            _ => {}
        }
        reasons
    }

    fn shadow_compare(&self, comparison: &ShadowComparison<'_>, candidate: &DeciderPlugin) -> ShadowResult {
        comparison.compare_deciders(self, candidate)
    }
}

impl ComparablePlugin for ScorerPlugin {
    fn incompatibilities(
        &self,
        _: &Study,
        _: &Plugin,
        _: PluginRole,
        candidate: &ScorerPlugin,
    ) -> Vec<String> {
        let is_summable = candidate.components == self.components
            && candidate.better == self.better
            && candidate.range == self.range
            && (self.needs_probabilities || !candidate.needs_probabilities)
            && self.accepts.iter().all(|form| candidate.accepts.contains(form));
        let reason = "its components, direction, range, accepted answer forms or need for class probabilities differ from those of the \
                      current metric, so their sums cannot be added; declare such a metric in a study of its own";
        if is_summable { Vec::new() } else { vec![reason.to_owned()] }
    }

    fn shadow_compare(&self, comparison: &ShadowComparison<'_>, candidate: &ScorerPlugin) -> ShadowResult {
        comparison.compare_metrics(self, candidate)
    }
}

/// A slot whose plugin can be replaced during a run.
pub(crate) trait SwappableSlot: SlotKind<Plugin: ComparablePlugin> {
    /// The declaration of the slot at `index` in the study.
    fn declaration(study: &Study, index: usize) -> &Plugin;

    /// Creates and starts the instances that the swap needs.
    ///
    /// # Errors
    /// When an instance cannot be set up.
    fn start_instances(
        study: &Study,
        determinism_stats: &SharedDeterminismStats,
        new: SlotVersion<Self>,
    ) -> Result<SwapInstances, SandboxError>;
}

impl SwappableSlot for ModelSlot {
    fn declaration(study: &Study, index: usize) -> &Plugin {
        &study.models[index]
    }

    fn start_instances(
        study: &Study,
        determinism_stats: &SharedDeterminismStats,
        new: SlotVersion<ModelSlot>,
    ) -> Result<SwapInstances, SandboxError> {
        let mut worker_models = Vec::with_capacity(study.limits.workers);
        for _ in 0..study.limits.workers {
            let mut instance = ModelInstance::new(study, new.index, &new.version, determinism_stats);
            instance.start()?;
            worker_models.push(ModelSwap { model: new.index, instance });
        }
        Ok(SwapInstances { worker_models, evaluator_swap: EvaluatorSwap::Model(new) })
    }
}

impl SwappableSlot for ComparatorSlot {
    fn declaration(study: &Study, _: usize) -> &Plugin {
        &study.comparator
    }

    fn start_instances(
        _: &Study,
        _: &SharedDeterminismStats,
        new: SlotVersion<ComparatorSlot>,
    ) -> Result<SwapInstances, SandboxError> {
        let mut decider = new.version.plugin.instance();
        decider.start()?;
        Ok(SwapInstances {
            worker_models: Vec::new(),
            evaluator_swap: EvaluatorSwap::Comparator(new, decider),
        })
    }
}

impl SwappableSlot for MetricSlot {
    fn declaration(study: &Study, index: usize) -> &Plugin {
        &study.metrics[index]
    }

    fn start_instances(
        _: &Study,
        _: &SharedDeterminismStats,
        new: SlotVersion<MetricSlot>,
    ) -> Result<SwapInstances, SandboxError> {
        let mut scorer = new.version.plugin.instance();
        scorer.start()?;
        Ok(SwapInstances { worker_models: Vec::new(), evaluator_swap: EvaluatorSwap::Metric(new, scorer) })
    }
}

//! Who is to take a part: loaded, and checked against the study and the one that has it.
//!
//! Always holds: a candidate reads only what its part was granted with the seal, and its answers or components are of the
//! kind that the study's sums are of.

use serde_json::Value;

use crate::hot_swap::swapper::{New, SwapError, Swapper, Wish};
use crate::plugins::compatibility;
use crate::plugins::load::plugin_name;
use crate::plugins::plugin_versions::{PluginVersions, Part};
use understudy_sandbox::{DeciderPlugin, File, Role, ScorerPlugin};
use understudy_study::Plugin;

/// Who is to take a part.
pub(crate) struct Candidate<P> {
    pub plugin: P,
    pub component: String,
    pub config: String,
    /// Its component, if it is to be kept.
    pub bytes: Option<Vec<u8>>,
}

impl Swapper {
    /// The plugin that is to take a model's or the comparator's part.
    pub(crate) fn decider(
        &self,
        role: Role,
        declared: &Plugin,
        part: &Part<DeciderPlugin>,
        wish: &Wish,
    ) -> Result<Candidate<DeciderPlugin>, SwapError> {
        let now = &part.now().plugin;
        self.candidate(part, wish, |file, config| {
            let new = DeciderPlugin::load(
                &now.sandbox().compiling_alone()?,
                file,
                role,
                config,
                now.assets(),
                None,
            )?;
            let mut wrong = compatibility::misfits(&self.study, declared, role, &new.reads);
            if new.form != now.form {
                let (is, was) = (new.form.name(), now.form.name());
                wrong.push(format!("it answers with a {is}, and the one that runs with a {was}"));
            }
            if wrong.is_empty() { Ok(new) } else { Err(SwapError::Misfit(wrong)) }
        })
    }

    /// The plugin that is to take a metric's part.
    pub(crate) fn metric(
        &self,
        cast: &PluginVersions,
        part: &Part<ScorerPlugin>,
        wish: &Wish,
    ) -> Result<Candidate<ScorerPlugin>, SwapError> {
        let now = &part.now().plugin;
        self.candidate(part, wish, |file, config| {
            let sandbox = cast.comparator.now().plugin.sandbox().compiling_alone()?;
            let new = ScorerPlugin::load(&sandbox, file, config, now.assets(), None)?;
            let same = new.components == now.components
                && new.better == now.better
                && new.range == now.range
                && now.accepts.iter().all(|form| new.accepts.contains(form));
            let wrong = "it has other components, another direction, another range or takes other forms than the one that \
                         runs, so their sums are not of one kind; such a metric takes a study of its own";
            if same { Ok(new) } else { Err(SwapError::Misfit(vec![wrong.to_owned()])) }
        })
    }

    /// Who is to take a part, loaded unless it had it before.
    fn candidate<P: Clone>(
        &self,
        part: &Part<P>,
        wish: &Wish,
        load: impl FnOnce(&File, String) -> Result<P, SwapError>,
    ) -> Result<Candidate<P>, SwapError> {
        let now = part.now();
        let (component, config) = match &wish.new {
            New::Before => {
                let before = part.before().ok_or_else(|| SwapError::NothingBefore(part.name.clone()))?;
                let (plugin, component) = (before.plugin.clone(), before.component.clone());
                return Ok(Candidate { plugin, component, config: before.config.clone(), bytes: None });
            }
            New::Plugin { component, config } => (component, config),
        };
        let file = match component {
            Some((path, bytes)) => File::of(path, bytes.clone())?,
            None => File::read(&self.run.join(plugin_name(&now.component)))?,
        };
        let config = config
            .as_ref()
            .map_or_else(|| now.config.clone(), |config| Value::from(config.clone()).to_string());
        if file.digest == now.component && config == now.config {
            return Err(SwapError::Same(part.name.clone()));
        }
        let plugin = load(&file, config.clone())?;
        Ok(Candidate { plugin, component: file.digest, config, bytes: Some(file.bytes) })
    }
}

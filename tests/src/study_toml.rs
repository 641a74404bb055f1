//! Builds the declarations of test studies, so that tests state only what matters to them.

use std::fmt::{self, Display, Formatter};

/// A declaration under construction. [`Display`] writes it as `study.toml`.
///
/// Ids are in `id` and times in `at`. By default sources are the files `snapshots.jsonl` and
/// `decisions.jsonl`, the time zone is UTC, the horizon one day and windows are days.
#[derive(Clone, Debug)]
pub struct StudyToml {
    name: String,
    time_zone: String,
    horizon: String,
    every: String,
    http: bool,
    input_fields: Vec<String>,
    decision_fields: Vec<String>,
    models: Vec<String>,
    comparator: String,
    metrics: Vec<String>,
    conditions: Vec<String>,
    sections: Vec<String>,
}

impl StudyToml {
    /// A study without fields and plugins.
    pub fn new(name: &str) -> StudyToml {
        StudyToml {
            name: name.to_owned(),
            time_zone: "UTC".to_owned(),
            horizon: "1d".to_owned(),
            every: "day".to_owned(),
            http: false,
            input_fields: Vec::new(),
            decision_fields: Vec::new(),
            models: Vec::new(),
            comparator: String::new(),
            metrics: Vec::new(),
            conditions: Vec::new(),
            sections: Vec::new(),
        }
    }

    /// A small study of labels: the model `echo` answers `booked`, the comparator answers `decision.room`.
    pub fn small() -> StudyToml {
        StudyToml::new("small")
            .input("booked", "text")
            .input("nights", "integer")
            .decision("room", "text")
            .model("echo", "booked")
            .comparator("recorded", "decision.room")
            .metric("agreement")
            .condition("room", "booked", &["a", "b"])
    }

    /// Sets the time zone.
    pub fn time_zone(mut self, zone: &str) -> StudyToml {
        self.time_zone = zone.to_owned();
        self
    }

    /// Sets the horizon, such as `15m`.
    pub fn horizon(mut self, horizon: &str) -> StudyToml {
        self.horizon = horizon.to_owned();
        self
    }

    /// Sets the length of windows, such as `week`.
    pub fn windows(mut self, every: &str) -> StudyToml {
        self.every = every.to_owned();
        self
    }

    /// Receives both streams over HTTP.
    pub fn http(mut self) -> StudyToml {
        self.http = true;
        self
    }

    /// Declares a field of snapshots.
    pub fn input(mut self, name: &str, kind: &str) -> StudyToml {
        self.input_fields.push(format!("{name} = \"{kind}\"\n"));
        self
    }

    /// Declares a field of decisions.
    pub fn decision(mut self, name: &str, kind: &str) -> StudyToml {
        self.decision_fields.push(format!("{name} = \"{kind}\"\n"));
        self
    }

    /// Adds a model that answers a text field as a label.
    pub fn model(self, name: &str, field: &str) -> StudyToml {
        let config = format!("{{ field = \"{field}\", form = \"label\" }}");
        self.plugin_model(name, "PLUGINS/recorded.wasm", &[field], Some(&config))
    }

    /// Adds the model `evil`, which reads `text` and performs a misbehaviour where the text equals `on`.
    pub fn evil_model(self, name: &str, on: &str, deed: &str) -> StudyToml {
        let config = format!("{{ on = \"{on}\", do = \"{deed}\" }}");
        self.plugin_model(name, "PLUGINS/guests/evil.wasm", &["text"], Some(&config))
    }

    /// Adds a model with any plugin.
    pub fn plugin_model(mut self, name: &str, path: &str, grant: &[&str], config: Option<&str>) -> StudyToml {
        self.models.push(format!("[[models]]\n{}", plugin(name, path, grant, config)));
        self
    }

    /// Adds a trained model, given the keys `plugin` and `file` and its options.
    pub fn trained_model(mut self, name: &str, keys: &str, grant: &[&str]) -> StudyToml {
        self.models.push(format!("[[models]]\nname = \"{name}\"\n{keys}\ngrant = {grant:?}\n"));
        self
    }

    /// Sets a comparator that answers a text field as a label.
    pub fn comparator(self, name: &str, field: &str) -> StudyToml {
        let config = format!("{{ field = \"{field}\", form = \"label\" }}");
        self.plugin_comparator(name, "PLUGINS/recorded.wasm", &[field], Some(&config))
    }

    /// Sets a comparator with any plugin.
    pub fn plugin_comparator(
        mut self,
        name: &str,
        path: &str,
        grant: &[&str],
        config: Option<&str>,
    ) -> StudyToml {
        self.comparator = format!("[comparator]\n{}", plugin(name, path, grant, config));
        self
    }

    /// Adds a metric of this repository, such as `agreement`.
    pub fn metric(self, name: &str) -> StudyToml {
        self.plugin_metric(name, &format!("PLUGINS/{}.wasm", name.replace('-', "_")))
    }

    /// Adds the metric `top-k-overlap` under the name `overlap`.
    pub fn top_k_overlap(self, k: u32) -> StudyToml {
        self.configured_metric("overlap", "top-k-overlap", &format!("{{ k = {k} }}"))
    }

    /// Adds a metric of this repository under any name, with its configuration.
    pub fn configured_metric(mut self, name: &str, metric: &str, config: &str) -> StudyToml {
        let path = format!("PLUGINS/{}.wasm", metric.replace('-', "_"));
        self.metrics.push(format!("[[metrics]]\n{}", plugin(name, &path, &[], Some(config))));
        self
    }

    /// Makes the metric that was added last the primary one. A study with several metrics needs one.
    pub fn primary(mut self) -> StudyToml {
        let metric = self.metrics.last_mut().expect("a study with a metric");
        *metric += "primary = true\n";
        self
    }

    /// Adds a metric with any plugin.
    pub fn plugin_metric(mut self, name: &str, path: &str) -> StudyToml {
        self.metrics.push(format!("[[metrics]]\n{}", plugin(name, path, &[], None)));
        self
    }

    /// Adds a condition on the values of a field.
    pub fn condition(self, name: &str, field: &str, values: &[&str]) -> StudyToml {
        self.condition_rule(name, &format!("field = \"{field}\"\nvalues = {values:?}"))
    }

    /// Adds a condition with any rule, such as `calendar = "hour"`.
    pub fn condition_rule(mut self, name: &str, rule: &str) -> StudyToml {
        self.conditions.push(format!("[[conditions]]\nname = \"{name}\"\n{rule}\n"));
        self
    }

    /// Sets the threshold, given the keys of its section.
    pub fn threshold(self, keys: &str) -> StudyToml {
        self.section("threshold", keys)
    }

    /// Adds any other section, given its name and keys.
    pub fn section(mut self, name: &str, keys: &str) -> StudyToml {
        self.sections.push(format!("[{name}]\n{keys}\n"));
        self
    }
}

fn plugin(name: &str, path: &str, grant: &[&str], config: Option<&str>) -> String {
    let mut text = format!("name = \"{name}\"\nplugin = \"{path}\"\n");
    if !grant.is_empty() {
        text += &format!("grant = {grant:?}\n");
    }
    if let Some(config) = config {
        text += &format!("config = {config}\n");
    }
    text
}

impl Display for StudyToml {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let StudyToml { name, time_zone, horizon, every, .. } = self;
        write!(
            f,
            "study = \"{name}\"\ntime-zone = \"{time_zone}\"\n\n[inputs]\nid = \"id\"\ntime = \"at\"\n"
        )?;
        fields(f, "inputs", &self.input_fields)?;
        write!(f, "\n[decisions]\nid = \"id\"\ntime = \"at\"\nhorizon = \"{horizon}\"\n")?;
        fields(f, "decisions", &self.decision_fields)?;
        let source = |file: &str| match self.http {
            true => "{ http = true }".to_owned(),
            false => format!("{{ file = \"{file}.jsonl\" }}"),
        };
        write!(f, "\n[sources]\nsnapshots = {}\n", source("snapshots"))?;
        writeln!(f, "decisions = {}", source("decisions"))?;
        let plugins = self.models.iter().chain([&self.comparator]).chain(&self.metrics);
        for section in plugins.chain(&self.conditions) {
            write!(f, "\n{section}")?;
        }
        write!(f, "\n[windows]\nevery = \"{every}\"\n")?;
        self.sections.iter().try_for_each(|section| write!(f, "\n{section}"))
    }
}

fn fields(f: &mut Formatter<'_>, stream: &str, fields: &[String]) -> fmt::Result {
    if fields.is_empty() { Ok(()) } else { write!(f, "\n[{stream}.fields]\n{}", fields.concat()) }
}

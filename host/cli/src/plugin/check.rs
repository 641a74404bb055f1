//! `understudy plugin check`: whether a plugin keeps the contract.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};

use super::super::Exit;
use super::super::output::print_out;
use super::arguments::{AuthoredComponent, KindArgument, ROWS, SetupArguments, headline, read_text};
use understudy_engine::{InspectedPlugin, load_within_default_limits};
use understudy_plugin_kit::{
    ContractReport, DeciderSubject, Finding, Row, Rule, ScorerSubject, Subject, check_decider,
    check_decision_access, check_scorer, decision_fields, generate_pairs, generate_rows, read_rows, words_of,
};
use understudy_report::{count, counted};
use understudy_sandbox::{DeciderPlugin, InputField, ScorerPlugin};
use understudy_study::Limits;

/// Most rows of --rows that are checked.
const GIVEN_ROWS: usize = 1000;

/// Check that a plugin keeps the contract: the answer to a row depends on that row and the configuration alone.
///
/// The plugin is asked for generated rows of the fields that it reads, with extremes of each kind, missing values and random
/// cells, and for the texts in its configuration. It is asked for all at once, one by one, in reverse, and in random batches, by new
/// instances and by used ones, within the default limits of a study. Each finding has its shortest example. Exit codes: 0
/// nothing was found, 1 otherwise.
#[derive(clap::Args)]
pub(super) struct Check {
    /// Folder of a plugin, which is built first, path of a component, or name of a stock plugin.
    #[arg(value_name = "DIR|FILE|NAME", default_value = ".")]
    plugin: String,
    /// What the plugin is used as. A model must not read the decision.
    #[arg(long, value_enum)]
    kind: Option<KindArgument>,
    #[command(flatten)]
    setup: SetupArguments,
    /// Rows of your own, JSON Lines, that are checked, too: the first 1,000, and only of a model or comparator. [default: rows.jsonl
    /// beside the component, if there is one]
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// Seed of the generated rows and of the random batches.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

impl Check {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let AuthoredComponent { file, folder } = AuthoredComponent::of_plugin(&self.plugin)?;
        // A stock plugin has no folder.
        let beside =
            Some(folder.join(ROWS)).filter(|path| Path::new(&self.plugin).exists() && path.is_file());
        let plugin = self.setup.load(&self.plugin, &file, load_within_default_limits)?;
        let is_metric = matches!(plugin, InspectedPlugin::Scorer(_));
        if let Some(kind) = self.kind
            && is_metric != (kind == KindArgument::Metric)
        {
            let (what, advice) = if is_metric {
                ("a metric", "metric")
            } else {
                ("a model or a comparator", "model or --kind comparator")
            };
            bail!("{} is {what}; write --kind {advice}", self.plugin);
        }
        print_out(headline(&self.plugin, &plugin))?;
        let words = words_of(&self.setup.config()?);
        let reports = match plugin {
            InspectedPlugin::Decider(decider) => {
                vec![self.check_decider(decider, &words, self.rows.clone().or(beside))?]
            }
            InspectedPlugin::Scorer(scorer) => self.check_scorer(&scorer, &words)?,
        };
        let mut found = 0;
        for finding in reports.iter().flat_map(|report| &report.findings) {
            found += 1;
            print_finding(finding, is_metric)?;
        }
        match found {
            0 => {
                print_out("\nno findings")?;
                Ok(Exit::Done)
            }
            _ => {
                print_out(format_args!("\n{}", counted(found, "finding", "findings")))?;
                Ok(Exit::Failed)
            }
        }
    }

    fn check_decider(
        &self,
        plugin: DeciderPlugin,
        words: &[String],
        given: Option<PathBuf>,
    ) -> anyhow::Result<ContractReport> {
        let mut rows = given.map_or_else(|| Ok(Vec::new()), |path| given_rows(&plugin.reads, &path))?;
        let given = rows.len();
        rows.extend(generate_rows(&plugin.reads, words, self.seed));
        let subject = DeciderSubject { plugin, rows };
        let mut report = check_decider(&subject, self.seed);
        self.print_costs(&subject, &report, given, "rows")?;
        let fields = decision_fields(&subject.plugin);
        match self.kind {
            Some(KindArgument::Model) => report.findings.extend(check_decision_access(&subject.plugin)),
            None if !fields.is_empty() => {
                print_line(
                    "decision",
                    &format!("it reads {}, which a model must not read", fields.join(", ")),
                )?;
            }
            _ => {}
        }
        Ok(report)
    }

    fn check_scorer(&self, plugin: &ScorerPlugin, words: &[String]) -> anyhow::Result<Vec<ContractReport>> {
        if self.rows.is_some() {
            return Err(anyhow!("--rows applies to models and comparators; omit it for a metric"));
        }
        let check = |form| {
            let pairs = generate_pairs(form, plugin.needs_probabilities, words, self.seed);
            let subject = ScorerSubject { plugin: plugin.clone(), form, pairs };
            let report = check_scorer(&subject, self.seed);
            self.print_costs(&subject, &report, 0, &format!("pairs of form {}", form.name()))?;
            Ok(report)
        };
        plugin.accepts.iter().copied().map(check).collect()
    }

    fn print_costs(
        &self,
        subject: &dyn Subject,
        report: &ContractReport,
        given: usize,
        what: &str,
    ) -> anyhow::Result<()> {
        let ContractReport { rows, unanswered, costs, .. } = report;
        let own = match given {
            0 => String::new(),
            given => format!(", {given} of them given"),
        };
        let limits = Limits::default();
        print_line("checked", &format!("{} {what} with --seed {}{own}", count(*rows as u64), self.seed))?;
        if *unanswered > 0 {
            print_line(
                "unanswered",
                &format!(
                    "{}, of which the plugin failed on {}",
                    count(*unanswered as u64),
                    count(report.failed as u64)
                ),
            )?;
        }
        if let Some((row, result)) = &report.failed_example {
            print_line("", &format!("such as {row}: {result}"))?;
        }
        let share = |part: u64, of: u64| part as f64 * 100.0 / of.max(1) as f64;
        print_line(
            "fuel/row",
            &format!(
                "{} alone on average, at most {}, {:.1} % of a study's default limit",
                count(costs.mean_fuel),
                count(costs.most_fuel),
                share(costs.most_fuel, limits.fuel_per_row)
            ),
        )?;
        if *rows > 0 && share(costs.most_fuel, limits.fuel_per_row) > 10.0 {
            print_line("", &format!("most for {}", subject.row_text(costs.most_fuel_row)))?;
        }
        print_line(
            "memory",
            &format!("{} of {} MiB", costs.memory_bytes.div_ceil(1 << 20), limits.memory_mib),
        )
    }
}

fn given_rows(fields: &[InputField], path: &Path) -> anyhow::Result<Vec<Row>> {
    read_rows(fields, &read_text(path, "correct the path")?, GIVEN_ROWS)
        .map_err(|error| anyhow!("{}: {error}", path.display()))
}

fn print_line(head: &str, text: &str) -> anyhow::Result<()> {
    print_out(format_args!("  {head:<11} {text}"))
}

fn print_finding(finding: &Finding, is_metric: bool) -> anyhow::Result<()> {
    let number = finding.rows as u64;
    let number = match finding.rule {
        Rule::DecisionAccess => counted(number, "field", "fields"),
        _ if is_metric => counted(number, "pair", "pairs"),
        _ => counted(number, "row", "rows"),
    };
    print_out(format_args!("\nfinding: {}, {number}", finding.rule.name()))?;
    finding.example.iter().try_for_each(|line| print_out(format_args!("  {line}")))
}

//! `understudy plugin test`: a plugin against the answers that a file expects.

use std::path::PathBuf;

use anyhow::{anyhow, ensure};
use serde_json::Value;

use super::super::Exit;
use super::super::output::print_out;
use super::arguments::{AuthoredComponent, SetupArguments, read_text};
use understudy_engine::{InspectedPlugin, load_within_default_limits};
use understudy_plugin_kit::{
    DeciderSubject, Difference, LineError, PairTest, ScorerSubject, Subject as _, read_pair_tests,
    read_row_tests,
};
use understudy_report::{count, counted};
use understudy_sandbox::{DeciderPlugin, ScorerPlugin};

/// Name of the file with the tests, in the folder of the plugin.
const TESTS: &str = "expected.jsonl";
/// Differences that are printed.
const SHOWN: usize = 5;
/// Largest difference from an expected value of a metric, relative to it.
const ROUNDING: f64 = 1e-12;

/// Compare a plugin's answers with expected ones, in expected.jsonl beside it.
///
/// A line for a model or comparator is {"input": {"nights": 3}, "expected": "a"}, or has "unanswered": "abstained: why" in place of
/// "expected". "confidence" and "probabilities" are compared if they are there. A line for a metric is {"input": {"model": "a",
/// "comparator": "b"}, "expected": {"hits": 0}}; without "model" the model has no answer. {"value": 0.5} is the metric over the pairs
/// of all lines before. A folder is built first. Exit codes: 0 all results match, 1 otherwise.
#[derive(clap::Args)]
pub(super) struct Test {
    /// Folder of a plugin, which is built first, path of a component, or name of a stock plugin.
    #[arg(value_name = "DIR|FILE|NAME", default_value = ".")]
    pub(super) plugin: String,
    #[command(flatten)]
    setup: SetupArguments,
    /// File with the expected answers. [default: expected.jsonl beside the component]
    #[arg(long, value_name = "FILE")]
    expected: Option<PathBuf>,
}

impl Test {
    pub fn execute(&self) -> anyhow::Result<Exit> {
        let AuthoredComponent { file, folder } = AuthoredComponent::of_plugin(&self.plugin)?;
        let tests = self.expected.clone().unwrap_or_else(|| folder.join(TESTS));
        let text = read_text(&tests, "name the file of tests with --expected")?;
        let invalid = |error| anyhow!("{}: {error}", tests.display());
        let (number, differences) = match self.setup.load(&self.plugin, &file, load_within_default_limits)? {
            InspectedPlugin::Decider(plugin) => test_decider(plugin, &text).map_err(invalid)?,
            InspectedPlugin::Scorer(plugin) => test_scorer(&plugin, &text).map_err(invalid)?,
        };
        ensure!(number > 0, "{} has no line; write one test a line", tests.display());
        for Difference { line, expected, found } in differences.iter().take(SHOWN) {
            print_out(format_args!("{}:{line}: expected {expected}, found {found}", tests.display()))?;
        }
        if differences.len() > SHOWN {
            print_out(format_args!("and {} more", count((differences.len() - SHOWN) as u64)))?;
        }
        let tested = counted(number as u64, "test", "tests");
        match differences.len() {
            0 => {
                print_out(format_args!("{tested} passed"))?;
                Ok(Exit::Done)
            }
            failed => {
                print_out(format_args!("{} of {tested} failed", count(failed as u64)))?;
                Ok(Exit::Failed)
            }
        }
    }
}

type Tested = (usize, Vec<Difference>);

fn test_decider(plugin: DeciderPlugin, text: &str) -> Result<Tested, LineError> {
    let tests = read_row_tests(&plugin.reads, text)?;
    let subject = DeciderSubject { plugin, rows: tests.iter().map(|test| test.row.clone()).collect() };
    let results = subject.instance().call(&(0..tests.len()).collect::<Vec<_>>());
    let differences =
        tests.iter().zip(&results).filter_map(|(test, result)| test.difference(result)).collect();
    Ok((tests.len(), differences))
}

fn test_scorer(plugin: &ScorerPlugin, text: &str) -> Result<Tested, LineError> {
    let (form, tests) = read_pair_tests(&plugin.accepts, text)?;
    let pair = |test: &PairTest| match test {
        PairTest::Components { pair, .. } => Some(pair.clone()),
        PairTest::Value { .. } => None,
    };
    let subject =
        ScorerSubject { plugin: plugin.clone(), form, pairs: tests.iter().filter_map(pair).collect() };
    let mut results = subject.instance().call(&(0..subject.rows()).collect::<Vec<_>>()).into_iter();
    let mut scorer = plugin.instance();
    let (mut rows, mut sums) = (0, vec![0.0; plugin.components.len()]);
    let mut differences = Vec::new();
    for test in &tests {
        let (line, expected, found, is_expected) = match test {
            PairTest::Components { line, expected, .. } => {
                let result = results.next().expect("each pair has a result");
                let scores = subject.components(&result);
                if let Some(scores) = &scores {
                    rows += 1;
                    sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
                }
                let wanted = plugin.components.iter().map(|name| expected.get(name).copied()).collect();
                let is_expected = scores.map(|scores| scores.into_iter().map(Some).collect::<Vec<_>>())
                    == Some(wanted)
                    && expected.len() == plugin.components.len();
                (line, serde_json::json!(expected).to_string(), result.to_string(), is_expected)
            }
            PairTest::Value { line, expected } => {
                let value = scorer.reduce(rows, &sums);
                let is_expected = match (&value, expected) {
                    (Ok(Some(value)), Some(wanted)) => (value - wanted).abs() <= ROUNDING * wanted.abs(),
                    (Ok(None), None) => true,
                    _ => false,
                };
                let found = value.map_or_else(|why| why, |value| Value::from(value).to_string());
                (line, Value::from(*expected).to_string(), found, is_expected)
            }
        };
        if !is_expected {
            differences.push(Difference { line: *line, expected, found });
        }
    }
    Ok((tests.len(), differences))
}

//! What the metrics that are part of the program do with a pair without an answer.

use crate::model::report::PluginInfo;
use understudy_components::STOCK_PLUGINS;
use understudy_sandbox::sha256_hex;

/// What a pair without an answer does, by metric, as the reference of metrics has it.
const UNANSWERED: [(&str, &str); 18] = [
    ("agreement", "does not agree"),
    ("kappa", "does not agree"),
    ("brier-score", "is left out"),
    ("log-loss", "is left out"),
    ("expected-calibration-error", "is left out"),
    ("jaccard", "scores 0"),
    ("json-equality", "is not equal"),
    ("bias", "is left out"),
    ("mean-absolute-error", "is left out"),
    ("root-mean-square-error", "is left out"),
    ("mean-absolute-percentage-error", "is left out"),
    ("r-squared", "is left out"),
    ("quantile-loss", "is left out"),
    ("within-tolerance", "is not within"),
    ("top-k-overlap", "scores 0"),
    ("rank-biased-overlap", "scores 0"),
    ("ndcg", "scores 0"),
    ("kendall-tau", "scores -1"),
];

/// What a pair without an answer does by a metric; `None` unless the metric is the one that is part of this program.
pub fn unanswered_score(metric: &PluginInfo) -> Option<&'static str> {
    // The title begins with the name of the plugin, which any other plugin may have, too.
    let name = metric.title.split_once(' ')?.0;
    let (_, component) = STOCK_PLUGINS.iter().find(|(stock, _)| *stock == name)?;
    let (_, score) = UNANSWERED.iter().find(|(stock, _)| *stock == name)?;
    (sha256_hex(&component.bytes()) == metric.digest).then_some(*score)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scores_are_those_of_the_reference() {
        let reference = include_str!("../../../docs/src/reference/metrics.md");
        let rows = reference.lines().filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix("| [`")?.split('|').map(str::trim).collect();
            Some((cells[0].split_once('`')?.0, cells[4]))
        });
        assert_eq!(rows.collect::<Vec<_>>(), UNANSWERED);
    }

    #[test]
    fn only_the_metric_of_the_program_is_known() {
        let (name, component) = STOCK_PLUGINS.iter().find(|(name, _)| *name == "kappa").unwrap();
        let metric =
            |digest: String| PluginInfo { name: "k".to_owned(), title: format!("{name} 0.1.0"), digest };
        assert_eq!(unanswered_score(&metric(sha256_hex(&component.bytes()))), Some("does not agree"));
        assert_eq!(unanswered_score(&metric("5e".repeat(32))), None, "another plugin of the same name");
    }
}

//! Tells whether a metric of rankings can see the order of their items.

use serde_json::Value;

use understudy_records::batch::{AnswerColumn, Answers, Names};
use understudy_sandbox::{Better, ScorerPlugin};

/// A remark for figures of rankings of at most `longest` items, if the metric gives a ranking and its reverse the best
/// value: then the order of items makes no difference, and the figure only says whether both sides have the same items.
/// `config` is the configuration of the metric.
///
/// Returns `None` if the metric sees the order, has no best value, or fails.
pub fn ranking_order_remark(metric: &ScorerPlugin, config: &Value, longest: u32) -> Option<String> {
    let best = match metric.better {
        Better::Higher => metric.range.1?,
        Better::Lower => metric.range.0?,
    };
    if longest < 2 {
        return None;
    }
    let mut scorer = metric.instance();
    let scored = scorer.score(&ranking((0..longest).rev().collect()), &ranking((0..longest).collect()));
    if !scored.broken.is_empty() {
        return None;
    }
    let sums: Vec<f64> = scored.components.iter().map(|component| component[0]).collect();
    if scorer.reduce(1, &sums) != Ok(Some(best)) {
        return None;
    }
    let depth = config.get("k").and_then(Value::as_u64).filter(|k| *k >= u64::from(longest));
    let length = depth.map_or_else(|| format!("{longest} items"), |k| format!("k = {k}"));
    Some(format!(
        "no ranking is longer than {length}, so the order of items makes no difference: two rankings of the same items \
         score {best} by construction"
    ))
}

/// One ranking of the items with these numbers.
fn ranking(codes: Vec<u32>) -> Answers {
    let names = Names::from_iter_values((0..codes.len()).map(|item| format!("item {item}")));
    Answers::from_values(AnswerColumn::Rankings { names, offsets: vec![0, codes.len() as u32], codes })
}

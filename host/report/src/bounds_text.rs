//! Words about bounds: their values and method, or why there are none. The same for every rendering.

use crate::format::{counted, interval_text};
use understudy_statistics::scoring::Interval;
use understudy_statistics::verdict::{Estimate, IntervalMethod, MissingInterval, ScopeVerdict};

/// Bounds with their method, or the reason that there are none; `None` if no bounds are asked for.
pub fn bounds_text(
    interval: Option<Interval>,
    method: Option<IntervalMethod>,
    no_interval: Option<MissingInterval>,
    number: fn(f64) -> String,
) -> Option<String> {
    let Some(interval) = interval else {
        return no_interval.map(|reason| format!("none: {}", reason.reason()));
    };
    let by = method.map_or_else(String::new, |method| format!(" by {}", method.description()));
    Some(interval_text(interval, number) + &by)
}

/// Why estimates of the threshold's metric have no interval: one sentence for each reason.
pub fn missing_intervals(ruling: &ScopeVerdict) -> Vec<String> {
    let mut reasons: Vec<MissingInterval> = Vec::new();
    for reason in ruling.windows.iter().chain([&ruling.pooled]).filter_map(|estimate| estimate.no_interval) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let sentence = |reason: MissingInterval| {
        let has = |estimate: &Estimate| estimate.no_interval == Some(reason);
        let windows = ruling.windows.iter().filter(|estimate| has(estimate)).count();
        let windows = (windows > 0).then(|| counted(windows as u64, "window", "windows"));
        let pooled = has(&ruling.pooled).then(|| "the pooled value".to_owned());
        let places: Vec<String> = windows.into_iter().chain(pooled).collect();
        format!("No interval for {}: {}.", places.join(" and "), reason.reason())
    };
    reasons.into_iter().map(sentence).collect()
}

//! Names the values of a condition.
//!
//! Invariants: the names and their order depend on the declaration only; the index of a value is its position in them.

use super::Split;

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

impl Split {
    /// The names of the values, in the order of reports.
    pub fn values(&self) -> Vec<String> {
        let fixed = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        match self {
            Self::Values { values, .. } => {
                values.iter().map(String::as_str).chain(["other", "missing"]).map(str::to_owned).collect()
            }
            Self::Bins { edges, .. } => bins(edges),
            Self::Weekend => fixed(&["weekday", "weekend"]),
            Self::DayOfWeek => fixed(&DAYS),
            Self::Hour => (0..24).map(|hour| format!("{hour:02}")).collect(),
            Self::Month => fixed(&MONTHS),
        }
    }

    /// Whether the value depends on the calendar only, so that every value recurs.
    pub fn is_calendar(&self) -> bool {
        match self {
            Self::Values { .. } | Self::Bins { .. } => false,
            Self::Weekend | Self::DayOfWeek | Self::Hour | Self::Month => true,
        }
    }
}

fn bins(edges: &[f64]) -> Vec<String> {
    let (Some(&first), Some(&last)) = (edges.first(), edges.last()) else {
        return vec!["any".to_owned(), "missing".to_owned()];
    };
    let between = edges.windows(2).map(|pair| format!("{} to < {}", short(pair[0]), short(pair[1])));
    let mut labels = vec![format!("< {}", short(first))];
    labels.extend(between);
    labels.extend([format!(">= {}", short(last)), "missing".to_owned()]);
    labels
}

/// The shortest text that reads back as the same number: `7`, `0.25`, `1e21`.
fn short(x: f64) -> String {
    let plain = x == 0.0 || (1e-5..1e16).contains(&x.abs());
    if plain { format!("{}", x + 0.0) } else { format!("{x:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_bins_are_written_in_their_shortest_form() {
        let written: Vec<String> =
            [-0.0, 7.0, 0.25, -3.5, 9_999_999.0, 1e21, 1e-9, -1e16].iter().map(|edge| short(*edge)).collect();
        assert_eq!(written, ["0", "7", "0.25", "-3.5", "9999999", "1e21", "1e-9", "-1e16"]);
    }
}

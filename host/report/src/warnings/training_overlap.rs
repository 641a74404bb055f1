//! Says in a sentence that the figures of a model include windows in which it was trained.

use crate::format::{count, counted};
use crate::model::report::{ModelReport, Report};
use understudy_study::TrainingPeriod;

/// A sentence for each model whose training period has an instant in common with a window of the report.
pub(super) fn sentences(report: &Report) -> Vec<String> {
    report.models.iter().filter_map(|model| sentence(report, model)).collect()
}

fn sentence(report: &Report, model: &ModelReport) -> Option<String> {
    let TrainingPeriod { from, until } = model.training_period?;
    let common = report.windows.iter().filter(|window| window.start < until && window.end > from).count();
    (common > 0).then(|| {
        format!(
            "THE FIGURES OF {} INCLUDE ITS TRAINING PERIOD: {} of {} lie at least in part between {} and {}. A model is closer to \
             decisions that it learned from, and a verdict over these windows is VOID.",
            model.plugin.name,
            count(common as u64),
            counted(report.windows.len() as u64, "window", "windows"),
            from.strftime("%Y-%m-%d %H:%M UTC"),
            until.strftime("%Y-%m-%d %H:%M UTC")
        )
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::terminal::fixture;

    #[test]
    fn windows_of_the_training_period_are_counted() {
        let said = |from_window: usize, hours: [i64; 2]| {
            let mut report = fixture::hotel();
            let instant = |hours: i64| report.windows[from_window].start + SignedDuration::from_hours(hours);
            let [from, until] = hours.map(instant);
            report.models[0].training_period = Some(TrainingPeriod { from, until });
            sentences(&report)
        };
        let week = 7 * 24;
        insta::assert_snapshot!(said(2, [0, 3 * week]).join("\n"), @"THE FIGURES OF booked-room INCLUDE ITS TRAINING PERIOD: 3 of 62 windows lie at least in part between 2016-07-11 00:00 UTC and 2016-08-01 00:00 UTC. A model is closer to decisions that it learned from, and a verdict over these windows is VOID.");
        // The end is excluded, and so is the end of a window.
        let windows = |from, hours| {
            said(from, hours)
                .first()
                .and_then(|text| text.split(": ").nth(1)?.split(' ').next().map(str::to_owned))
        };
        assert_eq!(windows(2, [0, 1]).as_deref(), Some("1"));
        assert_eq!(windows(2, [-1, 1]).as_deref(), Some("2"));
        assert_eq!(windows(0, [-week, 0]), None);
        assert_eq!(sentences(&fixture::hotel()), Vec::<String>::new());
    }
}

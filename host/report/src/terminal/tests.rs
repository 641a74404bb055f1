//! What is printed is shown as a whole in `snapshots/`; what always holds is tried on every width, on text that means
//! harm, and on reports that no run would make.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::Value as Json;
use unicode_width::UnicodeWidthChar;

use crate::model::report::{
    ConditionInfo, MetricInfo, MetricScores, MetricValue, ModelReport, PluginInfo, Report, WindowInfo,
};
use crate::model::run_summary::RunEnd;
use crate::model::window_breakdown::{WindowBreakdown, WindowValue};
use crate::terminal::fixture::{empty, hotel, rates, troubled};
use crate::terminal::render_report;
use crate::terminal::text_canvas::Style;
use understudy_records::join::Account;
use understudy_sandbox::Better;

const PAGE: Style = Style { width: 100, color: false };

fn columns(line: &str) -> usize {
    line.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The lines that hold one of these words.
fn lines(report: &Report, words: &[&str]) -> String {
    let text = render_report(report, PAGE);
    let lines: Vec<_> = text.lines().filter(|line| words.iter().any(|word| line.contains(word))).collect();
    lines.join("\n")
}

/// The section with this title, without the line of the title.
fn section(report: &Report, title: &str) -> String {
    let text = render_report(report, PAGE);
    let lines = text.lines().skip_while(|line| !line.starts_with(title)).skip(1);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn two_models_on_labels() {
    insta::assert_snapshot!(render_report(&hotel(), PAGE));
}

#[test]
fn one_model_on_numbers() {
    insta::assert_snapshot!(render_report(&rates(), PAGE));
}

#[test]
fn a_run_without_records() {
    insta::assert_snapshot!(render_report(&empty(), PAGE));
}

#[test]
fn a_run_that_broke_off() {
    insta::assert_snapshot!(render_report(&troubled(), PAGE));
}

#[test]
fn a_narrow_terminal() {
    insta::assert_snapshot!(render_report(&troubled(), Style { width: 60, color: false }));
}

#[test]
fn an_interrupted_run_is_marked_at_the_top() {
    let report = Report { end: RunEnd::Interrupted, ..hotel() };
    let text = render_report(&report, PAGE);
    let top: Vec<_> = text.lines().take_while(|line| !line.is_empty()).collect();
    insta::assert_snapshot!(top.join("\n"), @r"
    hotel-rooms  INTERRUPTED 2026-11-23 06:50:03 UTC after 8.21 s
    Shadow run: answers were logged and never acted on.
    62 windows, week ending 2016-07-03 to week ending 2017-09-03, UTC
    The figures cover the windows that were complete when the run was stopped.
    ");
}

#[test]
fn accounts_that_do_not_balance_raise_an_alarm() {
    let mut report = hotel();
    report.accounting.decisions.received += 1;
    insta::assert_snapshot!(lines(&report, &["BALANCE", "understudy", "balances", "compared +"]), @r"
    THE ACCOUNTS DO NOT BALANCE. No figure is reliable: keep the run directory, and report this as a bug
    of understudy.
                   ✓ balances  ✗ NOT BALANCED
      15,402 pairs = 15,402 compared + 0 incomparable  ✓
    ");

    let mut report = hotel();
    report.comparison.compared += 1;
    insta::assert_snapshot!(lines(&report, &["BALANCE", "understudy", "balances", "compared +"]), @r"
    THE ACCOUNTS DO NOT BALANCE. No figure is reliable: keep the run directory, and report this as a bug
    of understudy.
                   ✓ balances  ✓ balances
      15,402 pairs = 15,403 compared + 0 incomparable  ✗ NOT BALANCED
    ");
}

fn set(figure: &mut MetricValue, value: f64, sums: &[f64]) {
    (figure.value, figure.sums) = (Some(value), sums.to_vec());
}

#[test]
fn only_a_proportion_of_pairs_is_shown_with_counts() {
    let first_line = |edit: fn(&mut MetricInfo, &mut MetricValue)| {
        let mut report = hotel();
        edit(&mut report.metrics[0], &mut report.models[0].scores[0].overall);
        let section = section(&report, "Agreement");
        section.lines().nth(1).unwrap().split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(first_line(|_, figure| set(figure, 0.5, &[7_701.0])), "0.500000 7,701 of 15,402");
    assert_eq!(first_line(|_, figure| set(figure, 0.25, &[3_850.5])), "0.250000 15,402 pairs");
    assert_eq!(first_line(|_, figure| set(figure, 0.5, &[7_700.0])), "0.500000 15,402 pairs");
    assert_eq!(first_line(|_, figure| set(figure, 0.5, &[7_701.0, 0.0])), "0.500000 15,402 pairs");
    assert_eq!(
        first_line(|_, figure| (figure.unscored, figure.sums[0]) = (15_000, 0.0)),
        "0.789962 15,402 pairs"
    );
    assert_eq!(first_line(|metric, _| metric.maximum = Some(2.0)), "0.789962 15,402 pairs");
}

#[test]
fn the_least_agreement_is_the_highest_value_where_lower_is_closer() {
    let marked = |better| {
        let mut report = rates();
        report.metrics[0].better = better;
        let text = section(&report, "By condition");
        let marked =
            text.lines().filter(|line| line.starts_with("    ") && line.find('▸').is_some_and(|at| at < 45));
        marked.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(marked(Better::Lower), ["weekday", "other"]);
    assert_eq!(marked(Better::Higher), ["weekend", "groups"]);
}

#[test]
fn equal_values_are_not_marked() {
    let mut report = rates();
    for figure in report.models[0].scores.iter_mut().flat_map(|scores| scores.conditions.iter_mut().flatten())
    {
        figure.value = Some(4.0);
    }
    assert!(!render_report(&report, PAGE).contains('▸'));
}

/// The bars of one metric over windows with these values.
fn bars(values: &[Option<f64>], better: Better, width: usize) -> String {
    let mut report = rates();
    report.models[0].plugin.name = "bars".into();
    report.metrics.truncate(1);
    report.metrics[0].better = better;
    let start = |place| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(place as i64);
    let window =
        |place| WindowInfo { label: format!("hour {place}"), start: start(place), end: start(place + 1) };
    report.windows = (0..values.len()).map(window).collect();
    let figure = report.models[0].scores[0].overall.clone();
    report.models[0].scores[0].windows =
        values.iter().map(|&value| MetricValue { value, ..figure.clone() }).collect();
    let text = render_report(&report, Style { width, color: false });
    let line = text.lines().filter_map(|line| line.strip_prefix("    bars  ")).next_back().unwrap();
    line.to_owned()
}

#[test]
fn bars_are_scaled_between_the_lowest_and_the_highest_value() {
    let values: Vec<_> = (0..=8).map(|eighth| Some(f64::from(eighth))).collect();
    assert_eq!(bars(&values, Better::Higher, 100), "▁▂▃▄▅▆▇██");
    assert_eq!(bars(&[Some(3.0), None, Some(3.0)], Better::Higher, 100), "▄·▄");
    assert_eq!(bars(&[None, Some(f64::NAN)], Better::Higher, 100), "··");
}

#[test]
fn one_divergent_window_is_visible_among_a_thousand() {
    for (better, common, apart, seen) in [(Better::Higher, 1.0, 0.0, '▁'), (Better::Lower, 0.0, 1.0, '█')]
    {
        let mut values = vec![Some(common); 1_000];
        values[617] = Some(apart);
        let bars = bars(&values, better, 100);
        assert!(columns(&bars) <= 90, "{bars}");
        assert_eq!(bars.chars().filter(|bar| *bar == seen).count(), 1, "{bars}");
    }
}

#[test]
fn colour_carries_no_information_of_its_own() {
    for report in [hotel(), rates(), empty(), troubled()] {
        let colored = render_report(&report, Style { color: true, ..PAGE });
        assert!(colored.contains("\x1b[1m"));
        assert_eq!(without_colour(&colored), render_report(&report, PAGE));
    }
}

/// A text without its escape sequences for colour.
fn without_colour(text: &str) -> String {
    ["1", "2", "33", "1;31", "0"]
        .iter()
        .fold(text.to_owned(), |text, code| text.replace(&format!("\x1b[{code}m"), ""))
}

/// A report in which every free text contains control and direction characters.
fn hostile() -> Report {
    fn spoil(json: &mut Json) {
        match json {
            Json::String(text) => {
                *text = format!("\u{1b}[2J\u{9b}31m{text}\r\n\u{7}\u{202e}\u{2066}\u{2028}漢字\t\u{7f}")
            }
            Json::Array(items) => items.iter_mut().for_each(spoil),
            Json::Object(fields) => {
                let fixed = [
                    "started-at",
                    "ended-at",
                    "start",
                    "form",
                    "better",
                    "stream",
                    "reason",
                    "at",
                    "direction",
                    "since",
                    "search-skipped",
                    "kind",
                ];
                let free = fields.iter_mut().filter(|(key, _)| !fixed.contains(&key.as_str()));
                // The end of a run is an object, the end of a window a timestamp.
                free.filter(|(key, value)| *key != "end" || value.is_object())
                    .for_each(|(_, value)| spoil(value));
            }
            _ => {}
        }
    }
    let mut json = serde_json::to_value(troubled()).unwrap();
    spoil(&mut json);
    serde_json::from_value(json).unwrap()
}

/// Whether a character is allowed in a line.
fn harmless(c: char) -> bool {
    let turns = ['\u{061c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'];
    !c.is_control()
        && !turns.contains(&c)
        && !('\u{202a}'..='\u{202e}').contains(&c)
        && !('\u{2066}'..='\u{2069}').contains(&c)
}

#[test]
fn foreign_text_cannot_control_the_terminal() {
    for color in [false, true] {
        let text = render_report(&hostile(), Style { color, ..PAGE });
        assert!(text.contains("\\u{1b}[2J\\u{9b}31mroom-rules"), "the text itself is kept");
        for line in without_colour(&text).lines() {
            assert!(line.chars().all(harmless), "{line:?}");
        }
    }
}

#[test]
fn no_line_is_wider_than_the_page() {
    for report in [hotel(), rates(), empty(), troubled(), hostile()] {
        for width in 0..=200 {
            check(&report, width).unwrap();
        }
    }
}

fn check(report: &Report, width: usize) -> Result<(), TestCaseError> {
    let text = render_report(report, Style { width, color: false });
    prop_assert!(text.ends_with('\n'));
    for line in text.lines() {
        prop_assert!(columns(line) <= width.max(60), "{width}: {line:?}");
        prop_assert!(line.chars().all(harmless), "{line:?}");
        prop_assert!(line.trim_end() == line && !line.contains("NaN") && !line.contains("inf "), "{line:?}");
    }
    Ok(())
}

/// Text of narrow, wide, combining and harmful characters.
fn odd_text() -> impl Strategy<Value = String> {
    let odd =
        prop::sample::select(vec!['x', ' ', '.', '-', 'é', '漢', '\u{301}', '\u{1b}', '\n', '\u{202e}', '🛏']);
    prop::collection::vec(odd, 0..60).prop_map(String::from_iter)
}

fn odd_figure() -> impl Strategy<Value = MetricValue> {
    let some = || 0..1_u64 << 40;
    let numbers = (prop::option::of(prop::num::f64::ANY), prop::collection::vec(prop::num::f64::ANY, 0..3));
    (numbers, some(), some(), some(), some()).prop_map(
        |((value, sums), pairs, abstained, failed, unscored)| MetricValue {
            value,
            interval: None,
            pairs,
            abstained,
            failed,
            unscored,
            sums,
        },
    )
}

fn odd_window_value() -> impl Strategy<Value = WindowValue> {
    (0..90_u64, odd_figure()).prop_map(|(window, figure)| {
        let MetricValue { value, interval, pairs, abstained: unanswered, failed: _, unscored, sums } = figure;
        WindowValue { window, value, interval, pairs, unanswered, unscored, sums }
    })
}

fn odd_model() -> impl Strategy<Value = ModelReport> {
    let figures = |most| prop::collection::vec(odd_figure(), 0..most);
    let by_window = |most| prop::collection::vec(prop::collection::vec(odd_window_value(), 0..5), 0..most);
    let broken_down = (prop::collection::vec(by_window(4), 0..3), by_window(3));
    let scores = (odd_figure(), prop::collection::vec(figures(4), 0..3), figures(90), broken_down);
    let scores = scores.prop_map(|(overall, conditions, windows, broken_down)| {
        let (conditions_by_window, scopes_by_window) = broken_down;
        MetricScores { overall, conditions, windows, conditions_by_window, scopes_by_window, remark: None }
    });
    (odd_text(), prop::collection::vec(scores, 0..3)).prop_map(|(name, scores)| {
        let model = empty().models.remove(0);
        ModelReport { plugin: PluginInfo { name, ..model.plugin.clone() }, scores, ..model }
    })
}

fn odd_metric() -> impl Strategy<Value = MetricInfo> {
    let bound = || prop::option::of(prop::num::f64::ANY);
    (odd_text(), any::<bool>(), bound(), bound()).prop_map(|(name, primary, minimum, maximum)| {
        let metric = empty().metrics.remove(0);
        MetricInfo {
            plugin: PluginInfo { name, ..metric.plugin.clone() },
            primary,
            minimum,
            maximum,
            ..metric
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Lists of different lengths, numbers that are not finite, names of any length: no run makes such a report.
    #[test]
    fn inconsistent_reports_are_printed_without_panics(
        models in prop::collection::vec(odd_model(), 0..5),
        metrics in prop::collection::vec(odd_metric(), 0..3),
        conditions in prop::collection::vec((odd_text(), prop::collection::vec(odd_text(), 0..5)), 0..3),
        windows in prop::collection::vec(odd_text(), 0..90),
        received in 0..u64::MAX,
        first_window in 0..90_u64,
        width in 0..250_usize,
    ) {
        let conditions = conditions.into_iter().map(|(name, values)| ConditionInfo { name, values }).collect();
        let at = |hour: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour);
        let window = |label: String| WindowInfo { start: at(label.len() as i64), end: at(7), label };
        let windows = windows.into_iter().map(window).collect();
        let mut report = Report { models, metrics, conditions, windows, ..troubled() };
        report.window_breakdown = WindowBreakdown { first_window, ..hotel().window_breakdown };
        // So that the first metric is broken down.
        if let Some(metric) = report.metrics.first() {
            report.divergence.metric.clone_from(&metric.plugin.name);
        }
        report.accounting.snapshots = Account { received, ..Account::default() };
        check(&report, width)?;
    }
}

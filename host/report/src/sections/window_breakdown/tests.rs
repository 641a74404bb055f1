//! The section of each window by condition: its data is complete, and few pairs are marked.

use super::*;
use crate::model::report::ConditionInfo;
use crate::sections::tests::bundle;
use crate::terminal::fixture::{hotel, rates};

/// The figures of the section: title, number of panels with values, and table.
fn figures(report: Report) -> Vec<Figure> {
    let bundle = bundle(report);
    let section = window_breakdown(&bundle, &MetricFormat::all(&bundle.report)).expect("a section");
    let figures = section.blocks.into_iter().filter_map(|block| match block {
        Block::Figure(figure) => Some(figure),
        _ => None,
    });
    figures.collect()
}

fn panels(figure: &Figure) -> &[Panel] {
    match &figure.chart {
        Chart::SmallMultiples { panels, .. } => panels,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_data_has_every_value_of_the_breakdown() {
    for report in [hotel(), rates()] {
        let format = &MetricFormat::all(&report)[0];
        let scores = report.models.iter().map(|model| format.scores(model).expect("scores"));
        let expected: usize = scores
            .flat_map(|scores| scores.conditions_by_window.iter().flatten().chain(&scores.scopes_by_window))
            .map(Vec::len)
            .sum();
        let figures = figures(report);
        let rows: usize = figures.iter().map(|figure| figure.table.rows.len()).sum();
        let points: usize = figures
            .iter()
            .flat_map(panels)
            .map(|panel| panel.points.iter().filter(|point| point.value.is_some()).count())
            .sum();
        assert_eq!((rows, points), (expected, expected));
        assert!(expected > 30, "{expected}");
    }
}

#[test]
fn few_pairs_are_marked_in_chart_and_data() {
    let figures = figures(hotel());
    let segment = figures.iter().find(|figure| figure.title.ends_with("and segment")).expect("a figure");
    let tones = panels(segment).iter().map(|panel| panel.points[0].tone).collect::<Vec<_>>();
    // 13, 19, 26, 54 and 134 pairs a window; two values have none.
    assert_eq!(tones, [Some(Tone::Unsure), Some(Tone::Unsure), Some(Tone::Unsure), None, None]);
    let marked = segment.table.rows.iter().filter(|row| row[3].tone == Some(Tone::Unsure));
    assert_eq!(marked.count(), 12);
}

#[test]
fn a_condition_of_many_values_has_charts_of_the_most_frequent() {
    let mut report = hotel();
    report.conditions =
        vec![ConditionInfo { name: "room".to_owned(), values: (0..30).map(|at| format!("r{at}")).collect() }];
    for scores in report.models.iter_mut().flat_map(|model| &mut model.scores) {
        let value = |pairs| WindowValue {
            window: 61,
            value: Some(0.5),
            pairs,
            sums: vec![0.0],
            ..WindowValue::default()
        };
        scores.conditions_by_window = vec![(0..30).map(|at| vec![value(10 + at)]).collect()];
        scores.scopes_by_window = Vec::new();
    }
    let figures = figures(report);
    let figure = &figures[0];
    let titles: Vec<&str> = panels(figure).iter().map(|panel| panel.title.as_str()).collect();
    assert_eq!((titles.len(), titles[0], titles[23]), (24, "r6", "r29"));
    assert_eq!(figure.table.rows.len(), 30);
    assert!(figure.description.contains("The 24 with the most pairs have charts"), "{}", figure.description);
    assert!(figure.description.ends_with("The latest 4 of 62 windows are shown."), "{}", figure.description);
}

#[test]
fn withheld_values_are_named() {
    let mut report = hotel();
    report.end = RunEnd::Interim { window: "week ending 2017-09-03".to_owned() };
    let first = &mut report.models[0].scores[0].conditions_by_window[0][0][0];
    *first = WindowValue { window: first.window, pairs: 3, ..WindowValue::default() };
    let figures = figures(report);
    assert_eq!(
        figures[0].table.rows[0][2..5].iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>(),
        ["3 pairs", "withheld", "–"]
    );
}

#[test]
fn one_window_is_not_broken_down() {
    let mut report = hotel();
    report.windows.truncate(1);
    let bundle = bundle(report);
    assert!(window_breakdown(&bundle, &MetricFormat::all(&bundle.report)).is_none());
}

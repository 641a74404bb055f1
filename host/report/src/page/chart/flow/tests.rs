//! The layout of flow figures: no text overlaps another, a line or an edge.

use proptest::prelude::*;

use crate::page::chart::canvas::Point;
use crate::page::chart::flow::marks::Marks;
use crate::page::chart::flow::{draw, narrow, wide};
use crate::page::flow::{Flow, FlowCount, FlowEffect, FlowExits, FlowLine, FlowNode, FlowStep};

/// The largest number with twelve digits.
const MOST: u64 = 999_999_999_999;

fn records(records: u64, label: &str) -> FlowStep {
    FlowStep::Continuing(FlowCount { count: records, label: label.to_owned() })
}

fn exits(label: &str, ways: &[(&str, u64)]) -> FlowStep {
    let way = |(label, records): &(&str, u64)| FlowCount { count: *records, label: (*label).to_owned() };
    FlowStep::Exits(FlowExits { label: label.to_owned(), ways: ways.iter().map(way).collect() })
}

fn node(title: &str, lines: Vec<FlowLine>, effect: Option<FlowEffect>) -> FlowNode {
    FlowNode { title: title.to_owned(), lines, effect }
}

/// A flow with the steps of a study: `names` of models, and `counts` that are used in turn.
fn flow(names: &[String], counts: &[u64]) -> Flow {
    let mut counts = counts.iter().copied().cycle();
    let mut next = || counts.next().unwrap_or(0);
    let lines = names.iter().flat_map(|name| {
        let text = format!("{} answered, {MOST} abstained, 12 failed", crate::format::count(MOST));
        [FlowLine::Name(name.clone()), FlowLine::Text(text)]
    });
    let arrival = |next: &mut dyn FnMut() -> u64, label: &str| {
        let ways = ["rejected", "duplicate", "conflict", "late"].map(|label| (label, next()));
        [records(next(), label), exits("excluded", &ways), records(next(), "accepted")]
    };
    let mut shadow = vec![exits("shed", &[("shed", next())])];
    shadow.extend(arrival(&mut next, "snapshots received"));
    shadow.push(FlowStep::Node(node(
        "Models",
        lines.collect(),
        Some(FlowEffect::Logged { answers: next() }),
    )));
    shadow.push(exits("not paired", &[("waiting", next()), ("expired", next())]));
    shadow.push(records(next(), "paired"));
    let substrate = vec![FlowLine::Text("decides the same cases".to_owned())];
    let mut actioned = vec![FlowStep::Node(node("Substrate", substrate, Some(FlowEffect::Actioned)))];
    actioned.extend(arrival(&mut next, "decisions received"));
    actioned.push(exits("not paired", &[("revised", next()), ("waiting", next()), ("orphaned", next())]));
    actioned.push(records(next(), "paired"));
    let named = |title: &str| FlowStep::Node(node(title, vec![FlowLine::Text(names.join(", "))], None));
    let joined = vec![
        named("Comparator"),
        exits("not compared", &[("incomparable", next()), ("in open windows", next())]),
        records(next(), "pairs compared"),
        named("Metrics"),
        records(next(), "windows"),
        FlowStep::Node(node("Verdict", vec![FlowLine::Text("INCONCLUSIVE SO FAR".to_owned())], None)),
    ];
    Flow { feed: node("Live feed", Vec::new(), None), shadow, actioned, joined }
}

fn overlap([one, one_end]: [Point; 2], [other, other_end]: [Point; 2]) -> bool {
    one.0 < other_end.0 && other.0 < one_end.0 && one.1 < other_end.1 && other.1 < one_end.1
}

fn is_within([start, end]: [Point; 2], [outer, outer_end]: [Point; 2]) -> bool {
    start.0 >= outer.0 && start.1 >= outer.1 && end.0 <= outer_end.0 && end.1 <= outer_end.1
}

/// What is wrong with a layout.
fn faults(marks: &Marks) -> Vec<String> {
    let mut faults = Vec::new();
    let whole = [(0, 0), marks.size];
    let extents: Vec<_> = marks.texts.iter().map(|text| (text.text.as_str(), text.extent())).collect();
    for (at, (text, extent)) in extents.iter().enumerate() {
        if !is_within(*extent, whole) {
            faults.push(format!("`{text}` leaves the image: {extent:?}"));
        }
        for (other, its) in &extents[at + 1..] {
            if overlap(*extent, *its) {
                faults.push(format!("`{text}` and `{other}` overlap"));
            }
        }
        for placed in &marks.boxes {
            if overlap(*extent, placed.corners) && !is_within(*extent, placed.corners) {
                faults.push(format!("`{text}` crosses the outline of a box"));
            }
        }
    }
    for stroke in &marks.strokes {
        for ends in stroke.points.windows(2) {
            let [one, other] = [ends[0], ends[1]];
            let line = [
                (one.0.min(other.0) - 1, one.1.min(other.1)),
                (one.0.max(other.0) + 1, one.1.max(other.1) + 1),
            ];
            if !is_within(line, whole) {
                faults.push(format!("a line leaves the image: {line:?}"));
            }
            faults.extend(
                extents
                    .iter()
                    .filter(|(_, extent)| overlap(*extent, line))
                    .map(|(text, _)| format!("a line crosses `{text}`")),
            );
            let inside =
                |[(left, top), (right, bottom)]: [Point; 2]| [(left + 2, top + 2), (right - 2, bottom - 2)];
            if marks.boxes.iter().any(|placed| overlap(inside(placed.corners), line)) {
                faults.push(format!("a line crosses a box: {line:?}"));
            }
        }
    }
    for (at, placed) in marks.boxes.iter().enumerate() {
        if !is_within(placed.corners, whole)
            || marks.boxes[at + 1..].iter().any(|other| overlap(placed.corners, other.corners))
        {
            faults.push(format!("a box overlaps another or leaves the image: {:?}", placed.corners));
        }
    }
    faults
}

fn assert_no_faults(flow: &Flow) {
    for (kind, marks) in [("wide", wide::layout(flow)), ("narrow", narrow::layout(flow))] {
        assert_eq!(faults(&marks), [""; 0], "{kind}");
    }
}

#[test]
fn numbers_of_twelve_digits_and_names_of_forty_letters_have_room() {
    for names in [1, 2, 5] {
        let names: Vec<String> = (0..names).map(|at| format!("W{}-{at}", "m".repeat(37))).collect();
        for counts in [&[MOST][..], &[0], &[0, MOST], &[MOST, 0, 0], &[7, 15_402, 0, 1_204]] {
            assert_no_faults(&flow(&names, counts));
        }
    }
}

#[test]
fn a_layout_with_overlapping_texts_has_faults() {
    let mut marks = wide::layout(&flow(&["echo".to_owned()], &[3]));
    let mut text = marks.texts[2].clone();
    text.at.0 += 20;
    marks.texts.push(text);
    assert!(!faults(&marks).is_empty());
}

#[test]
fn a_name_that_is_cut_is_shown_whole_when_pointed_at() {
    let name = format!("fallback-{}", "model".repeat(9));
    let svg = draw(&flow(std::slice::from_ref(&name), &[3]), "id", "title", "description");
    assert!(svg.contains("…#"), "{svg}");
    assert!(svg.contains(&format!("<title>{name}</title>")), "{svg}");
}

#[test]
fn both_images_have_titles_and_ids_of_their_own() {
    let svg = draw(&flow(&["echo".to_owned()], &[3]), "study-1", "The title", "The description");
    assert_eq!(svg.matches("role=\"img\"").count(), 2);
    for kind in ["wide", "narrow"] {
        assert!(svg.contains(&format!("<title id=\"study-1-{kind}-title\">The title</title>")), "{svg}");
        assert!(
            svg.contains(&format!("<desc id=\"study-1-{kind}-description\">The description</desc>")),
            "{svg}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_overlaps_or_is_clipped(
        names in prop::collection::vec("[a-zA-Z0-9_-]{1,40}", 0..=5),
        counts in prop::collection::vec(prop_oneof![Just(0u64), 0..100_000u64, 0..=MOST], 1..20),
    ) {
        let flow = flow(&names, &counts);
        prop_assert_eq!(faults(&wide::layout(&flow)), [""; 0]);
        prop_assert_eq!(faults(&narrow::layout(&flow)), [""; 0]);
    }
}

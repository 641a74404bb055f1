//! Lays out a flow figure for a page: both paths side by side, with the ways out on the outer sides.
//!
//! Invariant: both paths continue at the same height before their last ways out.

use plotters::style::text_anchor::HPos;

use crate::page::chart::canvas::{Paint, TEXT, WIDTH};
use crate::page::chart::flow::marks::{
    ENTRY, ExitText, FlowRoute, LINE, Marks, NodeText, Path, STEP, count_text, effect_end,
};
use crate::page::chart::text_layout::wrap;
use crate::page::flow::{Flow, FlowNode, FlowStep};

/// The width of the text of ways out.
const OUTER: i32 = 1790;

/// The left edges of both lanes.
const LANES: [i32; 2] = [1950, 3880];

/// The width of a lane.
const LANE: i32 = 1770;

/// The length of the line from a box to the words of its effect.
const STUB: i32 = 300;

/// One side of the figure: its lane, and the text of ways out beside it.
struct Side {
    /// 0 for left, 1 for right.
    at: usize,
    /// The y above which the text of earlier ways out lies.
    free: i32,
}

impl Side {
    /// The left and right edge of the lane.
    fn edges(&self) -> (i32, i32) {
        (LANES[self.at], LANES[self.at] + LANE)
    }

    /// The alignment of the text of ways out.
    fn alignment(&self) -> HPos {
        if self.at == 0 { HPos::Right } else { HPos::Left }
    }

    /// The edge of the text of ways out that is nearest to the lane.
    fn outer(&self) -> i32 {
        if self.at == 0 { OUTER } else { WIDTH - OUTER }
    }

    /// The edge of the lane that is nearest to the text of ways out.
    fn near(&self) -> i32 {
        if self.at == 0 { self.edges().0 } else { self.edges().1 }
    }

    /// Outwards from a position by a distance.
    fn outwards(&self, x: i32, by: i32) -> i32 {
        if self.at == 0 { x - by } else { x + by }
    }

    /// Lays out the text of ways out and the arrow to it.
    fn exits(&mut self, marks: &mut Marks, path: &mut Path, text: &ExitText) {
        let y = (path.y + STEP).max(self.free + STEP / 2 + LINE / 2);
        let end = self.outwards(self.outer(), -50);
        marks.stroke([(path.x, y), (end, y)], text.route, text.arrow());
        marks.exits((self.outer(), y), self.alignment(), text);
        path.y = y;
        self.free = y - LINE / 2 + text.height();
    }

    /// Lays out a box of the lane with its effect.
    fn node(&mut self, marks: &mut Marks, path: &mut Path, node: &FlowNode) {
        let (left, right) = self.edges();
        let content = NodeText::stacked(node, LANE);
        let height = content.height();
        let end = self.outwards(self.near(), STUB);
        let effect = node.effect.map(|effect| {
            let room = if self.at == 0 { end - 60 } else { WIDTH - end - 60 };
            (effect, ExitText::of_effect(effect, path.route.solid_paint(), room))
        });
        let needed =
            effect.as_ref().map_or(i32::MIN, |(_, text)| self.free + STEP / 2 + (text.height() - height) / 2);
        let top = (path.y + ENTRY).max(needed);
        path.enter(marks, top, top + height);
        marks.node([(left, top), (right, top + height)], path.route, &content);
        if let Some((effect, text)) = effect {
            let y = top + height / 2;
            marks.stroke([(self.near(), y), (end, y)], path.route, effect_end(effect));
            let first = y - (text.height() - LINE) / 2;
            marks.exits((self.outwards(end, 60), first), self.alignment(), &text);
            self.free = first - LINE / 2 + text.height();
        }
    }
}

/// A number with its label in the middle of a path.
fn records(marks: &mut Marks, path: &mut Path, text: &str, room: i32) {
    let lines = wrap(text, room, TEXT);
    let top = path.y + STEP;
    for (line, y) in lines.iter().zip((0..).map(|line| top + LINE / 2 + line * LINE)) {
        marks.text((path.x, y), line, HPos::Center, Paint::Ink, false);
    }
    path.pass(marks, top, top + LINE * i32::try_from(lines.len()).unwrap_or(1));
}

/// Lays out the steps of a lane.
fn lane(marks: &mut Marks, side: &mut Side, path: &mut Path, steps: &[FlowStep]) {
    for step in steps {
        match step {
            FlowStep::Continuing(number) => records(marks, path, &count_text(number), LANE),
            FlowStep::Exits(exits) => side.exits(marks, path, &ExitText::new(exits, OUTER)),
            FlowStep::Node(node) => side.node(marks, path, node),
        }
    }
}

/// The steps of a lane before its last ways out, and the others. Both lanes show the latter side by side.
fn split_last(steps: &[FlowStep]) -> (&[FlowStep], &[FlowStep]) {
    let last = steps.iter().rposition(|step| matches!(step, FlowStep::Exits(_)));
    steps.split_at(last.unwrap_or(steps.len()))
}

/// The marks of the wide figure.
pub(super) fn layout(flow: &Flow) -> Marks {
    let mut marks = Marks::default();
    let edges = (LANES[0], LANES[1] + LANE);
    let feed = NodeText::joined(&flow.feed, edges.1 - edges.0);
    let top = 20;
    let bottom = top + feed.height();
    marks.node([(edges.0, top), (edges.1, bottom)], FlowRoute::Joined, &feed);

    let mut sides = [0, 1].map(|at| Side { at, free: top });
    let mut paths = [(0, FlowRoute::Shadow), (1, FlowRoute::Actioned)]
        .map(|(at, route)| Path::start(route, (LANES[at] + LANE / 2, bottom)));
    let lanes = [&flow.shadow, &flow.actioned];
    for ((side, path), steps) in sides.iter_mut().zip(&mut paths).zip(lanes) {
        lane(&mut marks, side, path, split_last(steps).0);
    }
    let level = paths.iter().map(|path| path.y).max().unwrap_or(bottom);
    for ((side, path), steps) in sides.iter_mut().zip(&mut paths).zip(lanes) {
        path.y = level;
        lane(&mut marks, side, path, split_last(steps).1);
    }

    let [_, mut right] = sides;
    let middle = (edges.0 + edges.1) / 2;
    let mut path = Path::start(FlowRoute::Joined, (middle, paths[0].y.max(paths[1].y)));
    for (index, step) in flow.joined.iter().enumerate() {
        match step {
            FlowStep::Node(node) => {
                let content = NodeText::joined(node, edges.1 - edges.0);
                let (top, bottom) = (path.y + ENTRY, path.y + ENTRY + content.height());
                if index == 0 {
                    paths.iter_mut().for_each(|path| path.enter(&mut marks, top, bottom));
                    path = Path::start(FlowRoute::Joined, (middle, bottom));
                } else {
                    path.enter(&mut marks, top, bottom);
                }
                marks.node([(edges.0, top), (edges.1, bottom)], FlowRoute::Joined, &content);
            }
            FlowStep::Continuing(number) => {
                records(&mut marks, &mut path, &count_text(number), edges.1 - edges.0);
            }
            FlowStep::Exits(exits) => right.exits(&mut marks, &mut path, &ExitText::new(exits, OUTER)),
        }
    }
    let lowest = |texts: &Marks| texts.texts.iter().map(|text| text.extent()[1].1).max().unwrap_or(0);
    marks.size = (WIDTH, lowest(&marks).max(path.y) + 20);
    marks
}

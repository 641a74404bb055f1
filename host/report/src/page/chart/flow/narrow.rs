//! Lays out a flow figure for a small screen: the steps of the answers, and below them those of the decisions.
//!
//! Invariant: the path of the decisions is at the left edge, and that of the answers at the right edge.

use plotters::style::text_anchor::HPos;

use crate::page::chart::canvas::{Paint, TEXT};
use crate::page::chart::flow::marks::{
    ENTRY, ExitText, FlowRoute, LINE, Marks, NodeText, Path, STEP, StrokeEnd, count_text, effect_end,
};
use crate::page::chart::text_layout::wrap;
use crate::page::flow::{Flow, FlowNode, FlowStep};

/// The width of the figure.
pub(super) const NARROW: i32 = 3400;

/// The distance of a path from the edge.
const INSET: i32 = 70;

/// The distance of texts and boxes from the other path.
const CLEAR: i32 = 230;

/// The distance of a number from its path.
const BESIDE: i32 = 110;

/// The distance of the text of ways out from the path.
const OUT: i32 = 330;

/// A path at an edge.
struct Edge {
    path: Path,
    is_left: bool,
}

impl Edge {
    fn alignment(&self) -> HPos {
        if self.is_left { HPos::Left } else { HPos::Right }
    }

    /// A position at a distance from the path.
    fn inwards(&self, by: i32) -> i32 {
        if self.is_left { self.path.x + by } else { self.path.x - by }
    }

    /// The width from a distance from this path to the other path.
    fn room(&self, from: i32) -> i32 {
        NARROW - INSET - from - CLEAR
    }

    fn lay_out(&mut self, marks: &mut Marks, steps: &[FlowStep]) {
        for step in steps {
            match step {
                FlowStep::Continuing(number) => self.records(marks, &count_text(number)),
                FlowStep::Exits(exits) => {
                    let text = ExitText::new(exits, self.room(OUT));
                    self.beside(marks, &text, text.route, text.arrow());
                }
                FlowStep::Node(node) => self.node(marks, node),
            }
        }
    }

    fn records(&mut self, marks: &mut Marks, text: &str) {
        for line in wrap(text, self.room(BESIDE), TEXT) {
            let y = self.path.y + STEP / 2 + LINE / 2;
            marks.text((self.inwards(BESIDE), y), &line, self.alignment(), Paint::Ink, false);
            self.path.y = y + LINE / 2;
        }
    }

    /// Lays out text beside the path and the arrow to it.
    fn beside(&mut self, marks: &mut Marks, text: &ExitText, route: FlowRoute, end: StrokeEnd) {
        let y = self.path.y + STEP / 2 + LINE / 2;
        marks.stroke([(self.path.x, y), (self.inwards(OUT - 50), y)], route, end);
        marks.exits((self.inwards(OUT), y), self.alignment(), text);
        self.path.y = y - LINE / 2 + text.height();
    }

    fn node(&mut self, marks: &mut Marks, node: &FlowNode) {
        let (left, right) = if self.is_left { (10, NARROW - CLEAR) } else { (CLEAR, NARROW - 10) };
        let content = NodeText::stacked(node, right - left);
        let (top, bottom) = (self.path.y + ENTRY, self.path.y + ENTRY + content.height());
        self.path.enter(marks, top, bottom);
        marks.node([(left, top), (right, bottom)], self.path.route, &content);
        if let Some(effect) = node.effect {
            let text = ExitText::of_effect(effect, self.path.route.solid_paint(), self.room(OUT));
            self.beside(marks, &text, self.path.route, effect_end(effect));
        }
    }
}

/// The marks of the narrow figure.
pub(super) fn layout(flow: &Flow) -> Marks {
    let mut marks = Marks::default();
    let feed = NodeText::joined(&flow.feed, NARROW - 20);
    let bottom = 20 + feed.height();
    marks.node([(10, 20), (NARROW - 10, bottom)], FlowRoute::Joined, &feed);
    let mut shadow = Edge { path: Path::start(FlowRoute::Shadow, (NARROW - INSET, bottom)), is_left: false };
    let mut actioned = Edge { path: Path::start(FlowRoute::Actioned, (INSET, bottom)), is_left: true };
    shadow.lay_out(&mut marks, &flow.shadow);
    actioned.path.y = shadow.path.y + STEP;
    actioned.lay_out(&mut marks, &flow.actioned);

    let middle = NARROW / 2;
    let mut path = Path::start(FlowRoute::Joined, (middle, actioned.path.y));
    for (index, step) in flow.joined.iter().enumerate() {
        match step {
            FlowStep::Node(node) => {
                let content = NodeText::joined(node, NARROW - 20);
                let (top, bottom) = (path.y + ENTRY, path.y + ENTRY + content.height());
                if index == 0 {
                    shadow.path.enter(&mut marks, top, bottom);
                    actioned.path.enter(&mut marks, top, bottom);
                    path = Path::start(FlowRoute::Joined, (middle, bottom));
                } else {
                    path.enter(&mut marks, top, bottom);
                }
                marks.node([(10, top), (NARROW - 10, bottom)], FlowRoute::Joined, &content);
            }
            FlowStep::Continuing(number) => {
                let lines = wrap(&count_text(number), NARROW - 200, TEXT);
                let top = path.y + STEP;
                for (line, y) in lines.iter().zip((0..).map(|line| top + LINE / 2 + line * LINE)) {
                    marks.text((middle, y), line, HPos::Center, Paint::Ink, false);
                }
                path.pass(&mut marks, top, top + LINE * i32::try_from(lines.len()).unwrap_or(1));
            }
            FlowStep::Exits(exits) => {
                let text = ExitText::new(exits, NARROW - middle - OUT);
                let y = path.y + STEP;
                marks.stroke([(middle, y), (middle + OUT - 50, y)], text.route, text.arrow());
                marks.exits((middle + OUT, y), HPos::Left, &text);
                path.y = y - LINE / 2 + text.height();
            }
        }
    }
    marks.size = (NARROW, path.y + 20);
    marks
}

//! The marks of a flow figure: texts, lines, arrows and boxes with their positions, before they are drawn.
//!
//! Invariants: positions and lengths are in tenths of a unit. The layout depends on the texts alone.

use plotters::style::text_anchor::{HPos, VPos};

use crate::format::count;
use crate::page::chart::canvas::{Canvas, Hand, Paint, Point, TEXT, line_height};
use crate::page::chart::text_layout::{width, wrap, wrap_phrases};
use crate::page::flow::{FlowCount, FlowEffect, FlowExits, FlowLine, FlowNode};
use crate::sanitizer::one_line;
use crate::value_text::cut_mark;

/// The height of a line of text.
pub(super) const LINE: i32 = line_height(TEXT);

/// The space between the outline of a box and its text.
pub(super) const PAD: i32 = 80;

/// The length of a path above a label or a way out.
pub(super) const STEP: i32 = 130;

/// The length of a path into a box, with its arrowhead.
pub(super) const ENTRY: i32 = 210;

/// The space between a path and a label that interrupts it.
const CLEARANCE: i32 = 25;

/// The length of an arrowhead.
const HEAD: i32 = 90;

/// The records that a line or box belongs to. It determines the paint and the width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlowRoute {
    /// Answers that are only logged.
    Shadow,
    /// Decisions that are actioned.
    Actioned,
    /// Pairs, and what follows from them.
    Joined,
    /// Records that leave the study.
    Exit,
    /// A way out that no record took.
    Unused,
}

impl FlowRoute {
    /// The paint and width of its line.
    fn line(self) -> (Paint, u32) {
        match self {
            FlowRoute::Shadow => (Paint::Shadow, 20),
            FlowRoute::Actioned => (Paint::Ink, 24),
            FlowRoute::Joined => (Paint::Ink, 14),
            FlowRoute::Exit => (Paint::Soft, 10),
            FlowRoute::Unused => (Paint::Rule, 10),
        }
    }

    /// The paint of its arrowheads and words, which are never dashed.
    pub fn solid_paint(self) -> Paint {
        match self {
            FlowRoute::Shadow => Paint::Series(0),
            other => other.line().0,
        }
    }
}

/// A text with its anchor.
#[derive(Clone)]
pub(super) struct PlacedText {
    pub at: Point,
    pub text: String,
    pub hand: Hand,
}

impl PlacedText {
    /// The top left and bottom right of the text.
    pub fn extent(&self) -> [Point; 2] {
        let wide = text_width(&self.text, self.hand.bold);
        let left = match self.hand.at.0 {
            HPos::Left => self.at.0,
            HPos::Center => self.at.0 - wide / 2,
            HPos::Right => self.at.0 - wide,
        };
        let top = match self.hand.at.1 {
            VPos::Top => self.at.1,
            VPos::Center => self.at.1 - LINE / 2,
            VPos::Bottom => self.at.1 - LINE,
        };
        [(left, top), (left + wide, top + LINE)]
    }
}

/// A line through points, with an arrowhead or a bar at its end.
pub(super) struct Stroke {
    pub points: Vec<Point>,
    pub route: FlowRoute,
    pub end: StrokeEnd,
}

/// The end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StrokeEnd {
    /// Nothing: the line goes on, or leads nowhere.
    Open,
    /// An arrowhead.
    Arrow,
    /// A bar across the line, which goes no further.
    Bar,
}

/// A box with the outline of its route.
pub(super) struct PlacedBox {
    pub corners: [Point; 2],
    pub route: FlowRoute,
}

/// All marks of a figure.
#[derive(Default)]
pub(super) struct Marks {
    pub size: (i32, i32),
    pub texts: Vec<PlacedText>,
    pub strokes: Vec<Stroke>,
    pub boxes: Vec<PlacedBox>,
    /// Whole names, each with the area of the text that has only their beginning.
    pub whole_names: Vec<([Point; 2], String)>,
}

impl Marks {
    /// Adds a line of text that is vertically centred at a position.
    pub fn text(&mut self, at: Point, text: &str, across: HPos, paint: Paint, bold: bool) {
        let hand = Hand { paint, bold, ..Hand::word(across, VPos::Center) };
        self.texts.push(PlacedText { at, text: text.to_owned(), hand });
    }

    /// Adds a line.
    pub fn stroke(&mut self, points: impl Into<Vec<Point>>, route: FlowRoute, end: StrokeEnd) {
        self.strokes.push(Stroke { points: points.into(), route, end });
    }

    /// Adds a box with lines of text, centred.
    pub fn node(&mut self, corners: [Point; 2], route: FlowRoute, content: &NodeText) {
        self.boxes.push(PlacedBox { corners, route });
        let [(left, top), (right, bottom)] = corners;
        let middle = (left + right) / 2;
        let mut y = (top + bottom - content.height()) / 2 + PAD + LINE / 2;
        for line in &content.lines {
            self.text((middle, y), &line.text, HPos::Center, line.paint, line.bold);
            if let Some(whole) = &line.whole {
                let area = [(left + PAD, y - LINE / 2), (right - PAD, y + LINE / 2)];
                self.whole_names.push((area, whole.clone()));
            }
            y += LINE;
        }
    }

    /// Adds the text of ways out beside `x`, from `x` to the left or to the right. The first line is centred at `y`.
    pub fn exits(&mut self, (x, y): Point, across: HPos, rows: &ExitText) {
        let to_left = matches!(across, HPos::Right);
        for (row, y) in rows.lines.iter().zip((0..).map(|row| y + row * LINE)) {
            match row {
                ExitLine::Columns { number, label, bold } => {
                    let number_end = if to_left { x - rows.labels - GAP } else { x + rows.numbers };
                    let paint = if *bold { Paint::Ink } else { Paint::Soft };
                    self.text((number_end, y), number, HPos::Right, Paint::Ink, *bold);
                    self.text((number_end + GAP, y), label, HPos::Left, paint, *bold);
                }
                ExitLine::Text { text, paint, bold } => self.text((x, y), text, across, *paint, *bold),
            }
        }
    }

    /// Draws the marks: boxes first, texts last.
    pub fn draw(&self, canvas: &Canvas) {
        for PlacedBox { corners, route } in &self.boxes {
            let (paint, width) = route.line();
            canvas.block(*corners, Paint::Shade, 1.0);
            canvas.outline(*corners, paint, width);
        }
        for Stroke { points, route, end } in &self.strokes {
            stroke(canvas, points, *route, *end);
        }
        for PlacedText { at, text, hand } in &self.texts {
            canvas.text(*at, text, *hand);
        }
    }

    /// The whole names that a reader sees when pointing at their beginning.
    pub fn hints(&self) -> Vec<([Point; 2], String)> {
        self.whole_names.clone()
    }
}

/// Draws a line whose last part is horizontal or vertical.
fn stroke(canvas: &Canvas, points: &[Point], route: FlowRoute, end: StrokeEnd) {
    let (paint, width) = route.line();
    let [.., before, last] = points else { return };
    let along = ((last.0 - before.0).signum(), (last.1 - before.1).signum());
    let across = (along.1, along.0);
    let offset = |by: i32, side: i32| {
        (last.0 - along.0 * by + across.0 * side, last.1 - along.1 * by + across.1 * side)
    };
    let mut line = points.to_vec();
    if let (StrokeEnd::Arrow, Some(tip)) = (end, line.last_mut()) {
        *tip = offset(HEAD, 0);
    }
    canvas.line(line, paint, width);
    match end {
        StrokeEnd::Open => {}
        StrokeEnd::Arrow => {
            let half = HEAD / 2 + i32::try_from(width).unwrap_or(0) / 4;
            canvas.area([*last, offset(HEAD, half), offset(HEAD, -half)], route.solid_paint(), 1.0);
        }
        StrokeEnd::Bar => canvas.line([offset(0, 90), offset(0, -90)], route.solid_paint(), width),
    }
}

/// The space between a number and its label.
const GAP: i32 = 55;

/// The width of a text; bold text is wider.
pub(super) fn text_width(text: &str, bold: bool) -> i32 {
    let wide = width(text, TEXT);
    if bold { wide * 27 / 25 } else { wide }
}

/// A number with its label.
pub(super) fn count_text(FlowCount { count: number, label }: &FlowCount) -> String {
    format!("{} {}", count(*number), one_line(label))
}

/// The text of a box.
pub(super) struct NodeText {
    lines: Vec<NodeLine>,
}

struct NodeLine {
    text: String,
    /// The whole text, if `text` has only its beginning.
    whole: Option<String>,
    paint: Paint,
    bold: bool,
}

impl NodeText {
    /// The title and the lines of a part of the study, each on its own line; `room` is the width of its box.
    pub fn stacked(node: &FlowNode, room: i32) -> NodeText {
        let room = room - 2 * PAD;
        let mut lines = vec![NodeLine { bold: true, ..NodeLine::cut(&node.title, room * 25 / 27) }];
        for line in &node.lines {
            match line {
                FlowLine::Name(name) => lines.push(NodeLine::cut(name, room)),
                FlowLine::Text(text) => {
                    let part = |text| NodeLine { text, whole: None, paint: Paint::Soft, bold: false };
                    lines.extend(wrap_phrases(&one_line(text), room, TEXT).into_iter().map(part));
                }
            }
        }
        NodeText { lines }
    }

    /// The title and the lines of a part of the study as one text.
    pub fn joined(node: &FlowNode, room: i32) -> NodeText {
        let room = (room - 2 * PAD) * 25 / 27;
        let words = node.lines.iter().map(|line| match line {
            FlowLine::Name(text) | FlowLine::Text(text) => one_line(text),
        });
        let words = words.collect::<Vec<_>>().join(", ");
        let text = if words.is_empty() {
            one_line(&node.title)
        } else {
            format!("{}: {words}", one_line(&node.title))
        };
        let part = |text| NodeLine { text, whole: None, paint: Paint::Ink, bold: true };
        NodeText { lines: wrap(&text, room, TEXT).into_iter().map(part).collect() }
    }

    /// The height of the box.
    pub fn height(&self) -> i32 {
        LINE * i32::try_from(self.lines.len()).unwrap_or(1) + 2 * PAD
    }
}

impl NodeLine {
    /// A name, or its beginning if there is no room for all of it.
    fn cut(name: &str, room: i32) -> NodeLine {
        let name = one_line(name);
        if width(&name, TEXT) <= room {
            return NodeLine { text: name, whole: None, paint: Paint::Ink, bold: false };
        }
        let mark = cut_mark(&name);
        let room = room - width(&mark, TEXT);
        let ends = name.char_indices().map(|(at, _)| at).take_while(|at| width(&name[..*at], TEXT) <= room);
        let text = format!("{}{mark}", &name[..ends.last().unwrap_or(0)]);
        NodeLine { text, whole: Some(name), paint: Paint::Ink, bold: false }
    }
}

/// The text of ways out: the number and label of each way that a record took, below their sum, and the other ways in a
/// sentence.
pub(super) struct ExitText {
    lines: Vec<ExitLine>,
    /// The width of the numbers.
    numbers: i32,
    /// The width of the labels.
    labels: i32,
    pub route: FlowRoute,
}

enum ExitLine {
    Columns { number: String, label: String, bold: bool },
    Text { text: String, paint: Paint, bold: bool },
}

impl ExitText {
    /// The text of ways out in lines of at most `room`.
    pub fn new(exits: &FlowExits, room: i32) -> ExitText {
        let used: Vec<&FlowCount> = exits.ways.iter().filter(|way| way.count > 0).collect();
        let sum = FlowCount { count: exits.records(), label: exits.label.clone() };
        let sum = (used.len() > 1).then_some((&sum, true));
        let rows: Vec<(String, String, bool)> = sum
            .into_iter()
            .chain(used.iter().map(|way| (*way, false)))
            .map(|(way, bold)| (count(way.count), one_line(&way.label), bold))
            .collect();
        let numbers = rows.iter().map(|(number, _, bold)| text_width(number, *bold)).max().unwrap_or(0);
        let labels = rows.iter().map(|(_, label, bold)| text_width(label, *bold)).max().unwrap_or(0);
        let fits = numbers + GAP + labels <= room;
        let mut lines: Vec<ExitLine> = Vec::new();
        for (number, label, bold) in rows {
            if fits {
                lines.push(ExitLine::Columns { number, label, bold });
            } else {
                let parts = wrap(&format!("{number} {label}"), room, TEXT);
                lines.extend(parts.into_iter().map(|text| ExitLine::Text {
                    text,
                    paint: Paint::Ink,
                    bold: false,
                }));
            }
        }
        let unused = exits.unused().map(|text| wrap(&one_line(&text), room, TEXT)).unwrap_or_default();
        lines.extend(unused.into_iter().map(|text| ExitLine::Text { text, paint: Paint::Soft, bold: false }));
        let route = if used.is_empty() { FlowRoute::Unused } else { FlowRoute::Exit };
        ExitText { lines, numbers, labels, route }
    }

    /// The words of an effect, laid out like those of a way out.
    pub fn of_effect(effect: FlowEffect, paint: Paint, room: i32) -> ExitText {
        let words = effect.words();
        let words = words.iter().flat_map(|words| wrap(words, room * 25 / 27, TEXT));
        let lines = words.map(|text| ExitLine::Text { text, paint, bold: true }).collect();
        ExitText { lines, numbers: 0, labels: 0, route: FlowRoute::Exit }
    }

    /// The height of all lines.
    pub fn height(&self) -> i32 {
        LINE * i32::try_from(self.lines.len()).unwrap_or(1)
    }

    /// The end of the line to this text: an arrowhead if records took a way.
    pub fn arrow(&self) -> StrokeEnd {
        if self.route == FlowRoute::Unused { StrokeEnd::Open } else { StrokeEnd::Arrow }
    }
}

/// A vertical path that is being laid out.
#[derive(Clone, Copy)]
pub(super) struct Path {
    pub x: i32,
    pub route: FlowRoute,
    /// The y at which the part that is not laid out yet starts.
    from: i32,
    /// The y above which other marks beside the path lie.
    pub y: i32,
}

impl Path {
    /// A path that starts at a position.
    pub fn start(route: FlowRoute, (x, y): Point) -> Path {
        Path { x, route, from: y, y }
    }

    /// Lays out the path down to a label between `top` and `bottom`, below which it goes on.
    pub fn pass(&mut self, marks: &mut Marks, top: i32, bottom: i32) {
        marks.stroke([(self.x, self.from), (self.x, top - CLEARANCE)], self.route, StrokeEnd::Open);
        (self.from, self.y) = (bottom + CLEARANCE, bottom);
    }

    /// Lays out the path down into a box between `top` and `bottom`, below which it goes on.
    pub fn enter(&mut self, marks: &mut Marks, top: i32, bottom: i32) {
        marks.stroke([(self.x, self.from), (self.x, top)], self.route, StrokeEnd::Arrow);
        (self.from, self.y) = (bottom, bottom);
    }
}

/// The end of the line from a part of the study to the words of its effect.
pub(super) fn effect_end(effect: FlowEffect) -> StrokeEnd {
    match effect {
        FlowEffect::Logged { .. } => StrokeEnd::Bar,
        FlowEffect::Actioned => StrokeEnd::Arrow,
    }
}

//! The canvas of charts: an SVG image whose colours are CSS variables of the page.
//!
//! Invariants: positions and sizes are integers in tenths of a unit. A chart is [`WIDTH`] wide. Text is escaped.
//! The SVG library has no variables, so each [`Paint`] passes through it as a placeholder colour that is replaced later.

use maud::{PreEscaped, html};
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::element::{Circle, Cross, Drawable, PathElement, PointCollection, Polygon, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea as _};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color as _, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle,
};

use crate::page::chart::text_layout::widest;

/// The width of every chart, in tenths of a unit.
pub(super) const WIDTH: i32 = 7600;

/// The size of a sign in a legend.
pub(super) const SIGN: (i32, i32) = (340, 160);

/// The font size of normal text.
pub(super) const TEXT: i32 = 125;

/// A position, from the top left.
pub(super) type Point = (i32, i32);

/// A paint: a role with a colour of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// Normal text.
    Ink,
    /// Secondary text.
    Soft,
    /// Grid lines.
    Rule,
    /// The background of the chart.
    Paper,
    /// A reference line.
    Bound,
    /// An event.
    Mark,
    /// A change point.
    Change,
    /// A value that is not as required.
    Bad,
    /// The colour of a series, by its index.
    Series(usize),
    /// The line of a series, by its index, with its dashes.
    Line(usize),
    /// The background of a box.
    Shade,
    /// The path of answers that are only logged.
    Shadow,
}

/// The number of colours of series.
const COLOURS: usize = 6;

/// The dash patterns of series in turn: solid, long, dotted, long and dotted.
const DASHES: [&str; 4] = ["", "70 35", "18 28", "80 30 18 30"];

/// The CSS variables and dash patterns of all other paints.
const ALONE: [(Paint, &str, &str); 10] = [
    (Paint::Ink, "ink", ""),
    (Paint::Soft, "soft", ""),
    (Paint::Rule, "rule", ""),
    (Paint::Paper, "paper", ""),
    (Paint::Bound, "ink", "60 40"),
    (Paint::Mark, "soft", "15 25"),
    (Paint::Change, "soft", "50 30"),
    (Paint::Bad, "bad", ""),
    (Paint::Shade, "shade", ""),
    (Paint::Shadow, "series-1", "70 45"),
];

/// The prefix of every placeholder colour, as the library writes it.
const STANDS_FOR: &str = "\"#01";

impl Paint {
    /// The placeholder colour.
    fn colour(self) -> RGBColor {
        let byte = |number: usize| u8::try_from(number).unwrap_or(0);
        match self {
            Self::Series(at) => RGBColor(1, 1, byte(at % COLOURS)),
            Self::Line(at) => RGBColor(1, byte(2 + at % DASHES.len()), byte(at % COLOURS)),
            alone => RGBColor(1, 0, byte(ALONE.iter().position(|(paint, ..)| *paint == alone).unwrap_or(0))),
        }
    }

    /// The value of the colour attribute for the two bytes after [`STANDS_FOR`], and the dash attribute.
    fn attribute(kind: usize, number: usize) -> String {
        let (name, dashes) = match kind {
            0 => ALONE.get(number).map_or((String::new(), ""), |(_, name, dash)| ((*name).to_owned(), *dash)),
            1 => (format!("series-{}", number + 1), ""),
            _ => (format!("series-{}", number + 1), DASHES.get(kind - 2).copied().unwrap_or_default()),
        };
        let dashes =
            if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
        format!("\"var(--{name})\"{dashes}")
    }
}

/// The shape of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// The shape of a series, by its index: disc, square, triangle or diamond.
    Of(usize),
    /// A cross, for values that are not as required.
    Cross,
}

/// The style of a text.
#[derive(Clone, Copy)]
pub(super) struct Hand {
    /// The paint.
    pub paint: Paint,
    /// The font size.
    pub size: i32,
    /// Whether the text is bold.
    pub bold: bool,
    /// The horizontal and vertical anchor.
    pub at: (HPos, VPos),
    /// Whether the text is vertical, from bottom to top.
    pub upward: bool,
}

impl Hand {
    /// The style of labels.
    pub fn label(across: HPos, down: VPos) -> Hand {
        Hand { paint: Paint::Soft, size: TEXT, bold: false, at: (across, down), upward: false }
    }

    /// The style of prominent text.
    pub fn word(across: HPos, down: VPos) -> Hand {
        Hand { paint: Paint::Ink, ..Hand::label(across, down) }
    }
}

/// An image that is being drawn.
pub(super) struct Canvas<'a>(DrawingArea<SVGBackend<'a>, Shift>);

/// An image that has been drawn.
pub(super) struct Sketch {
    size: (i32, i32),
    body: String,
}

/// Draws an image.
pub(super) fn sketch(size: (i32, i32), draw: impl FnOnce(&Canvas)) -> Sketch {
    let mut text = String::new();
    let pixels = (size.0.unsigned_abs(), size.1.unsigned_abs());
    let canvas = Canvas(SVGBackend::with_string(&mut text, pixels).into_drawing_area());
    draw(&canvas);
    drop(canvas);
    let inside = text.split_once('>').map_or("", |(_, rest)| rest);
    let inside = inside.trim_end().trim_end_matches("</svg>");
    let plain = [(" opacity=\"1\"", ""), (" font-family=\"sans-serif\"", ""), ("\n</text>", "</text>")];
    let inside = plain.iter().fold(inside.to_owned(), |text, (from, to)| text.replace(from, to));
    Sketch { size, body: painted(&inside) }
}

/// The SVG with the page's colours.
fn painted(svg: &str) -> String {
    let mut parts = svg.split(STANDS_FOR);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte =
            |at: usize| part.get(at..at + 2).and_then(|hex| usize::from_str_radix(hex, 16).ok()).unwrap_or(0);
        text.push_str(&Paint::attribute(byte(0), byte(2)));
        text.push_str(part.get(5..).unwrap_or_default());
    }
    text
}

impl Sketch {
    /// The SVG as an image with a text alternative. `id` is that of its figure in the page.
    pub fn image(&self, id: &str, title: &str, description: &str) -> String {
        self.image_of_kind("", id, title, description, &[])
    }

    /// The same with the CSS class `kind`. `hints` are areas with the texts that a reader sees when pointing at them.
    pub fn image_of_kind(
        &self,
        kind: &str,
        id: &str,
        title: &str,
        description: &str,
        hints: &[([Point; 2], String)],
    ) -> String {
        let (title_id, description_id) = (format!("{id}-title"), format!("{id}-description"));
        let class = if kind.is_empty() { "chart".to_owned() } else { format!("chart {kind}") };
        html! {
            svg class=(class) viewBox=(self.frame()) preserveAspectRatio="xMinYMin" role="img" aria-labelledby=(title_id)
                aria-describedby=(description_id) {
                title id=(title_id) { (title) }
                desc id=(description_id) { (description) }
                (PreEscaped(&self.body))
                @for ([(left, top), (right, bottom)], text) in hints {
                    rect x=(left) y=(top) width=(right - left) height=(bottom - top) fill="none" pointer-events="all" {
                        title { (text) }
                    }
                }
            }
        }
        .into_string()
    }

    /// The SVG as a decorative image beside text with the same meaning.
    pub fn ornament(&self) -> String {
        html! { svg class="sign" viewBox=(self.frame()) aria-hidden="true" { (PreEscaped(&self.body)) } }
            .into_string()
    }

    fn frame(&self) -> String {
        format!("0 0 {} {}", self.size.0, self.size.1)
    }
}

impl<'a> Canvas<'a> {
    fn put<E>(&self, element: E)
    where
        for<'b> &'b E: PointCollection<'b, Point>,
        E: Drawable<SVGBackend<'a>>,
    {
        self.0.draw(&element).expect("an image in memory can be drawn on");
    }

    /// A line through points.
    pub fn line(&self, points: impl Into<Vec<Point>>, paint: Paint, width: u32) {
        self.put(PathElement::new(points.into(), ShapeStyle::from(paint.colour()).stroke_width(width)));
    }

    /// A filled area with an opacity from 0 to 1.
    pub fn area(&self, points: impl Into<Vec<Point>>, paint: Paint, shows: f64) {
        self.put(Polygon::new(points.into(), paint.colour().mix(shows).filled()));
    }

    /// A filled rectangle between two corners.
    pub fn block(&self, corners: [Point; 2], paint: Paint, shows: f64) {
        self.put(Rectangle::new(corners, paint.colour().mix(shows).filled()));
    }

    /// The outline of a rectangle.
    pub fn outline(&self, [(left, top), (right, bottom)]: [Point; 2], paint: Paint, width: u32) {
        // The library gives a rectangle's outline no width.
        self.line(
            [(left, top), (right, top), (right, bottom), (left, bottom), (left, top - to_end(width))],
            paint,
            width,
        );
    }

    /// A ring filled with the background.
    pub fn ring(&self, at: Point, radius: i32, paint: Paint) {
        self.put(Circle::new(at, radius, Paint::Paper.colour().filled()));
        self.put(Circle::new(at, radius, ShapeStyle::from(paint.colour()).stroke_width(12)));
    }

    /// A point, filled with its colour or, if `hollow`, with the background.
    pub fn point(&self, at: Point, shape: Shape, paint: Paint, hollow: bool) {
        let (x, y) = at;
        let line = ShapeStyle::from(paint.colour()).stroke_width(16);
        let inside = if hollow { Paint::Paper } else { paint }.colour().filled();
        let corners = match shape {
            Shape::Cross => return self.put(Cross::new(at, 36, line.stroke_width(20))),
            Shape::Of(number) => match number % 4 {
                0 => {
                    self.put(Circle::new(at, 34, inside));
                    return self.put(Circle::new(at, 34, line));
                }
                1 => vec![(x - 31, y - 31), (x + 31, y - 31), (x + 31, y + 31), (x - 31, y + 31)],
                2 => vec![(x, y - 42), (x + 40, y + 28), (x - 40, y + 28)],
                _ => vec![(x, y - 45), (x + 45, y), (x, y + 45), (x - 45, y)],
            },
        };
        self.put(Polygon::new(corners.clone(), inside));
        let closed: Vec<Point> = corners.iter().chain(corners.first()).copied().collect();
        self.put(PathElement::new(closed, line));
    }

    /// A line of text.
    pub fn text(&self, at: Point, text: &str, hand: Hand) {
        let style = if hand.bold { FontStyle::Bold } else { FontStyle::Normal };
        // The library divides the size by this factor when it writes it down.
        let mut font = FontDesc::new(FontFamily::SansSerif, f64::from(hand.size) * 1.24, style);
        if hand.upward {
            font = font.transform(FontTransform::Rotate270);
        }
        let colour = hand.paint.colour();
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(hand.at.0, hand.at.1));
        self.put(Text::new(text.to_owned(), at, style));
    }

    /// Lines of text on a background, so that no line shows through. The position is their start.
    pub fn backed(&self, at: Point, lines: &[String], hand: Hand) {
        let wide = widest(lines, hand.size) + if hand.bold { hand.size } else { 0 };
        let up = if matches!(hand.at.1, VPos::Center) { line_height(hand.size) / 2 } else { 20 };
        let high = line_height(hand.size) * i32::try_from(lines.len()).unwrap_or(1) + 20;
        let corners = [(at.0 - 20, at.1 - up), (at.0 + wide + 20, at.1 - up + high)];
        self.block(corners, Paint::Paper, 1.0);
        self.lines(at, lines, hand);
    }

    /// Lines of text; the position is that of the first line.
    pub fn lines(&self, at: Point, lines: &[String], hand: Hand) {
        for (line, down) in lines.iter().zip((0..).map(|line| line * line_height(hand.size))) {
            self.text((at.0, at.1 + down), line, hand);
        }
    }
}

/// The distance that a closed line continues past its first point, so that the corner is filled.
const fn to_end(width: u32) -> i32 {
    width.cast_signed() / 2
}

/// The line height of a font size.
pub(super) const fn line_height(size: i32) -> i32 {
    size * 5 / 4
}

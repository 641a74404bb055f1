//! The document model: a banner, facts, and sections of texts, tables and figures.
//!
//! Invariants: a document is plain data. Every number that a reader sees as text is text here, too. The numbers of a
//! chart are only drawn; the table of its figure has them as text.

use crate::page::flow::Flow;

/// A page with its sections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// Facts below the title, such as the study and the time of the run.
    pub lead: Vec<Fact>,
    /// The verdicts, at the top of the page.
    pub banners: Vec<Banner>,
    /// Its sections, in order.
    pub sections: Vec<Section>,
}

/// A banner at the top of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Banner {
    /// The tone of the word.
    pub tone: Tone,
    /// A few words, such as `GO` or `GO for scope weekend`.
    pub word: String,
    /// An explanation in one sentence.
    pub text: String,
    /// The parts of the explanation, such as the reason of each model; empty if `text` says it all.
    pub points: Vec<String>,
}

impl Banner {
    /// The word with the sign of its tone, such as `✓ GO`.
    pub fn signed_word(&self) -> String {
        self.tone.sign().map_or_else(|| self.word.clone(), |sign| format!("{sign} {}", self.word))
    }
}

/// The tone of a text or value. It is shown by a sign as well as by colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// As required.
    Good,
    /// Not as required.
    Bad,
    /// Uncertain.
    Unsure,
    /// Void.
    Void,
    /// Neutral.
    Plain,
}

impl Tone {
    /// The CSS class.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unsure => "unsure",
            Self::Void => "void",
            Self::Plain => "plain",
        }
    }

    /// The sign in front of a text with this tone.
    pub(super) const fn sign(self) -> Option<&'static str> {
        match self {
            Self::Good => Some("✓"),
            Self::Bad => Some("✗"),
            Self::Unsure => Some("?"),
            Self::Void => Some("∅"),
            Self::Plain => None,
        }
    }
}

/// A section of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The anchor of links: letters, digits and hyphens, unique in a document.
    pub id: &'static str,
    /// Its title.
    pub title: String,
    /// Its blocks, in order.
    pub blocks: Vec<Block>,
}

/// A block of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading within the section.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// The items of a list.
    List(Vec<String>),
    /// Labelled values.
    Facts(Vec<Fact>),
    /// A table.
    Table(DataTable),
    /// A chart with its data.
    Figure(Figure),
    /// A highlighted remark.
    Note {
        /// The tone of the remark.
        tone: Tone,
        /// The remark.
        text: String,
    },
}

/// A labelled value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The label.
    pub label: String,
    /// The value as text.
    pub value: String,
}

impl Fact {
    /// A labelled value.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Fact {
        Fact { label: label.into(), value: value.into() }
    }
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataTable {
    /// The caption.
    pub caption: Option<String>,
    /// Its columns.
    pub head: Vec<Column>,
    /// Its rows. A row with fewer cells than columns is padded with empty cells.
    pub rows: Vec<Vec<Cell>>,
    /// Whether the table is collapsed behind its caption.
    pub folded: bool,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its title.
    pub title: String,
    /// Whether it holds numbers, which are right-aligned.
    pub numeric: bool,
}

impl Column {
    /// A column of text.
    pub fn text(title: impl Into<String>) -> Column {
        Column { title: title.into(), numeric: false }
    }

    /// A column of numbers.
    pub fn number(title: impl Into<String>) -> Column {
        Column { title: title.into(), numeric: true }
    }
}

/// A cell of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// The text of the cell.
    pub text: String,
    /// The tone of the text.
    pub tone: Option<Tone>,
    /// The length of a bar behind the number, from 0 to 1.
    pub bar: Option<f64>,
}

impl Cell {
    /// The cell with a tone.
    pub fn toned(self, tone: Tone) -> Cell {
        Cell { tone: Some(tone), ..self }
    }

    /// The cell with a bar of the length `bar`, from 0 to 1, behind its text.
    pub fn barred(self, bar: f64) -> Cell {
        Cell { bar: Some(bar), ..self }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell { text: text.into(), tone: None, bar: None }
    }
}

/// A chart with its title, description and data.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its title.
    pub title: String,
    /// What the chart shows. This is also the text alternative of the chart.
    pub description: String,
    /// The chart.
    pub chart: Chart,
    /// Its data.
    pub table: DataTable,
}

/// A chart. Numbers that are not finite are omitted.
#[derive(Clone, Debug, PartialEq)]
pub enum Chart {
    /// A time series.
    Series {
        /// The label of the value axis, with the unit.
        y_label: String,
        /// The label of the time axis, with the time zone.
        x_label: String,
        /// The series, each with its name.
        series: Vec<Series>,
        /// A reference line, with its label.
        bound: Option<(String, f64)>,
        /// Events, each with its time in seconds as in [`SeriesPoint::x`]. They are numbered from 1 in order of time.
        marks: Vec<(f64, String)>,
        /// Change points, each with its time. They are lettered from A in order of time.
        changes: Vec<(f64, String)>,
    },
    /// Values with intervals, one row each.
    Dots {
        /// The label of the value axis, with the unit.
        x_label: String,
        /// The rows; rows of one group are consecutive.
        rows: Vec<DotRow>,
        /// A reference line, with its label.
        reference: Option<(String, f64)>,
    },
    /// A matrix of counts. Each cell is shaded by its share of its row.
    Matrix {
        /// The label of the columns.
        x_label: String,
        /// The label of the rows.
        y_label: String,
        /// The names of the columns.
        columns: Vec<String>,
        /// The rows, each with its counts in the order of the columns.
        rows: Vec<(String, Vec<u64>)>,
        /// The number of leading rows and columns with the same names, for which the diagonal is framed.
        diagonal: usize,
    },
    /// A bar chart.
    Bars {
        /// The label of the bars, with the unit.
        x_label: String,
        /// The label of the heights, with the unit.
        y_label: String,
        /// Name and height of each bar, in order.
        bars: Vec<(String, f64)>,
    },
    /// A cumulative distribution of durations, on a logarithmic time axis.
    Distribution {
        /// The label of the time axis.
        x_label: String,
        /// For each series its name, and points in ascending order: nanoseconds and cumulative share from 0 to 1.
        series: Vec<(String, Vec<(f64, f64)>)>,
    },
    /// Small multiples: a small time series for each panel, all with the same axes.
    SmallMultiples {
        /// The panels, in order.
        panels: Vec<Panel>,
        /// A reference line, with its label.
        bound: Option<(String, f64)>,
        /// What a point with this tone means.
        tones: Vec<(Tone, String)>,
    },
    /// How the records of a study reach its verdict, and where they leave.
    Flow(Flow),
}

impl Chart {
    /// The numbers and letters in the chart, each with its time and text.
    pub(super) fn marked(&self) -> Vec<(String, f64, &str)> {
        let Self::Series { marks, changes, .. } = self else { return Vec::new() };
        let numbered = in_time(marks).enumerate().map(|(at, (x, text))| ((at + 1).to_string(), x, text));
        let lettered = in_time(changes).enumerate().map(|(at, (x, text))| (letter(at), x, text));
        numbered.chain(lettered).collect()
    }
}

/// Events in order of time.
fn in_time(events: &[(f64, String)]) -> impl Iterator<Item = (f64, &str)> {
    let mut events: Vec<_> = events.iter().map(|(x, text)| (*x, text.as_str())).collect();
    events.sort_by(|one, other| one.0.total_cmp(&other.0));
    events.into_iter()
}

/// A to Z, then A2 to Z2, and so on.
fn letter(place: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(place % 26).unwrap_or(0));
    if place < 26 { letter.to_string() } else { format!("{letter}{}", place / 26 + 1) }
}

/// A series of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The name of the series.
    pub name: String,
    /// The points, in order of time.
    pub points: Vec<SeriesPoint>,
}

/// A value at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesPoint {
    /// The label of the time, such as that of a window.
    pub label: String,
    /// Seconds since 1970 in local time, as [`wall_seconds`](super::wall_seconds) returns.
    pub x: f64,
    /// The value; `None` leaves a gap.
    pub value: Option<f64>,
    /// The bounds of the interval.
    pub band: Option<(f64, f64)>,
    /// The tone. [`Tone::Good`] and [`Tone::Plain`] look the same.
    pub tone: Option<Tone>,
}

/// A panel of small multiples.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Its title.
    pub title: String,
    /// What the panel shows. This is also its text alternative.
    pub description: String,
    /// The points, in order of time. A point with [`Tone::Unsure`] does not widen the axis by its interval.
    pub points: Vec<SeriesPoint>,
}

/// A row of a dot chart.
#[derive(Clone, Debug, PartialEq)]
pub struct DotRow {
    /// The title above all rows of the group.
    pub group: Option<String>,
    /// The label of the row.
    pub label: String,
    /// The value, if it is defined.
    pub value: Option<f64>,
    /// The bounds of the interval.
    pub interval: Option<(f64, f64)>,
}

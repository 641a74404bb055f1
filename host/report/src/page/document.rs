//! The document that a report becomes: facts, a banner, sections, and in them texts, tables and figures.
//!
//! Always holds: it is plain data; all text in it is text, and every number that is read is text too. The numbers of a
//! chart are only drawn, and stand in words in the table of its figure.

/// A page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// What stands below the title: the study, from when to when it ran, what made the page.
    pub lead: Vec<Fact>,
    /// The verdict.
    pub banner: Option<Banner>,
    /// Its sections, in order.
    pub sections: Vec<Section>,
}

/// The most prominent thing on a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Banner {
    /// What it means.
    pub tone: Tone,
    /// One word, such as `GO`.
    pub word: String,
    /// What the word says here, in a sentence.
    pub text: String,
}

/// What something means for whoever reads it. It is shown by a sign as well as by colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// It is as it should be.
    Good,
    /// It is not.
    Bad,
    /// It cannot be told.
    Unsure,
    /// It does not count.
    Void,
    /// It only says something.
    Plain,
}

impl Tone {
    /// The name of its style.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unsure => "unsure",
            Self::Void => "void",
            Self::Plain => "plain",
        }
    }

    /// The sign before what has this tone.
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

/// A part of a page with a title of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The name by which links reach it: letters, digits and hyphens, once in a document.
    pub id: &'static str,
    /// Its title.
    pub title: String,
    /// What it consists of, in order.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A title within the section.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Points of a list.
    List(Vec<String>),
    /// Values under their labels.
    Facts(Vec<Fact>),
    /// A table.
    Table(Table),
    /// A chart with its data.
    Figure(Figure),
    /// A remark that must be seen.
    Note {
        /// What it means.
        tone: Tone,
        /// The remark.
        text: String,
    },
}

/// A value under a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// The value, in words.
    pub value: String,
}

impl Fact {
    /// A value under a label.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Fact {
        Fact { label: label.into(), value: value.into() }
    }
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What it shows.
    pub caption: Option<String>,
    /// Its columns.
    pub head: Vec<Column>,
    /// Its rows. One with fewer cells than columns is filled up with empty ones.
    pub rows: Vec<Vec<Cell>>,
    /// Whether it is closed behind its caption until somebody opens it.
    pub folded: bool,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its title.
    pub title: String,
    /// Whether it holds numbers, which stand at the right.
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
    /// What it says.
    pub text: String,
    /// What that means.
    pub tone: Option<Tone>,
    /// The length of a bar behind the number, from 0 to 1.
    pub bar: Option<f64>,
}

impl Cell {
    /// The same, with a meaning.
    pub fn toned(self, tone: Tone) -> Cell {
        Cell { tone: Some(tone), ..self }
    }

    /// The same, with a bar from 0 to 1 behind it.
    pub fn barred(self, bar: f64) -> Cell {
        Cell { bar: Some(bar), ..self }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell { text: text.into(), tone: None, bar: None }
    }
}

/// A chart with what it shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its title.
    pub title: String,
    /// What the chart shows, in a sentence that also serves those who cannot see it.
    pub description: String,
    /// The chart.
    pub chart: Chart,
    /// Its data.
    pub table: Table,
}

/// What is drawn. A number that is not finite is left out.
#[derive(Clone, Debug, PartialEq)]
pub enum Chart {
    /// Figures by time.
    Series {
        /// What is measured, with its unit.
        y_label: String,
        /// What the times are, with their zone.
        x_label: String,
        /// The figures, each with its name.
        series: Vec<Series>,
        /// A line that figures are held against, and what it is.
        bound: Option<(String, f64)>,
        /// What happened at a time, in seconds as in [`SeriesPoint::x`]. Numbered from 1 in the order of time.
        marks: Vec<(f64, String)>,
        /// Times at which the figures changed, and how. Lettered from A in the order of time.
        changes: Vec<(f64, String)>,
    },
    /// Figures side by side, one a row.
    Dots {
        /// What is measured, with its unit.
        x_label: String,
        /// The rows; those of one group come one after the other.
        rows: Vec<DotRow>,
        /// A line that figures are held against, and what it is.
        reference: Option<(String, f64)>,
    },
    /// Counts of what met what. Each is shaded by its share of its row.
    Matrix {
        /// What the columns are.
        x_label: String,
        /// What the rows are.
        y_label: String,
        /// The columns.
        columns: Vec<String>,
        /// The rows, each with its counts in the order of the columns.
        rows: Vec<(String, Vec<u64>)>,
        /// The first so many rows and columns stand for the same, in the same order: there the diagonal is marked.
        diagonal: usize,
    },
    /// Bars that stand side by side.
    Bars {
        /// What each bar is for, with its unit.
        x_label: String,
        /// What the heights are, with their unit.
        y_label: String,
        /// The bars, in order.
        bars: Vec<(String, f64)>,
    },
    /// How large a share took at most so long, over a logarithmic axis of time.
    Distribution {
        /// What took so long.
        x_label: String,
        /// A name, and points in ascending order: nanoseconds, and the share from 0 to 1.
        series: Vec<(String, Vec<(f64, f64)>)>,
    },
}

impl Chart {
    /// What the numbers and letters in the chart stand for.
    pub(super) fn marked(&self) -> Vec<(String, f64, &str)> {
        let Self::Series { marks, changes, .. } = self else { return Vec::new() };
        let numbered = in_time(marks).enumerate().map(|(at, (x, text))| ((at + 1).to_string(), x, text));
        let lettered = in_time(changes).enumerate().map(|(at, (x, text))| (letter(at), x, text));
        numbered.chain(lettered).collect()
    }
}

/// What happened, in the order of time.
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

/// Figures under one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Whose they are.
    pub name: String,
    /// The figures, in order of time.
    pub points: Vec<SeriesPoint>,
}

/// A figure at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesPoint {
    /// What the time is called, such as the window's label.
    pub label: String,
    /// Seconds since 1970 on the clock on the wall, as [`wall_seconds`](super::wall_seconds) gives them.
    pub x: f64,
    /// The figure; `None` leaves a gap.
    pub value: Option<f64>,
    /// The bounds of its interval.
    pub band: Option<(f64, f64)>,
    /// What it means. [`Tone::Good`] and [`Tone::Plain`] are drawn alike.
    pub tone: Option<Tone>,
}

/// A figure in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct DotRow {
    /// The title above it and its neighbours of the same group.
    pub group: Option<String>,
    /// What it is for.
    pub label: String,
    /// The figure; `None` where there is none.
    pub value: Option<f64>,
    /// The bounds of its interval.
    pub interval: Option<(f64, f64)>,
}

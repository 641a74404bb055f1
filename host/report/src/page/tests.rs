//! Snapshots of both renderings of a small document, and property tests with hostile text and arbitrary numbers.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::page::chart::draw;

/// A document with every kind of block, in which every text comes from `text`.
fn document_of(text: impl Fn() -> String) -> Document {
    let table = |folded| DataTable {
        caption: Some(text()),
        head: vec![Column::text(text()), Column::number(text())],
        rows: vec![vec![text().into(), Cell::from(text()).toned(Tone::Bad).barred(0.5)], vec![text().into()]],
        folded,
    };
    let blocks = vec![
        Block::Heading(text()),
        Block::Text(text()),
        Block::List(vec![text(), text()]),
        Block::Facts(vec![Fact::new(text(), text())]),
        Block::Table(table(false)),
        Block::Table(table(true)),
        Block::Note { tone: Tone::Unsure, text: text() },
        Block::Figure(figure(Chart::Bars { x_label: text(), y_label: text(), bars: Vec::new() }, text())),
    ];
    Document {
        title: text(),
        lead: vec![Fact::new(text(), text())],
        banners: vec![Banner { tone: Tone::Good, word: text(), text: text(), points: vec![text()] }],
        sections: vec![Section { id: "one", title: text(), blocks }],
    }
}

fn figure(chart: Chart, text: String) -> Figure {
    Figure { title: text.clone(), description: text, chart, table: DataTable::default() }
}

/// A series of daily points.
fn series(values: &[Option<f64>], name: &str) -> Chart {
    let point = |(at, value): (usize, &Option<f64>)| SeriesPoint {
        label: format!("{name} {at}"),
        x: 86_400.0 * at as f64,
        value: *value,
        band: value.map(|value| (value - 0.1, value + 0.1)),
        tone: [None, Some(Tone::Bad), Some(Tone::Unsure), Some(Tone::Void)][at % 4],
    };
    Chart::Series {
        y_label: name.to_owned(),
        x_label: name.to_owned(),
        series: vec![Series {
            name: name.to_owned(),
            points: values.iter().enumerate().map(point).collect(),
        }],
        bound: Some((name.to_owned(), 0.85)),
        marks: vec![(86_400.0, format!("{name}, late")), (0.0, format!("{name}, early"))],
        changes: vec![(43_200.0, name.to_owned())],
    }
}

/// Two panels with daily points.
fn small_multiples(values: &[f64], name: &str) -> Chart {
    let point = |(at, value): (usize, &f64)| SeriesPoint {
        label: format!("{name} {at}"),
        x: 86_400.0 * at as f64,
        value: Some(*value),
        band: Some((value - 1.0, value + 1.0)),
        tone: [None, Some(Tone::Bad), Some(Tone::Unsure)][at % 3],
    };
    let points: Vec<SeriesPoint> = values.iter().enumerate().map(point).collect();
    let panel = |points: &[SeriesPoint]| Panel {
        title: name.to_owned(),
        description: name.to_owned(),
        points: points.to_vec(),
    };
    Chart::SmallMultiples {
        panels: vec![panel(&points), panel(&points[..points.len() / 2])],
        bound: Some((name.to_owned(), 0.85)),
        tones: vec![(Tone::Bad, name.to_owned()), (Tone::Unsure, name.to_owned())],
    }
}

/// Every other kind of chart, with these numbers.
fn charts(values: &[f64], name: &str) -> Vec<Chart> {
    let row = |value: &f64| DotRow {
        group: Some(name.to_owned()),
        label: name.to_owned(),
        value: Some(*value),
        interval: Some((value - 1.0, value + 1.0)),
    };
    let named = || values.iter().map(|value| (name.to_owned(), *value));
    let counts = |_: &f64| (name.to_owned(), values.iter().map(|value| value.abs() as u64).collect());
    vec![
        series(&values.iter().copied().map(Some).collect::<Vec<_>>(), name),
        Chart::Dots {
            x_label: name.to_owned(),
            rows: values.iter().map(row).collect(),
            reference: values.first().map(|value| (name.to_owned(), *value)),
        },
        Chart::Matrix {
            x_label: name.to_owned(),
            y_label: name.to_owned(),
            columns: values.iter().map(|_| name.to_owned()).collect(),
            rows: values.iter().map(counts).collect(),
            diagonal: values.len(),
        },
        Chart::Bars { x_label: name.to_owned(), y_label: name.to_owned(), bars: named().collect() },
        Chart::Distribution {
            x_label: name.to_owned(),
            series: vec![(name.to_owned(), values.iter().map(|value| (*value, 0.5)).collect())],
        },
        small_multiples(values, name),
    ]
}

fn small() -> Document {
    let mut document = document_of(|| "plain words".to_owned());
    document.title = "A | B_c & <d>".to_owned();
    let table = DataTable {
        head: vec![Column::text("day"), Column::number("agreement")],
        rows: vec![vec!["Monday".into(), "0.90".into()], vec!["Tuesday".into(), "–".into()]],
        ..DataTable::default()
    };
    let figure =
        Figure { table, ..figure(series(&[Some(0.9), None], "agreement"), "Agreement by day".to_owned()) };
    document.sections.push(Section {
        id: "two",
        title: "Charts".to_owned(),
        blocks: vec![Block::Figure(figure)],
    });
    document
}

#[test]
fn a_small_page() {
    let page = html(&small());
    let (before, after) = page.split_once("<style>").unwrap();
    let (_, after) = after.split_once("</style>").unwrap();
    // One element a line, so that a difference is seen.
    insta::assert_snapshot!(format!("{before}<style></style>{after}").replace("><", ">\n<"));
}

#[test]
fn a_small_page_in_markdown() {
    insta::assert_snapshot!(markdown(&small()));
}

#[test]
fn a_chart_without_numbers_is_empty() {
    let nothing = [&[][..], &[f64::NAN], &[f64::INFINITY, f64::NEG_INFINITY]];
    for values in nothing {
        for chart in charts(values, "x") {
            let drawn = draw(&figure(chart.clone(), "x".to_owned()), "f");
            // A matrix counts, so it has no number that is none.
            assert_eq!(
                drawn.is_some(),
                matches!(chart, Chart::Matrix { .. }) && !values.is_empty(),
                "{chart:?}"
            );
        }
    }
    let page = html(&document_of(|| "x".to_owned()));
    assert!(page.contains("<p class=\"empty\">Nothing to show.</p>"), "{page}");
}

#[test]
fn events_are_numbered_in_order_of_time() {
    let chart = series(&[Some(0.5)], "x");
    let marked: Vec<_> = chart.marked().into_iter().map(|(name, _, text)| format!("{name} {text}")).collect();
    assert_eq!(marked, ["1 x, early", "2 x, late", "A x"]);
}

#[test]
fn a_chart_uses_the_colours_of_the_page() {
    for chart in charts(&[1.0, 2.0, 3.0], "\"#010000\" <b>") {
        let drawing = draw(&figure(chart, "t".to_owned()), "f").unwrap();
        let all = drawing.key.iter().chain(&drawing.events).fold(drawing.svg, |all, (sign, _)| all + sign);
        assert!(all.contains("fill=\"var(--"), "{all}");
        assert!(!all.contains("\"#") && !all.contains("<b>"), "{all}");
    }
}

/// The texts of a Markdown document as a parser finds them, one for each block.
fn parsed_texts(markdown: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Text(text) => texts.last_mut().unwrap().push_str(&text),
            Event::Start(Tag::Strong | Tag::Emphasis) | Event::End(TagEnd::Strong | TagEnd::Emphasis) => {}
            Event::Start(Tag::TableCell | Tag::Item | Tag::Paragraph | Tag::Heading { .. }) => {
                texts.push(String::new())
            }
            Event::Start(
                Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::List(None) | Tag::BlockQuote(_),
            )
            | Event::End(_) => {}
            other => panic!("{other:?} in {markdown}"),
        }
    }
    texts.retain(|text| !text.is_empty());
    texts
}

/// Texts with a meaning in HTML or Markdown, or control characters.
const HOSTILE: [&str; 16] = [
    "<script>alert(1)</script>",
    "a | b",
    "one\ntwo\n\n# three",
    "\u{202e}desrever",
    "`code` *bold* _it_ ~~no~~",
    "[link](http://example.org)",
    "![image](x.png)",
    "&amp; &lt; &#60;",
    "1. one",
    "- point",
    "+ point",
    "> quote",
    "---",
    "\"quoted\" 'and' so --> ]]>",
    "\\| \\",
    "=== \u{0}\u{7}",
];

/// The number of tags of a page without those of code, which a text has that contains backticks.
fn elements(document: &Document) -> usize {
    html(document).replace("<code>", "").replace("</code>", "").matches('<').count()
}

#[test]
fn backticks_in_sentences_are_code_and_in_values_are_text() {
    let section = |block| Document {
        sections: vec![Section { id: "s", title: "S".to_owned(), blocks: vec![block] }],
        ..Document::default()
    };
    let text = |text: &str| html(&section(Block::Text(text.to_owned())));
    assert!(
        text("run `understudy <RUN>` now").contains("<p>run <code>understudy &lt;RUN&gt;</code> now</p>")
    );
    assert!(text("one ` alone").contains("<p>one ` alone</p>"));
    let fact = Fact { label: "a".to_owned(), value: "`b`".to_owned() };
    assert!(html(&section(Block::Facts(vec![fact]))).contains("<dd>`b`</dd>"));
}

#[test]
fn hostile_text_is_text() {
    let harmless = elements(&document_of(|| "x".to_owned()));
    for hostile in HOSTILE {
        let document = document_of(|| hostile.to_owned());
        assert_eq!(elements(&document), harmless, "{hostile}");
        let literal = crate::sanitizer::one_line(hostile);
        let texts = parsed_texts(&markdown(&document));
        assert_eq!(texts.len(), parsed_texts(&markdown(&document_of(|| "x".to_owned()))).len(), "{hostile}");
        assert!(
            texts.iter().all(|text| text.contains(&literal) || text == "Nothing to show."),
            "{literal}: {texts:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_shown_literally(text in "(\\PC|[<>&\"'|`*_~#\\\\\\[\\]()!$=+. \n-]){1,12}") {
        let text = format!("{text}x");
        let document = document_of(|| text.clone());
        let same = document_of(|| "x".to_owned());
        prop_assert_eq!(elements(&document), elements(&same));
        let literal = crate::sanitizer::one_line(&text);
        let (texts, others) = (parsed_texts(&markdown(&document)), parsed_texts(&markdown(&same)));
        let expected: Vec<_> = others.iter().map(|other| match other.as_str() {
            "Nothing to show." => other.clone(),
            other => other.replace('x', &literal),
        }).collect();
        prop_assert_eq!(texts, expected);
    }

    #[test]
    fn any_numbers_are_drawn(values in prop::collection::vec(any::<f64>(), 0..12), name in "\\PC{0,40}") {
        for chart in charts(&values, &name) {
            if let Some(drawing) = draw(&figure(chart, name.clone()), "f") {
                prop_assert!(!drawing.svg.contains("NaN") && !drawing.svg.contains("inf\""), "{}", drawing.svg);
            }
        }
    }
}

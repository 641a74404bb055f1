//! A report page in a browser: it sends no request, has every value of its document, and is accessible.

mod figure_fixtures;
mod fixture;

use std::fs;

use tempfile::TempDir;
use understudy_report::page::{Block, Cell, Chart, DataTable, Document, Figure, Tone, html, markdown};
use understudy_tests::browser::{Options, PageCheck, check_page};
use understudy_tests::external_programs::Requirement;

/// Opens a document. `UNDERSTUDY_PICTURES` can name a folder for screenshots.
fn open_document(document: &Document, name: &str, options: Options) -> PageCheck {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("page.html");
    fs::write(&path, html(document)).expect("a file can be written");
    let pictures = std::env::var_os("UNDERSTUDY_PICTURES")
        .map(|folder| fs::canonicalize(folder).expect("a folder").join(name));
    check_page(&path, &Options { folder: pictures, ..options })
}

/// Checks that there are no requests, no errors and no accessibility violations, and that the page does not
/// scroll sideways.
fn assert_accessible(look: &PageCheck) {
    assert_eq!(look.requests, [""; 0]);
    assert_eq!(look.errors, [""; 0]);
    let ways: Vec<_> = look.views.iter().map(|view| (view.scheme.as_str(), view.width)).collect();
    assert_eq!(ways, [("light", 1280), ("light", 400), ("dark", 1280), ("dark", 400)]);
    for view in &look.views {
        assert!(view.violations.is_empty(), "{}, {}: {:#?}", view.scheme, view.width, view.violations);
        assert_eq!(view.crowded, [""; 0], "{}, {}", view.scheme, view.width);
        for [page, window] in [view.closed, view.open] {
            assert!(page <= window && window == view.width, "{}: {page} of {window}", view.width);
        }
    }
}

/// A text as a page shows it: with single spaces.
fn normalized(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The table of a block, if it has one.
fn table(block: &Block) -> Option<&DataTable> {
    match block {
        Block::Table(table) => Some(table),
        Block::Figure(figure) => Some(&figure.table),
        _ => None,
    }
}

/// The tables of a document in order, including those of its figures.
fn tables(document: &Document) -> Vec<&DataTable> {
    document.sections.iter().flat_map(|section| &section.blocks).filter_map(table).collect()
}

/// The text alternatives of the images of a figure. A flow has two images, of which the page shows one.
fn alternatives(figure: &Figure) -> Vec<&str> {
    match &figure.chart {
        Chart::Flow(_) => vec![&figure.description, &figure.description],
        Chart::SmallMultiples { panels, .. } => {
            panels.iter().map(|panel| panel.description.as_str()).collect()
        }
        _ => vec![&figure.description],
    }
}

/// The text of a cell with the symbol of its tone.
fn cell(cell: &Cell) -> String {
    let sign = match cell.tone {
        Some(Tone::Good) => "✓ ",
        Some(Tone::Bad) => "✗ ",
        Some(Tone::Unsure) => "? ",
        Some(Tone::Void) => "∅ ",
        Some(Tone::Plain) | None => "",
    };
    format!("{sign}{}", normalized(&cell.text))
}

#[test]
fn the_page_has_every_value_of_its_document() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let document = fixture::year();
    let selectors = [
        "h1",
        "main h2",
        "dt",
        "dd",
        ".banner p",
        ".banner li",
        "thead th",
        "tbody td",
        "figcaption .title",
        "svg desc",
    ];
    let look = open_document(&document, "year", Options { texts: &selectors, ..Options::default() });
    assert_accessible(&look);
    assert_eq!(look.texts["h1"], [document.title.as_str()]);
    assert_eq!(look.texts["main h2"], document.sections.iter().map(|s| s.title.as_str()).collect::<Vec<_>>());
    let banners = document.banners.iter();
    let words = banners
        .clone()
        .zip(["✗", "✓"])
        .flat_map(|(banner, sign)| [format!("{sign} {}", banner.word), banner.text.clone()]);
    assert_eq!(look.texts[".banner p"], words.collect::<Vec<_>>());
    assert_eq!(
        look.texts[".banner li"],
        banners.flat_map(|banner| banner.points.clone()).collect::<Vec<_>>()
    );

    let blocks = || document.sections.iter().flat_map(|section| &section.blocks);
    let facts = blocks().filter_map(|block| if let Block::Facts(facts) = block { Some(facts) } else { None });
    let facts: Vec<_> = document.lead.iter().chain(facts.flatten()).collect();
    assert_eq!(look.texts["dt"], facts.iter().map(|fact| normalized(&fact.label)).collect::<Vec<_>>());
    assert_eq!(look.texts["dd"], facts.iter().map(|fact| normalized(&fact.value)).collect::<Vec<_>>());
    let figures: Vec<_> = blocks()
        .filter_map(|block| if let Block::Figure(figure) = block { Some(figure) } else { None })
        .collect();
    assert_eq!(
        look.texts["figcaption .title"],
        figures.iter().map(|f| normalized(&f.title)).collect::<Vec<_>>()
    );
    let images = figures.iter().flat_map(|figure| alternatives(figure));
    assert_eq!(look.texts["svg desc"], images.map(normalized).collect::<Vec<_>>());

    let tables = tables(&document);
    let heads = tables.iter().flat_map(|table| &table.head).map(|column| normalized(&column.title));
    assert_eq!(look.texts["thead th"], heads.collect::<Vec<_>>());
    let cells = tables.iter().flat_map(|table| table.rows.iter().flatten()).map(cell);
    assert_eq!(look.texts["tbody td"], cells.collect::<Vec<_>>());
}

#[test]
fn markdown_has_the_table_cells_of_the_page() {
    let document = fixture::year();
    let text = markdown(&document).replace('\\', "");
    let rows: Vec<&str> =
        text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")).collect();
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let told = tables(&document).into_iter().flat_map(|table| {
        let head = line(table.head.iter().map(|column| normalized(&column.title)).collect());
        std::iter::once(head).chain(table.rows.iter().map(move |row| line(row.iter().map(cell).collect())))
    });
    assert_eq!(rows, told.collect::<Vec<_>>());
}

#[test]
fn the_page_handles_edge_cases() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let document = fixture::edges();
    let look = open_document(
        &document,
        "edges",
        Options { texts: &["h1", ".empty", "svg.chart"], ..Options::default() },
    );
    assert_accessible(&look);
    assert_eq!(look.texts["h1"], ["Edges <b>&amp;</b> ends"]);
    // The seven empty figures have neither a chart nor data.
    assert_eq!(look.texts[".empty"], ["Nothing to show."; 14]);
    let charts =
        document.sections.iter().flat_map(|section| &section.blocks).filter_map(|block| match block {
            Block::Figure(figure) => Some(alternatives(figure).len()),
            _ => None,
        });
    assert_eq!(look.texts["svg.chart"].len(), charts.sum::<usize>() - 6);
    let solid = |text: &str| text.split_whitespace().collect::<String>();
    let long = look.texts["svg.chart"].iter().filter(|text| text.contains("a name of a kind"));
    let whole = |text: &&String| solid(text).contains(&solid(&fixture::long(0)));
    assert_eq!(long.clone().filter(whole).count(), 6, "names are broken into lines, and whole");
    assert_eq!(long.count(), 5 + 24);
}

#[test]
fn the_page_is_usable_by_keyboard() {
    if !Requirement::Browser.is_available() {
        return;
    }
    let sections = fixture::year().sections.len();
    let mut keys = vec!["Tab", "Enter"];
    keys.extend(["Tab"; 20]);
    let look = open_document(&fixture::year(), "keys", Options { keys: &keys, ..Options::default() });
    let [skip, skipped, rest @ ..] = &look.keys[..] else { panic!("{:?}", look.keys) };
    assert_eq!((skip.tag.as_str(), skip.text.as_str()), ("a", "Skip the contents"));
    assert_eq!((skipped.id.as_str(), skipped.hash.as_str()), ("main", "#main"));
    let first =
        rest.iter().position(|pressed| pressed.tag == "summary").expect("a part that can be unfolded");
    assert!(
        rest[..first].iter().all(|pressed| pressed.tag == "div"),
        "only what scrolls comes before it: {rest:?}"
    );
    assert!(sections > 1, "there are contents to be skipped");

    keys.truncate(3 + first);
    keys.extend(["Enter", "Space", "Enter"]);
    let look = open_document(&fixture::year(), "keys", Options { keys: &keys, ..Options::default() });
    let open: Vec<_> = look.keys.iter().map(|pressed| pressed.open).collect();
    assert_eq!(open[open.len() - 4..], [0, 1, 0, 1]);
}

#[test]
fn the_page_of_a_year_is_small() {
    let size = html(&fixture::year()).len();
    assert!((100_000..2_000_000).contains(&size), "{size} bytes");
}

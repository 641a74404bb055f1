//! Renders a document as one HTML file.
//!
//! Invariants: the file needs no other resource and runs no script, and its content security policy enforces that.
//! Every text is escaped. Tables and facts show values character by character. In sentences, backticks become code.
//! Everything that can be opened or scrolled works with the keyboard.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::format::counted;
use crate::page::chart;
use crate::page::document::{Banner, Block, Cell, Chart, DataTable, Document, Fact, Figure, Section, Tone};
use crate::sanitizer::one_line;

/// The content security policy: only inline styles and data images.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The style sheet.
pub const STYLE: &str =
    concat!(include_str!("page.css"), include_str!("content.css"), include_str!("print.css"));

/// A document as an HTML file.
pub fn html(document: &Document) -> String {
    let title = one_line(&document.title);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#main" { "Skip the contents" }
                (body(document))
            }
        }
    };
    page.into_string()
}

/// The body of a document, without the page around it.
pub fn inner(document: &Document) -> String {
    body(document).into_string()
}

fn body(document: &Document) -> Markup {
    html! {
        header {
            h1 { (one_line(&document.title)) }
            (facts(&document.lead, "lead"))
            @for verdict in &document.banners { (banner(verdict)) }
        }
        @if !document.sections.is_empty() { (contents(&document.sections)) }
        main id="main" tabindex="-1" {
            @for part in &document.sections { (section(part)) }
        }
    }
}

fn contents(sections: &[Section]) -> Markup {
    html! {
        nav aria-labelledby="contents" {
            h2 id="contents" { "Contents" }
            ol {
                @for section in sections {
                    li { a href={ "#" (section.id) } { (one_line(&section.title)) } }
                }
            }
        }
    }
}

fn banner(banner: &Banner) -> Markup {
    html! {
        section class={ "banner " (banner.tone.name()) } aria-label={ "Verdict: " (one_line(&banner.word)) } {
            p class="word" { (sign(banner.tone)) (one_line(&banner.word)) }
            p class="text" { (prose(&banner.text)) }
            @if !banner.points.is_empty() {
                ul { @for point in &banner.points { li { (prose(point)) } } }
            }
        }
    }
}

/// The sign of a tone. The text beside it has the same meaning.
fn sign(tone: Tone) -> Markup {
    html! { @if let Some(sign) = tone.sign() { span class="tone" aria-hidden="true" { (sign) } " " } }
}

fn section(section: &Section) -> Markup {
    let heading = format!("{}-title", section.id);
    html! {
        section id=(section.id) aria-labelledby=(heading) {
            h2 id=(heading) { (one_line(&section.title)) }
            @for (at, part) in section.blocks.iter().enumerate() {
                (block(part, &format!("{}-{}", section.id, at + 1)))
            }
        }
    }
}

/// A block; `id` is its unique id in the page.
fn block(block: &Block, id: &str) -> Markup {
    match block {
        Block::Heading(text) => html! { h3 id=(id) { (one_line(text)) } },
        Block::Text(text) => html! { p { (prose(text)) } },
        Block::List(points) => {
            html! { ul class="list" { @for point in points { li { (prose(point)) } } } }
        }
        Block::Facts(list) => facts(list, "facts"),
        Block::Table(content) => table(content, id),
        Block::Figure(content) => figure(content, id),
        Block::Note { tone, text } => html! {
            p class={ "note " (tone.name()) } { (sign(*tone)) (prose(text)) }
        },
    }
}

/// A sentence. Text between two backticks becomes code without them. If the number of backticks is odd, all stay text.
fn prose(text: &str) -> Markup {
    let text = one_line(text);
    let parts: Vec<&str> = text.split('`').collect();
    let has_pairs = parts.len() % 2 == 1;
    html! {
        @if has_pairs {
            @for (at, part) in parts.iter().enumerate() {
                @if at % 2 == 1 { code { (part) } } @else { (part) }
            }
        } @else { (text) }
    }
}

/// The number of rows above which the data of small multiples is not printed.
const LONG: usize = 100;

fn facts(facts: &[Fact], class: &str) -> Markup {
    html! {
        @if !facts.is_empty() {
            dl class=(class) {
                @for fact in facts {
                    div { dt { (one_line(&fact.label)) } dd { (one_line(&fact.value)) } }
                }
            }
        }
    }
}

fn table(table: &DataTable, id: &str) -> Markup {
    let caption = table.caption.as_deref().map(one_line);
    if !table.folded {
        return rows(table, caption.as_deref(), id, "Table");
    }
    let many = counted(table.rows.len() as u64, "row", "rows");
    html! {
        details class="folded" {
            summary { (caption.as_deref().unwrap_or("Table")) " " span class="many" { "(" (many) ")" } }
            (rows(table, None, id, caption.as_deref().unwrap_or("Table")))
        }
    }
}

/// The table in a scrollable region. `called` is the name of the region if there is no caption.
fn rows(table: &DataTable, caption: Option<&str>, id: &str, called: &str) -> Markup {
    let captioned = caption.map(|_| format!("{id}-caption"));
    let named = captioned.is_none().then_some(called);
    html! {
        div class="scroll" role="region" tabindex="0" aria-labelledby=[&captioned] aria-label=[named] {
            table {
                @if let Some(caption) = caption { caption id=[&captioned] { (caption) } }
                thead {
                    tr {
                        @for column in &table.head {
                            th scope="col" class=[column.numeric.then_some("number")] { (one_line(&column.title)) }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (at, column) in table.head.iter().enumerate() {
                                (cell(row.get(at).unwrap_or(&Cell::default()), column.numeric))
                            }
                        }
                    }
                }
            }
            @if table.rows.is_empty() { p class="empty" { "Nothing to show." } }
        }
    }
}

fn cell(cell: &Cell, numeric: bool) -> Markup {
    let tone = cell.tone.map(Tone::name).unwrap_or_default();
    let bar = cell.bar.filter(|bar| bar.is_finite()).map(|bar| format!("--bar:{:.4}", bar.clamp(0.0, 1.0)));
    let kinds = [if numeric { "number" } else { "" }, if bar.is_some() { "bar" } else { "" }, tone];
    let class = kinds.into_iter().filter(|kind| !kind.is_empty()).collect::<Vec<_>>().join(" ");
    html! {
        td class=[(!class.is_empty()).then_some(class)] style=[bar] {
            @if let Some(tone) = cell.tone { (sign(tone)) }
            (one_line(&cell.text))
        }
    }
}

fn figure(figure: &Figure, id: &str) -> Markup {
    let title = one_line(&figure.title);
    html! {
        figure id=(id) {
            figcaption {
                span class="title" { (title) }
                " "
                span class="description" { (prose(&figure.description)) }
            }
            @match chart::draw(figure, id) {
                // A flow has an image for every width, so it needs no region to scroll.
                Some(drawing) if matches!(figure.chart, Chart::Flow(_)) => {
                    div class={ "plot " (kind(&figure.chart)) } { (PreEscaped(drawing.svg)) }
                }
                // The images of small multiples flow into as many columns as fit.
                Some(drawing) if matches!(figure.chart, Chart::SmallMultiples { .. }) => {
                    div class={ "plot " (kind(&figure.chart)) } role="group" aria-label={ "Charts: " (title) } {
                        (PreEscaped(drawing.svg))
                    }
                    (key(&drawing.key))
                }
                Some(drawing) => {
                    div class={ "scroll plot " (kind(&figure.chart)) } role="region" tabindex="0"
                        aria-label={ "Chart: " (title) } { (PreEscaped(drawing.svg)) }
                    (key(&drawing.key))
                    (key(&drawing.events))
                }
                None => p class="empty" { "Nothing to show." }
            }
            details class={ "data" @if figure.table.rows.len() > LONG { " long" } } {
                summary { "Data" span class="unseen" { " of the chart: " (title) } }
                (rows(&figure.table, None, id, &format!("Data: {title}")))
            }
        }
    }
}

/// The legend of a chart: signs with their meaning.
fn key(key: &[(String, String)]) -> Markup {
    html! {
        @if !key.is_empty() {
            ul class="key" {
                @for (sign, words) in key { li { (PreEscaped(sign)) span { (words) } } }
            }
        }
    }
}

/// The style of a chart's region.
fn kind(chart: &Chart) -> &'static str {
    match chart {
        Chart::Series { .. } => "series",
        Chart::Dots { .. } => "dots",
        Chart::Matrix { .. } => "matrix",
        Chart::Bars { .. } => "bars",
        Chart::Distribution { .. } => "distribution",
        Chart::SmallMultiples { .. } => "multiples",
        Chart::Flow(_) => "flow",
    }
}

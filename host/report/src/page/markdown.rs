//! Renders a document as GitHub-flavoured Markdown.
//!
//! Invariants: the texts are those of the HTML. A chart is represented by its data and the legend of its events. Every
//! text is shown literally, except that GitHub turns bare addresses and @names into links.

use crate::page::document::{Banner, Block, Cell, DataTable, Document, Fact, Figure, Section, Tone};
use crate::sanitizer::one_line;

/// A document as a Markdown file.
pub fn markdown(document: &Document) -> String {
    let mut page = MarkdownPage(String::new());
    page.paragraph(&format!("# {}", text(&document.title)));
    page.facts(&document.lead);
    for Banner { tone, word, text: says, points } in &document.banners {
        let mut quote = format!("> {}**{}**\n>\n> {}", sign(*tone), text(word), text(says));
        if !points.is_empty() {
            quote.push_str("\n>");
        }
        points.iter().for_each(|point| quote.push_str(&format!("\n> - {}", text(point))));
        page.paragraph(&quote);
    }
    for section in &document.sections {
        page.section(section);
    }
    page.0
}

/// The text so far: paragraphs that each end with a line feed.
struct MarkdownPage(String);

impl MarkdownPage {
    fn paragraph(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(text.trim_end());
        self.0.push('\n');
    }

    fn section(&mut self, section: &Section) {
        self.paragraph(&format!("## {}", text(&section.title)));
        for block in &section.blocks {
            match block {
                Block::Heading(title) => self.paragraph(&format!("### {}", text(title))),
                Block::Text(says) => self.paragraph(&text(says)),
                Block::List(points) => self.list(points.iter().map(|point| text(point))),
                Block::Facts(facts) => self.facts(facts),
                Block::Table(table) => self.table(table),
                Block::Figure(figure) => self.figure(figure),
                Block::Note { tone, text: says } => {
                    self.paragraph(&format!("> {}{}", sign(*tone), text(says)))
                }
            }
        }
    }

    fn list(&mut self, points: impl Iterator<Item = String>) {
        let list: String = points.map(|point| format!("- {point}\n")).collect();
        if !list.is_empty() {
            self.paragraph(&list);
        }
    }

    fn facts(&mut self, facts: &[Fact]) {
        self.list(facts.iter().map(|fact| format!("**{}:** {}", text(&fact.label), text(&fact.value))));
    }

    fn table(&mut self, table: &DataTable) {
        if let Some(caption) = &table.caption {
            self.paragraph(&format!("*{}*", text(caption)));
        }
        if table.rows.is_empty() {
            return self.paragraph("Nothing to show.");
        }
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut lines = line(table.head.iter().map(|column| text(&column.title)).collect());
        let marks = table.head.iter().map(|column| if column.numeric { "---:" } else { "---" }.to_owned());
        lines += &line(marks.collect());
        for row in &table.rows {
            lines +=
                &line((0..table.head.len()).map(|at| row.get(at).map_or_else(String::new, cell)).collect());
        }
        self.paragraph(&lines);
    }

    fn figure(&mut self, figure: &Figure) {
        self.paragraph(&format!("**{}** {}", text(&figure.title), text(&figure.description)));
        let marked = figure.chart.marked();
        self.list(marked.iter().map(|(name, _, says)| format!("**{name}:** {}", text(says))));
        self.table(&figure.table);
    }
}

fn sign(tone: Tone) -> String {
    tone.sign().map_or_else(String::new, |sign| format!("{sign} "))
}

fn cell(cell: &Cell) -> String {
    cell.tone.map_or_else(String::new, sign) + &text(&cell.text)
}

/// Literal text on one line. Every ASCII punctuation character may be escaped (CommonMark 0.31, 2.4); those are escaped
/// that could have a meaning anywhere or at the start of a line.
fn text(text: &str) -> String {
    let line = one_line(text);
    let mut escaped = String::with_capacity(line.len());
    for (at, c) in line.char_indices() {
        let next = line[at + c.len_utf8()..].chars().next().unwrap_or(' ');
        let means = match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '&' | '~' | '$' => true,
            '#' | '=' => at == 0,
            // A point of a list, or a line across the page; not a number below zero.
            '+' | '-' => at == 0 && (next == ' ' || next == c),
            // A numbered point; not a number with a fraction.
            '.' | ')' => at > 0 && next == ' ' && line[..at].chars().all(|c| c.is_ascii_digit()),
            _ => false,
        };
        if means {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

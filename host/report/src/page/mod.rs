//! How a report looks as a page: a document of sections, and its renderings to one HTML file and to Markdown.
//!
//! Always holds: whoever makes a [`Document`] puts every figure into words, once; the renderings show those words and
//! make no others, so they cannot differ. No rendering asks for a file, a clock or a network. Text that plugins and
//! records brought with them stays text: it becomes neither markup nor a column of a table, and cannot turn lines round.

mod chart;
mod document;
mod html;
mod markdown;

pub use crate::page::chart::wall_seconds;
pub use crate::page::document::{
    Banner, Block, Cell, Chart, Column, Document, DotRow, Fact, Figure, Section, Series, SeriesPoint, Table,
    Tone,
};
pub use crate::page::html::{STYLE, html, inner};
pub use crate::page::markdown::markdown;

#[cfg(test)]
mod tests;

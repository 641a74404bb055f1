//! Documents and their renderings as one HTML file and as Markdown.
//!
//! Invariants: a [`Document`] has every figure as text, and all renderings show that text, so they cannot differ. No
//! rendering uses a file, a clock or the network. Text from plugins and records stays text: it cannot become markup or a
//! column of a table, or change the direction of a line. This module depends only on text formatting.

mod chart;
mod document;
mod flow;
mod html;
mod markdown;

pub use crate::page::chart::wall_seconds;
pub use crate::page::document::{
    Banner, Block, Cell, Chart, Column, DataTable, Document, DotRow, Fact, Figure, Panel, Section, Series,
    SeriesPoint, Tone,
};
pub use crate::page::flow::{Flow, FlowCount, FlowEffect, FlowExits, FlowLine, FlowNode, FlowStep};
pub use crate::page::html::{STYLE, html, inner};
pub use crate::page::markdown::markdown;

#[cfg(test)]
mod tests;

//! Charts as SVG.
//!
//! Always holds: a chart is a function of its numbers and words; colours are variables of the page, so it is light, dark
//! or printed like the page; what is told by colour is told by a shape, a dash or a word too; no label is cut off, and
//! none stands on another.

mod axis;
mod bars;
mod calendar;
mod canvas;
mod distribution;
mod dots;
mod events;
mod legend;
mod matrix;
mod series;
mod text_layout;

pub use crate::page::chart::calendar::wall_seconds;

use crate::page::chart::legend::{Drawn, Key};
use crate::page::document::{Chart, Figure};
use crate::sanitizer::one_line;

/// A chart as it is put on a page.
pub(super) struct Drawing {
    /// The image: an `svg` element.
    pub svg: String,
    /// What the signs in it stand for.
    pub key: Key,
    /// What happened, where it tells of that.
    pub events: Key,
}

/// Draws a figure's chart; `None` where it has nothing to show. `id` is the figure's own in the page.
pub(super) fn draw(figure: &Figure, id: &str) -> Option<Drawing> {
    let Drawn { sketch, key, events } = match &figure.chart {
        Chart::Series { .. } => series::draw(&figure.chart)?,
        Chart::Dots { x_label, rows, reference } => dots::draw(x_label, rows, reference.as_ref())?,
        Chart::Matrix { x_label, y_label, columns, rows, diagonal } => {
            matrix::draw([x_label, y_label], columns, rows, *diagonal)?
        }
        Chart::Bars { x_label, y_label, bars } => bars::draw([x_label, y_label], bars)?,
        Chart::Distribution { x_label, series } => distribution::draw(x_label, series)?,
    };
    Some(Drawing {
        svg: sketch.image(id, &one_line(&figure.title), &one_line(&figure.description)),
        key,
        events,
    })
}

//! Draws charts as SVG.
//!
//! Invariants: a chart depends only on its numbers and texts. Colours are CSS variables, so a chart follows the light,
//! dark and print styles of the page. Everything shown by colour is also shown by shape, dash or text. No label is
//! clipped, and labels do not overlap.

mod axis;
mod bars;
mod calendar;
mod canvas;
mod distribution;
mod dots;
mod events;
mod flow;
mod legend;
mod matrix;
mod series;
mod small_multiples;
mod text_layout;

pub use crate::page::chart::calendar::wall_seconds;

use crate::page::chart::canvas::Sketch;
use crate::page::chart::legend::{DrawnChart, LegendEntries};
use crate::page::document::{Chart, Figure, Panel};
use crate::sanitizer::one_line;

/// A chart with its legends.
pub(super) struct Drawing {
    /// The image: an `svg` element, or several of which the style sheet shows one.
    pub svg: String,
    /// The legend of the series.
    pub key: LegendEntries,
    /// The legend of the marked events.
    pub events: LegendEntries,
}

/// Draws the chart of a figure; `None` if it has no data. `id` is the unique id of the figure in the page.
pub(super) fn draw(figure: &Figure, id: &str) -> Option<Drawing> {
    let (title, description) = (one_line(&figure.title), one_line(&figure.description));
    let DrawnChart { sketch, key, events } = match &figure.chart {
        Chart::Flow(flow) => {
            let svg = flow::draw(flow, id, &title, &description);
            return Some(Drawing { svg, key: LegendEntries::new(), events: LegendEntries::new() });
        }
        Chart::SmallMultiples { panels, bound, tones } => {
            let (sketches, key) = small_multiples::draw(panels, bound.as_ref(), tones)?;
            let image = |(at, (panel, sketch)): (usize, (&Panel, Sketch))| {
                let (title, description) = (one_line(&panel.title), one_line(&panel.description));
                sketch.image(&format!("{id}-panel-{}", at + 1), &title, &description)
            };
            let svg = panels.iter().zip(sketches).enumerate().map(image).collect();
            return Some(Drawing { svg, key, events: LegendEntries::new() });
        }
        Chart::Series { .. } => series::draw(&figure.chart)?,
        Chart::Dots { x_label, rows, reference } => dots::draw(x_label, rows, reference.as_ref())?,
        Chart::Matrix { x_label, y_label, columns, rows, diagonal } => {
            matrix::draw([x_label, y_label], columns, rows, *diagonal)?
        }
        Chart::Bars { x_label, y_label, bars } => bars::draw([x_label, y_label], bars)?,
        Chart::Distribution { x_label, series } => distribution::draw(x_label, series)?,
    };
    Some(Drawing { svg: sketch.image(id, &title, &description), key, events })
}

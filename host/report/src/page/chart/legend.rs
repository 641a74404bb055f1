//! Legends of charts: a small image of each sign, with its text.

use crate::page::chart::canvas::{self, Canvas, Sketch};

/// A legend: an SVG image of each sign, with its text.
pub(super) type LegendEntries = Vec<(String, String)>;

/// A drawn chart with its legend, and the legend of its events.
pub(super) struct DrawnChart {
    pub(super) sketch: Sketch,
    pub(super) key: LegendEntries,
    pub(super) events: LegendEntries,
}

/// The image of a sign in a legend.
pub(super) fn sign(draw: impl FnOnce(&Canvas)) -> String {
    canvas::sketch(canvas::SIGN, draw).ornament()
}

//! The legend of a chart.

use crate::page::chart::canvas::{self, Canvas, Sketch};

/// What signs stand for: an image of each, and the words.
pub(super) type Key = Vec<(String, String)>;

/// A chart drawn, with its key and that of its events.
pub(super) struct Drawn {
    pub(super) sketch: Sketch,
    pub(super) key: Key,
    pub(super) events: Key,
}

/// A sign of a key: what is drawn of it, in a small image of its own.
pub(super) fn sign(draw: impl FnOnce(&Canvas)) -> String {
    canvas::sketch(canvas::SIGN, draw).ornament()
}

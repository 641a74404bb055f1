//! Draws how the records of a study reach its verdict: a wide image, and a narrow one for small screens.
//!
//! Invariants:
//! - Both images have the same texts, and the page's style sheet shows one of them.
//! - The path of the answers is dashed and that of the decisions solid, so they differ without colour.

mod marks;
mod narrow;
mod wide;

use crate::page::chart::canvas;
use crate::page::chart::flow::marks::Marks;
use crate::page::flow::Flow;

/// Both images as `svg` elements. `id` is the unique id of the figure in the page.
pub(super) fn draw(flow: &Flow, id: &str, title: &str, description: &str) -> String {
    let image = |marks: Marks, kind: &str| {
        let sketch = canvas::sketch(marks.size, |canvas| marks.draw(canvas));
        sketch.image_of_kind(kind, &format!("{id}-{kind}"), title, description, &marks.hints())
    };
    image(wide::layout(flow), "wide") + &image(narrow::layout(flow), "narrow")
}

#[cfg(test)]
mod tests;

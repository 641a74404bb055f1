//! What a declared study is worth: what it can tell before it begins.
//!
//! Pure: a declaration and figures in, words and figures out. Always holds: nothing here looks at a file or a clock, so
//! the same declaration and the same figures give the same.

pub mod plan;

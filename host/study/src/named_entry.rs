//! An entry of a table whose keys the author chooses.

/// A key that the author chose, such as a field's name, and its value if it could be read.
pub(super) struct NamedEntry<T> {
    pub(super) name: String,
    pub(super) value: Option<T>,
    pub(super) line: usize,
}

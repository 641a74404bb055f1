//! Where the keys and values of a plugin's configuration are written, so that faults found later can name the place.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::position::Position;
use super::toml_value::Value;

/// The places of all keys and values of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigPositions {
    /// Of each value, by its JSON Pointer.
    values: BTreeMap<String, Position>,
    /// Of each key, by the JSON Pointer of its value.
    keys: BTreeMap<String, Position>,
}

impl ConfigPositions {
    /// The positions in the table `config`.
    pub(super) fn of_table(config: &Value<'_>) -> ConfigPositions {
        let mut positions = ConfigPositions::default();
        positions.add(String::new(), config);
        positions
    }

    /// The position of the value with this JSON Pointer; the empty one is that of the whole configuration. `None` if it is not
    /// written.
    pub fn value(&self, pointer: &str) -> Option<Position> {
        self.values.get(pointer).copied()
    }

    /// The position of the key whose value has this JSON Pointer. `None` if it is not written.
    pub fn key(&self, pointer: &str) -> Option<Position> {
        self.keys.get(pointer).copied()
    }

    fn add(&mut self, pointer: String, value: &Value<'_>) {
        match value.get() {
            DeValue::Table(table) => {
                for (key, inner) in table {
                    let name = key.get_ref().replace('~', "~0").replace('/', "~1");
                    let pointer = format!("{pointer}/{name}");
                    self.keys.insert(pointer.clone(), value.position_of(key.span().start));
                    self.add(pointer, &value.with_spanned(inner));
                }
            }
            DeValue::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.add(format!("{pointer}/{index}"), &value.with_spanned(element));
                }
            }
            _ => {}
        }
        self.values.insert(pointer, value.position());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::read;

    /// The position of a value and of its key.
    fn places(config: &str) -> impl Fn(&str) -> [Option<(usize, usize)>; 2] {
        let study = read(&[("grant = [\"decision.room\"]", &format!("grant = []\n{config}"))]);
        let positions = study.comparator.config_positions;
        // The configuration begins on line 28.
        let place = |position: Option<Position>| position.map(|place| (place.line - 27, place.column));
        move |pointer| [place(positions.value(pointer)), place(positions.key(pointer))]
    }

    #[test]
    fn keys_and_values_have_lines_and_columns() {
        let of = places("config = { \"é\" = 1, \"a/b~\" = [true,\n  { z = 2 }] }");
        assert_eq!(of(""), [Some((1, 10)), None]);
        assert_eq!(of("/é"), [Some((1, 18)), Some((1, 12))]);
        assert_eq!(of("/a~1b~0"), [Some((1, 30)), Some((1, 21))], "columns count characters");
        assert_eq!(of("/a~1b~0/0"), [Some((1, 31)), None]);
        assert_eq!(of("/a~1b~0/1/z"), [Some((2, 9)), Some((2, 5))]);
        assert_eq!(of("/x"), [None, None]);
    }

    #[test]
    fn a_table_of_its_own_begins_at_its_header() {
        let of = places("[comparator.config]\nk = 3\n[comparator.config.inner]\nz = 4");
        assert_eq!(of("").map(|place| place.map(|(line, _)| line)), [Some(1), None]);
        assert_eq!(of("/k"), [Some((2, 5)), Some((2, 1))]);
        assert_eq!(of("/inner/z"), [Some((4, 5)), Some((4, 1))]);
    }

    #[test]
    fn a_configuration_that_is_not_written_has_no_position() {
        let study = read(&[]);
        assert_eq!(study.comparator.config_positions, ConfigPositions::default());
    }
}

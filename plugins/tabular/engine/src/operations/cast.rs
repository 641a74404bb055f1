//! Conversions between kinds.

use tabular_program::{Columns, Kind};

use super::arguments::{apply, apply_in_turns};
use super::{Block, Operation};
use crate::planes::Cell;
use crate::text::TextRef;

/// See [`tabular_program::Step::Cast`].
pub(super) struct Cast {
    pub(super) from: Columns,
    pub(super) to: Columns,
}

impl Operation for Cast {
    fn run(&self, block: &mut Block<'_, '_>) {
        match (self.from.kind, self.to.kind) {
            (Kind::Boolean, Kind::Integer) => self.convert::<u8, i64>(block, i64::from),
            (Kind::Boolean, Kind::Float) => self.convert::<u8, f32>(block, f32::from),
            (Kind::Boolean, Kind::Double) => self.convert::<u8, f64>(block, f64::from),
            (Kind::Integer, Kind::Boolean) => self.convert::<i64, u8>(block, |value| u8::from(value != 0)),
            (Kind::Integer, Kind::Float) => self.convert::<i64, f32>(block, |value| value as f32),
            (Kind::Integer, Kind::Double) => self.convert::<i64, f64>(block, |value| value as f64),
            (Kind::Float, Kind::Boolean) => self.convert::<f32, u8>(block, |value| u8::from(value != 0.0)),
            (Kind::Float, Kind::Integer) => self.convert::<f32, i64>(block, |value| value as i64),
            (Kind::Float, Kind::Double) => block.planes.map_across::<f64>(self.to, |planes, results| {
                apply_in_turns(planes.read(self.from), results, |value: f32| f64::from(value));
            }),
            (Kind::Double, Kind::Boolean) => self.convert::<f64, u8>(block, |value| u8::from(value != 0.0)),
            (Kind::Double, Kind::Integer) => self.convert::<f64, i64>(block, |value| value as i64),
            (Kind::Double, Kind::Float) => self.convert::<f64, f32>(block, |value| value as f32),
            (Kind::Boolean, Kind::Text) => {
                self.write_text(block, |value: u8| if value == 0 { "0" } else { "1" }.to_owned());
            }
            (Kind::Integer, Kind::Text) => self.write_text(block, |value: i64| value.to_string()),
            (Kind::Float, Kind::Text) => self.write_text(block, |value: f32| general(f64::from(value), 8)),
            (Kind::Double, Kind::Text) => self.write_text(block, |value: f64| general(value, 17)),
            (Kind::Text, Kind::Boolean) => self.parse(block, |text| text.parse::<bool>().ok().map(u8::from)),
            (Kind::Text, Kind::Integer) => self.parse(block, |text| text.parse::<i64>().ok()),
            (Kind::Text, Kind::Float) => self.parse(block, |text| text.parse::<f32>().ok()),
            (Kind::Text, Kind::Double) => self.parse(block, |text| text.parse::<f64>().ok()),
            (Kind::Boolean, Kind::Boolean)
            | (Kind::Integer, Kind::Integer)
            | (Kind::Float, Kind::Float)
            | (Kind::Double, Kind::Double)
            | (Kind::Text, Kind::Text) => unreachable!("the program was checked: a cast changes the kind"),
        }
    }
}

impl Cast {
    fn convert<S: Cell, T: Cell>(&self, block: &mut Block<'_, '_>, convert: impl Fn(S) -> T) {
        block
            .planes
            .map_across::<T>(self.to, |planes, results| apply(planes.read(self.from), results, convert));
    }

    fn write_text<S: Cell>(&self, block: &mut Block<'_, '_>, write: impl Fn(S) -> String) {
        let rows = block.planes.rows;
        for cell in 0..self.from.width as usize * rows {
            let text = write(block.planes.read::<S>(self.from)[cell]);
            let made = block.texts.make(&text);
            if made.is_none() {
                block.failures.add(cell % rows, || super::TOO_MUCH_TEXT.to_owned());
            }
            block.planes.write::<TextRef>(self.to)[cell] = made.unwrap_or_default();
        }
    }

    fn parse<T: Cell>(&self, block: &mut Block<'_, '_>, parse: impl Fn(&str) -> Option<T>) {
        let rows = block.planes.rows;
        for cell in 0..self.from.width as usize * rows {
            let text = block.texts.get(block.planes.read::<TextRef>(self.from)[cell]);
            let value = parse(text.trim());
            if value.is_none() {
                block.failures.add(cell % rows, || {
                    format!("cannot read {:?} as a value of kind {:?}", shortened(text), self.to.kind)
                });
            }
            block.planes.write::<T>(self.to)[cell] = value.unwrap_or_default();
        }
    }
}

/// At most 80 characters of a text.
pub(super) fn shortened(text: &str) -> &str {
    text.char_indices().nth(80).map_or(text, |(end, _)| &text[..end])
}

/// A number as C's `%.{digits}g` writes it.
fn general(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "INF" } else { "-INF" }.to_owned();
    }
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let without_zeros = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if exponent < -4 || exponent >= digits as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs());
    }
    without_zeros(&format!("{value:.*}", (digits as i32 - 1 - exponent) as usize))
}

#[cfg(test)]
mod tests {
    use super::general;

    /// Expected values: `'%.8g' % x` and `'%.17g' % x` of Python 3.11.
    #[test]
    fn numbers_are_written_as_in_c() {
        let written = [0.0, 1.0, -2.5, 0.1, 1e-5, 123456789.0, 1e16, 1e17].map(|value| general(value, 8));
        assert_eq!(written, ["0", "1", "-2.5", "0.1", "1e-05", "1.2345679e+08", "1e+16", "1e+17"]);
        let written = [0.1, 1e16, 1e17, 100.0].map(|value| general(value, 17));
        assert_eq!(written, ["0.10000000000000001", "10000000000000000", "1e+17", "100"]);
    }
}

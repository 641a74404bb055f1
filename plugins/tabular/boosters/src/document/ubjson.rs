//! UBJSON (draft 12), as XGBoost writes it: typed lists have a length, other lists and objects end with a bracket.

use super::{DEEPEST, Value, list};
use crate::imported_model::BoosterError;

/// Reads a document.
pub(super) fn parse(file: &[u8]) -> Result<Value, BoosterError> {
    let mut reader = Reader { file, position: 0 };
    let value = match reader.byte()? {
        b'{' => reader.object(DEEPEST)?,
        _ => return Err(BoosterError::new("the file is neither JSON nor UBJSON")),
    };
    if reader.position == file.len() {
        Ok(value)
    } else {
        Err(reader.error("more follows the end of the document"))
    }
}

struct Reader<'a> {
    file: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, fault: &str) -> BoosterError {
        BoosterError::new(format!("byte {}: {fault}", self.position))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], BoosterError> {
        match self.file[self.position..].get(..length) {
            Some(bytes) => {
                self.position += length;
                Ok(bytes)
            }
            None => Err(self.error("the file ends too early")),
        }
    }

    fn byte(&mut self) -> Result<u8, BoosterError> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BoosterError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A number of a type; nothing if the type is not that of a number.
    fn number(&mut self, kind: u8) -> Result<Option<f64>, BoosterError> {
        Ok(Some(match kind {
            b'i' => f64::from(i8::from_be_bytes(self.array()?)),
            b'U' => f64::from(u8::from_be_bytes(self.array()?)),
            b'I' => f64::from(i16::from_be_bytes(self.array()?)),
            b'l' => f64::from(i32::from_be_bytes(self.array()?)),
            b'L' => i64::from_be_bytes(self.array()?) as f64,
            b'd' => f64::from(f32::from_be_bytes(self.array()?)),
            b'D' => f64::from_be_bytes(self.array()?),
            _ => return Ok(None),
        }))
    }

    /// The bytes of a number of a type.
    fn size(kind: u8) -> Option<usize> {
        match kind {
            b'i' | b'U' => Some(1),
            b'I' => Some(2),
            b'l' | b'd' => Some(4),
            b'L' | b'D' => Some(8),
            _ => None,
        }
    }

    /// A length, written as a number with its type.
    fn length(&mut self, kind: u8) -> Result<usize, BoosterError> {
        match self.number(kind)? {
            Some(length) if length >= 0.0 && length <= self.file.len() as f64 => Ok(length as usize),
            _ => Err(self.error("a length is wrong")),
        }
    }

    fn text(&mut self, kind: u8) -> Result<String, BoosterError> {
        let length = self.length(kind)?;
        match std::str::from_utf8(self.take(length)?) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(self.error("text is not UTF-8")),
        }
    }

    fn value(&mut self, kind: u8, deepest: usize) -> Result<Value, BoosterError> {
        let Some(deepest) = deepest.checked_sub(1) else {
            return Err(self.error("values are nested too deep"));
        };
        if let Some(number) = self.number(kind)? {
            return Ok(Value::Number(number));
        }
        Ok(match kind {
            b'Z' => Value::Null,
            b'T' => Value::Boolean(true),
            b'F' => Value::Boolean(false),
            b'S' => {
                let kind = self.byte()?;
                Value::Text(self.text(kind)?)
            }
            b'[' => self.list(deepest)?,
            b'{' => self.object(deepest)?,
            _ => return Err(self.error("a value has an unknown type")),
        })
    }

    fn list(&mut self, deepest: usize) -> Result<Value, BoosterError> {
        let mut kind = self.byte()?;
        if kind == b'$' {
            let element = self.byte()?;
            if self.byte()? != b'#' {
                return Err(self.error("a typed list has no length"));
            }
            let length_kind = self.byte()?;
            let length = self.length(length_kind)?;
            let Some(size) = Self::size(element) else {
                return Err(self.error("a list has a type that is not supported"));
            };
            if length.saturating_mul(size) > self.file.len() - self.position {
                return Err(self.error("a list is longer than the file"));
            }
            let mut numbers = Vec::with_capacity(length);
            for _ in 0..length {
                numbers.extend(self.number(element)?);
            }
            return Ok(Value::Numbers(numbers));
        }
        if kind == b'#' {
            let length_kind = self.byte()?;
            let length = self.length(length_kind)?;
            let mut values = Vec::new();
            for _ in 0..length {
                let kind = self.byte()?;
                values.push(self.value(kind, deepest)?);
            }
            return Ok(list(values));
        }
        let mut values = Vec::new();
        while kind != b']' {
            values.push(self.value(kind, deepest)?);
            kind = self.byte()?;
        }
        Ok(list(values))
    }

    fn object(&mut self, deepest: usize) -> Result<Value, BoosterError> {
        let mut entries = Vec::new();
        let mut kind = self.byte()?;
        while kind != b'}' {
            let key = self.text(kind)?;
            let value_kind = self.byte()?;
            entries.push((key, self.value(value_kind, deepest)?));
            kind = self.byte()?;
        }
        Ok(Value::Object(entries))
    }
}

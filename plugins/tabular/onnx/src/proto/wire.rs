//! The wire format of protocol buffers.

use crate::error::OnnxError;

/// The bytes of a message.
pub(crate) struct Message<'a> {
    bytes: &'a [u8],
    /// Where the message begins in the file, for messages.
    start: usize,
}

/// A field of a message.
pub(crate) struct Field<'a> {
    value: Value<'a>,
    /// Where the field begins in the file.
    start: usize,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes { bytes: &'a [u8], start: usize },
    Fixed32([u8; 4]),
}

fn error(start: usize, fault: &str) -> OnnxError {
    OnnxError::File { fault: format!("byte {start}: {fault}") }
}

impl<'a> Message<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, start: 0 }
    }

    /// An error at the beginning of the message.
    pub(crate) fn error(&self, fault: &str) -> OnnxError {
        error(self.start, fault)
    }

    /// Calls a function with each field's number and value, in order.
    pub(crate) fn each(
        &self,
        mut read: impl FnMut(u64, Field<'a>) -> Result<(), OnnxError>,
    ) -> Result<(), OnnxError> {
        let mut cursor = Cursor { bytes: self.bytes, position: 0, start: self.start };
        while cursor.position < self.bytes.len() {
            let start = self.start + cursor.position;
            let key = cursor.varint()?;
            let value = match key & 7 {
                0 => Value::Varint(cursor.varint()?),
                1 => Value::Fixed64(cursor.array()?),
                2 => {
                    let length = cursor.varint()?;
                    let start = self.start + cursor.position;
                    Value::Bytes { bytes: cursor.take(length)?, start }
                }
                5 => Value::Fixed32(cursor.array()?),
                _ => return Err(error(start, "a field has an unknown type")),
            };
            read(key >> 3, Field { value, start })?;
        }
        Ok(())
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
    start: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], OnnxError> {
        let rest = &self.bytes[self.position..];
        match usize::try_from(length).ok().and_then(|length| rest.get(..length)) {
            Some(taken) => {
                self.position += taken.len();
                Ok(taken)
            }
            None => Err(error(self.start + self.position, "the file ends too early")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], OnnxError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    fn varint(&mut self) -> Result<u64, OnnxError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(error(self.start + self.position, "a number is longer than 64 bits"))
    }
}

impl<'a> Field<'a> {
    /// An error at the beginning of the field.
    pub(crate) fn error(&self, fault: &str) -> OnnxError {
        error(self.start, fault)
    }

    pub(crate) fn integer(&self) -> Result<i64, OnnxError> {
        match self.value {
            Value::Varint(value) => Ok(value as i64),
            _ => Err(self.error("expected an integer")),
        }
    }

    pub(crate) fn float(&self) -> Result<f32, OnnxError> {
        match self.value {
            Value::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(self.error("expected a float")),
        }
    }

    pub(crate) fn bytes(&self) -> Result<&'a [u8], OnnxError> {
        match self.value {
            Value::Bytes { bytes, .. } => Ok(bytes),
            _ => Err(self.error("expected bytes")),
        }
    }

    pub(crate) fn text(&self) -> Result<String, OnnxError> {
        match std::str::from_utf8(self.bytes()?) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(self.error("text is not UTF-8")),
        }
    }

    pub(crate) fn message(&self) -> Result<Message<'a>, OnnxError> {
        match self.value {
            Value::Bytes { bytes, start } => Ok(Message { bytes, start }),
            _ => Err(self.error("expected a message")),
        }
    }

    /// Appends one integer, or packed ones.
    pub(crate) fn integers(&self, list: &mut Vec<i64>) -> Result<(), OnnxError> {
        let Value::Bytes { bytes, start } = self.value else {
            list.push(self.integer()?);
            return Ok(());
        };
        let mut cursor = Cursor { bytes, position: 0, start };
        while cursor.position < bytes.len() {
            list.push(cursor.varint()? as i64);
        }
        Ok(())
    }

    /// Appends one float, or packed ones.
    pub(crate) fn floats(&self, list: &mut Vec<f32>) -> Result<(), OnnxError> {
        match self.value {
            Value::Bytes { bytes, .. } => self.numbers(bytes, list, f32::from_le_bytes),
            _ => {
                list.push(self.float()?);
                Ok(())
            }
        }
    }

    /// Appends one double, or packed ones.
    pub(crate) fn doubles(&self, list: &mut Vec<f64>) -> Result<(), OnnxError> {
        match self.value {
            Value::Bytes { bytes, .. } => self.numbers(bytes, list, f64::from_le_bytes),
            Value::Fixed64(bytes) => {
                list.push(f64::from_le_bytes(bytes));
                Ok(())
            }
            _ => Err(self.error("expected a double")),
        }
    }

    fn numbers<T, const N: usize>(
        &self,
        bytes: &[u8],
        list: &mut Vec<T>,
        number: fn([u8; N]) -> T,
    ) -> Result<(), OnnxError> {
        let chunks = bytes.chunks_exact(N);
        if !chunks.remainder().is_empty() {
            return Err(self.error("packed numbers do not fill the field"));
        }
        list.reserve(chunks.len());
        for bytes in chunks {
            let mut array = [0; N];
            array.copy_from_slice(bytes);
            list.push(number(array));
        }
        Ok(())
    }
}

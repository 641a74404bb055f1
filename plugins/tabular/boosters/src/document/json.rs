//! JSON (RFC 8259). XGBoost also writes the numbers NaN and Infinity.

use super::{DEEPEST, Value, list};
use crate::imported_model::BoosterError;

/// Reads a document.
pub(super) fn parse(file: &[u8]) -> Result<Value, BoosterError> {
    let text = match std::str::from_utf8(file) {
        Ok(text) => text,
        Err(error) => {
            return Err(BoosterError::new(format!("byte {}: the file is not UTF-8", error.valid_up_to())));
        }
    };
    let mut reader = Reader { text, position: 0 };
    let value = reader.value(DEEPEST)?;
    reader.skip_space();
    if reader.position == text.len() {
        Ok(value)
    } else {
        Err(reader.error("more follows the end of the document"))
    }
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
}

impl Reader<'_> {
    fn error(&self, fault: &str) -> BoosterError {
        BoosterError::new(format!("byte {}: {fault}", self.position))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')) {
            self.position += 1;
        }
    }

    /// Skips a byte if it comes next, after space.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    fn value(&mut self, deepest: usize) -> Result<Value, BoosterError> {
        let Some(deepest) = deepest.checked_sub(1) else {
            return Err(self.error("values are nested too deep"));
        };
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(deepest),
            Some(b'[') => {
                self.position += 1;
                let mut values = Vec::new();
                if self.take(b']') {
                    return Ok(list(values));
                }
                loop {
                    values.push(self.value(deepest)?);
                    if self.take(b']') {
                        return Ok(list(values));
                    }
                    if !self.take(b',') {
                        return Err(self.error("expected , or ] in a list"));
                    }
                }
            }
            Some(b'"') => Ok(Value::Text(self.string()?)),
            _ => self.word(),
        }
    }

    fn object(&mut self, deepest: usize) -> Result<Value, BoosterError> {
        self.position += 1;
        let mut entries = Vec::new();
        if self.take(b'}') {
            return Ok(Value::Object(entries));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a key in quotes"));
            }
            let key = self.string()?;
            if !self.take(b':') {
                return Err(self.error("expected : after a key"));
            }
            entries.push((key, self.value(deepest)?));
            if self.take(b'}') {
                return Ok(Value::Object(entries));
            }
            if !self.take(b',') {
                return Err(self.error("expected , or } in an object"));
            }
        }
    }

    /// A number, or one of the literals `true`, `false`, `null`, `NaN`, `Infinity` and `-Infinity`.
    fn word(&mut self) -> Result<Value, BoosterError> {
        let rest = &self.text[self.position..];
        let length =
            rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)).count();
        let word = &rest[..length];
        let value = match word {
            "null" => Value::Null,
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            "NaN" => Value::Number(f64::NAN),
            "Infinity" => Value::Number(f64::INFINITY),
            "-Infinity" => Value::Number(f64::NEG_INFINITY),
            _ if word.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => match word.parse()
            {
                Ok(number) if f64::is_finite(number) => Value::Number(number),
                Ok(_) => return Err(self.error("a number is too large")),
                Err(_) => return Err(self.error("expected a number")),
            },
            _ => return Err(self.error("expected a value")),
        };
        self.position += length;
        Ok(value)
    }

    /// A text in quotes, of which the first is next.
    fn string(&mut self) -> Result<String, BoosterError> {
        self.position += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.position..];
            let Some(length) = rest.find(['"', '\\']) else {
                return Err(self.error("a text does not end"));
            };
            text.push_str(&rest[..length]);
            self.position += length + 1;
            if rest.as_bytes()[length] == b'"' {
                return Ok(text);
            }
            text.push(self.escaped()?);
        }
    }

    /// The character after a backslash.
    fn escaped(&mut self) -> Result<char, BoosterError> {
        let escape = self.peek();
        self.position += 1;
        Ok(match escape {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte as char,
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.code_unit()?;
                let mut units = vec![first];
                if (0xd800..0xdc00).contains(&first) && self.text[self.position..].starts_with("\\u") {
                    self.position += 2;
                    units.push(self.code_unit()?);
                }
                match char::decode_utf16(units).next() {
                    Some(Ok(character)) => character,
                    _ => return Err(self.error("half of a character")),
                }
            }
            _ => return Err(self.error("an unknown escape")),
        })
    }

    fn code_unit(&mut self) -> Result<u16, BoosterError> {
        let digits = self.text.get(self.position..self.position + 4);
        match digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit())) {
            Some(digits) => {
                self.position += 4;
                u16::from_str_radix(digits, 16).map_err(|_| self.error("expected four hexadecimal digits"))
            }
            None => Err(self.error("expected four hexadecimal digits")),
        }
    }
}

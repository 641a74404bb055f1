//! Writes a schema as JSON text, in a constant function.

use super::{Bound, Member, Schema, Values};

/// The dialect that the text names.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A text that is being written. Bytes beyond the buffer are counted only.
pub(super) struct JsonText<'b> {
    buffer: &'b mut [u8],
    length: usize,
}

impl<'b> JsonText<'b> {
    pub const fn new(buffer: &'b mut [u8]) -> Self {
        JsonText { buffer, length: 0 }
    }

    /// Bytes so far.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Writes the schema of a whole configuration.
    pub const fn root(&mut self, schema: &Schema) {
        self.raw("{");
        self.member("$schema", true);
        self.quoted(DIALECT);
        self.keywords(schema, false);
        self.raw("}");
    }

    const fn object(&mut self, schema: &Schema) {
        self.raw("{");
        self.keywords(schema, true);
        self.raw("}");
    }

    const fn keywords(&mut self, schema: &Schema, is_first: bool) {
        let mut is_first = is_first;
        if let Some(description) = schema.description {
            self.member("description", is_first);
            self.quoted(description);
            is_first = false;
        }
        if !self.values(&schema.values, is_first) {
            is_first = false;
        }
        let [min_length, max_length] = match schema.values {
            Values::List(_) => ["minItems", "maxItems"],
            Values::Map(_) | Values::Table { .. } => ["minProperties", "maxProperties"],
            _ => ["minLength", "maxLength"],
        };
        let bounds = [
            ("minimum", schema.minimum),
            ("maximum", schema.maximum),
            ("exclusiveMinimum", schema.exclusive_minimum),
            ("exclusiveMaximum", schema.exclusive_maximum),
            (min_length, schema.min_length),
            (max_length, schema.max_length),
        ];
        let mut at = 0;
        while at < bounds.len() {
            if let (keyword, Some(bound)) = bounds[at] {
                self.member(keyword, is_first);
                self.bound(bound);
                is_first = false;
            }
            at += 1;
        }
    }

    /// Writes the keywords of the accepted values. Returns whether there are none.
    const fn values(&mut self, values: &Values, is_first: bool) -> bool {
        let kind = match values {
            Values::Any => return true,
            Values::Boolean => "boolean",
            Values::Integer => "integer",
            Values::Number => "number",
            Values::Text | Values::Choice(_) => "string",
            Values::List(_) => "array",
            Values::Map(_) | Values::Table { .. } => "object",
        };
        self.member("type", is_first);
        self.quoted(kind);
        match values {
            Values::Choice(texts) => {
                self.member("enum", false);
                self.list(texts);
            }
            Values::List(element) => {
                self.member("items", false);
                self.object(element);
            }
            Values::Map(value) => {
                self.member("additionalProperties", false);
                self.object(value);
            }
            Values::Table { members, is_closed } => self.table(members, *is_closed),
            _ => {}
        }
        false
    }

    const fn table(&mut self, members: &[Member], is_closed: bool) {
        self.member("properties", false);
        self.raw("{");
        let mut at = 0;
        while at < members.len() {
            self.member(members[at].name, at == 0);
            self.object(&members[at].schema);
            at += 1;
        }
        self.raw("}");
        let (mut at, mut required) = (0, 0);
        while at < members.len() {
            if members[at].is_required {
                if required == 0 {
                    self.member("required", false);
                }
                self.raw(if required == 0 { "[" } else { "," });
                self.quoted(members[at].name);
                required += 1;
            }
            at += 1;
        }
        if required > 0 {
            self.raw("]");
        }
        if is_closed {
            self.member("additionalProperties", false);
            self.raw("false");
        }
    }

    const fn list(&mut self, texts: &[&str]) {
        self.raw("[");
        let mut at = 0;
        while at < texts.len() {
            if at > 0 {
                self.raw(",");
            }
            self.quoted(texts[at]);
            at += 1;
        }
        self.raw("]");
    }

    /// Writes a key, with a comma before it unless it is the first.
    const fn member(&mut self, name: &str, is_first: bool) {
        if !is_first {
            self.raw(",");
        }
        self.quoted(name);
        self.raw(":");
    }

    const fn bound(&mut self, bound: Bound) {
        match bound {
            Bound::Literal(text) => self.raw(text),
            Bound::Integer(number) => {
                if number < 0 {
                    self.byte(b'-');
                }
                self.digits(number.unsigned_abs());
            }
        }
    }

    const fn digits(&mut self, number: u64) {
        if number >= 10 {
            self.digits(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    const fn quoted(&mut self, text: &str) {
        self.byte(b'"');
        let (bytes, mut at) = (text.as_bytes(), 0);
        while at < bytes.len() {
            let byte = bytes[at];
            match byte {
                b'"' | b'\\' => {
                    self.byte(b'\\');
                    self.byte(byte);
                }
                0..0x20 => {
                    self.raw("\\u00");
                    self.hexadecimal(byte >> 4);
                    self.hexadecimal(byte & 15);
                }
                _ => self.byte(byte),
            }
            at += 1;
        }
        self.byte(b'"');
    }

    const fn hexadecimal(&mut self, digit: u8) {
        self.byte(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
    }

    const fn raw(&mut self, text: &str) {
        let (bytes, mut at) = (text.as_bytes(), 0);
        while at < bytes.len() {
            self.byte(bytes[at]);
            at += 1;
        }
    }

    const fn byte(&mut self, byte: u8) {
        if self.length < self.buffer.len() {
            self.buffer[self.length] = byte;
        }
        self.length += 1;
    }
}

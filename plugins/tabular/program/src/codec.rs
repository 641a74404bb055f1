//! Encodes records and choices as bytes, little-endian and without padding.
//!
//! Invariants:
//! - Reading never allocates more than a constant factor of the bytes that are left.
//! - Reading never recurses deeper than the types nest, and the types do not nest themselves.

use std::fmt;

/// Why bytes are not a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramError(String);

impl ProgramError {
    /// An error with a message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ProgramError {}

/// A type that is a part of a program.
pub(crate) trait Part: Sized {
    /// The fewest bytes of a value, at least 1.
    const LEAST: usize;

    /// Appends the bytes.
    fn write(&self, bytes: &mut Vec<u8>);

    /// Reads what [`write`](Self::write) wrote.
    fn read(reader: &mut Reader<'_>) -> Result<Self, ProgramError>;
}

/// Bytes that are read from the front.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len() }
    }

    /// The next `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], ProgramError> {
        if count > self.rest.len() {
            return Err(self.error("the bytes end too early"));
        }
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ProgramError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// An error at the current position.
    pub(crate) fn error(&self, what: &str) -> ProgramError {
        ProgramError::new(format!(
            "the lowered model is damaged at byte {}: {what}; import the model file again",
            self.length - self.rest.len()
        ))
    }

    /// Checks that no byte is left.
    pub(crate) fn finish(&self) -> Result<(), ProgramError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error("more bytes follow the end")) }
    }
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Part for $type {
            const LEAST: usize = size_of::<$type>();

            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, ProgramError> {
                Ok(Self::from_le_bytes(reader.array()?))
            }
        }
    )*};
}
number!(u8, u16, u32, i64, f32, f64);

impl Part for bool {
    const LEAST: usize = 1;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ProgramError> {
        match u8::read(reader)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(reader.error("expected 0 or 1")),
        }
    }
}

impl Part for String {
    const LEAST: usize = 4;

    fn write(&self, bytes: &mut Vec<u8>) {
        (self.len() as u32).write(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ProgramError> {
        let length = u32::read(reader)? as usize;
        let bytes = reader.take(length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(reader.error("text is not UTF-8")),
        }
    }
}

impl<T: Part> Part for Vec<T> {
    const LEAST: usize = 4;

    fn write(&self, bytes: &mut Vec<u8>) {
        (self.len() as u32).write(bytes);
        bytes.reserve(self.len() * T::LEAST);
        for part in self {
            part.write(bytes);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ProgramError> {
        let length = u32::read(reader)? as usize;
        if length > reader.rest.len() / T::LEAST {
            return Err(reader.error("a list is longer than the bytes that are left"));
        }
        // A list of large records is grown as it is read, so that a false length costs no memory.
        let reserved = if size_of::<T>() <= 2 * T::LEAST { length } else { length.min(64) };
        let mut list = Self::with_capacity(reserved);
        for _ in 0..length {
            list.push(T::read(reader)?);
        }
        Ok(list)
    }
}

impl<T: Part> Part for Option<T> {
    const LEAST: usize = 1;

    fn write(&self, bytes: &mut Vec<u8>) {
        self.is_some().write(bytes);
        if let Some(part) = self {
            part.write(bytes);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ProgramError> {
        Ok(if bool::read(reader)? { Some(T::read(reader)?) } else { None })
    }
}

impl<T: Part + Copy + Default, const N: usize> Part for [T; N] {
    const LEAST: usize = N * T::LEAST;

    fn write(&self, bytes: &mut Vec<u8>) {
        for part in self {
            part.write(bytes);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ProgramError> {
        let mut array = [T::default(); N];
        for part in &mut array {
            *part = T::read(reader)?;
        }
        Ok(array)
    }
}

/// Declares a struct whose encoding is its fields in order.
macro_rules! record {
    ($(#[$about:meta])* pub struct $name:ident {$($(#[$field_about:meta])* pub $field:ident: $type:ty,)*}) => {
        $(#[$about])*
        pub struct $name {$($(#[$field_about])* pub $field: $type,)*}

        impl $crate::codec::Part for $name {
            const LEAST: usize = 0 $(+ <$type as $crate::codec::Part>::LEAST)*;

            fn write(&self, bytes: &mut Vec<u8>) {
                $($crate::codec::Part::write(&self.$field, bytes);)*
            }

            fn read(reader: &mut $crate::codec::Reader<'_>) -> Result<Self, $crate::codec::ProgramError> {
                Ok(Self {$($field: $crate::codec::Part::read(reader)?,)*})
            }
        }
    };
}

/// Declares an enum whose encoding is one byte for the variant and then the variant's fields in order.
macro_rules! choice {
    ($(#[$about:meta])* pub enum $name:ident {$(
        $(#[$variant_about:meta])*
        $tag:literal $variant:ident $({$($(#[$field_about:meta])* $field:ident: $type:ty,)*})?,
    )*}) => {
        $(#[$about])*
        pub enum $name {$(
            $(#[$variant_about])* $variant $({$($(#[$field_about])* $field: $type,)*})?,
        )*}

        impl $crate::codec::Part for $name {
            const LEAST: usize = 1;

            fn write(&self, bytes: &mut Vec<u8>) {
                match self {$(
                    Self::$variant $({$($field,)*})? => {
                        bytes.push($tag);
                        $($($crate::codec::Part::write($field, bytes);)*)?
                    }
                )*}
            }

            fn read(reader: &mut $crate::codec::Reader<'_>) -> Result<Self, $crate::codec::ProgramError> {
                match <u8 as $crate::codec::Part>::read(reader)? {
                    $($tag => Ok(Self::$variant $({$($field: $crate::codec::Part::read(reader)?,)*})?),)*
                    _ => Err(reader.error(concat!("no such variant of ", stringify!($name)))),
                }
            }
        }
    };
}

pub(crate) use {choice, record};

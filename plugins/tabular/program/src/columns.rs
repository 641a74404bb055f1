//! Where values are, and constants.

use crate::codec::{choice, record};

choice! {
    /// The kind of the values in a plane.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Kind {
        /// 1 for true and 0 for false.
        0 Boolean,
        /// Signed 64-bit integers.
        1 Integer,
        /// 32-bit floats.
        2 Float,
        /// 64-bit floats.
        3 Double,
        /// UTF-8 text.
        4 Text,
    }
}

impl Kind {
    /// All kinds, in the order of [`Program::planes`](crate::Program::planes).
    pub const ALL: [Self; 5] = [Self::Boolean, Self::Integer, Self::Float, Self::Double, Self::Text];

    /// The kind's index in [`ALL`](Self::ALL).
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

record! {
    /// Adjacent columns of a plane.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Columns {
        /// The plane.
        pub kind: Kind,
        /// The first column.
        pub start: u32,
        /// The number of columns. May be 0.
        pub width: u32,
    }
}

impl Columns {
    /// The column after the last one.
    #[must_use]
    pub fn end(self) -> u64 {
        u64::from(self.start) + u64::from(self.width)
    }

    /// Whether the two have a column in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.kind == other.kind
            && self.width.min(other.width) > 0
            && u64::from(self.start) < other.end()
            && u64::from(other.start) < self.end()
    }
}

choice! {
    /// Constants of one kind.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Values {
        /// 0 or 1.
        0 Booleans {
            /// The constants.
            values: Vec<u8>,
        },
        /// Signed 64-bit integers.
        1 Integers {
            /// The constants.
            values: Vec<i64>,
        },
        /// 32-bit floats.
        2 Floats {
            /// The constants.
            values: Vec<f32>,
        },
        /// 64-bit floats.
        3 Doubles {
            /// The constants.
            values: Vec<f64>,
        },
        /// Text.
        4 Texts {
            /// The constants.
            values: Vec<String>,
        },
    }
}

impl Values {
    /// The kind of the constants.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Booleans { .. } => Kind::Boolean,
            Self::Integers { .. } => Kind::Integer,
            Self::Floats { .. } => Kind::Float,
            Self::Doubles { .. } => Kind::Double,
            Self::Texts { .. } => Kind::Text,
        }
    }

    /// The number of constants.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Booleans { values } => values.len(),
            Self::Integers { values } => values.len(),
            Self::Floats { values } => values.len(),
            Self::Doubles { values } => values.len(),
            Self::Texts { values } => values.len(),
        }
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

choice! {
    /// What a step with two arguments takes: columns, or constants that are the same for all rows.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Operand {
        /// Columns.
        0 Columns {
            /// Where they are.
            columns: Columns,
        },
        /// Constants.
        1 Constants {
            /// The constants, one for each column.
            values: Values,
        },
    }
}

impl Operand {
    /// The kind of the values.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Columns { columns } => columns.kind,
            Self::Constants { values } => values.kind(),
        }
    }

    /// The number of columns.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Columns { columns } => columns.width as usize,
            Self::Constants { values } => values.len(),
        }
    }
}

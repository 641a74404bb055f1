//! The steps of a program. What a step computes is defined here; floating-point operations round to nearest.

use crate::codec::{choice, record};
use crate::columns::{Columns, Operand, Values};
use crate::functions::{
    BinaryFunction, ClassRule, Comparison, DistanceFunction, Norm, ReduceFunction, ScoreTransform,
    UnaryFunction, Unknown,
};
use crate::tokens::TokenRule;

choice! {
    /// What is computed from columns, row by row.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Step {
        /// The same values.
        0 Copy {
            /// What is copied.
            from: Columns,
            /// The same kind and width.
            to: Columns,
        },
        /// The same constants in every row.
        1 Fill {
            /// One constant for each column.
            values: Values,
            /// The columns.
            to: Columns,
        },
        /// Some of the columns, in any order.
        2 Select {
            /// What is selected from.
            from: Columns,
            /// Which columns, counted from the first of `from`.
            indices: Vec<u32>,
            /// One column for each index, of the same kind.
            to: Columns,
        },
        /// Rows of a table of constants. A negative index counts from the end; a row whose index is outside the table
        /// fails.
        3 Lookup {
            /// The table. Row `i` is `table[i * width..][..width]`.
            table: Values,
            /// Constants in a row of the table, at least 1.
            width: u32,
            /// Indices into the table, of kind integer.
            index: Columns,
            /// `width` columns for each index.
            to: Columns,
        },
        /// The values as another kind. Floats become integers by truncation towards zero, and saturate; numbers become
        /// booleans by comparison with 0; text becomes a number if it reads as one, otherwise the row fails; numbers
        /// become text as C's `%.8g` (floats) and `%.17g` (doubles) write them.
        4 Cast {
            /// What is converted.
            from: Columns,
            /// The same width.
            to: Columns,
        },
        /// A function of each value.
        5 Unary {
            /// The function.
            function: UnaryFunction,
            /// The argument.
            from: Columns,
            /// The same width; for a predicate, of kind boolean.
            to: Columns,
        },
        /// A function of two values. An operand of width 1 is used with every column of the other.
        6 Binary {
            /// The function.
            function: BinaryFunction,
            /// The first argument.
            left: Operand,
            /// The second argument, of the same kind.
            right: Operand,
            /// As wide as the wider argument.
            to: Columns,
        },
        /// A comparison of numbers. An operand of width 1 is used with every column of the other. Comparisons with NaN are
        /// false.
        7 Compare {
            /// The comparison.
            comparison: Comparison,
            /// The first argument.
            left: Operand,
            /// The second argument, of the same kind.
            right: Operand,
            /// Of kind boolean, as wide as the wider argument.
            to: Columns,
        },
        /// One of two numbers or texts. Operands of width 1 are used with every column. Text operands are columns.
        8 Choose {
            /// Of kind boolean. Its width is 1 or that of `to`.
            condition: Columns,
            /// The value where the condition is true.
            then: Operand,
            /// The value elsewhere, of the same kind.
            otherwise: Operand,
            /// The result.
            to: Columns,
        },
        /// The values along an axis as one value.
        9 Reduce {
            /// How values become one.
            function: ReduceFunction,
            /// The argument.
            from: Columns,
            /// The shape of the argument; `outer * inner` columns result.
            axis: Axis,
            /// The result, of the same kind.
            to: Columns,
        },
        /// The position of the largest or smallest value along an axis. A NaN is never chosen over another value.
        10 Position {
            /// Whether the largest value is looked for.
            largest: bool,
            /// Whether the last one of equal values counts, instead of the first.
            last: bool,
            /// The argument.
            from: Columns,
            /// The shape of the argument.
            axis: Axis,
            /// Of kind integer; `outer * inner` columns.
            to: Columns,
        },
        /// Exponentials along an axis, less their maximum, divided by their sum.
        11 Softmax {
            /// Whether the logarithm of the result is taken.
            logarithm: bool,
            /// The argument, of kind float or double.
            from: Columns,
            /// The shape of the argument.
            axis: Axis,
            /// The same kind and width.
            to: Columns,
        },
        /// A matrix product: `to[g][j] = sum over i of from[g][i] * weights[i * n + j] + bias[j]`, added in the order
        /// of `i`, where `n` is the width of `to` divided by `groups`. The bias is added last.
        12 Linear {
            /// The argument.
            from: Columns,
            /// The matrix, of the same kind.
            weights: Values,
            /// Added to each result; none, or `n` constants.
            bias: Values,
            /// How many vectors the argument consists of, at least 1.
            groups: u32,
            /// The result, of the same kind.
            to: Columns,
        },
        /// Replaces one value of each column.
        13 Impute {
            /// The argument, of kind integer, float or double.
            from: Columns,
            /// The value that is replaced; NaN matches every NaN.
            missing: Values,
            /// One replacement for each column.
            replacements: Values,
            /// The same kind and width.
            to: Columns,
        },
        /// Divides all columns by their norm. A norm of zero leaves them as they are.
        14 Normalize {
            /// The norm.
            norm: Norm,
            /// The argument, of kind float.
            from: Columns,
            /// Of kind float, of the same width.
            to: Columns,
        },
        /// 1 in the column of the value's category and 0 in the others.
        15 OneHot {
            /// The argument, of kind integer or text.
            from: Columns,
            /// The categories, of the same kind, without duplicates.
            categories: Values,
            /// What a value of no category does.
            unknown: Unknown,
            /// Of kind float; one column for each category, for each column of the argument.
            to: Columns,
        },
        /// The value that belongs to a key.
        16 Encode {
            /// The argument.
            from: Columns,
            /// The keys, of the same kind, without duplicates. All NaNs are one key.
            keys: Values,
            /// One value for each key.
            values: Values,
            /// The value of other keys, one constant.
            default: Values,
            /// The same kind as the values, as wide as the argument.
            to: Columns,
        },
        /// The sums of a tree ensemble.
        17 Trees {
            /// The features, of the kind of the thresholds.
            from: Columns,
            /// Index of the ensemble.
            ensemble: u32,
            /// One column for each target, of the kind of the leaf values.
            to: Columns,
        },
        /// The class and the scores of a classifier, from sums of trees.
        18 Classes {
            /// The sums, of kind float or double: one column, or one for each class.
            sums: Columns,
            /// Whether a leaf that the row reached has a value for the class: one column for each of the sums, of the
            /// same kind, positive if so. Absent if each row has one for each class.
            scored: Option<Columns>,
            /// Added to the sums, of their kind: none, one or two, or one for each class.
            base: Values,
            /// How the class is chosen.
            rule: ClassRule,
            /// What becomes of the scores.
            transform: ScoreTransform,
            /// Of kind integer, one column: the index of the class.
            label: Columns,
            /// The scores, of kind float: one column for each class, two if there is only one.
            to: Columns,
        },
        /// A transformation of scores.
        19 Transform {
            /// The transformation.
            transform: ScoreTransform,
            /// The scores, of kind float.
            from: Columns,
            /// The same kind and width.
            to: Columns,
        },
        /// The largest or smallest values along an axis in order, and their positions. The first one of equal values
        /// comes first.
        20 Top {
            /// Whether the largest values are looked for.
            largest: bool,
            /// How many, at most `axis.length`.
            count: u32,
            /// The argument.
            from: Columns,
            /// The shape of the argument.
            axis: Axis,
            /// `outer * count * inner` columns, of the kind of the argument.
            values: Columns,
            /// As many columns of kind integer.
            positions: Columns,
        },
        /// The distance to each of several vectors, added in the order of the columns.
        21 Distances {
            /// How differences become a distance.
            function: DistanceFunction,
            /// The argument, of kind float or double.
            from: Columns,
            /// The vectors, one after the other, each as wide as the argument and of its kind.
            vectors: Values,
            /// One column for each vector, of the same kind.
            to: Columns,
        },
        /// The probabilities of classes from those of pairs of classes, by the second method of Wu, Lin and Weng (2004), as
        /// libsvm iterates it.
        22 Couple {
            /// For each pair of classes, the probability of the first of the two, of kind float: (0, 1), (0, 2), ... (1, 2), ...
            from: Columns,
            /// Of kind float, one column for each class, at least 2.
            to: Columns,
        },
        /// Text with another case. A character keeps its case if the other case has several characters.
        23 ChangeCase {
            /// Whether text becomes upper case, otherwise lower case.
            upper: bool,
            /// The argument, of kind text.
            from: Columns,
            /// The same kind and width.
            to: Columns,
        },
        /// How often each of several terms occurs. A term is a sequence of one or more tokens.
        24 Terms {
            /// The tokens, of kind integer or text, in the order of the columns. With a token rule one column of text.
            from: Columns,
            /// How text is split into tokens.
            tokens: Option<TokenRule>,
            /// The tokens of all terms, one term after the other, of the kind of the argument.
            terms: Values,
            /// The number of tokens of each term, at least 1.
            lengths: Vec<u32>,
            /// The column in which each term is counted.
            columns: Vec<u32>,
            /// How many tokens may be skipped between two of a term; always the same number within an occurrence.
            skips: u32,
            /// Whether a term that occurs counts once, however often it does.
            once: bool,
            /// What the count of each column is multiplied with; 1 if there are none.
            weights: Vec<f32>,
            /// Of kind float.
            to: Columns,
        },
        /// Values at positions along an axis. A negative position counts from the end; a row whose position is outside the
        /// axis fails.
        25 Gather {
            /// What is selected from.
            from: Columns,
            /// The shape of `from`.
            axis: Axis,
            /// Positions, of kind integer: `outer * n * inner` columns, for any `n`.
            index: Columns,
            /// One column for each position, of the kind of `from`.
            to: Columns,
        },
        /// What an ONNX graph computes from a row. The engine itself has no operators for it: a [graph
        /// runtime](crate::Program::has_subgraphs) runs the graph, one row at a time, so that the rows of a call cannot
        /// influence each other.
        26 Subgraph {
            /// The ONNX file of the graph, with its weights. All its dimensions are fixed.
            file: Vec<u8>,
            /// What the graph reads, in the order of its inputs.
            inputs: Vec<Port>,
            /// What the graph computes, in the order of its outputs.
            outputs: Vec<Port>,
        },
    }
}

record! {
    /// An input or output of a subgraph.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Port {
        /// The dimensions of the tensor. Its elements are the columns, the last dimension first.
        pub dimensions: Vec<u32>,
        /// As many columns as the tensor has elements, of kind float, integer or boolean.
        pub columns: Columns,
    }
}

record! {
    /// The shape of columns around an axis: element `(o, i, n)` is in column `(o * length + i) * inner + n`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Axis {
        /// Product of the dimensions before the axis.
        pub outer: u32,
        /// Length of the axis.
        pub length: u32,
        /// Product of the dimensions after the axis.
        pub inner: u32,
    }
}

impl Axis {
    /// The number of columns of the argument.
    #[must_use]
    pub fn width(self) -> u64 {
        self.reduced().saturating_mul(u64::from(self.length))
    }

    /// The number of columns without the axis.
    #[must_use]
    pub fn reduced(self) -> u64 {
        u64::from(self.outer).saturating_mul(u64::from(self.inner))
    }
}

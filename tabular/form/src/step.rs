//! The steps of a form. What a step computes is defined here; floating-point operations round to nearest.

use crate::codec::{choice, record};
use crate::columns::{Columns, Operand, Values};

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
            /// The value that is replaced; NaN stands for all NaNs.
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

choice! {
    /// A function of one value.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum UnaryFunction {
        /// `-x`.
        0 Negative,
        /// `|x|`.
        1 Absolute,
        /// The exponential.
        2 Exponential,
        /// The natural logarithm.
        3 Logarithm,
        /// The square root.
        4 SquareRoot,
        /// `1 / x`.
        5 Reciprocal,
        /// `max(x, 0)`.
        6 Relu,
        /// `1 / (1 + exp(-x))`.
        7 Sigmoid,
        /// The hyperbolic tangent.
        8 Tanh,
        /// The largest integer at most `x`.
        9 Floor,
        /// The smallest integer at least `x`.
        10 Ceiling,
        /// The nearest integer, halves to even.
        11 Round,
        /// -1, 0 or 1; NaN of NaN.
        12 Sign,
        /// The error function.
        13 Erf,
        /// `ln(1 + exp(x))`.
        14 Softplus,
        /// `x` if positive, otherwise `alpha * x`.
        15 LeakyRelu {
            /// The slope.
            alpha: f32,
        },
        /// `x` if positive, otherwise `alpha * (exp(x) - 1)`.
        16 Elu {
            /// The scale.
            alpha: f32,
        },
        /// `gamma * x` if positive, otherwise `gamma * (alpha * exp(x) - alpha)`.
        17 Selu {
            /// The inner scale.
            alpha: f32,
            /// The outer scale.
            gamma: f32,
        },
        /// `alpha * x + beta`, limited to 0 to 1.
        18 HardSigmoid {
            /// The slope.
            alpha: f32,
            /// The offset.
            beta: f32,
        },
        /// `!x`, of booleans.
        19 Not,
        /// Whether the value is NaN; a boolean.
        20 IsNan,
        /// Whether the value is infinite; a boolean.
        21 IsInfinite {
            /// Whether negative infinity counts.
            negative: bool,
            /// Whether positive infinity counts.
            positive: bool,
        },
        /// `x / (1 + |x|)`.
        22 Softsign,
        /// The sine.
        23 Sine,
        /// The cosine.
        24 Cosine,
    }
}

impl UnaryFunction {
    /// Whether the result is a boolean whatever the argument is.
    #[must_use]
    pub fn is_predicate(self) -> bool {
        matches!(self, Self::IsNan | Self::IsInfinite { .. })
    }
}

choice! {
    /// A function of two values of one kind.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum BinaryFunction {
        /// The sum. Integers wrap around.
        0 Add,
        /// The difference. Integers wrap around.
        1 Subtract,
        /// The product. Integers wrap around.
        2 Multiply,
        /// The quotient. Of integers it is cut towards zero, and a division by zero fails the row.
        3 Divide,
        /// The power, of floats and doubles.
        4 Power,
        /// The smaller value; NaN if one is NaN.
        5 Minimum,
        /// The larger value; NaN if one is NaN.
        6 Maximum,
        /// Whether both are true, of booleans.
        7 And,
        /// Whether one is true, of booleans.
        8 Or,
        /// Whether exactly one is true, of booleans.
        9 ExclusiveOr,
        /// The remainder with the sign of the divisor, of integers. A division by zero fails the row.
        10 Modulo,
        /// The remainder with the sign of the dividend.
        11 Remainder,
    }
}

choice! {
    /// A comparison of two numbers of one kind.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Comparison {
        /// `==`.
        0 Equal,
        /// `<`.
        1 Less,
        /// `<=`.
        2 LessOrEqual,
        /// `>`.
        3 Greater,
        /// `>=`.
        4 GreaterOrEqual,
    }
}

choice! {
    /// A function of the values along an axis. Sums and products are taken in the order of the axis.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ReduceFunction {
        /// The sum.
        0 Sum,
        /// The sum divided by the length.
        1 Mean,
        /// The smallest value.
        2 Minimum,
        /// The largest value.
        3 Maximum,
        /// The product.
        4 Product,
        /// The sum of squares.
        5 SumOfSquares,
        /// The sum of absolute values.
        6 SumOfAbsolutes,
        /// The square root of the sum of squares.
        7 EuclideanNorm,
        /// The logarithm of the sum.
        8 LogarithmOfSum,
        /// The logarithm of the sum of exponentials, computed from the differences to the largest value.
        9 LogarithmOfExponentials,
    }
}

choice! {
    /// A norm.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Norm {
        /// The largest value.
        0 Maximum,
        /// The sum of absolute values.
        1 Absolute,
        /// The square root of the sum of squares. The sign of the argument is kept.
        2 Euclidean,
    }
}

choice! {
    /// What a value of no category does.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Unknown {
        /// All columns are 0.
        0 Zeros,
        /// The row fails.
        1 Fails,
    }
}

choice! {
    /// How a classifier of trees chooses the class. Scores here are sums with the base added.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ClassRule {
        /// The first class with the largest score, among the classes that have one; the first class if none has.
        0 Largest,
        /// Two classes. The score is that of the second class if it has one, otherwise that of the first. The label
        /// is 1 if the score is positive. Without a score of the second class, there is one score `s`, which becomes
        /// two by the signs of the weights.
        1 Binary {
            /// Whether all weights belong to one class. If not, and only the first class has a score, the model has
            /// no second score.
            one_class: bool,
            /// Whether no weight is negative: the scores are `1 - s` and `s`, and the label is 1 if `s` is above 0.5.
            /// Otherwise they are `-s` and `s`.
            positive: bool,
        },
    }
}

choice! {
    /// What becomes of scores.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ScoreTransform {
        /// Nothing.
        0 None,
        /// The logistic function of each.
        1 Logistic,
        /// The softmax of all.
        2 Softmax,
        /// The softmax of those that are not zero.
        3 SoftmaxZero,
        /// The probit of each.
        4 Probit,
    }
}

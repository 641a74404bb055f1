//! The functions and rules that steps name.

use crate::codec::choice;

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
        /// The quotient. An integer quotient is truncated towards zero; a division by zero fails the row.
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
    /// How the differences of two vectors become a distance.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum DistanceFunction {
        /// The sum of squares.
        0 SumOfSquares,
        /// The sum of absolute values.
        1 SumOfAbsolutes,
        /// The sum of absolute values to a power.
        2 SumOfPowers {
            /// The exponent.
            exponent: f64,
        },
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

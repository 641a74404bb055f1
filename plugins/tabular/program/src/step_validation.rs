//! Checks that the arguments of a step have the kinds and widths that it needs.

use crate::Ensemble;
use crate::columns::{Columns, Kind, Operand, Values};
use crate::functions::{BinaryFunction, ClassRule, ReduceFunction, UnaryFunction};
use crate::step::{Axis, Port, Step};

/// The largest number of classes of [`Step::Couple`], whose time grows with their square.
const MAX_COUPLED: u64 = 256;

/// Fails with a message unless the condition holds.
macro_rules! require {
    ($condition:expr, $($message:tt)*) => {
        if !$condition {
            return Err(format!($($message)*));
        }
    };
}

fn is_float(kind: Kind) -> bool {
    matches!(kind, Kind::Float | Kind::Double)
}

fn is_number(kind: Kind) -> bool {
    is_float(kind) || kind == Kind::Integer
}

/// Checks kinds and widths of a step.
pub(crate) fn check(step: &Step, ensembles: &[Ensemble]) -> Result<(), String> {
    match step {
        Step::Copy { from, to } => same_shape(*from, *to),
        Step::Fill { values, to } => {
            require!(
                values.kind() == to.kind && values.len() as u64 == u64::from(to.width),
                "{to:?} has another shape"
            );
            check_booleans(values)
        }
        Step::Select { from, indices, to } => {
            require!(from.kind == to.kind, "kinds differ");
            width(*to, indices.len() as u64)?;
            require!(indices.iter().all(|index| *index < from.width), "an index is outside of {from:?}");
            Ok(())
        }
        Step::Lookup { table, width: row, index, to } => {
            require!(index.kind == Kind::Integer, "the index is no integer");
            require!(table.kind() == to.kind, "kinds differ");
            require!(*row > 0 && table.len() % *row as usize == 0, "the table has no whole rows");
            width(*to, u64::from(index.width) * u64::from(*row))?;
            check_booleans(table)
        }
        Step::Cast { from, to } => {
            require!(from.kind != to.kind, "a cast to the same kind");
            width(*to, u64::from(from.width))
        }
        Step::Unary { function, from, to } => check_unary(*function, *from, *to),
        Step::Binary { function, left, right, to } => check_binary(*function, left, right, *to),
        Step::Compare { left, right, to, .. } => {
            require!(to.kind == Kind::Boolean, "the result is not boolean");
            require!(left.kind() == right.kind(), "kinds differ");
            require!(is_number(left.kind()), "{:?} is not compared", left.kind());
            operands([left, right], *to)
        }
        Step::Choose { condition, then, otherwise, to } => {
            require!(condition.kind == Kind::Boolean, "the condition is not boolean");
            require!(condition.width == 1 || condition.width == to.width, "the condition has another width");
            require!(then.kind() == otherwise.kind() && then.kind() == to.kind, "kinds differ");
            require!(to.kind != Kind::Boolean, "booleans are not chosen");
            for operand in [then, otherwise] {
                require!(
                    operand.kind() != Kind::Text || matches!(operand, Operand::Columns { .. }),
                    "text is constant"
                );
                require!(operand.width() == 1 || operand.width() == to.width as usize, "widths differ");
                check_operand(operand)?;
            }
            Ok(())
        }
        Step::Reduce { function, from, axis, to } => {
            require!(from.kind == to.kind, "kinds differ");
            let any_number = !matches!(
                function,
                ReduceFunction::EuclideanNorm
                    | ReduceFunction::LogarithmOfSum
                    | ReduceFunction::LogarithmOfExponentials
            );
            require!(
                is_float(from.kind) || (any_number && from.kind == Kind::Integer),
                "{function:?} does not take {:?}",
                from.kind
            );
            check_axis(*axis, *from)?;
            width(*to, axis.reduced())
        }
        Step::Position { from, axis, to, .. } => {
            require!(is_number(from.kind) && to.kind == Kind::Integer, "kinds do not fit");
            check_axis(*axis, *from)?;
            width(*to, axis.reduced())
        }
        Step::Softmax { from, axis, to, .. } => {
            require!(is_float(from.kind), "the argument is no float");
            check_axis(*axis, *from)?;
            same_shape(*from, *to)
        }
        Step::Linear { from, weights, bias, groups, to, .. } => {
            require!(is_number(from.kind) && from.kind == to.kind, "kinds differ");
            require!(weights.kind() == to.kind && bias.kind() == to.kind, "kinds differ");
            require!(*groups > 0 && from.width % groups == 0 && to.width % groups == 0, "groups do not fit");
            let (inner, results) = (u64::from(from.width / groups), u64::from(to.width / groups));
            require!(weights.len() as u64 == inner * results, "the matrix has another size");
            require!(bias.is_empty() || bias.len() as u64 == results, "the bias has another size");
            Ok(())
        }
        Step::Impute { from, missing, replacements, to } => {
            require!(is_number(from.kind), "{:?} is not imputed", from.kind);
            require!(missing.kind() == from.kind && missing.len() == 1, "one missing value is expected");
            require!(replacements.kind() == from.kind, "kinds differ");
            require!(
                replacements.len() == from.width as usize,
                "one replacement is expected for each column"
            );
            same_shape(*from, *to)
        }
        Step::Normalize { from, to, .. } | Step::Transform { from, to, .. } => {
            require!(from.kind == Kind::Float, "the argument is no float");
            same_shape(*from, *to)
        }
        Step::OneHot { from, categories, to, .. } => {
            require!(matches!(from.kind, Kind::Integer | Kind::Text), "{:?} has no categories", from.kind);
            require!(categories.kind() == from.kind && to.kind == Kind::Float, "kinds differ");
            width(*to, u64::from(from.width) * categories.len() as u64)
        }
        Step::Encode { from, keys, values, default, to } => {
            require!(keys.kind() == from.kind, "kinds differ");
            require!(values.kind() == to.kind && default.kind() == to.kind, "kinds differ");
            require!(keys.len() == values.len() && default.len() == 1, "keys and values do not fit");
            check_booleans(values)?;
            check_booleans(default)?;
            width(*to, u64::from(from.width))
        }
        Step::Trees { from, ensemble, to } => {
            let ensemble = &ensembles[*ensemble as usize];
            require!(ensemble.start.kind() == to.kind, "kinds differ");
            width(*to, ensemble.targets() as u64)?;
            for test in &ensemble.tests {
                require!(test.thresholds().kind() == from.kind, "the thresholds have another kind");
                require!(test.feature() < from.width, "there is no feature {}", test.feature());
            }
            Ok(())
        }
        Step::Classes { sums, scored, base, rule, label, to, .. } => {
            check_classes(*sums, *scored, base, *rule, [*label, *to])
        }
        Step::Distances { from, vectors, to, .. } => {
            require!(is_float(from.kind) && to.kind == from.kind, "the argument is no float");
            require!(vectors.kind() == from.kind, "kinds differ");
            require!(
                vectors.len() as u64 == u64::from(from.width) * u64::from(to.width),
                "the vectors have another size"
            );
            Ok(())
        }
        Step::Couple { from, to } => {
            require!(from.kind == Kind::Float && to.kind == Kind::Float, "the argument is no float");
            let classes = u64::from(to.width);
            require!((2..=MAX_COUPLED).contains(&classes), "{classes} classes are coupled");
            width(*from, classes * (classes - 1) / 2)
        }
        Step::Gather { from, axis, index, to } => {
            require!(index.kind == Kind::Integer, "the positions are no integers");
            require!(from.kind == to.kind, "kinds differ");
            check_axis(*axis, *from)?;
            require!(axis.reduced() > 0, "the axis has no values");
            require!(u64::from(index.width) % axis.reduced() == 0, "the positions do not fit the axis");
            width(*to, u64::from(index.width))
        }
        Step::Subgraph { inputs, outputs, .. } => {
            require!(!outputs.is_empty(), "the graph computes nothing");
            inputs.iter().chain(outputs).try_for_each(check_port)
        }
        Step::ChangeCase { from, to, .. } => {
            require!(from.kind == Kind::Text, "the argument is no text");
            same_shape(*from, *to)
        }
        Step::Terms { from, tokens, terms, lengths, columns, weights, to, .. } => {
            require!(matches!(from.kind, Kind::Integer | Kind::Text), "{:?} has no tokens", from.kind);
            require!(terms.kind() == from.kind && to.kind == Kind::Float, "kinds differ");
            let sum = lengths.iter().map(|length| u64::from(*length)).sum::<u64>();
            require!(sum == terms.len() as u64 && !lengths.contains(&0), "the lengths of terms do not fit");
            require!(columns.len() == lengths.len(), "the columns of terms do not fit");
            require!(columns.iter().all(|column| *column < to.width), "a term has no column");
            require!(weights.is_empty() || weights.len() == to.width as usize, "weights do not fit");
            match tokens {
                None => Ok(()),
                Some(rule) => {
                    require!(from.kind == Kind::Text && from.width == 1, "one column of text is split");
                    rule.patterns().map(drop).map_err(|error| error.to_string())
                }
            }
        }
        Step::Top { count, from, axis, values, positions, .. } => {
            require!(is_number(from.kind) && values.kind == from.kind, "kinds differ");
            require!(positions.kind == Kind::Integer, "positions are no integers");
            check_axis(*axis, *from)?;
            require!(*count <= axis.length, "more values than there are");
            for to in [values, positions] {
                width(*to, axis.reduced().saturating_mul(u64::from(*count)))?;
            }
            Ok(())
        }
    }
}

/// Checks that a tensor of a subgraph has a column for each element.
fn check_port(port: &Port) -> Result<(), String> {
    let kind = port.columns.kind;
    require!(matches!(kind, Kind::Float | Kind::Integer | Kind::Boolean), "{kind:?} is no kind of a tensor");
    let length = |length: u64, dimension: &u32| length.saturating_mul(u64::from(*dimension));
    width(port.columns, port.dimensions.iter().fold(1, length))
}

fn check_unary(function: UnaryFunction, from: Columns, to: Columns) -> Result<(), String> {
    let fits = match function {
        UnaryFunction::Not => from.kind == Kind::Boolean,
        UnaryFunction::Negative | UnaryFunction::Absolute | UnaryFunction::Sign | UnaryFunction::Relu => {
            is_number(from.kind)
        }
        _ => is_float(from.kind),
    };
    require!(fits, "{function:?} does not take {:?}", from.kind);
    let kind = if function.is_predicate() { Kind::Boolean } else { from.kind };
    require!(to.kind == kind, "the result has another kind");
    width(to, u64::from(from.width))
}

fn check_binary(
    function: BinaryFunction,
    left: &Operand,
    right: &Operand,
    to: Columns,
) -> Result<(), String> {
    require!(left.kind() == right.kind() && left.kind() == to.kind, "kinds differ");
    let fits = match function {
        BinaryFunction::And | BinaryFunction::Or | BinaryFunction::ExclusiveOr => to.kind == Kind::Boolean,
        BinaryFunction::Power => is_float(to.kind),
        BinaryFunction::Modulo => to.kind == Kind::Integer,
        _ => is_number(to.kind),
    };
    require!(fits, "{function:?} does not take {:?}", to.kind);
    operands([left, right], to)
}

fn check_classes(
    sums: Columns,
    scored: Option<Columns>,
    base: &Values,
    rule: ClassRule,
    [label, to]: [Columns; 2],
) -> Result<(), String> {
    require!(is_float(sums.kind) && base.kind() == sums.kind, "kinds differ");
    require!(label.kind == Kind::Integer && to.kind == Kind::Float, "kinds differ");
    width(label, 1)?;
    let classes = match rule {
        ClassRule::Largest => sums.width.max(1),
        ClassRule::Binary { .. } => 2,
    };
    require!((1..=classes).contains(&sums.width), "the number of sums does not fit the rule");
    width(to, u64::from(classes))?;
    let bases = base.len();
    require!(bases <= 2.max(classes as usize), "too many base values");
    require!(
        matches!(rule, ClassRule::Binary { .. }) || bases == 0 || bases == classes as usize,
        "base values do not fit"
    );
    match scored {
        Some(scored) => same_shape(sums, scored),
        None => Ok(()),
    }
}

fn width(columns: Columns, expected: u64) -> Result<(), String> {
    require!(u64::from(columns.width) == expected, "{columns:?} should have {expected} columns");
    Ok(())
}

fn same_shape(from: Columns, to: Columns) -> Result<(), String> {
    require!(from.kind == to.kind && from.width == to.width, "{from:?} and {to:?} have other shapes");
    Ok(())
}

fn check_axis(axis: Axis, from: Columns) -> Result<(), String> {
    require!(axis.length > 0, "the axis is empty");
    width(from, axis.width())
}

/// Checks that two operands together have the width of the result.
fn operands(operands: [&Operand; 2], to: Columns) -> Result<(), String> {
    let [left, right] = operands.map(Operand::width);
    let fits = left == right || left == 1 || right == 1;
    let result = if left == 1 { right } else { left };
    require!(fits && result == to.width as usize, "widths {left}, {right} and {} do not fit", to.width);
    operands.into_iter().try_for_each(check_operand)
}

fn check_operand(operand: &Operand) -> Result<(), String> {
    match operand {
        Operand::Columns { .. } => Ok(()),
        Operand::Constants { values } => check_booleans(values),
    }
}

/// Checks that booleans are 0 or 1.
fn check_booleans(values: &Values) -> Result<(), String> {
    match values {
        Values::Booleans { values } => {
            require!(values.iter().all(|value| *value <= 1), "a boolean is neither 0 nor 1");
            Ok(())
        }
        _ => Ok(()),
    }
}

//! Functions of single elements.

use tabular_program::{BinaryFunction, Comparison, Kind, Operand, Step, UnaryFunction, Values};

use super::call::{Call, one};
use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::shape::{self, Shape};
use crate::tensor;

type Lowered = Result<Vec<Value>, Fault>;

/// Lowers a function of one or two elements, if it is one.
pub(super) fn lower(operator: &str, call: &mut Call<'_>) -> Option<Lowered> {
    if let Some(function) = unary_function(operator, call) {
        return Some(unary(call, function));
    }
    let function = match operator {
        "Add" => BinaryFunction::Add,
        "And" => BinaryFunction::And,
        "Div" => BinaryFunction::Divide,
        "Mod" => return Some(modulo(call)),
        "Mul" => BinaryFunction::Multiply,
        "Or" => BinaryFunction::Or,
        "Pow" => return Some(power(call)),
        "Sub" => BinaryFunction::Subtract,
        "Xor" => BinaryFunction::ExclusiveOr,
        _ => return comparison(operator).map(|comparison| compare(call, comparison)),
    };
    Some(binary_inputs(call, function))
}

fn unary_function(operator: &str, call: &Call<'_>) -> Option<UnaryFunction> {
    let parameter = |name, default| call.float(name).unwrap_or(default);
    Some(match operator {
        "Abs" => UnaryFunction::Absolute,
        "Ceil" => UnaryFunction::Ceiling,
        "Cos" => UnaryFunction::Cosine,
        "Elu" => UnaryFunction::Elu { alpha: parameter("alpha", 1.0) },
        "Erf" => UnaryFunction::Erf,
        "Exp" => UnaryFunction::Exponential,
        "Floor" => UnaryFunction::Floor,
        "HardSigmoid" => {
            UnaryFunction::HardSigmoid { alpha: parameter("alpha", 0.2), beta: parameter("beta", 0.5) }
        }
        "IsInf" => UnaryFunction::IsInfinite {
            negative: call.integer("detect_negative").unwrap_or(1) != 0,
            positive: call.integer("detect_positive").unwrap_or(1) != 0,
        },
        "IsNaN" => UnaryFunction::IsNan,
        "LeakyRelu" => UnaryFunction::LeakyRelu { alpha: parameter("alpha", 0.01) },
        "Log" => UnaryFunction::Logarithm,
        "Neg" => UnaryFunction::Negative,
        "Not" => UnaryFunction::Not,
        "Reciprocal" => UnaryFunction::Reciprocal,
        "Relu" => UnaryFunction::Relu,
        "Round" => UnaryFunction::Round,
        "Selu" => UnaryFunction::Selu {
            alpha: parameter("alpha", 1.673_263_2),
            gamma: parameter("gamma", 1.050_701),
        },
        "Sigmoid" => UnaryFunction::Sigmoid,
        "Sign" => UnaryFunction::Sign,
        "Sin" => UnaryFunction::Sine,
        "Softplus" => UnaryFunction::Softplus,
        "Softsign" => UnaryFunction::Softsign,
        "Sqrt" => UnaryFunction::SquareRoot,
        "Tanh" => UnaryFunction::Tanh,
        _ => return None,
    })
}

/// A function of each element.
pub(super) fn apply(call: &mut Call<'_>, function: UnaryFunction, from: &Tensor) -> Result<Tensor, Fault> {
    let kind = if function.is_predicate() { Kind::Boolean } else { from.columns.kind };
    let to = call.result(kind, from.shape.clone())?;
    call.step(Step::Unary { function, from: from.columns, to: to.columns });
    Ok(to)
}

fn unary(call: &mut Call<'_>, function: UnaryFunction) -> Lowered {
    let from = call.tensor(0)?;
    one(apply(call, function, &from)?)
}

/// A function of two values, element by element.
pub(super) fn binary(
    call: &mut Call<'_>,
    function: BinaryFunction,
    left: Value,
    right: Value,
) -> Result<Tensor, Fault> {
    let kind = left.kind();
    if kind != right.kind() {
        return Err(format!("its arguments have the kinds {kind:?} and {:?}", right.kind()).into());
    }
    let shape = shape::broadcast(&left.shape(), &right.shape())?;
    let to = call.result(kind, shape)?;
    let [left, right] = operands(call, left, right, &to.shape)?;
    call.step(Step::Binary { function, left, right, to: to.columns });
    Ok(to)
}

fn operands(call: &mut Call<'_>, left: Value, right: Value, shape: &Shape) -> Result<[Operand; 2], Fault> {
    let width = shape::width(shape)?;
    let mut operands = [call.operand(left, shape)?, call.operand(right, shape)?];
    // Two operands of width 1 give one column. A value without columns takes no constant.
    if operands.iter().all(|operand| operand.width() == 1) && width != 1 {
        if let Operand::Constants { values } = &mut operands[0] {
            *values = tensor::repeated(values, width);
        } else if let Operand::Constants { values } = &mut operands[1] {
            *values = tensor::repeated(values, width);
        } else if let Operand::Columns { columns } = operands[0] {
            operands[0] = Operand::Columns { columns: call.selected(columns, vec![0; width])? };
        }
    }
    Ok(operands)
}

fn binary_inputs(call: &mut Call<'_>, function: BinaryFunction) -> Lowered {
    let (left, right) = (call.input(0)?, call.input(1)?);
    one(binary(call, function, left, right)?)
}

fn power(call: &mut Call<'_>) -> Lowered {
    let (base, exponent) = (call.tensor(0)?, call.input(1)?);
    let kind = base.columns.kind;
    if !matches!(kind, Kind::Float | Kind::Double) {
        return Err(format!("a power of kind {kind:?} is not supported").into());
    }
    let exponent = match exponent {
        Value::Constant(constant) => {
            let values = tensor::numbers(kind, &tensor::doubles(&constant.values)?);
            Value::Constant(tensor::Constant { values, ..constant })
        }
        other => {
            let tensor = call.materialized(other)?;
            Value::Tensor(call.converted(tensor, kind)?)
        }
    };
    // ONNX Runtime computes squares and cubes by multiplication.
    if let Value::Constant(constant) = &exponent {
        let square = || vec![2.0; constant.values.len()];
        if constant.values.len() == 1 && tensor::doubles(&constant.values)? == square() {
            let base = Value::Tensor(base);
            return one(binary(call, BinaryFunction::Multiply, base.clone(), base)?);
        }
    }
    one(binary(call, BinaryFunction::Power, Value::Tensor(base), exponent)?)
}

fn modulo(call: &mut Call<'_>) -> Lowered {
    if call.integer("fmod").unwrap_or(0) != 0 {
        return binary_inputs(call, BinaryFunction::Remainder);
    }
    if call.input(0)?.kind() != Kind::Integer {
        return Err("a modulo of floats needs fmod=1".into());
    }
    binary_inputs(call, BinaryFunction::Modulo)
}

/// The comparison of an operator.
fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        "Equal" => Comparison::Equal,
        "Greater" => Comparison::Greater,
        "GreaterOrEqual" => Comparison::GreaterOrEqual,
        "Less" => Comparison::Less,
        "LessOrEqual" => Comparison::LessOrEqual,
        _ => return None,
    })
}

fn compare(call: &mut Call<'_>, comparison: Comparison) -> Lowered {
    let (left, right) = (call.input(0)?, call.input(1)?);
    let kind = left.kind();
    if kind != right.kind() {
        return Err(format!("its arguments have the kinds {kind:?} and {:?}", right.kind()).into());
    }
    match (kind, comparison) {
        (Kind::Boolean, Comparison::Equal) => {
            let different = binary(call, BinaryFunction::ExclusiveOr, left, right)?;
            return one(apply(call, UnaryFunction::Not, &different)?);
        }
        (Kind::Text, Comparison::Equal) => return equal_text(call, left, right),
        (Kind::Boolean | Kind::Text, _) => return Err(format!("{kind:?} is not compared in order").into()),
        _ => {}
    }
    let to = call.result(Kind::Boolean, shape::broadcast(&left.shape(), &right.shape())?)?;
    let [left, right] = operands(call, left, right, &to.shape)?;
    call.step(Step::Compare { comparison, left, right, to: to.columns });
    one(to)
}

/// Whether texts are one constant text.
fn equal_text(call: &mut Call<'_>, left: Value, right: Value) -> Lowered {
    let (value, constant) = match (left, right) {
        (value, Value::Constant(constant)) | (Value::Constant(constant), value)
            if constant.values.len() == 1 =>
        {
            (value, constant)
        }
        _ => return Err("text is compared with one constant text only".into()),
    };
    let shape = shape::broadcast(&value.shape(), &constant.shape())?;
    let from = call.materialized(value)?;
    let to = call.result(Kind::Boolean, shape)?;
    call.step(Step::Encode {
        from: from.columns,
        keys: constant.values,
        values: Values::Booleans { values: vec![1] },
        default: Values::Booleans { values: vec![0] },
        to: to.columns,
    });
    one(to)
}

/// `Where`.
pub(super) fn choose(call: &mut Call<'_>) -> Lowered {
    let (condition, then, otherwise) = (call.tensor(0)?, call.input(1)?, call.input(2)?);
    let kind = then.kind();
    if kind != otherwise.kind() || condition.columns.kind != Kind::Boolean {
        return Err(format!("its arguments have the kinds {kind:?} and {:?}", otherwise.kind()).into());
    }
    if kind == Kind::Boolean {
        return Err("a choice of booleans is not supported".into());
    }
    let shape = shape::broadcast(&shape::broadcast(&then.shape(), &otherwise.shape())?, &condition.shape)?;
    let to = call.result(kind, shape)?;
    let Operand::Columns { columns: condition } = call.operand(Value::Tensor(condition), &to.shape)? else {
        return Err("the condition is constant".into());
    };
    let [then, otherwise] = [call.operand(then, &to.shape)?, call.operand(otherwise, &to.shape)?];
    call.step(Step::Choose { condition, then, otherwise, to: to.columns });
    one(to)
}

/// `Cast`.
pub(super) fn cast(call: &mut Call<'_>) -> Lowered {
    let target = call.integer("to").ok_or("attribute to is missing")?;
    let kind = tensor::value_kind(target)?;
    let from = call.tensor(0)?;
    one(call.converted(from, kind)?)
}

/// `Clip`. The limits are arguments since version 11 and attributes before.
pub(super) fn clip(call: &mut Call<'_>) -> Lowered {
    let mut value = call.tensor(0)?;
    let limits = [("min", 1, BinaryFunction::Maximum), ("max", 2, BinaryFunction::Minimum)];
    for (name, index, function) in limits {
        let limit = match call.float(name) {
            Some(limit) => Value::Constant(tensor::Constant {
                values: tensor::numbers(value.columns.kind, &[f64::from(limit)]),
                dimensions: Vec::new(),
            }),
            None if call.has(index) => call.input(index)?,
            None => continue,
        };
        value = binary(call, function, Value::Tensor(value), limit)?;
    }
    one(value)
}

/// `Sum`, `Mean`, `Min` and `Max` of any number of arguments.
pub(super) fn variadic(call: &mut Call<'_>) -> Lowered {
    let function = match &call.node.operator[..] {
        "Max" => BinaryFunction::Maximum,
        "Min" => BinaryFunction::Minimum,
        _ => BinaryFunction::Add,
    };
    let mut value = call.input(0)?;
    let count = call.inputs.len();
    for index in 1..count {
        let next = call.input(index)?;
        value = Value::Tensor(binary(call, function, value, next)?);
    }
    let tensor = call.materialized(value)?;
    if call.node.operator != "Mean" {
        return one(tensor);
    }
    let values = tensor::numbers(tensor.columns.kind, &[count as f64]);
    let count = Value::Constant(tensor::Constant { values, dimensions: Vec::new() });
    one(binary(call, BinaryFunction::Divide, Value::Tensor(tensor), count)?)
}

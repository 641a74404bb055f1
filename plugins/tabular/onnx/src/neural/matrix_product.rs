//! Products of matrices.

use tabular_program::Kind;

use super::LoweredNode;
use super::call::{NetCall, NetInput, lengths};
use super::shape::{self, NetDim, NetShape, fixed};
use crate::error::Fault;
use crate::proto::encoding::AttributeValue;

/// `MatMul`. A vector becomes a matrix before and a dimension less after: rten gives its products another shape.
pub(super) fn mat_mul(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (left, right) = (net.floats(0)?, net.floats(1)?);
    if left.is_empty() || right.is_empty() {
        return Err("it multiplies a single number".into());
    }
    let (is_row, is_column) = (left.len() == 1, right.len() == 1);
    let (mut one, mut other) = (left.clone(), right.clone());
    let mut inputs = vec![NetInput::Argument(0), NetInput::Argument(1)];
    if is_row {
        one.insert(0, fixed(1));
        inputs[0] =
            net.inner("Reshape", vec![NetInput::Argument(0), lengths(&shape::dimensions(&one))], Vec::new());
    }
    if is_column {
        other.push(fixed(1));
        inputs[1] = net.inner(
            "Reshape",
            vec![NetInput::Argument(1), lengths(&shape::dimensions(&other))],
            Vec::new(),
        );
    }
    one = shape::freed(one.clone(), &[one.len() - 1]);
    let (batch_one, [height, inner]) = matrix(&one);
    let (batch_other, [inner_other, width]) = matrix(&other);
    if inner != inner_other || inner.has_rows {
        return Err(unfit(&left, &right).into());
    }
    let mut result = shape::broadcast(batch_one, batch_other)?;
    result.extend([height, width]);
    shape::checked(result.clone())?;
    if !(is_row || is_column) {
        net.last("MatMul", inputs, Vec::new());
        return net.part(vec![(Kind::Float, result)]);
    }
    let product = net.inner("MatMul", inputs, Vec::new());
    if is_column {
        result.pop();
    }
    if is_row {
        result.remove(result.len() - usize::from(!is_column) - 1);
    }
    net.last("Reshape", vec![product, lengths(&shape::dimensions(&result))], Vec::new());
    net.part(vec![(Kind::Float, result)])
}

/// The batch dimensions and those of the matrix.
fn matrix(shape: &[NetDim]) -> (&[NetDim], [NetDim; 2]) {
    let (batch, matrix) = shape.split_at(shape.len() - 2);
    (batch, [matrix[0], matrix[1]])
}

/// Why matrices of these shapes cannot be multiplied.
fn unfit(left: &[NetDim], right: &[NetDim]) -> String {
    format!(
        "{} is multiplied with {}: the inner dimensions do not fit, or have rows",
        shape::text(left),
        shape::text(right)
    )
}

/// `Gemm`.
pub(super) fn gemm(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (left, right) = (net.floats(0)?, net.floats(1)?);
    let [transposes_left, transposes_right] =
        ["transA", "transB"].map(|name| net.call.integer(name).unwrap_or(0) != 0);
    let left = shape::freed(left, &[usize::from(!transposes_left)]);
    let (&[mut height, mut inner], &[mut inner_other, mut width]) = (&left[..], &right[..]) else {
        return Err(format!("{} is multiplied with {}", shape::text(&left), shape::text(&right)).into());
    };
    if transposes_left {
        std::mem::swap(&mut height, &mut inner);
    }
    if transposes_right {
        std::mem::swap(&mut inner_other, &mut width);
    }
    if inner != inner_other || inner.has_rows {
        return Err(unfit(&left, &right).into());
    }
    let result = shape::checked(vec![height, width])?;
    if net.call.has(2) {
        let added = net.floats(2)?;
        if shape::broadcast(&result, &added)? != result {
            return Err(format!("{} is added to {}", shape::text(&added), shape::text(&result)).into());
        }
    }
    let float = |name, default| AttributeValue::Float(net.call.float(name).unwrap_or(default));
    let flag = |value| AttributeValue::Integer(i64::from(value));
    let attributes = vec![
        ("alpha", float("alpha", 1.0)),
        ("beta", float("beta", 1.0)),
        ("transA", flag(transposes_left)),
        ("transB", flag(transposes_right)),
    ];
    let arguments = net.arguments();
    net.last("Gemm", arguments, attributes);
    net.part(vec![(Kind::Float, result)])
}

/// `Einsum` with a result that the equation names.
pub(super) fn einsum(mut net: NetCall<'_, '_>) -> LoweredNode {
    let equation: String =
        net.call.text("equation")?.unwrap_or_default().chars().filter(|letter| *letter != ' ').collect();
    let Some((arguments, result)) = equation.split_once("->") else {
        return Err(Fault::with_remedy("its equation does not name the result", "write it with ->").into());
    };
    if !equation.chars().all(|letter| letter.is_ascii_alphabetic() || ",->".contains(letter)) {
        return Err(format!("its equation {equation:?} has more than letters").into());
    }
    let mut dims: Vec<(char, NetDim)> = Vec::new();
    let arguments: Vec<&str> = arguments.split(',').collect();
    if arguments.len() != net.call.inputs.len() {
        return Err(format!("its equation {equation:?} has another number of arguments").into());
    }
    for (index, letters) in arguments.iter().enumerate() {
        let shape = net.floats(index)?;
        if shape.len() != letters.len() {
            return Err(format!("argument {letters:?} of its equation is {}", shape::text(&shape)).into());
        }
        for (letter, dim) in letters.chars().zip(shape) {
            match dims.iter().find(|(known, _)| *known == letter) {
                None => dims.push((letter, dim)),
                Some((_, known)) if *known == dim => {}
                Some(_) => return Err(format!("dimension {letter} of its equation has two lengths").into()),
            }
        }
    }
    let dim = |letter| dims.iter().find(|(known, _)| *known == letter).map(|(_, dim)| *dim);
    let shape: Option<NetShape> = result.chars().map(dim).collect();
    let shape =
        shape.ok_or_else(|| format!("its equation {equation:?} has a new dimension in the result"))?;
    if let Some((letter, _)) = dims.iter().find(|(letter, dim)| dim.has_rows && !result.contains(*letter)) {
        return Err(format!("it adds over dimension {letter}, which combines rows").into());
    }
    let shape = shape::checked(shape)?;
    let arguments = net.arguments();
    net.last("Einsum", arguments, vec![("equation", AttributeValue::Equation(equation))]);
    net.part(vec![(Kind::Float, shape)])
}

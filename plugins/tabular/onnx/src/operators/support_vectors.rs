//! Support vector machines.

use tabular_program::{
    Axis, BinaryFunction, Columns, Comparison, DistanceFunction, Kind, Operand, ScoreTransform, Step,
    UnaryFunction, Values,
};

use super::call::{Call, one};
use super::classifier::{ClassLabels, score_transform};
use crate::error::Fault;
use crate::graph_lowering::{Tensor, Value};
use crate::shape::Dim;

type Lowered = Result<Vec<Value>, Fault>;

/// The smallest and largest probability of one class against another.
const LEAST_PROBABILITY: f32 = 1e-7;

fn constant(value: f32) -> Operand {
    Operand::Constants { values: Values::Floats { values: vec![value] } }
}

/// A result of a step that is as wide as its argument.
fn map(
    call: &mut Call<'_>,
    from: Columns,
    step: impl FnOnce(Columns, Columns) -> Step,
) -> Result<Columns, Fault> {
    let to = call.columns(from.kind, from.width as usize)?;
    call.step(step(from, to));
    Ok(to)
}

fn combine(
    call: &mut Call<'_>,
    function: BinaryFunction,
    left: Operand,
    right: Operand,
    width: u32,
) -> Result<Columns, Fault> {
    let to = call.columns(Kind::Float, width as usize)?;
    call.step(Step::Binary { function, left, right, to });
    Ok(to)
}

/// The product with a matrix that has one column for each of `width` results.
fn multiply(
    call: &mut Call<'_>,
    from: Columns,
    weights: Values,
    bias: Values,
    width: usize,
) -> Result<Columns, Fault> {
    let to = call.columns(from.kind, width)?;
    call.step(Step::Linear { from, weights, bias, groups: 1, to });
    Ok(to)
}

/// The kernel of the features with each support vector.
fn kernels(call: &mut Call<'_>, features: Columns, count: usize) -> Result<Columns, Fault> {
    let vectors = call.float_list("support_vectors").to_vec();
    let width = features.width as usize;
    if width == 0 || count.checked_mul(width) != Some(vectors.len()) {
        return Err(format!(
            "{} numbers of support vectors do not fit {count} vectors of {width} features",
            vectors.len()
        )
        .into());
    }
    let parameters = call.float_list("kernel_params").to_vec();
    let [gamma, offset, degree] = match parameters[..] {
        [] => [0.0; 3],
        [gamma, offset, degree] => [gamma, offset, degree],
        _ => return Err(format!("it has {} kernel parameters, expected 3", parameters.len()).into()),
    };
    let kernel = call.text("kernel_type")?.unwrap_or("LINEAR").to_owned();
    let floats = |values| Values::Floats { values };
    if kernel == "RBF" {
        let distances = call.columns(Kind::Float, count)?;
        call.step(Step::Distances {
            function: DistanceFunction::SumOfSquares,
            from: features,
            vectors: floats(vectors),
            to: distances,
        });
        let scaled = combine(
            call,
            BinaryFunction::Multiply,
            Operand::Columns { columns: distances },
            constant(-gamma),
            distances.width,
        )?;
        return map(call, scaled, |from, to| Step::Unary { function: UnaryFunction::Exponential, from, to });
    }
    let mut weights = Vec::with_capacity(vectors.len());
    for feature in 0..width {
        weights.extend((0..count).map(|vector| vectors[vector * width + feature]));
    }
    let products = multiply(call, features, floats(weights), floats(Vec::new()), count)?;
    if kernel == "LINEAR" {
        return Ok(products);
    }
    let columns = |columns| Operand::Columns { columns };
    let width = products.width;
    let scaled = combine(call, BinaryFunction::Multiply, columns(products), constant(gamma), width)?;
    let moved = combine(call, BinaryFunction::Add, columns(scaled), constant(offset), width)?;
    match &kernel[..] {
        "SIGMOID" => map(call, moved, |from, to| Step::Unary { function: UnaryFunction::Tanh, from, to }),
        // Small powers are products, which round otherwise than the general power.
        "POLY" if degree == 2.0 || degree == 3.0 => {
            let square = combine(call, BinaryFunction::Multiply, columns(moved), columns(moved), width)?;
            if degree == 2.0 {
                return Ok(square);
            }
            combine(call, BinaryFunction::Multiply, columns(square), columns(moved), width)
        }
        "POLY" => combine(call, BinaryFunction::Power, columns(moved), constant(degree), width),
        other => Err(format!("kernel_type {other:?} does not exist").into()),
    }
}

/// `SVMRegressor`.
pub(super) fn regressor(call: &mut Call<'_>) -> Lowered {
    let features = call.features(0)?;
    let features = call.converted(features, Kind::Float)?;
    let count = call.integer("n_supports").unwrap_or(0);
    let count = usize::try_from(count).map_err(|_| format!("it has {count} support vectors"))?;
    if count == 0 {
        return Err(Fault::with_remedy("it has no support vectors", "export the linear model as such"));
    }
    if score_transform(call)? != ScoreTransform::None {
        return Err("a post_transform is not supported".into());
    }
    let coefficients = call.float_list("coefficients").to_vec();
    let rho = call.float_list("rho").to_vec();
    if coefficients.len() != count || rho.len() != 1 {
        return Err(format!("it has {} coefficients for {count} support vectors", coefficients.len()).into());
    }
    let kernels = kernels(call, features.columns, count)?;
    let floats = |values| Values::Floats { values };
    let mut columns = multiply(call, kernels, floats(coefficients), floats(rho), 1)?;
    if call.integer("one_class").unwrap_or(0) != 0 {
        let is_positive = call.columns(Kind::Boolean, 1)?;
        call.step(Step::Compare {
            comparison: Comparison::Greater,
            left: Operand::Columns { columns },
            right: constant(0.0),
            to: is_positive,
        });
        let to = call.columns(Kind::Float, 1)?;
        call.step(Step::Choose {
            condition: is_positive,
            then: constant(1.0),
            otherwise: constant(-1.0),
            to,
        });
        columns = to;
    }
    one(Tensor { columns, shape: vec![Dim::Rows, Dim::Fixed(1)] })
}

/// `SVMClassifier`.
pub(super) fn classifier(call: &mut Call<'_>) -> Lowered {
    let features = call.features(0)?;
    let features = call.converted(features, Kind::Float)?;
    let labels = ClassLabels::read(call, "classlabels_ints")?;
    let machine = Machine::read(call, labels.len())?;
    let transform = score_transform(call)?;
    let kernels = kernels(call, features.columns, machine.vectors())?;
    let scores = machine.scores(call, kernels)?;
    let position = machine.winner(call, scores)?;
    let label = labels.look_up(call, position)?;
    let (first, second) = (call.float_list("prob_a").to_vec(), call.float_list("prob_b").to_vec());
    if !first.is_empty() {
        if first.len() != machine.pairs() || second.len() != machine.pairs() {
            return Err(format!(
                "it has {} parameters of probabilities for {} pairs",
                first.len(),
                machine.pairs()
            )
            .into());
        }
        if transform != ScoreTransform::None {
            return Err("a post_transform of probabilities is not supported".into());
        }
        let pairs = pair_probabilities(call, scores, first, second)?;
        let shape = vec![Dim::Rows, Dim::Fixed(machine.classes)];
        let to = call.result(Kind::Float, shape)?;
        call.step(Step::Couple { from: pairs, to: to.columns });
        return Ok(vec![label, Value::Tensor(to)]);
    }
    if transform != ScoreTransform::None {
        return Err("a post_transform of scores is not supported".into());
    }
    if machine.classes == 2 {
        let to = call.result(Kind::Float, vec![Dim::Rows, Dim::Fixed(2)])?;
        let column = |index| Columns { start: to.columns.start + index, width: 1, ..to.columns };
        call.step(Step::Unary { function: UnaryFunction::Negative, from: scores, to: column(0) });
        call.step(Step::Copy { from: scores, to: column(1) });
        return Ok(vec![label, Value::Tensor(to)]);
    }
    let shape = vec![Dim::Rows, Dim::Fixed(machine.pairs())];
    Ok(vec![label, Value::Tensor(Tensor { columns: scores, shape })])
}

/// The probability of the first class of each pair, by its score.
fn pair_probabilities(
    call: &mut Call<'_>,
    scores: Columns,
    factors: Vec<f32>,
    offsets: Vec<f32>,
) -> Result<Columns, Fault> {
    let columns = |columns| Operand::Columns { columns };
    let constants = |values| Operand::Constants { values: Values::Floats { values } };
    let width = scores.width;
    let scaled = combine(call, BinaryFunction::Multiply, columns(scores), constants(factors), width)?;
    let moved = combine(call, BinaryFunction::Add, columns(scaled), constants(offsets), width)?;
    let logistic =
        map(call, moved, |from, to| Step::Transform { transform: ScoreTransform::Logistic, from, to })?;
    let other = combine(call, BinaryFunction::Subtract, constant(1.0), columns(logistic), width)?;
    let raised = combine(call, BinaryFunction::Maximum, columns(other), constant(LEAST_PROBABILITY), width)?;
    combine(call, BinaryFunction::Minimum, columns(raised), constant(1.0 - LEAST_PROBABILITY), width)
}

/// Classifiers of all pairs of classes.
struct Machine {
    classes: usize,
    /// The first support vector of each class, and the end.
    starts: Vec<usize>,
    /// One row for each class but one, with a coefficient for each support vector.
    coefficients: Vec<f32>,
    rho: Vec<f32>,
}

impl Machine {
    fn read(call: &Call<'_>, classes: usize) -> Result<Self, Fault> {
        let counts = call.integer_list("vectors_per_class");
        if counts.is_empty() {
            return Err(Fault::with_remedy("it has no support vectors", "export the linear model as such"));
        }
        if classes < 2 || counts.len() != classes {
            return Err(
                format!("it has {} numbers of support vectors for {classes} classes", counts.len()).into()
            );
        }
        let mut starts = vec![0];
        for count in counts {
            let count =
                usize::try_from(*count).map_err(|_| format!("a class has {count} support vectors"))?;
            let start: usize = starts[starts.len() - 1];
            starts.push(start.checked_add(count).ok_or("it has too many support vectors")?);
        }
        let machine = Self {
            classes,
            starts,
            coefficients: call.float_list("coefficients").to_vec(),
            rho: call.float_list("rho").to_vec(),
        };
        let expected = machine.vectors().checked_mul(classes - 1);
        if expected != Some(machine.coefficients.len()) || machine.rho.len() != machine.pairs() {
            return Err(format!(
                "{} coefficients and {} constants do not fit {} support vectors and {classes} classes",
                machine.coefficients.len(),
                machine.rho.len(),
                machine.vectors()
            )
            .into());
        }
        Ok(machine)
    }

    fn vectors(&self) -> usize {
        self.starts[self.classes]
    }

    fn pairs(&self) -> usize {
        self.classes * (self.classes - 1) / 2
    }

    /// The pairs of classes in the order of the scores.
    fn each_pair(&self) -> impl Iterator<Item = (usize, usize)> {
        let classes = self.classes;
        (0..classes).flat_map(move |first| (first + 1..classes).map(move |second| (first, second)))
    }

    /// The score of each pair, which is positive for the first class. It is added in 64 bits.
    fn scores(&self, call: &mut Call<'_>, kernels: Columns) -> Result<Columns, Fault> {
        let (vectors, pairs) = (self.vectors(), self.pairs());
        let size = vectors.checked_mul(pairs).filter(|size| *size <= 1 << 26);
        let mut weights = vec![0.0; size.ok_or("it has too many support vectors and classes")?];
        for (pair, (first, second)) in self.each_pair().enumerate() {
            for (class, row) in [(first, second - 1), (second, first)] {
                for vector in self.starts[class]..self.starts[class + 1] {
                    weights[vector * pairs + pair] = f64::from(self.coefficients[row * vectors + vector]);
                }
            }
        }
        let bias = self.rho.iter().map(|rho| f64::from(*rho)).collect();
        let kernels = {
            let to = call.columns(Kind::Double, vectors)?;
            call.step(Step::Cast { from: kernels, to });
            to
        };
        let doubles = |values| Values::Doubles { values };
        let sums = multiply(call, kernels, doubles(weights), doubles(bias), pairs)?;
        let to = call.columns(Kind::Float, pairs)?;
        call.step(Step::Cast { from: sums, to });
        Ok(to)
    }

    /// The class with the most pairs in its favour, the first of equal ones.
    fn winner(&self, call: &mut Call<'_>, scores: Columns) -> Result<Columns, Fault> {
        let pairs = self.pairs();
        let is_first = call.columns(Kind::Boolean, pairs)?;
        call.step(Step::Compare {
            comparison: Comparison::Greater,
            left: Operand::Columns { columns: scores },
            right: constant(0.0),
            to: is_first,
        });
        let firsts = call.columns(Kind::Float, pairs)?;
        call.step(Step::Cast { from: is_first, to: firsts });
        // A pair is a vote for its first class, or one for its second: 1 less the vote for the first.
        let mut weights = vec![0.0; pairs * self.classes];
        let mut bias = vec![0.0; self.classes];
        for (pair, (first, second)) in self.each_pair().enumerate() {
            weights[pair * self.classes + first] = 1.0;
            weights[pair * self.classes + second] = -1.0;
            bias[second] += 1.0;
        }
        let floats = |values| Values::Floats { values };
        let votes = multiply(call, firsts, floats(weights), floats(bias), self.classes)?;
        let position = call.columns(Kind::Integer, 1)?;
        let axis = Axis { outer: 1, length: self.classes as u32, inner: 1 };
        call.step(Step::Position { largest: true, last: false, from: votes, axis, to: position });
        Ok(position)
    }
}

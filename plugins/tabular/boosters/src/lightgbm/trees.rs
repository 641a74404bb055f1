//! The trees of a LightGBM model.

use tabular_lowering::trees::{Condition, Missing, TreeNode, TreeNodes};

use super::text::Section;
use crate::imported_model::BoosterError;

/// The bits of `decision_type`.
const CATEGORICAL: i64 = 1;
const DEFAULT_LEFT: i64 = 2;
const MISSING_TYPE: i64 = 12;
const MISSING_NONE: i64 = 0;
const MISSING_ZERO: i64 = 4;
const MISSING_NAN: i64 = 8;

fn error<T>(message: impl Into<String>) -> Result<T, BoosterError> {
    Err(BoosterError::new(message))
}

/// Reads a tree whose leaves have a value for one sum.
pub(super) fn parse(section: &Section<'_>, features: usize, sum: u32) -> Result<TreeNodes, BoosterError> {
    let leaves = section.size("num_leaves")?;
    if section.optional("is_linear").is_some_and(|linear| linear != "0") {
        return Err(BoosterError::unsupported("a linear tree"));
    }
    let values: Vec<f64> = section.doubles("leaf_value")?;
    if leaves == 0 || values.len() != leaves {
        return error(format!("it has {} leaf values for {leaves} leaves", values.len()));
    }
    let leaf = |index: usize| TreeNode::Leaf(vec![(sum, values[index])]);
    let count = leaves - 1;
    if count == 0 {
        return Ok(vec![leaf(0)]);
    }
    let split_features: Vec<usize> = section.numbers("split_feature")?;
    let thresholds: Vec<f64> = section.doubles("threshold")?;
    let decisions: Vec<i64> = section.numbers("decision_type")?;
    let (left, right) = (section.numbers::<i64>("left_child")?, section.numbers::<i64>("right_child")?);
    let lengths = [split_features.len(), thresholds.len(), decisions.len(), left.len(), right.len()];
    if lengths.iter().any(|length| *length != count) {
        return error(format!("its lists do not have {count} nodes: {lengths:?}"));
    }
    // The inner nodes come first, then the leaves; a leaf is a negative child.
    let child = |number: i64| {
        let index = if number >= 0 { usize::try_from(number) } else { usize::try_from(!number) };
        match index {
            Ok(index) if number >= 0 && index < count => Ok(index),
            Ok(index) if number < 0 && index < leaves => Ok(count + index),
            _ => error(format!("a child is {number}")),
        }
    };
    let sets = Sets::parse(section)?;
    let mut nodes = Vec::with_capacity(count + leaves);
    for index in 0..count {
        if split_features[index] >= features {
            return error(format!("a node compares feature {} of {features}", split_features[index]));
        }
        let (condition, missing) = if decisions[index] & CATEGORICAL != 0 {
            let set = sets.get(thresholds[index])?;
            (Condition::Member { set, truncating: true }, Missing::No)
        } else {
            (Condition::LessOrEqual(thresholds[index]), missing(decisions[index])?)
        };
        nodes.push(TreeNode::Branch {
            feature: split_features[index] as u32,
            condition,
            missing,
            yes: child(left[index])?,
            no: child(right[index])?,
        });
    }
    nodes.extend((0..leaves).map(leaf));
    Ok(nodes)
}

/// Where a missing value goes by the bits of a decision.
fn missing(decision: i64) -> Result<Missing, BoosterError> {
    let left = decision & DEFAULT_LEFT != 0;
    Ok(match decision & MISSING_TYPE {
        MISSING_NONE => Missing::AsZero,
        MISSING_ZERO if left => Missing::ZeroYes,
        MISSING_ZERO => Missing::ZeroNo,
        MISSING_NAN if left => Missing::Yes,
        MISSING_NAN => Missing::No,
        _ => return error(format!("a decision has the type {decision}")),
    })
}

/// Sets of categories, as bits in words of 32.
struct Sets {
    bounds: Vec<usize>,
    words: Vec<u32>,
}

impl Sets {
    fn parse(section: &Section<'_>) -> Result<Self, BoosterError> {
        let (bounds, words) = (section.numbers("cat_boundaries")?, section.numbers("cat_threshold")?);
        let sets = section.size("num_cat")?;
        if bounds.len() != sets + usize::from(sets > 0) {
            return error(format!("num_cat is {sets}, and cat_boundaries has {} numbers", bounds.len()));
        }
        Ok(Self { bounds, words })
    }

    /// The categories of the set that a threshold numbers.
    fn get(&self, threshold: f64) -> Result<Vec<f64>, BoosterError> {
        let set = threshold as usize;
        let range = self.bounds.get(set).zip(self.bounds.get(set + 1));
        let Some(words) = range.and_then(|(start, end)| self.words.get(*start..*end)) else {
            return error(format!("there is no set {threshold} of categories"));
        };
        let bits = words.iter().enumerate().flat_map(|(index, word)| {
            (0..32).filter(move |bit| word >> bit & 1 == 1).map(move |bit| (index * 32 + bit) as f64)
        });
        Ok(bits.collect())
    }
}

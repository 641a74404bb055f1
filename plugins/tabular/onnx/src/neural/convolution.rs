//! Convolutions and pools.

use tabular_program::Kind;

use super::call::{NetCall, NetInput, integers};
use super::shape::{self, NetDim, NetShape, fixed};
use super::{LoweredNode, Refusal};
use crate::error::Fault;
use crate::proto::encoding::AttributeValue;

/// What convolutions and pools have in common, for each spatial dimension.
struct Window {
    kernel: Vec<usize>,
    strides: Vec<usize>,
    dilations: Vec<usize>,
    /// Before all dimensions, then after all.
    pads: Vec<usize>,
}

/// The first dimension, the number of channels and the spatial dimensions of an argument.
fn image(from: &[NetDim]) -> Result<(NetDim, usize, Vec<usize>), Refusal> {
    if !(3..=4).contains(&from.len()) {
        return Err(format!(
            "its argument is {}, expected one or two dimensions after rows and channels",
            shape::text(from)
        )
        .into());
    }
    let lengths = shape::lengths(&from[1..], "its channels and spatial dimensions")?;
    Ok((from[0], lengths[0], lengths[1..].to_vec()))
}

/// An attribute of positive integers, one for each dimension; all 1 if it is absent.
fn sizes(net: &NetCall<'_, '_>, name: &str, rank: usize) -> Result<Vec<usize>, Refusal> {
    let found = net.call.integer_list(name);
    if found.is_empty() {
        return Ok(vec![1; rank]);
    }
    let sizes: Vec<usize> = found.iter().filter_map(|size| usize::try_from(*size).ok()).collect();
    if sizes.len() != found.len() || sizes.len() != rank || sizes.contains(&0) {
        return Err(format!("{name} is {found:?}, expected {rank} positive numbers").into());
    }
    Ok(sizes)
}

/// The window of a convolution or pool over spatial dimensions.
fn window(net: &NetCall<'_, '_>, kernel: Vec<usize>, spatial: &[usize]) -> Result<Window, Refusal> {
    let rank = spatial.len();
    let (strides, dilations) = (sizes(net, "strides", rank)?, sizes(net, "dilations", rank)?);
    let auto = net.call.text("auto_pad")?.unwrap_or("NOTSET");
    let pads = match auto {
        "NOTSET" => {
            let found = net.call.integer_list("pads");
            let pads: Vec<usize> = found.iter().filter_map(|pad| usize::try_from(*pad).ok()).collect();
            match pads.len() {
                0 if found.is_empty() => vec![0; 2 * rank],
                count if count == 2 * rank && count == found.len() => pads,
                _ => return Err(format!("pads is {found:?}, expected {} numbers from 0 on", 2 * rank).into()),
            }
        }
        "VALID" => vec![0; 2 * rank],
        "SAME_UPPER" | "SAME_LOWER" => {
            let total = |axis: usize| {
                let steps = spatial[axis].div_ceil(strides[axis]).saturating_sub(1);
                let covered =
                    steps.saturating_mul(strides[axis]).saturating_add(extent(kernel[axis], dilations[axis]));
                covered.saturating_sub(spatial[axis])
            };
            let smaller = (0..rank).map(|axis| total(axis) / 2);
            let larger = (0..rank).map(|axis| total(axis).div_ceil(2));
            if auto == "SAME_UPPER" {
                smaller.chain(larger).collect()
            } else {
                larger.chain(smaller).collect()
            }
        }
        _ => return Err(format!("auto_pad is {auto:?}").into()),
    };
    Ok(Window { kernel, strides, dilations, pads })
}

/// The elements that a kernel covers with its gaps.
fn extent(kernel: usize, dilation: usize) -> usize {
    (kernel - 1).saturating_mul(dilation).saturating_add(1)
}

impl Window {
    /// The spatial dimensions of the result.
    fn results(&self, spatial: &[usize], ceil: bool) -> Result<Vec<usize>, Refusal> {
        let rank = spatial.len();
        let result = |axis: usize| {
            let (before, after) = (self.pads[axis], self.pads[rank + axis]);
            let padded = spatial[axis].saturating_add(before).saturating_add(after);
            let room = padded.checked_sub(extent(self.kernel[axis], self.dilations[axis]))?;
            let stride = self.strides[axis];
            if !ceil {
                return Some(room / stride + 1);
            }
            let count = room.div_ceil(stride) + 1;
            // The last window starts within the argument or the padding before it.
            Some(if (count - 1).saturating_mul(stride) >= spatial[axis].saturating_add(before) {
                count - 1
            } else {
                count
            })
        };
        (0..rank).map(result).collect::<Option<Vec<usize>>>().ok_or_else(|| {
            Refusal::Use(format!("a kernel of {:?} is larger than {spatial:?}", self.kernel).into())
        })
    }

    fn attributes(&self, dilates: bool) -> Vec<(&'static str, AttributeValue)> {
        let list =
            |sizes: &[usize]| AttributeValue::Integers(sizes.iter().map(|size| *size as i64).collect());
        let mut attributes = vec![
            ("kernel_shape", list(&self.kernel)),
            ("strides", list(&self.strides)),
            ("pads", list(&self.pads)),
        ];
        if dilates {
            attributes.push(("dilations", list(&self.dilations)));
        }
        attributes
    }
}

/// The shape of a result.
fn result(first: NetDim, channels: usize, spatial: Vec<usize>) -> NetShape {
    let mut shape = vec![first, fixed(channels)];
    shape.extend(spatial.into_iter().map(fixed));
    shape
}

/// The weights' dimensions, the kernel among them, and the number of groups.
fn kernel(net: &NetCall<'_, '_>, rank: usize) -> Result<(Vec<usize>, Vec<usize>, usize), Refusal> {
    let weights = net.weights(1)?;
    let groups = net.call.integer("group").unwrap_or(1) as usize;
    if weights.len() != rank + 2 || weights.contains(&0) || groups == 0 {
        return Err(format!("its weights {weights:?} in {groups} groups do not fit {rank} dimensions").into());
    }
    let kernel = weights[2..].to_vec();
    let declared = net.call.integer_list("kernel_shape");
    if !declared.is_empty() && !declared.iter().map(|size| *size as usize).eq(kernel.iter().copied()) {
        return Err(format!("kernel_shape is {declared:?}, and the weights have {kernel:?}").into());
    }
    Ok((weights, kernel, groups))
}

/// Checks that the bias has a value for each channel.
fn check_bias(net: &NetCall<'_, '_>, channels: usize) -> Result<(), Refusal> {
    if net.call.has(2) && net.weights(2)? != [channels] {
        return Err(format!("its bias does not have {channels} values").into());
    }
    Ok(())
}

/// `Conv` over one or two dimensions.
pub(super) fn conv(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (first, channels, spatial) = image(&net.floats(0)?)?;
    let (weights, kernel, groups) = kernel(&net, spatial.len())?;
    if weights[1].saturating_mul(groups) != channels || weights[0] % groups != 0 {
        return Err(
            format!("its weights {weights:?} in {groups} groups do not fit {channels} channels").into()
        );
    }
    check_bias(&net, weights[0])?;
    let window = window(&net, kernel, &spatial)?;
    let shape = result(first, weights[0], window.results(&spatial, false)?);
    let mut attributes = window.attributes(true);
    attributes.push(("group", AttributeValue::Integer(groups as i64)));
    let arguments = net.arguments();
    net.last("Conv", arguments, attributes);
    net.part(vec![(Kind::Float, shape)])
}

/// `ConvTranspose` over one or two dimensions, with explicit padding.
pub(super) fn conv_transpose(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (first, channels, spatial) = image(&net.floats(0)?)?;
    let rank = spatial.len();
    let (weights, kernel, groups) = kernel(&net, rank)?;
    if weights[0] != channels || channels % groups != 0 {
        return Err(
            format!("its weights {weights:?} in {groups} groups do not fit {channels} channels").into()
        );
    }
    let results = weights[1].saturating_mul(groups);
    check_bias(&net, results)?;
    if !net.call.integer_list("output_shape").is_empty() {
        return Err(Fault::with_remedy("output_shape is not supported", "export the model with pads").into());
    }
    if !matches!(net.call.text("auto_pad")?, None | Some("NOTSET" | "VALID")) {
        return Err(Fault::with_remedy("auto_pad is not supported", "export the model with pads").into());
    }
    let window = window(&net, kernel, &spatial)?;
    let found = net.call.integer_list("output_padding").to_vec();
    let added: Vec<usize> = if found.is_empty() {
        vec![0; rank]
    } else {
        found.iter().filter_map(|pad| usize::try_from(*pad).ok()).collect()
    };
    if added.len() != rank {
        return Err(format!("output_padding is {found:?}").into());
    }
    let length = |axis: usize| {
        let full = (spatial[axis].checked_sub(1)?.checked_mul(window.strides[axis])?)
            .checked_add(extent(window.kernel[axis], window.dilations[axis]))?
            .checked_add(added[axis])?;
        full.checked_sub(window.pads[axis])?.checked_sub(window.pads[rank + axis])
    };
    let lengths: Option<Vec<usize>> = (0..rank).map(length).collect();
    let lengths = lengths.ok_or_else(|| "its padding is larger than its result".to_owned())?;
    let mut attributes = window.attributes(true);
    attributes.push(("group", AttributeValue::Integer(groups as i64)));
    let padding = AttributeValue::Integers(added.iter().map(|pad| *pad as i64).collect());
    attributes.push(("output_padding", padding));
    let arguments = net.arguments();
    net.last("ConvTranspose", arguments, attributes);
    net.part(vec![(Kind::Float, result(first, results, lengths))])
}

/// `MaxPool` and `AveragePool` over one or two dimensions, without dilations.
pub(super) fn pool(mut net: NetCall<'_, '_>) -> LoweredNode {
    let (first, channels, spatial) = image(&net.floats(0)?)?;
    net.one_output()?;
    let is_average = net.call.node.operator == "AveragePool";
    if net.call.integer_list("kernel_shape").is_empty() {
        return Err("kernel_shape is missing".into());
    }
    let kernel = sizes(&net, "kernel_shape", spatial.len())?;
    let window = window(&net, kernel, &spatial)?;
    if window.dilations.iter().any(|dilation| *dilation != 1) {
        return Err("dilations are not supported".into());
    }
    // A window of padding alone has no largest element.
    let rank = spatial.len();
    if (0..rank).any(|axis| window.pads[axis].max(window.pads[rank + axis]) >= window.kernel[axis]) {
        return Err(
            format!("pads {:?} are not smaller than the kernel {:?}", window.pads, window.kernel).into()
        );
    }
    let ceil = net.call.integer("ceil_mode").unwrap_or(0) != 0;
    let shape = result(first, channels, window.results(&spatial, ceil)?);
    let mut attributes = window.attributes(false);
    attributes.push(("ceil_mode", AttributeValue::Integer(i64::from(ceil))));
    if is_average {
        let counts = net.call.integer("count_include_pad").unwrap_or(0) != 0;
        attributes.push(("count_include_pad", AttributeValue::Integer(i64::from(counts))));
    }
    net.last(if is_average { "AveragePool" } else { "MaxPool" }, vec![NetInput::Argument(0)], attributes);
    net.part(vec![(Kind::Float, shape)])
}

/// `GlobalAveragePool` and `GlobalMaxPool`: a reduction of all dimensions after the channels.
pub(super) fn global_pool(mut net: NetCall<'_, '_>) -> LoweredNode {
    let from = net.floats(0)?;
    if from.len() < 3 {
        return Err(
            format!("its argument is {}, expected rows and channels first", shape::text(&from)).into()
        );
    }
    let spatial = shape::lengths(&from[2..], "its spatial dimensions")?;
    if spatial.contains(&0) {
        return Err("a spatial dimension is empty".into());
    }
    let operator = if net.call.node.operator == "GlobalMaxPool" { "ReduceMax" } else { "ReduceMean" };
    let axes = integers((2..from.len()).map(|axis| axis as i64).collect());
    net.last(operator, vec![NetInput::Argument(0), axes], vec![("keepdims", AttributeValue::Integer(1))]);
    let mut shape = from[..2].to_vec();
    shape.resize(from.len(), fixed(1));
    net.part(vec![(Kind::Float, shape)])
}

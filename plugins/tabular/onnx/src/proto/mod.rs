//! The messages of an ONNX file, as far as importing needs them.
//!
//! Field numbers are those of `onnx.proto` (IR version 13). Fields that are not listed are skipped.

pub(crate) mod encoding;
mod wire;

use std::collections::BTreeMap;

use crate::error::OnnxError;
pub(crate) use wire::Message;

/// How deep graphs may be nested in attributes.
const DEEPEST: usize = 4;

/// `ModelProto`.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) producer: String,
    pub(crate) metadata: BTreeMap<String, String>,
    /// The version of each domain's operators.
    pub(crate) operator_sets: BTreeMap<String, i64>,
    pub(crate) graph: Graph,
}

/// `GraphProto`.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) initializers: Vec<Tensor>,
    pub(crate) inputs: Vec<ValueInfo>,
    pub(crate) outputs: Vec<ValueInfo>,
}

/// `NodeProto`.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) name: String,
    pub(crate) operator: String,
    pub(crate) domain: String,
    pub(crate) attributes: BTreeMap<String, Attribute>,
}

/// `AttributeProto`. Which field counts follows from the attribute, so all of them are kept.
#[derive(Debug, Default)]
pub(crate) struct Attribute {
    pub(crate) float: Option<f32>,
    pub(crate) integer: Option<i64>,
    pub(crate) text: Option<Vec<u8>>,
    pub(crate) tensor: Option<Tensor>,
    pub(crate) graph: Option<Graph>,
    pub(crate) floats: Vec<f32>,
    pub(crate) integers: Vec<i64>,
    pub(crate) texts: Vec<Vec<u8>>,
}

/// `TensorProto`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dimensions: Vec<i64>,
    pub(crate) element_type: i64,
    pub(crate) floats: Vec<f32>,
    /// `int32_data`.
    pub(crate) integers: Vec<i64>,
    /// `int64_data` and `uint64_data`.
    pub(crate) long_integers: Vec<i64>,
    pub(crate) doubles: Vec<f64>,
    pub(crate) texts: Vec<Vec<u8>>,
    pub(crate) raw: Option<Vec<u8>>,
    /// Where the data is, if it is in another file.
    pub(crate) external: Option<ExternalData>,
}

/// `ValueInfoProto`.
#[derive(Debug, Default)]
pub(crate) struct ValueInfo {
    pub(crate) name: String,
    /// Absent if the value is no tensor.
    pub(crate) tensor: Option<TensorType>,
}

/// `TypeProto.Tensor`.
#[derive(Debug, Default)]
pub(crate) struct TensorType {
    pub(crate) element_type: i64,
    /// Absent if the rank is not known. A dimension without a number is -1.
    pub(crate) dimensions: Option<Vec<i64>>,
}

/// `StringStringEntryProto`: a key and a value.
fn entry(message: Message<'_>) -> Result<(String, String), OnnxError> {
    let (mut key, mut value) = (String::new(), String::new());
    message.each(|number, field| {
        match number {
            1 => key = field.text()?,
            2 => value = field.text()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((key, value))
}

impl Model {
    /// Reads a file.
    pub(crate) fn parse(file: &[u8]) -> Result<Self, OnnxError> {
        let mut model = Self::default();
        let mut graphs = 0;
        Message::new(file).each(|number, field| {
            match number {
                2 => model.producer = field.text()?,
                7 => {
                    graphs += 1;
                    model.graph = Graph::parse(field.message()?, DEEPEST)?;
                }
                8 => {
                    let (mut domain, mut version) = (String::new(), 0);
                    field.message()?.each(|number, field| {
                        match number {
                            1 => domain = field.text()?,
                            2 => version = field.integer()?,
                            _ => {}
                        }
                        Ok(())
                    })?;
                    model.operator_sets.insert(domain, version);
                }
                14 => {
                    let (key, value) = entry(field.message()?)?;
                    model.metadata.insert(key, value);
                }
                _ => {}
            }
            Ok(())
        })?;
        if graphs == 1 {
            Ok(model)
        } else {
            Err(OnnxError::File { fault: format!("it has {graphs} graphs, expected 1") })
        }
    }
}

impl Graph {
    fn parse(message: Message<'_>, deepest: usize) -> Result<Self, OnnxError> {
        let Some(deepest) = deepest.checked_sub(1) else {
            return Err(message.error("graphs are nested too deep"));
        };
        let mut graph = Self::default();
        message.each(|number, field| {
            match number {
                1 => graph.nodes.push(Node::parse(field.message()?, deepest)?),
                5 => graph.initializers.push(Tensor::parse(field.message()?)?),
                11 => graph.inputs.push(ValueInfo::parse(field.message()?)?),
                12 => graph.outputs.push(ValueInfo::parse(field.message()?)?),
                15 => return Err(field.error("sparse initializers are not supported")),
                _ => {}
            }
            Ok(())
        })?;
        Ok(graph)
    }
}

impl Node {
    fn parse(message: Message<'_>, deepest: usize) -> Result<Self, OnnxError> {
        let mut node = Self::default();
        message.each(|number, field| {
            match number {
                1 => node.inputs.push(field.text()?),
                2 => node.outputs.push(field.text()?),
                3 => node.name = field.text()?,
                4 => node.operator = field.text()?,
                5 => {
                    let (name, attribute) = Attribute::parse(field.message()?, deepest)?;
                    node.attributes.insert(name, attribute);
                }
                7 => node.domain = field.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(node)
    }
}

impl Attribute {
    fn parse(message: Message<'_>, deepest: usize) -> Result<(String, Self), OnnxError> {
        let mut name = String::new();
        let mut attribute = Self::default();
        message.each(|number, field| {
            match number {
                1 => name = field.text()?,
                2 => attribute.float = Some(field.float()?),
                3 => attribute.integer = Some(field.integer()?),
                4 => attribute.text = Some(field.bytes()?.to_vec()),
                5 => attribute.tensor = Some(Tensor::parse(field.message()?)?),
                6 => attribute.graph = Some(Graph::parse(field.message()?, deepest)?),
                7 => field.floats(&mut attribute.floats)?,
                8 => field.integers(&mut attribute.integers)?,
                9 => attribute.texts.push(field.bytes()?.to_vec()),
                _ => {}
            }
            Ok(())
        })?;
        Ok((name, attribute))
    }
}

/// Where the data of a tensor is.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExternalData {
    /// The path of the file, relative to that of the model.
    pub(crate) location: String,
    /// The first byte.
    pub(crate) offset: u64,
    /// The number of bytes; up to the end of the file if it is absent.
    pub(crate) length: Option<u64>,
}

impl Tensor {
    pub(crate) fn parse(message: Message<'_>) -> Result<Self, OnnxError> {
        let mut tensor = Self::default();
        let (mut external, mut is_external) = (ExternalData::default(), false);
        message.each(|number, field| {
            match number {
                1 => field.integers(&mut tensor.dimensions)?,
                2 => tensor.element_type = field.integer()?,
                3 => return Err(field.error("tensors in segments are not supported")),
                4 => field.floats(&mut tensor.floats)?,
                5 => field.integers(&mut tensor.integers)?,
                6 => tensor.texts.push(field.bytes()?.to_vec()),
                7 | 11 => field.integers(&mut tensor.long_integers)?,
                8 => tensor.name = field.text()?,
                9 => tensor.raw = Some(field.bytes()?.to_vec()),
                10 => field.doubles(&mut tensor.doubles)?,
                13 => {
                    let (key, text) = entry(field.message()?)?;
                    let number = || {
                        text.parse()
                            .map_err(|_| field.error(&format!("{key} is {text:?}, expected a number")))
                    };
                    match &key[..] {
                        "location" => external.location.clone_from(&text),
                        "offset" => external.offset = number()?,
                        "length" => external.length = Some(number()?),
                        _ => {}
                    }
                }
                14 => is_external = field.integer()? != 0,
                _ => {}
            }
            Ok(())
        })?;
        tensor.external = is_external.then_some(external);
        Ok(tensor)
    }
}

impl ValueInfo {
    fn parse(message: Message<'_>) -> Result<Self, OnnxError> {
        let mut value = Self::default();
        message.each(|number, field| {
            match number {
                1 => value.name = field.text()?,
                2 => {
                    field.message()?.each(|number, field| {
                        if number == 1 {
                            value.tensor = Some(TensorType::parse(field.message()?)?);
                        }
                        Ok(())
                    })?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(value)
    }
}

impl TensorType {
    fn parse(message: Message<'_>) -> Result<Self, OnnxError> {
        let mut tensor = Self::default();
        message.each(|number, field| {
            match number {
                1 => tensor.element_type = field.integer()?,
                2 => {
                    let mut dimensions = Vec::new();
                    field.message()?.each(|number, field| {
                        if number == 1 {
                            let mut dimension = -1;
                            field.message()?.each(|number, field| {
                                if number == 1 {
                                    dimension = field.integer()?;
                                }
                                Ok(())
                            })?;
                            dimensions.push(dimension);
                        }
                        Ok(())
                    })?;
                    tensor.dimensions = Some(dimensions);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(tensor)
    }
}

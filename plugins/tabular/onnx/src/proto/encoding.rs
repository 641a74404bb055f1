//! Writes ONNX files: those of subgraphs.

use tabular_program::{Kind, Values};

use crate::tensor::Constant;

/// Version of the file format that is written.
const IR_VERSION: u64 = 8;
/// Version of the operators that are written.
pub(crate) const OPERATOR_SET: u64 = 18;

/// A value of a node's attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AttributeValue {
    Float(f32),
    Integer(i64),
    Text(&'static str),
    /// Text that is not known in advance.
    Equation(String),
    Integers(Vec<i64>),
}

/// A node to be written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NodeDraft<'a> {
    pub(crate) operator: &'a str,
    pub(crate) name: &'a str,
    /// Names of values; empty for those that are left out.
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: &'a [String],
    pub(crate) attributes: &'a [(&'static str, AttributeValue)],
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PortType {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) dimensions: Vec<u32>,
}

/// A graph to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct GraphDraft {
    bytes: Vec<u8>,
}

impl GraphDraft {
    /// Adds a node. Its inputs have to be computed by earlier nodes.
    pub(crate) fn node(&mut self, node: &NodeDraft<'_>) {
        let mut bytes = Vec::new();
        for input in &node.inputs {
            field(&mut bytes, 1, input.as_bytes());
        }
        for output in node.outputs {
            field(&mut bytes, 2, output.as_bytes());
        }
        field(&mut bytes, 3, node.name.as_bytes());
        field(&mut bytes, 4, node.operator.as_bytes());
        for (name, value) in node.attributes {
            field(&mut bytes, 5, &attribute(name, value));
        }
        field(&mut self.bytes, 1, &bytes);
    }

    /// Adds a constant.
    pub(crate) fn initializer(&mut self, name: &str, constant: &Constant) {
        let mut bytes = Vec::new();
        for dimension in &constant.dimensions {
            integer(&mut bytes, 1, *dimension as u64);
        }
        integer(&mut bytes, 2, element_type(constant.values.kind()));
        field(&mut bytes, 8, name.as_bytes());
        let raw: Vec<u8> = match &constant.values {
            Values::Booleans { values } => values.clone(),
            Values::Integers { values } => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Values::Floats { values } => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Values::Doubles { values } => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Values::Texts { .. } => Vec::new(),
        };
        field(&mut bytes, 9, &raw);
        field(&mut self.bytes, 5, &bytes);
    }

    /// The file of the graph.
    pub(crate) fn into_file(mut self, inputs: &[PortType], outputs: &[PortType]) -> Vec<u8> {
        field(&mut self.bytes, 2, b"subgraph");
        for (number, ports) in [(11, inputs), (12, outputs)] {
            for port in ports {
                field(&mut self.bytes, number, &value_info(port));
            }
        }
        let mut file = Vec::with_capacity(self.bytes.len() + 64);
        integer(&mut file, 1, IR_VERSION);
        field(&mut file, 7, &self.bytes);
        let mut operator_set = Vec::new();
        field(&mut operator_set, 1, b"");
        integer(&mut operator_set, 2, OPERATOR_SET);
        field(&mut file, 8, &operator_set);
        file
    }
}

fn element_type(kind: Kind) -> u64 {
    match kind {
        Kind::Float => 1,
        Kind::Integer => 7,
        Kind::Text => 8,
        Kind::Boolean => 9,
        Kind::Double => 11,
    }
}

fn value_info(port: &PortType) -> Vec<u8> {
    let mut shape = Vec::new();
    for dimension in &port.dimensions {
        let mut bytes = Vec::new();
        integer(&mut bytes, 1, u64::from(*dimension));
        field(&mut shape, 1, &bytes);
    }
    let mut tensor = Vec::new();
    integer(&mut tensor, 1, element_type(port.kind));
    field(&mut tensor, 2, &shape);
    let mut kind = Vec::new();
    field(&mut kind, 1, &tensor);
    let mut bytes = Vec::new();
    field(&mut bytes, 1, port.name.as_bytes());
    field(&mut bytes, 2, &kind);
    bytes
}

fn attribute(name: &str, value: &AttributeValue) -> Vec<u8> {
    let mut bytes = Vec::new();
    field(&mut bytes, 1, name.as_bytes());
    // Field 20 is the type.
    match value {
        AttributeValue::Float(value) => {
            varint(&mut bytes, 2 << 3 | 5);
            bytes.extend_from_slice(&value.to_le_bytes());
            integer(&mut bytes, 20, 1);
        }
        AttributeValue::Integer(value) => {
            integer(&mut bytes, 3, *value as u64);
            integer(&mut bytes, 20, 2);
        }
        AttributeValue::Text(text) => {
            field(&mut bytes, 4, text.as_bytes());
            integer(&mut bytes, 20, 3);
        }
        AttributeValue::Equation(text) => {
            field(&mut bytes, 4, text.as_bytes());
            integer(&mut bytes, 20, 3);
        }
        AttributeValue::Integers(values) => {
            for value in values {
                integer(&mut bytes, 8, *value as u64);
            }
            integer(&mut bytes, 20, 7);
        }
    }
    bytes
}

/// Appends a field of bytes.
fn field(bytes: &mut Vec<u8>, number: u64, content: &[u8]) {
    varint(bytes, number << 3 | 2);
    varint(bytes, content.len() as u64);
    bytes.extend_from_slice(content);
}

/// Appends a field of an integer.
fn integer(bytes: &mut Vec<u8>, number: u64, value: u64) {
    varint(bytes, number << 3);
    varint(bytes, value);
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

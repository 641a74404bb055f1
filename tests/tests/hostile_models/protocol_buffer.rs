//! ONNX files from their parts, in the encoding of protocol buffers. The unit tests of `tabular-onnx` include this file, too.

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A field of bytes.
pub(super) fn field(number: u64, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [varint(number << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

/// A field whose length says more than there is.
pub(super) fn field_of_length(number: u64, length: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(length), bytes.to_vec()].concat()
}

/// A field of an integer.
pub(super) fn integer(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

/// A value of floats with dimensions.
pub(super) fn value(name: &str, dimensions: &[u64]) -> Vec<u8> {
    typed_value(name, 1, dimensions)
}

/// A value with the number of its element type.
pub(super) fn typed_value(name: &str, element_type: u64, dimensions: &[u64]) -> Vec<u8> {
    let shape: Vec<u8> = dimensions.iter().flat_map(|dimension| field(1, integer(1, *dimension))).collect();
    let tensor = [integer(1, element_type), field(2, shape)].concat();
    [field(1, name), field(2, field(1, tensor))].concat()
}

pub(super) fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut node: Vec<u8> = inputs.iter().flat_map(|input| field(1, input)).collect();
    node.extend([field(2, output), field(3, format!("node {output}")), field(4, operator)].concat());
    node.extend(attributes.iter().flat_map(|attribute| field(5, attribute)));
    node
}

/// A tensor of an element type without values.
pub(super) fn tensor(name: &str, element_type: u64, dimensions: &[u64]) -> Vec<u8> {
    let mut tensor: Vec<u8> = dimensions.iter().flat_map(|dimension| integer(1, *dimension)).collect();
    tensor.extend([integer(2, element_type), field(8, name)].concat());
    tensor
}

/// A vector of 64-bit integers.
pub(super) fn integers(name: &str, values: &[u64]) -> Vec<u8> {
    integer_tensor(name, &[values.len() as u64], values)
}

/// A tensor of 64-bit integers, whose dimensions need not fit the values.
pub(super) fn integer_tensor(name: &str, dimensions: &[u64], values: &[u64]) -> Vec<u8> {
    let mut tensor = tensor(name, 7, dimensions);
    tensor.extend(values.iter().flat_map(|value| integer(7, *value)));
    tensor
}

/// A tensor of floats.
pub(super) fn floats(name: &str, dimensions: &[u64], values: &[f32]) -> Vec<u8> {
    let mut tensor = tensor(name, 1, dimensions);
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor.extend(field(9, bytes));
    tensor
}

/// An attribute of integers.
pub(super) fn integer_list(name: &str, values: &[u64]) -> Vec<u8> {
    let mut attribute = field(1, name);
    attribute.extend(values.iter().flat_map(|value| integer(8, *value)));
    attribute
}

/// An attribute of one integer.
pub(super) fn integer_attribute(name: &str, value: u64) -> Vec<u8> {
    [field(1, name), integer(3, value)].concat()
}

/// A file of nodes and initializers with an input `X` of two columns and an output `Y`.
pub(super) fn file(nodes: &[Vec<u8>], initializers: &[Vec<u8>]) -> Vec<u8> {
    file_with_input(&value("X", &[0, 2]), nodes, initializers)
}

pub(super) fn file_with_input(input: &[u8], nodes: &[Vec<u8>], initializers: &[Vec<u8>]) -> Vec<u8> {
    let mut graph: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    graph.extend(initializers.iter().flat_map(|tensor| field(5, tensor)));
    graph.extend([field(11, input), field(12, value("Y", &[0, 1]))].concat());
    let sets = ["", "ai.onnx.ml"].map(|domain| field(8, [field(1, domain), integer(2, 18)].concat()));
    [integer(1, 10), field(7, graph), sets.concat()].concat()
}

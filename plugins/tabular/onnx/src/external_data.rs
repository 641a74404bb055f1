//! Data of tensors in files beside the model file.

use std::collections::BTreeSet;

use crate::error::{Fault, OnnxError};
use crate::proto::{ExternalData, Model, Tensor};

/// The files of a model's external data, by name.
///
/// # Errors
/// If a file is not inside the model's folder.
pub(crate) fn names(model: &mut Model) -> Result<Vec<String>, OnnxError> {
    let mut names = BTreeSet::new();
    for tensor in tensors(model) {
        if let Some(ExternalData { location, .. }) = &tensor.external {
            if !is_inside(location) {
                let reason = format!("its data is in {location:?}, outside of the model's folder");
                let remedy = "export the model with its weights in the same folder";
                return Err(error(tensor, Fault::with_remedy(reason, remedy)));
            }
            names.insert(location.clone());
        }
    }
    Ok(names.into_iter().collect())
}

/// Puts the data of other files into the tensors. `read` gives the content of a file.
///
/// # Errors
/// If a file is missing or too short.
pub(crate) fn resolve<'f>(
    model: &mut Model,
    read: impl Fn(&str) -> Option<&'f [u8]>,
) -> Result<(), OnnxError> {
    for tensor in tensors(model) {
        let Some(ExternalData { location, offset, length }) = tensor.external.take() else { continue };
        let Some(file) = read(&location) else {
            return Err(error(tensor, format!("its data is in {location:?}, which is missing").into()));
        };
        let end = match length {
            Some(length) => offset.checked_add(length),
            None => Some(file.len() as u64),
        };
        // The bounds fit the file, so they fit the address space.
        let data = end
            .filter(|end| offset <= *end && *end <= file.len() as u64)
            .map(|end| &file[offset as usize..end as usize]);
        match data {
            Some(data) => tensor.raw = Some(data.to_vec()),
            None => {
                let reason =
                    format!("its data is at byte {offset} of {location:?}, which has {} bytes", file.len());
                return Err(error(tensor, Fault::with_remedy(reason, "copy the whole file")));
            }
        }
    }
    Ok(())
}

fn error(tensor: &Tensor, fault: Fault) -> OnnxError {
    OnnxError::Graph { fault: fault.at(&format!("tensor {:?}: ", tensor.name)) }
}

/// The initializers and the tensors of nodes.
fn tensors(model: &mut Model) -> impl Iterator<Item = &mut Tensor> {
    let attributes = model.graph.nodes.iter_mut().flat_map(|node| node.attributes.values_mut());
    let tensors = attributes.filter_map(|attribute| attribute.tensor.as_mut());
    model.graph.initializers.iter_mut().chain(tensors)
}

/// Whether a path stays inside of its folder.
fn is_inside(path: &str) -> bool {
    let is_name = |part: &str| !matches!(part, "" | "." | "..");
    !path.contains(['\\', ':', '\0']) && path.split('/').all(is_name)
}

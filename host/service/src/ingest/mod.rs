//! Record ingestion: request bodies and mirrored requests become records of the run.

mod array_items;
pub mod body;
mod cloud_event;
mod content_encoding;
mod json_object;
mod media_type;
pub mod mirror;
pub mod records;
#[cfg(test)]
mod test_support;

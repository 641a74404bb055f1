//! The signed manifest of a study and the seal file beside it.

pub mod manifest;
pub mod registration;
pub mod seal_error;
pub mod seal_file;
pub mod sealed_study;
pub mod study_identity;

//! Loads, checks and versions the plugins of a study; decides which ids are blinded.

pub mod blinding;
pub mod compatibility;
pub mod compile_cache_folder;
pub mod embedded_components;
pub mod inspection;
pub mod instance_cache;
pub mod load;
pub mod loaded_plugin;
pub mod plugin_versions;
pub mod ranking_order;
pub mod reference_shares;
pub mod registry_component;
pub mod slot_kind;
pub mod stored_files;
pub mod study_fields;
pub mod trained_model;

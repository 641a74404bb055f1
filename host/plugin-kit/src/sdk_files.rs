//! The SDK for Rust, as files beside a new plugin. So a plugin builds without a clone, with the SDK of this program.

include!(concat!(env!("OUT_DIR"), "/sdk_files.rs"));

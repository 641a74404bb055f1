//! Bindings that `wit-bindgen` generates for the world `metric` of `wit/shadow.wit`, including the types that
//! all worlds share.
//!
//! They need a crate of their own: `wit-bindgen` defines export macros at the crate root, and the macros of
//! the two interfaces would have the same names. Use this crate through `understudy-sdk`.

#![expect(missing_docs, reason = "generated; wit/shadow.wit has the documentation")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "metric",
    pub_export_macro: true,
    export_macro_name: "export_scorer",
});

//! What `wit-bindgen` makes of the world `metric` in `wit/shadow.wit`, and of the types that all worlds share.
//!
//! A crate by itself, since `wit-bindgen` puts the export macros at the root of a crate under names that both worlds
//! would claim. Use it through `understudy-sdk`.

#![expect(missing_docs, reason = "generated; the documentation stands in wit/shadow.wit")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "metric",
    pub_export_macro: true,
    export_macro_name: "export_scorer",
});

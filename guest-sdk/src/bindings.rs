//! Bindings that `wit-bindgen` generates for the worlds `model` and `comparator`.
//!
//! Both worlds export the same interface, so one set of bindings serves both. Types that they share with the
//! world `metric` come from `understudy-sdk-scorer`.

wit_bindgen::generate!({
    path: "../wit",
    world: "model",
    pub_export_macro: true,
    export_macro_name: "export_decider",
    with: {
        "understudy:shadow/columns@0.1.0/text": understudy_sdk_scorer::exports::understudy::shadow::columns::Text,
        "understudy:shadow/answers@0.1.0/form": understudy_sdk_scorer::exports::understudy::shadow::answers::Form,
        "understudy:shadow/answers@0.1.0/labels": understudy_sdk_scorer::exports::understudy::shadow::answers::Labels,
        "understudy:shadow/answers@0.1.0/rankings": understudy_sdk_scorer::exports::understudy::shadow::answers::Rankings,
        "understudy:shadow/answers@0.1.0/label-sets": understudy_sdk_scorer::exports::understudy::shadow::answers::LabelSets,
        "understudy:shadow/answers@0.1.0/probabilities": understudy_sdk_scorer::exports::understudy::shadow::answers::Probabilities,
        "understudy:shadow/answers@0.1.0/values": understudy_sdk_scorer::exports::understudy::shadow::answers::Values,
        "understudy:shadow/answers@0.1.0/reason": understudy_sdk_scorer::exports::understudy::shadow::answers::Reason,
        "understudy:shadow/answers@0.1.0/answers": understudy_sdk_scorer::exports::understudy::shadow::answers::Answers,
        "understudy:shadow/setup@0.1.0/asset": understudy_sdk_scorer::exports::understudy::shadow::setup::Asset,
    },
});

//! Files that end too early: at each power of two and at 50 other places.

use fastrand::Rng;
use understudy_tests::TestWorkspace;

use super::{MODEST, sound_file, sound_text, watched};

/// The places where a file of a length is cut.
fn places(length: usize) -> Vec<usize> {
    let mut rng = Rng::with_seed(length as u64);
    let powers = (0..usize::BITS).map(|bit| 1 << bit).take_while(|place| *place < length);
    [0].into_iter().chain(powers).chain((0..50).map(|_| rng.usize(..length))).collect()
}

/// Checks that each cut of a file is refused. Behind `end`, a file is whole for our purpose.
fn check(name: &str, end: usize) {
    let bytes = sound_file(name);
    let workspace = TestWorkspace::new();
    let name = name.rsplit('/').next().expect("a name");
    for place in places(bytes.len()) {
        workspace.write(name, &bytes[..place]);
        let (output, peak) = watched(workspace.command(&["model", "show", name]));
        assert!(peak <= MODEST, "{name} cut at {place}: {peak} MiB");
        assert!(!output.stderr.contains("panicked"), "{name} cut at {place}: {}", output.stderr);
        if place <= end {
            let is_named = output.stderr.starts_with(&format!("cannot import {name}: "));
            assert!(
                output.code == 1 && output.stderr.contains("; ") && is_named,
                "{place}: {}",
                output.stderr
            );
        }
    }
}

#[test]
fn cut_graphs_are_refused() {
    for name in ["pipeline.onnx", "price.onnx"] {
        check(name, graph_end(&sound_file(name)) - 1);
    }
}

/// Where the graph of an ONNX file ends. Only versions and metadata follow.
fn graph_end(file: &[u8]) -> usize {
    let mut position = 0;
    let number = |position: &mut usize| {
        let (mut value, mut shift) = (0_usize, 0);
        loop {
            let byte = file[*position];
            *position += 1;
            value |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    loop {
        let key = number(&mut position);
        let value = number(&mut position);
        if key % 8 == 2 {
            position += value;
        }
        if key >> 3 == 7 {
            return position;
        }
    }
}

#[test]
fn cut_documents_are_refused() {
    for name in ["xgboost.json", "catboost.json"] {
        // The last byte is a line feed.
        check(name, sound_file(name).trim_ascii_end().len() - 1);
    }
}

#[test]
fn cut_binary_documents_are_refused() {
    let hotel = "../../../../examples/hotel/boosted-trees.ubj";
    check(hotel, sound_file(hotel).len() - 1);
}

#[test]
fn cut_texts_are_refused() {
    let text = sound_text("mlflow/model.lgb");
    check("mlflow/model.lgb", text.find("end of trees").expect("a LightGBM model"));
}

//! The sequence against the package confseq: `tests/oracles/confidence_sequences.py` prints the rows.

use super::{ScoreBlock, WeightedSequence};

/// A kind of scores in `confidence_sequences.py`.
type Kind = fn(u64) -> f64;

#[track_caller]
fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9, "{found} is not {expected}");
}

fn scores(i: u64) -> f64 {
    ((37 * i + 11) % 101) as f64 / 100.0
}

fn hits(i: u64) -> f64 {
    if (7 * i * i + 3) % 10 < 8 { 1.0 } else { 0.0 }
}

fn block(scores: &[f64]) -> ScoreBlock {
    ScoreBlock {
        n: scores.len() as u64,
        sum: scores.iter().sum(),
        squares: scores.iter().map(|score| score * score).sum(),
    }
}

#[test]
fn blocks_of_one_score_match_confseq() {
    let rows: [(Kind, f64, u64, f64, f64); _] = [
        (scores, 0.95, 1, 0.0, 1.0),
        (scores, 0.95, 2, 0.0, 1.0),
        (scores, 0.95, 3, 0.0, 1.0),
        (scores, 0.95, 10, 0.0, 1.0),
        (scores, 0.95, 40, 0.2956746743235248, 0.6763580657183133),
        (scores, 0.95, 200, 0.4344360919800121, 0.5659447435646278),
        (scores, 0.95, 1000, 0.4691376657437275, 0.5311243931167603),
        (scores, 0.99, 1, 0.0, 1.0),
        (scores, 0.99, 2, 0.0, 1.0),
        (scores, 0.99, 3, 0.0, 1.0),
        (scores, 0.99, 10, 0.0, 1.0),
        (scores, 0.99, 40, 0.21520277870181975, 0.7568299613400182),
        (scores, 0.99, 200, 0.41751828745308545, 0.5826595127436178),
        (scores, 0.99, 1000, 0.46283378208680287, 0.5373468287430746),
        (hits, 0.95, 1, 0.0, 1.0),
        (hits, 0.95, 2, 0.0, 1.0),
        (hits, 0.95, 3, 0.0, 1.0),
        (hits, 0.95, 10, 0.22065278577628777, 1.0),
        (hits, 0.95, 40, 0.7029094773997506, 1.0),
        (hits, 0.95, 200, 0.8299522846928933, 0.9657465091895719),
        (hits, 0.95, 1000, 0.8667339349899099, 0.9310669692761541),
        (hits, 0.99, 1, 0.0, 1.0),
        (hits, 0.99, 2, 0.0, 1.0),
        (hits, 0.99, 3, 0.0, 1.0),
        (hits, 0.99, 10, 0.0, 1.0),
        (hits, 0.99, 40, 0.6224375817780456, 1.0),
        (hits, 0.99, 200, 0.8134687812241415, 0.9831196469356869),
        (hits, 0.99, 1000, 0.8605383983457381, 0.9376844376252333),
    ];
    for (kind, confidence, n, lower, upper) in rows {
        let mut sequence = WeightedSequence::new(confidence, 1);
        (0..n).for_each(|i| sequence.push(block(&[kind(i)])));
        assert_close(sequence.interval().lower, lower);
        assert_close(sequence.interval().upper, upper);
    }
}

#[test]
fn larger_blocks_match_confseqs_mixture() {
    let rows: [(Kind, u64, f64, usize, f64, f64); _] = [
        (scores, 120, 0.95, 0, 0.3702068596609685, 0.6349598070056982),
        (scores, 120, 0.95, 1, 0.3671778746470091, 0.6299430102729442),
        (scores, 120, 0.95, 5, 0.4725934600544186, 0.5280753251351791),
        (scores, 1, 0.95, 0, 0.32233323070412445, 0.6808375817634228),
        (scores, 1, 0.95, 1, 0.32127286055334947, 0.678603615100073),
        (scores, 1, 0.95, 5, 0.44559157494803, 0.5552430653459532),
        (scores, 50, 0.99, 0, 0.38762833678943165, 0.6175383298772348),
        (scores, 50, 0.99, 1, 0.38571437701865185, 0.614731538062841),
        (scores, 50, 0.99, 5, 0.4642261122936931, 0.5367939387819985),
        (hits, 120, 0.95, 0, 0.7480517220616547, 1.0),
        (hits, 120, 0.95, 1, 0.7503158702005227, 1.0),
        (hits, 120, 0.95, 5, 0.869242453939929, 0.9308012170354529),
        (hits, 1, 0.95, 0, 0.5024062037661992, 0.9885583073378889),
        (hits, 1, 0.95, 1, 0.5042458187108534, 0.988605598727256),
        (hits, 1, 0.95, 5, 0.7887674851437737, 0.9329089818833811),
        (hits, 50, 0.99, 0, 0.7337808312732779, 1.0),
        (hits, 50, 0.99, 1, 0.735182701029164, 1.0),
        (hits, 50, 0.99, 5, 0.8531482042499758, 0.9468919874130386),
    ];
    for (kind, first, confidence, look, lower, upper) in rows {
        let mut sequence = WeightedSequence::new(confidence, first);
        let mut next = 0;
        for size in &[120, 1, 300, 40, 77, 462][..=look] {
            let scores: Vec<_> = (next..next + size).map(kind).collect();
            sequence.push(block(&scores));
            next += size;
        }
        assert_close(sequence.interval().lower, lower);
        assert_close(sequence.interval().upper, upper);
    }
}

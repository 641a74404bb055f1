//! The sums against sums by hand, and against themselves in other orders and batches.

use bincode::config::standard;
use bincode::serde::{decode_from_slice, encode_to_vec};
use proptest::prelude::*;

use super::{MAX_PRODUCT_COMPONENTS, ProfileIndex, ProfiledBatch, SliceSums, SliceTotals};
use crate::scoring::{AnswerStatus, ModelScores, Window, WindowClock};
use understudy_study::{Every, Windows};

/// One pair: the day, the profile, the hash of its id, two components of the metric.
type Row = (i64, u32, u64, [f64; 2]);

fn day(day: i64) -> Window {
    let windows = Windows { every: Every::Day, week_ends: jiff::civil::Weekday::Sunday };
    WindowClock::new(windows, jiff::tz::TimeZone::UTC).window(day * 86_400_000_000)
}

fn slice_sums(batches: &[&[Row]]) -> SliceSums {
    let mut sums = SliceSums::default();
    for rows in batches {
        let component = |at: usize| rows.iter().map(|row| row.3[at]).collect::<Vec<f64>>();
        let models = [ModelScores {
            statuses: vec![AnswerStatus::Answered; rows.len()],
            scores: vec![vec![component(0), component(1), vec![1.0; rows.len()]]],
        }];
        sums.add(ProfiledBatch {
            windows: &rows.iter().map(|row| day(row.0)).collect::<Vec<_>>(),
            profiles: &rows.iter().map(|row| row.1).collect::<Vec<_>>(),
            hashes: &rows.iter().map(|row| row.2).collect::<Vec<_>>(),
            models: &models,
            metric: 0,
        });
    }
    sums
}

fn row() -> impl Strategy<Value = Row> {
    let score = prop_oneof![Just(0.0), Just(1.0), -100.0f64..100.0];
    (0i64..3, 0u32..4, any::<u64>(), [score.clone(), score])
}

proptest! {
    #[test]
    fn sums_match_the_pairs_in_any_order_and_batches(rows in prop::collection::vec(row(), 0..60), cut in 0usize..60) {
        let whole = slice_sums(&[&rows]);
        let mut backwards = rows.clone();
        backwards.reverse();
        let (one, other) = backwards.split_at(cut.min(rows.len()));
        prop_assert_eq!(&slice_sums(&[one, other]), &whole);
        let bytes = encode_to_vec(&whole, standard()).unwrap();
        prop_assert_eq!(&bytes, &encode_to_vec(slice_sums(&[&backwards]), standard()).unwrap());
        let (again, _): (SliceSums, usize) = decode_from_slice(&bytes, standard()).unwrap();
        prop_assert_eq!(&again, &whole);
        let early: Vec<Row> = rows.iter().copied().filter(|row| row.0 <= 1).collect();
        let (until, early) = (whole.through(day(1)), slice_sums(&[&early]));
        // Beyond the joint limit, windows and profiles are kept, but not their combinations.
        match whole.has_joint_detail() {
            true => prop_assert_eq!(&until, &early),
            false => prop_assert!(until.profiles().is_empty()),
        }
        for window in early.windows() {
            prop_assert_eq!(until.window(window), early.window(window));
        }
        for (profile, halves) in whole.profiles() {
            for (half, SliceTotals { pairs, models }) in halves.iter().enumerate() {
                let own: Vec<&Row> = rows.iter().filter(|row| row.1 == profile && (row.2 >> 63) as usize == half).collect();
                prop_assert_eq!(*pairs, own.len() as u64);
                let Some(sums) = models.first() else { continue };
                prop_assert_eq!(sums.all_zero, own.iter().filter(|row| row.3 == [0.0; 2]).count() as u64);
                let rounded = sums.rounded(2, &[(0, 0), (0, 1), (1, 1)]);
                let sum = |of: &dyn Fn(&Row) -> f64| own.iter().map(|row| of(row)).sum::<f64>();
                let expected = [
                    own.len() as f64,
                    sum(&|row| row.3[0]),
                    sum(&|row| row.3[1]),
                    sum(&|row| row.3[0] * row.3[0]),
                    sum(&|row| row.3[0] * row.3[1]),
                    sum(&|row| row.3[1] * row.3[1]),
                ];
                prop_assert_eq!(rounded.len(), expected.len());
                for (found, expected) in rounded.iter().zip(expected) {
                    prop_assert!((found - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{found} for {expected}");
                }
            }
        }
    }

    #[test]
    fn a_profile_index_round_trips_its_values(values in [0u16..2, 0u16..7, 0u16..6]) {
        let index = ProfileIndex { conditions: vec![(0, 2), (2, 7), (3, 6)] };
        let conditions = [vec![values[0]], vec![9], vec![values[1]], vec![values[2]]];
        let profile = index.profiles_of_rows(&conditions, 1)[0];
        prop_assert_eq!([0, 1, 2].map(|at| index.value_of(profile, at)), values);
        prop_assert_eq!(index.values(profile), values);
    }
}

#[test]
fn unscored_pairs_are_not_all_zero_and_many_components_have_no_products() {
    let of = |components: usize, scored: f64| {
        let mut part = vec![vec![0.0]; components];
        part.push(vec![scored]);
        [ModelScores { statuses: vec![AnswerStatus::Failed], scores: vec![part] }]
    };
    let add = |models: &[ModelScores]| {
        let mut profiles = SliceSums::default();
        let (windows, hashes) = ([day(0)], [0]);
        profiles.add(ProfiledBatch { windows: &windows, profiles: &[0], hashes: &hashes, models, metric: 0 });
        profiles.window(day(0)).models[0].clone()
    };
    assert_eq!(add(&of(2, 1.0)).all_zero, 1);
    assert_eq!(add(&of(2, 0.0)).all_zero, 0);
    let ones = |components: usize| {
        [ModelScores {
            statuses: vec![AnswerStatus::Answered],
            scores: vec![vec![vec![1.0]; components + 1]],
        }]
    };
    assert_eq!(
        add(&ones(MAX_PRODUCT_COMPONENTS)).moments.len(),
        MAX_PRODUCT_COMPONENTS * (MAX_PRODUCT_COMPONENTS + 1) / 2
    );
    assert_eq!(add(&ones(MAX_PRODUCT_COMPONENTS + 1)).moments.len(), 0);
    assert_eq!(add(&ones(MAX_PRODUCT_COMPONENTS + 1)).components.len(), MAX_PRODUCT_COMPONENTS + 2);
}

#[test]
fn a_snapshot_keeps_its_bits_while_pairs_are_added() {
    let bytes = |sums: &SliceSums| encode_to_vec(sums, standard()).unwrap();
    // Each profile has two pairs. 40 profiles exceed the joint limit, so only the margins are kept.
    for profiles in [2, 40] {
        let rows: Vec<Row> = (0..profiles)
            .flat_map(|profile| [(0, profile, 0, [1.0, 2.0]), (1, profile, 0, [3.0, 0.5])])
            .collect();
        let mut sums = slice_sums(&[&rows]);
        assert_eq!(sums.has_joint_detail(), profiles == 2);
        let snapshot = sums.clone();
        let before = bytes(&snapshot);
        sums.add(ProfiledBatch {
            windows: &[day(1)],
            profiles: &[0],
            hashes: &[0],
            models: &[ModelScores {
                statuses: vec![AnswerStatus::Answered],
                scores: vec![vec![vec![1.0], vec![1.0], vec![1.0]]],
            }],
            metric: 0,
        });
        assert_eq!(bytes(&snapshot), before);
        assert_ne!(bytes(&sums), before);
        assert_eq!(sums.window(day(1)).pairs, snapshot.window(day(1)).pairs + 1);
    }
}

#[test]
fn sums_of_components_and_of_products_are_counted() {
    let whole = slice_sums(&[&[(0, 0, 0, [2.0, 3.0])]]);
    // Two components, the number of scored pairs, and three products.
    assert_eq!(whole.window(day(0)).sums(), 3 + 3);
    assert_eq!(SliceTotals::default().sums(), 0);
}

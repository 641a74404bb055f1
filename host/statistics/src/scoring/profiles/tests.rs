//! Profiles against sums by hand, and against themselves in every other order.

use bincode::config::standard;
use bincode::serde::{decode_from_slice, encode_to_vec};
use proptest::prelude::*;

use super::{PRODUCTS, Part, ProfileIndex, ProfiledPairs, Profiles};
use crate::scoring::{ModelScores, Outcome, Window, WindowClock};
use understudy_study::{Every, Windows};

/// One pair: the day, the profile, the hash of its id, two components of the metric.
type Row = (i64, u32, u64, [f64; 2]);

fn day(day: i64) -> Window {
    let windows = Windows { every: Every::Day, week_ends: jiff::civil::Weekday::Sunday };
    WindowClock::new(windows, jiff::tz::TimeZone::UTC).window(day * 86_400_000_000)
}

fn profiles(batches: &[&[Row]]) -> Profiles {
    let mut profiles = Profiles::default();
    for rows in batches {
        let component = |at: usize| rows.iter().map(|row| row.3[at]).collect::<Vec<f64>>();
        let models = [ModelScores {
            outcomes: vec![Outcome::Answered; rows.len()],
            scores: vec![vec![component(0), component(1), vec![1.0; rows.len()]]],
        }];
        profiles.add(ProfiledPairs {
            windows: &rows.iter().map(|row| day(row.0)).collect::<Vec<_>>(),
            profiles: &rows.iter().map(|row| row.1).collect::<Vec<_>>(),
            hashes: &rows.iter().map(|row| row.2).collect::<Vec<_>>(),
            models: &models,
            metric: 0,
        });
    }
    profiles
}

fn row() -> impl Strategy<Value = Row> {
    let score = prop_oneof![Just(0.0), Just(1.0), -100.0f64..100.0];
    (0i64..3, 0u32..4, any::<u64>(), [score.clone(), score])
}

proptest! {
    #[test]
    fn profiles_are_the_sums_in_any_order_and_batches(rows in prop::collection::vec(row(), 0..60), cut in 0usize..60) {
        let whole = profiles(&[&rows]);
        let mut backwards = rows.clone();
        backwards.reverse();
        let (one, other) = backwards.split_at(cut.min(rows.len()));
        prop_assert_eq!(&profiles(&[one, other]), &whole);
        let bytes = encode_to_vec(&whole, standard()).unwrap();
        prop_assert_eq!(&bytes, &encode_to_vec(profiles(&[&backwards]), standard()).unwrap());
        let (again, _): (Profiles, usize) = decode_from_slice(&bytes, standard()).unwrap();
        prop_assert_eq!(&again, &whole);
        let early: Vec<Row> = rows.iter().copied().filter(|row| row.0 <= 1).collect();
        let (until, early) = (whole.until(day(1)), profiles(&[&early]));
        // Beyond what is kept, windows are still told and profiles are, but not both.
        match whole.are_by_window() {
            true => prop_assert_eq!(&until, &early),
            false => prop_assert!(until.profiles().is_empty()),
        }
        for window in early.windows() {
            prop_assert_eq!(until.window(window), early.window(window));
        }
        for (profile, halves) in whole.profiles() {
            for (half, Part { pairs, models }) in halves.iter().enumerate() {
                let own: Vec<&Row> = rows.iter().filter(|row| row.1 == profile && (row.2 >> 63) as usize == half).collect();
                prop_assert_eq!(*pairs, own.len() as u64);
                let Some(sums) = models.first() else { continue };
                prop_assert_eq!(sums.blank, own.iter().filter(|row| row.3 == [0.0; 2]).count() as u64);
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
                for (found, expected) in rounded.iter().zip(expected) {
                    prop_assert!((found - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{found} for {expected}");
                }
            }
        }
    }

    #[test]
    fn the_index_of_a_profile_tells_its_values(values in [0u16..2, 0u16..7, 0u16..6]) {
        let index = ProfileIndex { conditions: vec![(0, 2), (2, 7), (3, 6)] };
        let conditions = [vec![values[0]], vec![9], vec![values[1]], vec![values[2]]];
        let profile = index.of(&conditions, 1)[0];
        prop_assert_eq!([0, 1, 2].map(|at| index.value(profile, at)), values);
        prop_assert_eq!(index.values(profile), values);
    }
}

#[test]
fn what_was_not_scored_is_not_blank_and_many_components_have_no_products() {
    let of = |components: usize, scored: f64| {
        let mut part = vec![vec![0.0]; components];
        part.push(vec![scored]);
        [ModelScores { outcomes: vec![Outcome::Failed], scores: vec![part] }]
    };
    let add = |models: &[ModelScores]| {
        let mut profiles = Profiles::default();
        let (windows, hashes) = ([day(0)], [0]);
        profiles.add(ProfiledPairs { windows: &windows, profiles: &[0], hashes: &hashes, models, metric: 0 });
        profiles.window(day(0)).models[0].clone()
    };
    assert_eq!(add(&of(2, 1.0)).blank, 1);
    assert_eq!(add(&of(2, 0.0)).blank, 0);
    let ones = |components: usize| {
        [ModelScores { outcomes: vec![Outcome::Answered], scores: vec![vec![vec![1.0]; components + 1]] }]
    };
    assert_eq!(add(&ones(PRODUCTS)).moments.len(), PRODUCTS * (PRODUCTS + 1) / 2);
    assert_eq!(add(&ones(PRODUCTS + 1)).moments.len(), 0);
    assert_eq!(add(&ones(PRODUCTS + 1)).components.len(), PRODUCTS + 2);
}

//! Subgroups of hand-made profiles, and no figure of few pairs from the figures of one report: by linear algebra.

use proptest::prelude::*;

use super::super::test_support::KnownSums;
use super::super::tests::{any_scope, day, part, scope, sums, values};
use super::*;

/// The conditions, by number of values.
const SIZES: [usize; 2] = [3, 2];

/// The profiles over all days. Each half of the search has every second pair.
fn profiles(days: &[Vec<PartSize>]) -> Vec<ProfileSize> {
    let profile = |profile: usize| {
        let size: PartSize = days.iter().map(|profiles| profiles[profile]).sum();
        let values = values(profile, &SIZES).into_iter().enumerate().collect();
        let half = |more| PartSize { pairs: (size.pairs + more) / 2, answered: (size.answered + more) / 2 };
        ProfileSize { values, halves: [half(0), half(1)] }
    };
    (0..days[0].len()).map(profile).filter(|profile| profile.size().pairs > 0).collect()
}

/// The days of each block of windows.
fn block_days(figures: &InterimFigures, days: &[Vec<PartSize>]) -> Vec<Vec<Vec<PartSize>>> {
    let of_block = |windows: &[Window]| {
        (0..days.len()).filter(|at| windows.contains(&day(*at))).map(|at| days[at].clone()).collect()
    };
    figures.blocks().map(of_block).collect()
}

/// The figures of a run of these days, and for each subgroup whether it is shown.
fn shown(
    days: &[Vec<PartSize>],
    subgroups: &[Vec<(usize, usize)>],
    scopes: &[Scope],
) -> (InterimFigures, Vec<bool>) {
    let (cells, evidence) = sums(days, &SIZES, scopes);
    let figures = InterimFigures::new(&cells, &evidence, scopes.len(), Some(0));
    let windows: Vec<Window> = cells.iter().map(|(window, _)| window).collect();
    let blocks: Vec<Vec<ProfileSize>> =
        block_days(&figures, days).iter().map(|days| profiles(days)).collect();
    let is_shown = figures.shows_subgroups(subgroups, (&profiles(days), &blocks), scopes, &windows);
    (figures, is_shown)
}

#[test]
fn subgroups_with_few_pairs_outside_of_a_value_a_scope_or_each_other_are_withheld() {
    // By value of the first condition and, within it, of the second.
    let found = |days: &[[u64; 6]], subgroups: &[Vec<(usize, usize)>], scopes: &[Scope]| {
        let size = |pairs: &u64| PartSize { pairs: *pairs, answered: *pairs };
        let days: Vec<Vec<PartSize>> = days.iter().map(|day| day.iter().map(size).collect()).collect();
        shown(&days, subgroups, scopes).1
    };
    let two_terms = vec![(0, 0), (1, 0)];
    let one_term = vec![(0, 1)];
    let even = [20; 6];
    assert_eq!(found(&[even], &[two_terms.clone(), one_term.clone()], &[]), [true, true]);
    // The value lacks four pairs of the subgroup.
    assert_eq!(found(&[[20, 4, 20, 20, 20, 20]], &[two_terms.clone(), one_term.clone()], &[]), [false, true]);
    // Four pairs are outside of both subgroups, or in both.
    let columns = [vec![(1, 0)], vec![(0, 2)]];
    assert_eq!(found(&[even], &columns, &[]), [true, true]);
    assert_eq!(found(&[[20, 2, 20, 2, 20, 20]], &columns, &[]), [true, false]);
    assert_eq!(found(&[[20, 20, 20, 20, 4, 20]], &columns, &[]), [true, false]);
    // The scope has all pairs of the subgroup and four others.
    let wider = scope(vec![(0, vec![0, 2]), (1, vec![0])]);
    assert_eq!(found(&[[20, 20, 20, 20, 4, 20]], std::slice::from_ref(&two_terms), &[]), [true]);
    assert_eq!(found(&[[20, 20, 20, 20, 4, 20]], std::slice::from_ref(&two_terms), &[wider]), [false]);
    // On the first day, the first value has few pairs, so it has no figure over both days. All its pairs are in the subgroup.
    let rare = [[2, 0, 2, 40, 40, 40], [20, 0, 20, 20, 20, 20]];
    assert_eq!(found(&rare, &[two_terms.clone(), vec![(0, 0)], vec![(0, 2)]], &[]), [false, false, true]);
    // On the second day, three pairs are in the subgroup, so the difference of two reports would have these.
    let two_days = |second| [even, [second, 20, 20, 20, 20, 20]];
    assert_eq!(found(&two_days(3), std::slice::from_ref(&two_terms), &[]), [false]);
    assert_eq!(found(&two_days(0), std::slice::from_ref(&two_terms), &[]), [true]);
    assert_eq!(found(&two_days(10), std::slice::from_ref(&two_terms), &[]), [true]);
    // A subgroup of few pairs, one of few in each half, and one of all.
    assert_eq!(found(&[[8, 20, 20, 20, 20, 20]], std::slice::from_ref(&two_terms), &[]), [false]);
    assert_eq!(found(&[[10, 20, 20, 20, 20, 20]], std::slice::from_ref(&two_terms), &[]), [true]);
    assert_eq!(found(&[[4, 20, 20, 20, 20, 20]], &[two_terms], &[]), [false]);
    assert_eq!(found(&[[20, 0, 20, 0, 20, 0]], &[vec![(1, 0)]], &[]), [false]);
    assert_eq!(found(&[even], &[], &[]), [false; 0]);
}

fn subgroup() -> impl Strategy<Value = Vec<(usize, usize)>> {
    let value = |condition: usize| prop::option::of(0..SIZES[condition]);
    (value(0), value(1)).prop_map(|(first, second)| {
        [(0, first), (1, second)].into_iter().filter_map(|(at, value)| Some((at, value?))).collect()
    })
}

proptest! {
    #[test]
    fn no_figure_of_few_pairs_follows_from_subgroups_with_values_or_scopes(
        days in (1..3_usize).prop_flat_map(|days| prop::collection::vec(prop::collection::vec(part(), 6), days)),
        subgroups in prop::collection::vec(subgroup(), 1..5),
        scopes in prop::collection::vec(any_scope(), 0..3),
    ) {
        let (figures, is_shown) = shown(&days, &subgroups, &scopes);
        let windows: Vec<Window> = (0..days.len()).map(day).collect();
        // What follows from one report and, with subgroups, from the difference of two. Without them, the values of joined blocks
        // are known together only.
        let blocks = if is_shown.contains(&true) { block_days(&figures, &days) } else { Vec::new() };
        for days in blocks.iter().chain([&days]) {
            let profiles = profiles(days);
            let scored = |count: fn(&ProfileSize) -> PartSize| -> Vec<u64> {
                profiles.iter().map(|profile| count(profile).answered).collect()
            };
            let pairs = scored(ProfileSize::size);
            let sum = |is_in: &dyn Fn(&ProfileSize) -> bool| -> Vec<i64> {
                profiles.iter().zip(&pairs).map(|(profile, pairs)| i64::from(*pairs > 0 && is_in(profile))).collect()
            };
            let (mut known, mut differences) = (KnownSums::default(), KnownSums::default());
            if figures.shows_all() {
                known.add(sum(&|_| true));
            }
            for (terms, _) in subgroups.iter().zip(&is_shown).filter(|(_, is_shown)| **is_shown) {
                known.add(sum(&|profile| profile.has(terms)));
                differences.add(sum(&|profile| profile.has(terms)));
                differences.add(sum(&|profile| !profile.has(terms)));
            }
            for half in [scored(|profile| profile.halves[0]), scored(|profile| profile.halves[1])] {
                prop_assert!(differences.few(&half).is_none(), "{:?} of {half:?}", differences.few(&half));
            }
            for (condition, values) in SIZES.iter().enumerate() {
                let mut known = known.clone();
                for value in (0..*values).filter(|value| figures.shows_value(condition, *value)) {
                    known.add(sum(&|profile| profile.has(&[(condition, value)])));
                }
                prop_assert!(known.few(&pairs).is_none(), "{:?} of {pairs:?}", known.few(&pairs));
            }
            for (scope, _) in scopes.iter().zip(1..).filter(|(_, at)| figures.shows_scope(*at, &windows)) {
                known.add(sum(&|profile| scope.holds(|condition| profile.values[condition].1)));
            }
            prop_assert!(known.few(&pairs).is_none(), "{:?} of {pairs:?}", known.few(&pairs));
        }
    }
}

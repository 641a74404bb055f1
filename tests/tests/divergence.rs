//! The search for subgroups with a different metric value: the same subgroups as `divexplorer` finds, and
//! simulated studies with planted subgroups.

use fastrand::Rng;
use understudy_statistics::divergence::{
    PatternTable, PatternTerm, SearchResult, SearchSettings, Subgroup, SumsLayout, frequent_patterns,
    search_subgroups,
};
use understudy_tests::flights::{Classes, Flights, classes};
use understudy_tests::root;

#[test]
fn subgroups_and_rates_match_divexplorer() {
    let folder = root().join("tests/oracles");
    let flights = Flights::read(&folder.join("flights-sample.csv"));
    let table = PatternTable {
        sizes: flights.values.iter().map(Vec::len).collect(),
        codes: flights.codes.clone(),
        counts: vec![1; flights.codes[0].len()],
        width: 2,
        sums: flights.arrivals.clone(),
    };
    let found = frequent_patterns(&table, 3, table.counts.len() as u64 / 50);
    let found: Classes = found
        .iter()
        .map(|pattern| {
            let class = flights.class(pattern.terms.iter().map(|term| (term.condition, term.value)));
            let rate = (pattern.sums[0] > 0.0).then(|| pattern.sums[1] / pattern.sums[0]);
            (class, (pattern.count, rate))
        })
        .collect();
    let theirs = classes(&folder.join("flights-patterns.csv"));
    assert!(theirs.len() > 1000, "{}", theirs.len());
    assert_eq!(found, theirs);
}

const STUDIES: u64 = 200;
const PAIRS: usize = 20_000;
/// Minimum number of pairs of a subgroup in the search.
const LEAST: u64 = 300;

/// All profiles of a population of pairs: their values, probability and expected metric value.
struct Population {
    sizes: Vec<usize>,
    profiles: Vec<(Vec<u16>, f64, f64)>,
    plants: Vec<Vec<PatternTerm>>,
}

fn has(profile: &[u16], terms: &[PatternTerm]) -> bool {
    terms.iter().all(|term| profile[usize::from(term.condition)] == term.value)
}

impl Population {
    /// Draws five or six conditions with two to five values; the second depends on the first. The expected
    /// value is the base, except in `plants` random subgroups. Where they overlap, the value furthest from
    /// the base applies. Each subgroup has enough pairs and differs clearly from the rest and from the
    /// remainder of each parent subgroup, so it can be found.
    fn draw(rng: &mut Rng, plants: usize, kind: &Kind) -> Population {
        let sizes: Vec<usize> = (0..rng.usize(5..7)).map(|_| rng.usize(2..6)).collect();
        let shares = |rng: &mut Rng, size: usize| {
            let weights: Vec<f64> = (0..size).map(|_| 0.3 + rng.f64()).collect();
            let all: f64 = weights.iter().sum();
            weights.into_iter().map(|weight| weight / all).collect::<Vec<_>>()
        };
        let mut profiles: Vec<(Vec<u16>, f64, f64)> = vec![(vec![], 1.0, kind.base)];
        for (condition, &size) in sizes.iter().enumerate() {
            let by_first: Vec<Vec<f64>> = (0..sizes[0]).map(|_| shares(rng, size)).collect();
            let more = profiles.iter().flat_map(|(codes, likely, figure)| {
                let shares = &by_first[if condition == 1 { usize::from(codes[0]) } else { 0 }];
                let with = |(value, share): (usize, &f64)| {
                    ([&codes[..], &[value as u16]].concat(), likely * share, *figure)
                };
                shares.iter().enumerate().map(with).collect::<Vec<_>>()
            });
            profiles = more.collect();
        }
        loop {
            let mut drawn = Population { sizes: sizes.clone(), profiles: profiles.clone(), plants: vec![] };
            for _ in 0..plants {
                let mut conditions: Vec<usize> = (0..sizes.len()).collect();
                rng.shuffle(&mut conditions);
                conditions.truncate(rng.usize(1..4));
                conditions.sort_unstable();
                let term = |&condition: &usize| PatternTerm {
                    condition: condition as u16,
                    value: rng.usize(..sizes[condition]) as u16,
                };
                let terms: Vec<PatternTerm> = conditions.iter().map(term).collect();
                let there = (kind.planted)(rng);
                for (codes, _, figure) in &mut drawn.profiles {
                    if has(codes, &terms) && (there - kind.base).abs() > (*figure - kind.base).abs() {
                        *figure = there;
                    }
                }
                drawn.plants.push(terms);
            }
            let clear = |terms: &Vec<PatternTerm>| {
                drawn.plants.iter().filter(|plant| *plant == terms).count() == 1
                    && drawn.share(terms) * PAIRS as f64 > 500.0
                    && drawn.differs(terms, kind.apart)
            };
            if drawn.plants.iter().all(clear) {
                return drawn;
            }
        }
    }

    /// Probability that a pair belongs to a subgroup.
    fn share(&self, terms: &[PatternTerm]) -> f64 {
        self.profiles.iter().filter(|(codes, ..)| has(codes, terms)).map(|(_, likely, _)| likely).sum()
    }

    /// Expected value of the pairs in one subgroup but not in another; `None` if there are none.
    fn figure(&self, of: &[PatternTerm], without: Option<&[PatternTerm]>) -> Option<f64> {
        let (mut all, mut sum) = (0.0, 0.0);
        for (codes, likely, figure) in &self.profiles {
            if has(codes, of) && !without.is_some_and(|terms| has(codes, terms)) {
                all += likely;
                sum += likely * figure;
            }
        }
        (all > 0.0).then(|| sum / all)
    }

    /// Differences of a subgroup from the rest and from the remainder of each parent subgroup.
    fn differences(&self, terms: &[PatternTerm]) -> Vec<f64> {
        let class = self.figure(terms, None).unwrap_or(f64::NAN);
        let above = (0..(1_u32 << terms.len()) - 1).map(|subset| {
            let wider: Vec<PatternTerm> =
                (0..terms.len()).filter(|at| subset >> at & 1 == 1).map(|at| terms[at]).collect();
            class - self.figure(&wider, Some(terms)).unwrap_or(f64::NAN)
        });
        above.collect()
    }

    /// Whether all these differences exceed `apart` and have the same sign.
    fn differs(&self, terms: &[PatternTerm], apart: f64) -> bool {
        let differences = self.differences(terms);
        differences.iter().all(|difference| *difference > apart) || differences.iter().all(|d| *d < -apart)
    }

    /// Whether a listed subgroup is a false positive: it is equal to a rest, or differs in the other
    /// direction.
    fn is_false(&self, class: &Subgroup) -> bool {
        !self.differs(&class.terms, 1e-9)
            || (self.differences(&class.terms)[0] > 0.0) != (class.difference > 0.0)
    }

    /// Draws a study from the population: a table of profiles in two halves with the sums of their scores,
    /// and of squared scores if these are not 0 or 1.
    fn study(&self, rng: &mut Rng, kind: &Kind) -> PatternTable {
        let part = if kind.shares { 2 } else { 3 };
        let mut ends = Vec::new();
        let mut end = 0.0;
        for (_, likely, _) in &self.profiles {
            end += likely;
            ends.push(end);
        }
        let mut table = PatternTable {
            sizes: self.sizes.clone(),
            codes: (0..self.sizes.len())
                .map(|c| self.profiles.iter().map(|(codes, ..)| codes[c]).collect())
                .collect(),
            counts: vec![0; self.profiles.len()],
            width: 2 * part,
            sums: vec![0.0; self.profiles.len() * 2 * part],
        };
        for _ in 0..PAIRS {
            let drawn = rng.f64();
            let at = ends.partition_point(|end| *end <= drawn).min(ends.len() - 1);
            let score = (kind.score)(rng, self.profiles[at].2);
            table.counts[at] += 1;
            let half = at * table.width + if rng.bool() { part } else { 0 };
            for (sum, more) in table.sums[half..][..part].iter_mut().zip([1.0, score, score * score]) {
                *sum += more;
            }
        }
        table
    }
}

/// A kind of simulated studies.
struct Kind {
    /// Expected value outside of planted subgroups.
    base: f64,
    /// Range of expected values in planted subgroups.
    planted: fn(&mut Rng) -> f64,
    /// Minimum difference of a planted subgroup.
    apart: f64,
    /// Whether scores are 0 or 1.
    shares: bool,
    /// Draws a score with an expected value.
    score: fn(&mut Rng, f64) -> f64,
}

const AGREEMENT: Kind = Kind {
    base: 0.9,
    planted: |rng| 0.45 + 0.25 * rng.f64(),
    apart: 0.12,
    shares: true,
    score: |rng, figure| f64::from(rng.f64() < figure),
};

/// Absolute errors with an exponential distribution.
const ERRORS: Kind = Kind {
    base: 1.0,
    planted: |rng| 2.0 + 2.0 * rng.f64(),
    apart: 0.6,
    shares: false,
    score: |rng, figure| -figure * (1.0 - rng.f64()).ln(),
};

/// Searches all studies of a kind. Returns the share of planted subgroups that are found, and the mean share
/// of false positives among the listed ones.
fn found_and_false(kind: &Kind, plants: usize) -> (f64, f64) {
    let settings = SearchSettings {
        max_terms: 3,
        min_pairs: LEAST,
        false_discovery_rate: 0.05,
        binary_scores: kind.shares,
        confidence: 0.975,
    };
    let layout = SumsLayout { components: 1, moments: if kind.shares { vec![] } else { vec![(0, 0)] } };
    let (mut found, mut wrong, mut listed) = (0, 0.0, 0);
    for study in 0..STUDIES {
        let mut rng = Rng::with_seed(study);
        let population = Population::draw(&mut rng, plants, kind);
        let table = population.study(&mut rng, kind);
        let SearchResult { subgroups, .. } =
            search_subgroups(&table, &layout, &settings, &mut |n, sums| (n > 0).then(|| sums[0] / n as f64));
        let is_found = |plant: &&Vec<PatternTerm>| subgroups.iter().any(|class| class.terms == **plant);
        found += population.plants.iter().filter(is_found).count();
        let none = subgroups.iter().filter(|class| population.is_false(class)).count();
        wrong += none as f64 / subgroups.len().max(1) as f64;
        listed += subgroups.len();
    }
    let studies = STUDIES as f64;
    let (found, wrong) = (found as f64 / studies / plants.max(1) as f64, wrong / studies);
    println!("found {found:.4}, false {wrong:.4}, listed {:.1} a study", listed as f64 / studies);
    (found, wrong)
}

#[test]
fn planted_agreement_subgroups_are_found_with_few_false_positives() {
    let (found, wrong) = found_and_false(&AGREEMENT, 3);
    assert!(found >= 0.95 && wrong <= 0.05, "{found} and {wrong}");
}

#[test]
fn planted_error_subgroups_are_found_with_few_false_positives() {
    let (found, wrong) = found_and_false(&ERRORS, 3);
    assert!(found >= 0.95 && wrong <= 0.05, "{found} and {wrong}");
}

#[test]
fn homogeneous_studies_rarely_list_a_subgroup() {
    for kind in [&AGREEMENT, &ERRORS] {
        let (_, wrong) = found_and_false(kind, 0);
        assert!(wrong <= 0.05, "{wrong}");
    }
}

//! From sums by profile to classes, changes and intervals.
//!
//! Always holds: a class's figure is the metric's own `reduce` of exact sums; what is looked for was declared.

use std::collections::BTreeMap;

use super::{Reducer, instant};
use crate::divergence::{self, Layout, Settings, Table, changes, estimate, search};
use crate::report::build::spread::said;
use crate::report::parting::{Change, Class, Direction, Divergence, Parted, Term};
use crate::run::{End, Outcome, Prepared, conditions, profile_index};
use crate::sandbox::Better;
use crate::scoring::{
    Block, Interval, Part, PartSums, ProfileIndex, Sequence, Window, WindowClock, student_quantile, wilson,
};

/// Of intervals: each bound holds at 0.975, both together at 0.95.
pub const CONFIDENCE: f64 = 0.95;
/// The pairs that a window is taken to have, beforehand, where a figure is looked at before the end: as many as a threshold
/// asks of it unless it says otherwise. Any number is sound; a good guess gives narrower bounds.
const BLOCK: u64 = 100;
/// At which a change is told.
const CHANGE_LEVEL: f64 = 0.01;

/// Looks for where they part.
pub struct Searcher<'a> {
    outcome: &'a Outcome,
    prepared: &'a Prepared,
    index: ProfileIndex,
    /// The halves of each profile over all windows.
    profiles: BTreeMap<u32, [Part; 2]>,
    /// All of it by window.
    whole: Vec<(Window, Part)>,
}

impl<'a> Searcher<'a> {
    /// In what a run left behind.
    pub fn new(outcome: &'a Outcome, prepared: &'a Prepared) -> Searcher<'a> {
        let whole = outcome.profiles.windows().map(|window| {
            let mut all = Part::default();
            outcome
                .profiles
                .window(window)
                .iter()
                .flat_map(|(_, halves)| *halves)
                .for_each(|half| all.merge(half));
            (window, all)
        });
        Searcher {
            index: profile_index(prepared),
            profiles: outcome.profiles.fold(|_| true),
            whole: whole.collect(),
            outcome,
            prepared,
        }
    }

    /// All that was found.
    pub fn divergence(&self, reducer: &mut Reducer) -> Divergence {
        let declared = &self.prepared.study.divergence;
        let models = 0..self.prepared.models.len();
        Divergence {
            metric: self.prepared.metrics[declared.metric].name.clone(),
            conditions: self.index.conditions.iter().map(|(at, _)| self.condition(*at)).collect(),
            depth: declared.depth as u64,
            support: declared.support,
            least_pairs: self.least(),
            level: declared.level,
            confidence: CONFIDENCE,
            models: models.map(|model| self.parted(model, reducer)).collect(),
        }
    }

    /// The bounds of a model's figure by the searched metric over all pairs, or over those with a value of a condition. None
    /// where they cannot be told. Before the end they hold however often one looks.
    pub fn interval(
        &self,
        model: usize,
        value: Option<(usize, usize)>,
        reducer: &mut Reducer,
    ) -> Option<Interval> {
        let place = match value {
            None => None,
            Some((condition, value)) => {
                Some((self.index.conditions.iter().position(|(known, _)| *known == condition)?, value))
            }
        };
        let holds = |profile: u32| match place {
            None => true,
            Some((at, value)) => usize::from(self.index.values(profile)[at]) == value,
        };
        if matches!(self.outcome.end, End::Interim { .. }) {
            return self.whenever(model, holds, reducer);
        }
        let mut all = Part::default();
        let halves =
            self.profiles.iter().filter(|(profile, _)| holds(**profile)).flat_map(|(_, halves)| halves);
        halves.for_each(|half| all.merge(half));
        self.bounds(&all, model, reducer)
    }

    /// Bounds that hold whenever one looks, of a mean of scores in a known range: a confidence sequence over the windows.
    fn whenever(&self, model: usize, holds: impl Fn(u32) -> bool, reducer: &mut Reducer) -> Option<Interval> {
        let metric = self.prepared.study.divergence.metric;
        let (Some(least), Some(greatest)) = self.prepared.metrics[metric].plugin.range else { return None };
        let layout = Layout { components: self.layout(model).components, moments: vec![(0, 0)] };
        let width = greatest - least;
        if layout.components != 1 || width <= 0.0 {
            return None;
        }
        let mut sequence = Sequence::new(1.0 - (1.0 - CONFIDENCE) / 2.0, BLOCK);
        for window in self.outcome.profiles.windows() {
            let mut part = Part::default();
            let profiles = self.outcome.profiles.window(window);
            profiles
                .iter()
                .filter(|(p, _)| holds(*p))
                .flat_map(|(_, halves)| *halves)
                .for_each(|h| part.merge(h));
            let [n, sum, squares] = rounded(&part, model, &layout)[..] else { return None };
            if n == 0.0 {
                continue;
            }
            // Only of a mean is it known how far one pair can move it.
            if reducer.reduce(metric)(n as u64, &[sum]) != Some(sum / n) {
                return None;
            }
            sequence.push(Block {
                n: n as u64,
                sum: (sum - n * least) / width,
                squares: (squares - 2.0 * least * sum + n * least * least) / (width * width),
            });
        }
        let Interval { lower, upper } = sequence.interval();
        Some(Interval { lower: least + lower * width, upper: least + upper * width })
    }

    /// The same for each window, in order.
    pub fn windows(&self, model: usize, reducer: &mut Reducer) -> Vec<Option<Interval>> {
        self.whole.iter().map(|(_, part)| self.bounds(part, model, reducer)).collect()
    }

    fn bounds(&self, part: &Part, model: usize, reducer: &mut Reducer) -> Option<Interval> {
        let layout = self.layout(model);
        let sums = rounded(part, model, &layout);
        let metric = self.prepared.study.divergence.metric;
        let bounds = bounds(&sums, &layout, self.shares(model), &mut reducer.reduce(metric))?;
        let (least, greatest) = self.prepared.metrics[metric].plugin.range;
        let clamp = |bound: f64| bound.max(least.unwrap_or(f64::MIN)).min(greatest.unwrap_or(f64::MAX));
        Some(Interval { lower: clamp(bounds.lower), upper: clamp(bounds.upper) })
    }

    fn condition(&self, at: usize) -> String {
        self.prepared.study.conditions[at].name.clone()
    }

    fn pairs(&self) -> u64 {
        self.profiles.values().flatten().map(|part| part.pairs).sum()
    }

    fn least(&self) -> u64 {
        ((self.prepared.study.divergence.support * self.pairs() as f64).ceil() as u64).max(1)
    }

    /// Which products of components there are.
    fn layout(&self, model: usize) -> Layout {
        let metric = self.prepared.study.divergence.metric;
        let sums = self.profiles.values().flatten().filter_map(|part| part.models.get(model));
        let mut moments: Vec<(u16, u16)> =
            sums.flat_map(|sums| sums.moments.iter().map(|(at, _)| *at)).collect();
        moments.sort_unstable();
        moments.dedup();
        Layout { components: self.prepared.metrics[metric].plugin.components.len(), moments }
    }

    /// Whether every score is 0 or 1 and the figure their mean: then it is a share, and told by its counts.
    fn shares(&self, model: usize) -> bool {
        let plugin = &self.prepared.metrics[self.prepared.study.divergence.metric].plugin;
        let square = |sums: &PartSums| match &sums.moments[..] {
            [] => true,
            [(_, squares)] => Some(squares) == sums.components.first(),
            _ => false,
        };
        plugin.components.len() == 1
            && plugin.range == (Some(0.0), Some(1.0))
            && self.profiles.values().flatten().filter_map(|part| part.models.get(model)).all(square)
    }

    fn parted(&self, model: usize, reducer: &mut Reducer) -> Parted {
        let declared = &self.prepared.study.divergence;
        let layout = self.layout(model);
        let table = self.table(model, &layout);
        let settings = Settings {
            depth: declared.depth,
            least: self.least(),
            level: declared.level,
            shares: self.shares(model),
            confidence: 1.0 - (1.0 - CONFIDENCE) / 2.0,
        };
        let found = search(&table, &layout, &settings, &mut reducer.reduce(declared.metric));
        let classes = found.classes.iter().map(|class| self.class(class, model, reducer)).collect();
        let series = self.series(model, reducer, |_| true);
        Parted {
            model: self.prepared.models[model].name.clone(),
            patterns: found.patterns as u64,
            tested: found.tested as u64,
            classes,
            changes: self.changes(&series),
        }
    }

    fn table(&self, model: usize, layout: &Layout) -> Table {
        let mut codes = vec![Vec::with_capacity(self.profiles.len()); self.index.conditions.len()];
        let mut sums = Vec::with_capacity(self.profiles.len() * 2 * layout.width());
        let mut counts = Vec::with_capacity(self.profiles.len());
        for (profile, halves) in &self.profiles {
            codes.iter_mut().zip(self.index.values(*profile)).for_each(|(codes, value)| codes.push(value));
            counts.push(halves.iter().map(|half| half.pairs).sum());
            halves.iter().for_each(|half| sums.extend(rounded(half, model, layout)));
        }
        let sizes = self.index.conditions.iter().map(|(_, values)| *values).collect();
        Table { sizes, codes, counts, width: 2 * layout.width(), sums }
    }

    fn class(&self, found: &divergence::Class, model: usize, reducer: &mut Reducer) -> Class {
        let study = &self.prepared.study;
        let place = |term: &divergence::Term| {
            (self.index.conditions[usize::from(term.condition)].0, usize::from(term.value))
        };
        let places: Vec<(usize, usize)> = found.terms.iter().map(place).collect();
        let names = conditions(study);
        let term = |(condition, value): &(usize, usize)| Term {
            condition: self.condition(*condition),
            value: names.values(*condition)[*value].clone(),
        };
        let holds = |profile: u32| {
            let values = self.index.values(profile);
            found.terms.iter().all(|term| values[usize::from(term.condition)] == term.value)
        };
        let [inside, outside] = [true, false]
            .map(|inside| self.outcome.spreads.parting(model, |profile| holds(profile) == inside));
        let bias = |parting: &crate::scoring::Parting| {
            (parting.numbers > 0).then(|| parting.errors.value() / parting.numbers as f64)
        };
        let better = self.prepared.metrics[study.divergence.metric].plugin.better;
        let began = {
            let [own, others] =
                [true, false].map(|inside| self.series(model, reducer, |p| holds(p) == inside));
            let gaps = own
                .iter()
                .zip(&others)
                .filter_map(|(own, others)| Some((own.0, Some(own.1? - others.1?), own.2)));
            let changed = self.changes(&gaps.collect::<Vec<_>>());
            // From that on it differs more than before, on the side on which it does.
            changed.into_iter().rfind(|change| (change.after - change.before) * found.difference > 0.0)
        };
        Class {
            suspected: study.divergence.suspects(&places),
            terms: places.iter().map(term).collect(),
            pairs: found.pairs,
            support: found.pairs as f64 / self.pairs().max(1) as f64,
            figure: found.figure,
            elsewhere: found.elsewhere,
            direction: match (better, found.difference > 0.0) {
                (Better::Higher, true) | (Better::Lower, false) => Direction::Together,
                (Better::Higher, false) | (Better::Lower, true) => Direction::Apart,
            },
            difference: found.difference,
            interval: found.interval,
            p_value: found.p_value,
            q_value: found.q_value,
            bias: bias(&inside).zip(bias(&outside)).map(|(inside, outside)| [inside, outside]),
            commonest: said(&inside.answers).into_iter().next().filter(|_| self.outcome.end.is_final()),
            began,
            examples: match self.outcome.end {
                End::Finished => inside.examples.into_iter().map(|(_, id)| id).collect(),
                _ => Vec::new(),
            },
        }
    }

    /// By window the figure over the profiles that `holds`, and its pairs.
    fn series(
        &self,
        model: usize,
        reducer: &mut Reducer,
        holds: impl Fn(u32) -> bool,
    ) -> Vec<(Window, Option<f64>, f64)> {
        let metric = self.prepared.study.divergence.metric;
        let layout = Layout { components: self.layout(model).components, moments: Vec::new() };
        let of = |window: Window| {
            let mut part = Part::default();
            let profiles = self.outcome.profiles.window(window);
            profiles
                .iter()
                .filter(|(p, _)| holds(*p))
                .flat_map(|(_, halves)| *halves)
                .for_each(|h| part.merge(h));
            let sums = rounded(&part, model, &layout);
            let figure =
                (sums[0] > 0.0).then(|| reducer.reduce(metric)(sums[0] as u64, &sums[1..])).flatten();
            (window, figure, sums[0])
        };
        self.outcome.profiles.windows().map(of).collect()
    }

    fn changes(&self, series: &[(Window, Option<f64>, f64)]) -> Vec<Change> {
        let study = &self.prepared.study;
        let known: Vec<_> =
            series.iter().filter_map(|(window, figure, n)| Some((*window, (*figure)?, *n))).collect();
        let figures: Vec<(f64, f64)> = known.iter().map(|(_, figure, n)| (*figure, *n)).collect();
        let clock = WindowClock::new(study.windows, study.time_zone.clone());
        let found = changes(&figures, CHANGE_LEVEL, self.prepared.key);
        let change = |change: divergence::Change| Change {
            window: clock.label(known[change.at].0),
            at: instant(clock.bounds(known[change.at].0).start),
            before: change.before,
            after: change.after,
            p_value: change.p_value,
        };
        found.into_iter().map(change).collect()
    }
}

/// The bounds of a figure: Wilson's where it is a share, else its standard error by the delta method times the quantile of
/// Student's t with one degree of freedom less than there are pairs.
fn bounds(
    sums: &[f64],
    layout: &Layout,
    shares: bool,
    reduce: &mut divergence::Reduce<'_>,
) -> Option<Interval> {
    let side = 1.0 - (1.0 - CONFIDENCE) / 2.0;
    let pairs = sums[0];
    if shares {
        return wilson(sums[1] as u64, pairs as u64, side);
    }
    let found = estimate(sums, layout, reduce)?;
    let reach = student_quantile(side, pairs - 1.0)? * found.error?;
    Some(Interval { lower: found.figure - reach, upper: found.figure + reach })
}

/// A model's sums of a part; zeros where it has no pairs.
fn rounded(part: &Part, model: usize, layout: &Layout) -> Vec<f64> {
    match part.models.get(model) {
        Some(sums) => sums.rounded(layout.components, &layout.moments),
        None => vec![0.0; layout.width()],
    }
}

//! From sums by profile to classes, changes and intervals.
//!
//! Always holds: a figure is the metric's own `reduce`; what is looked for was declared. The figures of windows are of exact sums;
//! those of classes are of the profiles' sums, each rounded once and added in the order of the profiles, so counts are exact and
//! all comes out the same whenever it is made.

mod metric_estimate;
mod onset;

use std::collections::BTreeMap;

use crate::build::answer_distribution::said;
use crate::build::divergence::metric_estimate::{CONFIDENCE, Measured, SIDE};
use crate::build::divergence::onset::{LEVEL, direction, first, gap, told};
use crate::build::reducer::Reducer;
use crate::build::time::instant;
use crate::model::divergence::{Began, Change, Class, Divergence, NotSearched, Parted, Term};
use understudy_engine::{End, Outcome, Prepared, conditions, profile_index};
use understudy_statistics::divergence::{self, SearchSettings, PatternTable, min_windows, search_subgroups};
use understudy_statistics::scoring::{
    Interval, MAX_PRODUCT_COMPONENTS, SliceTotals, ModelMoments, SliceDifferences, ProfileIndex, Window, WindowClock,
};
use understudy_study::suspects;

/// Looks for where they part.
pub struct Searcher<'a> {
    outcome: &'a Outcome,
    prepared: &'a Prepared,
    index: ProfileIndex,
    /// The halves of each profile over all windows.
    profiles: BTreeMap<u32, [SliceTotals; 2]>,
    /// All of it by window.
    whole: Vec<(Window, SliceTotals)>,
    /// For each model what its sums are.
    measured: Vec<Measured>,
}

impl<'a> Searcher<'a> {
    /// In what a run left behind.
    pub fn new(outcome: &'a Outcome, prepared: &'a Prepared, reducer: &mut Reducer) -> Searcher<'a> {
        let metric = prepared.study.divergence.metric;
        let plugin = &prepared.metrics[metric].plugin;
        let profiles = outcome.profiles.profiles();
        let windows = outcome.profiles.windows().map(|window| (window, outcome.profiles.window(window)));
        let whole: Vec<(Window, SliceTotals)> = windows.collect();
        // Before the end there may be nothing by profile; by window there is always all of it.
        let parts: Vec<&SliceTotals> = match profiles.is_empty() {
            true => whole.iter().map(|(_, part)| part).collect(),
            false => profiles.values().flatten().collect(),
        };
        let measured = (0..prepared.models.len()).map(|model| {
            let reduce = &mut reducer.probe(metric);
            Measured::of(model, plugin.components.len(), plugin.range, &parts, reduce)
        });
        Searcher {
            index: profile_index(prepared),
            measured: measured.collect(),
            profiles,
            whole,
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
            passed_over: declared.passed_over.iter().map(|at| self.condition(*at)).collect(),
            depth: declared.depth as u64,
            support: declared.support,
            least_pairs: self.least(),
            level: declared.level,
            confidence: CONFIDENCE,
            min_windows: min_windows(LEVEL) as u64,
            not_searched: self.not_searched(),
            models: models.map(|model| self.parted(model, reducer)).collect(),
        }
    }

    /// Why no classes were searched for, if they were not.
    fn not_searched(&self) -> Option<NotSearched> {
        let metric = &self.prepared.metrics[self.prepared.study.divergence.metric];
        if metric.plugin.components.len() > MAX_PRODUCT_COMPONENTS {
            Some(NotSearched::Components)
        } else if self.index.conditions.is_empty() {
            Some(NotSearched::Conditions)
        } else if self.is_interim() && !self.outcome.profiles.has_joint_detail() {
            Some(NotSearched::Windows)
        } else {
            None
        }
    }

    fn is_interim(&self) -> bool {
        matches!(self.outcome.end, End::Interim { .. })
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
        let holds = |profile: u32| {
            place.is_none_or(|(at, value)| usize::from(self.index.value_of(profile, at)) == value)
        };
        let reduce = &mut reducer.probe(self.prepared.study.divergence.metric);
        let measured = &self.measured[model];
        if !self.is_interim() {
            let mut all = SliceTotals::default();
            let chosen = self.profiles.iter().filter(|(profile, _)| holds(**profile));
            chosen.flat_map(|(_, halves)| halves).for_each(|half| all.merge(half));
            return measured.bounds(&all, reduce);
        }
        if place.is_none() {
            return measured.whenever(self.whole.iter().map(|(_, part)| part.clone()), reduce);
        }
        let windows = self.outcome.profiles.windows().map(|window| {
            let mut part = SliceTotals::default();
            let profiles = self.outcome.profiles.profiles_in_window(window)?.filter(|(profile, _)| holds(*profile));
            profiles.flat_map(|(_, halves)| halves).for_each(|half| part.merge(half));
            Some(part)
        });
        measured.whenever(windows.collect::<Option<Vec<_>>>()?, reduce)
    }

    /// The same for each window, in order.
    pub fn windows(&self, model: usize, reducer: &mut Reducer) -> Vec<Option<Interval>> {
        let reduce = &mut reducer.probe(self.prepared.study.divergence.metric);
        self.whole.iter().map(|(_, part)| self.measured[model].bounds(part, reduce)).collect()
    }

    fn condition(&self, at: usize) -> String {
        self.prepared.study.conditions[at].name.clone()
    }

    fn pairs(&self) -> u64 {
        self.whole.iter().map(|(_, part)| part.pairs).sum()
    }

    fn least(&self) -> u64 {
        ((self.prepared.study.divergence.support * self.pairs() as f64).ceil() as u64).max(1)
    }

    fn parted(&self, model: usize, reducer: &mut Reducer) -> Parted {
        let declared = &self.prepared.study.divergence;
        let measured = &self.measured[model];
        let settings = SearchSettings {
            depth: declared.depth,
            least: self.least(),
            level: declared.level,
            shares: measured.shares,
            confidence: SIDE,
        };
        let found =
            search_subgroups(&self.table(measured), &measured.layout, &settings, &mut reducer.probe(declared.metric));
        let classes = found.classes.iter().map(|class| self.class(class, model, reducer)).collect();
        let confirmed: Vec<_> = found.classes.iter().map(|class| self.places(class)).collect();
        let unconfirmed = declared
            .suspected
            .iter()
            .filter(|suspected| !confirmed.iter().any(|class| suspects(suspected, class)));
        let unconfirmed = unconfirmed.map(|suspected| self.in_words(suspected)).collect();
        let reduce = &mut reducer.reduce(declared.metric);
        let series = self.whole.iter().filter_map(|(window, part)| {
            let (figure, pairs) = measured.figure(part.models.get(model)?, reduce)?;
            Some((*window, (figure, pairs)))
        });
        let changes = self.find_change_points(&series.collect::<Vec<_>>());
        Parted {
            model: self.prepared.models[model].name.clone(),
            patterns: found.patterns as u64,
            tested: found.tested as u64,
            classes,
            unconfirmed,
            changes: changes.map(|(changes, windows)| self.dated(changes, &windows)),
        }
    }

    fn table(&self, measured: &Measured) -> PatternTable {
        let mut codes = vec![Vec::with_capacity(self.profiles.len()); self.index.conditions.len()];
        let width = 2 * measured.layout.width();
        let mut sums = Vec::with_capacity(self.profiles.len() * width);
        let mut counts = Vec::with_capacity(self.profiles.len());
        for (profile, halves) in &self.profiles {
            codes.iter_mut().zip(self.index.values(*profile)).for_each(|(codes, value)| codes.push(value));
            counts.push(halves.iter().map(|half| half.pairs).sum());
            halves.iter().for_each(|half| sums.extend(measured.sums(half)));
        }
        let sizes = self.index.conditions.iter().map(|(_, values)| *values).collect();
        PatternTable { sizes, codes, counts, width, sums }
    }

    /// The conditions and values of a class.
    fn places(&self, found: &divergence::Subgroup) -> Vec<(usize, usize)> {
        let place = |term: &divergence::PatternTerm| {
            (self.index.conditions[usize::from(term.condition)].0, usize::from(term.value))
        };
        found.terms.iter().map(place).collect()
    }

    /// What was suspected: `segment = direct or groups`.
    fn in_words(&self, suspected: &[(usize, Vec<usize>)]) -> String {
        let names = conditions(&self.prepared.study);
        let term = |(condition, values): &(usize, Vec<usize>)| {
            let values: Vec<&str> = values.iter().map(|at| names.values(*condition)[*at].as_str()).collect();
            format!("{} = {}", self.condition(*condition), values.join(" or "))
        };
        suspected.iter().map(term).collect::<Vec<_>>().join(", ")
    }

    fn class(&self, found: &divergence::Subgroup, model: usize, reducer: &mut Reducer) -> Class {
        let study = &self.prepared.study;
        let places = self.places(found);
        let names = conditions(study);
        let term = |(condition, value): &(usize, usize)| Term {
            condition: self.condition(*condition),
            value: names.values(*condition)[*value].clone(),
        };
        let holds = |profile: u32| {
            let has = |term: &divergence::PatternTerm| {
                self.index.value_of(profile, usize::from(term.condition)) == term.value
            };
            found.terms.iter().all(has)
        };
        let [inside, outside] = [true, false]
            .map(|inside| self.outcome.spreads.differences(model, |profile| holds(profile) == inside));
        let bias = |parting: &SliceDifferences| {
            (parting.numbers > 0).then(|| parting.errors.value() / parting.numbers as f64)
        };
        let plugin = &self.prepared.metrics[study.divergence.metric].plugin;
        Class {
            suspected: study.divergence.suspects(&places),
            terms: places.iter().map(term).collect(),
            pairs: found.pairs,
            support: found.pairs as f64 / self.pairs().max(1) as f64,
            figure: found.figure,
            elsewhere: found.elsewhere,
            direction: direction(plugin.better, found.difference),
            difference: found.difference,
            interval: found.interval.clamped_difference(plugin.range),
            p_value: found.p_value,
            q_value: found.q_value,
            bias: bias(&inside).zip(bias(&outside)).map(|(inside, outside)| [inside, outside]),
            commonest: said(&inside.answers).into_iter().next().filter(|_| self.outcome.end.is_final()),
            not_told_apart: inside.answers.other(),
            began: self.began(model, holds, found.difference, reducer),
            examples: match self.outcome.end {
                End::Finished => inside.examples.into_iter().map(|(_, id)| id).collect(),
                _ => Vec::new(),
            },
        }
    }

    /// Since when the profiles that `holds` lie from elsewhere on the side on which they do.
    fn began(
        &self,
        model: usize,
        holds: impl Fn(u32) -> bool,
        difference: f64,
        reducer: &mut Reducer,
    ) -> Began {
        let reduce = &mut reducer.reduce(self.prepared.study.divergence.metric);
        let mut gaps = Vec::new();
        for window in self.outcome.profiles.windows() {
            let Some(profiles) = self.outcome.profiles.profiles_in_window(window) else { return Began::Unknown };
            let (mut own, mut others) = (ModelMoments::default(), ModelMoments::default());
            for (profile, halves) in profiles {
                let side = if holds(profile) { &mut own } else { &mut others };
                let sums = halves.iter().filter_map(|half| half.models.get(model));
                sums.for_each(|sums| side.merge_components(sums));
            }
            let [own, others] = [own, others].map(|sums| self.measured[model].figure(&sums, reduce));
            gaps.extend(own.zip(others).map(|(own, others)| (window, gap(own, others))));
        }
        let Some((changes, windows)) = self.find_change_points(&gaps) else { return Began::Unknown };
        match first(changes, difference) {
            Some(change) => self.dated(vec![change], &windows).pop().map_or(Began::Unknown, Began::Change),
            None => Began::Start,
        }
    }

    /// The changes of a series, and its windows; `None` where there are too few of these.
    fn find_change_points(&self, series: &[(Window, (f64, f64))]) -> Option<(Vec<divergence::ChangePoint>, Vec<Window>)> {
        let figures: Vec<(f64, f64)> = series.iter().map(|(_, figure)| *figure).collect();
        Some((told(&figures, self.prepared.key)?, series.iter().map(|(window, _)| *window).collect()))
    }

    fn dated(&self, changes: Vec<divergence::ChangePoint>, windows: &[Window]) -> Vec<Change> {
        let study = &self.prepared.study;
        let clock = WindowClock::new(study.windows, study.time_zone.clone());
        let change = |change: divergence::ChangePoint| Change {
            window: clock.label(windows[change.at]),
            at: instant(clock.bounds(windows[change.at]).start),
            before: change.before,
            after: change.after,
            p_value: change.p_value,
        };
        changes.into_iter().map(change).collect()
    }
}

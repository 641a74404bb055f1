//! Builds the divergence part of the report: divergent subgroups, change points and confidence intervals.
//!
//! Invariants: a value is the metric's own `reduce`. The settings of the search come from the declaration. Values of
//! windows are computed from exact sums. Values of subgroups are computed from the sums of profiles, each rounded once
//! and added in the order of the profiles. So counts are exact, and the result is the same on every recomputation.

pub(in crate::build) mod metric_estimate;
mod onset;
mod value_sums;

use std::collections::BTreeMap;

use crate::build::answer_distribution::answer_pairs;
use crate::build::divergence::metric_estimate::{CONFIDENCE, MetricEstimator, ONE_SIDED_CONFIDENCE};
use crate::build::divergence::onset::{
    SIGNIFICANCE_LEVEL, change_points, direction, first_change_in_direction, weighted_difference,
};
use crate::build::is_shown_early;
use crate::build::reducer::Reducer;
use crate::build::timestamp_conversion::timestamp;
use crate::model::divergence::{
    ChangePoint, DivergenceReport, DivergentSubgroup, ModelDivergence, Onset, SearchSkipped, SubgroupTerm,
};
use crate::value_text::listed_value;
use understudy_engine::{EndReason, RunResult, SealedStudy, conditions, profile_index};
use understudy_statistics::divergence::{self, PatternTable, SearchSettings, min_windows, search_subgroups};
use understudy_statistics::scoring::{
    InterimRules, Interval, MAX_PRODUCT_COMPONENTS, MIN_INTERIM_PAIRS, ModelMoments, PartSize, ProfileIndex,
    ProfileSize, SliceDifferences, SliceTotals, Window, WindowClock,
};
use understudy_study::suspects;

/// The search for divergent subgroups and change points in the sums of a run.
pub struct DivergenceSearch<'a> {
    outcome: &'a RunResult,
    sealed_study: &'a SealedStudy,
    /// Which figures may be shown before the end of a run; `None` for a final report.
    interim: Option<&'a InterimRules>,
    index: ProfileIndex,
    /// The sums of each profile over all windows, for both halves of the ids.
    profiles: BTreeMap<u32, [SliceTotals; 2]>,
    /// The sums of each window over all profiles.
    windows: Vec<(Window, SliceTotals)>,
    /// The estimator of each model.
    estimators: Vec<MetricEstimator>,
}

impl<'a> DivergenceSearch<'a> {
    /// A search in the sums of `outcome`.
    pub fn new(
        outcome: &'a RunResult,
        sealed_study: &'a SealedStudy,
        interim: Option<&'a InterimRules>,
        reducer: &mut Reducer,
    ) -> DivergenceSearch<'a> {
        let metric = sealed_study.study.divergence.metric;
        let plugin = &sealed_study.metrics[metric].plugin;
        let profiles = outcome.profiles.profiles();
        let windows = outcome.profiles.windows().map(|window| (window, outcome.profiles.window(window)));
        let windows: Vec<(Window, SliceTotals)> = windows.collect();
        // An interim report may have no sums by profile. Sums by window are always complete.
        let parts: Vec<&SliceTotals> = match profiles.is_empty() {
            true => windows.iter().map(|(_, part)| part).collect(),
            false => profiles.values().flatten().collect(),
        };
        let estimators = (0..sealed_study.models.len()).map(|model| {
            let reduce = &mut reducer.probe(metric);
            MetricEstimator::new(model, plugin.components.len(), plugin.range, &parts, reduce)
        });
        DivergenceSearch {
            index: profile_index(sealed_study),
            estimators: estimators.collect(),
            profiles,
            windows,
            outcome,
            sealed_study,
            interim,
        }
    }

    /// The divergence part of the report.
    pub fn report(&self, reducer: &mut Reducer) -> DivergenceReport {
        let declared = &self.sealed_study.study.divergence;
        let models = 0..self.sealed_study.models.len();
        DivergenceReport {
            metric: self.sealed_study.metrics[declared.metric].name.clone(),
            conditions: self.index.conditions.iter().map(|(at, _)| self.condition(*at)).collect(),
            omitted_conditions: declared.passed_over.iter().map(|at| self.condition(*at)).collect(),
            max_terms: declared.depth as u64,
            min_support: declared.support,
            min_pairs: self.min_pairs(),
            false_discovery_rate: declared.level,
            confidence: CONFIDENCE,
            min_windows: min_windows(SIGNIFICANCE_LEVEL) as u64,
            search_skipped: self.skip_reason(),
            models: models.map(|model| self.model_divergence(model, reducer)).collect(),
        }
    }

    /// Why the search for subgroups is skipped; `None` if it is not.
    fn skip_reason(&self) -> Option<SearchSkipped> {
        let metric = &self.sealed_study.metrics[self.sealed_study.study.divergence.metric];
        if metric.plugin.components.len() > MAX_PRODUCT_COMPONENTS {
            Some(SearchSkipped::TooManyComponents)
        } else if self.index.conditions.is_empty() {
            Some(SearchSkipped::NoConditions)
        } else if self.is_interim() && !self.outcome.profiles.has_joint_detail() {
            Some(SearchSkipped::TooManyWindows)
        } else {
            None
        }
    }

    fn is_interim(&self) -> bool {
        matches!(self.outcome.end, EndReason::Interim { .. })
    }

    /// The confidence interval of a model's value over all pairs, or over those with one value of a condition, given as
    /// (condition, value). `None` where it cannot be computed. In an interim report it holds at all looks together.
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
        let reduce = &mut reducer.probe(self.sealed_study.study.divergence.metric);
        let estimator = &self.estimators[model];
        if !self.is_interim() {
            let mut all = SliceTotals::default();
            let chosen = self.profiles.iter().filter(|(profile, _)| holds(**profile));
            chosen.flat_map(|(_, halves)| halves).for_each(|half| all.merge(half));
            return estimator.interval(&all, reduce);
        }
        // The bounds depend on the sums of each observation, so an observation has as many pairs as a shown figure.
        let figures = self.interim?.model(model);
        let part = |windows: &[Window]| self.part(windows, value.is_some().then_some(&holds));
        let parts: Option<Vec<SliceTotals>> = match value {
            None => figures.blocks().map(part).collect(),
            Some((condition, _)) => figures.value_blocks(condition).map(|windows| part(&windows)).collect(),
        };
        estimator.anytime_interval(parts?, reduce)
    }

    /// The sums over some windows of the profiles for which `holds` is true, or of all pairs. `None` if the sums by profile are
    /// not kept by window.
    fn part(&self, windows: &[Window], holds: Option<&impl Fn(u32) -> bool>) -> Option<SliceTotals> {
        let mut part = SliceTotals::default();
        let Some(holds) = holds else {
            let own = self.windows.iter().filter(|(window, _)| windows.binary_search(window).is_ok());
            own.for_each(|(_, sums)| part.merge(sums));
            return Some(part);
        };
        for window in windows {
            let profiles = self.outcome.profiles.profiles_in_window(*window)?;
            let chosen = profiles.filter(|(profile, _)| holds(*profile));
            chosen.flat_map(|(_, halves)| halves).for_each(|half| part.merge(half));
        }
        Some(part)
    }

    /// The halves of each profile over some windows. `None` if the sums by profile are not kept by window.
    fn profiles_in(&self, windows: &[Window]) -> Option<BTreeMap<u32, [SliceTotals; 2]>> {
        let mut all: BTreeMap<u32, [SliceTotals; 2]> = BTreeMap::new();
        for window in windows {
            for (profile, halves) in self.outcome.profiles.profiles_in_window(*window)? {
                let own = all.entry(profile).or_default();
                own.iter_mut().zip(halves).for_each(|(own, half)| own.merge(half));
            }
        }
        Some(all)
    }

    /// The confidence interval of a model's value in each window, in order.
    pub fn window_intervals(&self, model: usize, reducer: &mut Reducer) -> Vec<Option<Interval>> {
        let reduce = &mut reducer.probe(self.sealed_study.study.divergence.metric);
        self.windows.iter().map(|(_, part)| self.estimators[model].interval(part, reduce)).collect()
    }

    fn condition(&self, at: usize) -> String {
        self.sealed_study.study.conditions[at].name.clone()
    }

    fn pairs(&self) -> u64 {
        self.windows.iter().map(|(_, part)| part.pairs).sum()
    }

    /// Those subgroups that may be shown.
    fn shown_subgroups(&self, found: Vec<divergence::Subgroup>, model: usize) -> Vec<divergence::Subgroup> {
        let Some(interim) = self.interim else { return found };
        if !is_shown_early(self.sealed_study, self.sealed_study.study.divergence.metric) {
            return Vec::new();
        }
        let sizes = |profiles: &BTreeMap<u32, [SliceTotals; 2]>| -> Vec<ProfileSize> {
            let size = |(profile, halves): (&u32, &[SliceTotals; 2])| {
                let values = self.index.conditions.iter().zip(self.index.values(*profile));
                ProfileSize {
                    values: values.map(|((at, _), value)| (*at, usize::from(value))).collect(),
                    halves: halves.each_ref().map(|half| PartSize {
                        pairs: half.pairs,
                        answered: self.estimators[model].sums(half)[0] as u64,
                    }),
                }
            };
            profiles.iter().map(size).collect()
        };
        let figures = interim.model(model);
        let blocks: Option<Vec<_>> =
            figures.blocks().map(|windows| Some(sizes(&self.profiles_in(windows)?))).collect();
        // Sums by profile are kept by window, or there are none in an interim report.
        let Some(blocks) = blocks else { return Vec::new() };
        let windows: Vec<Window> = self.windows.iter().map(|(window, _)| *window).collect();
        let terms: Vec<_> = found.iter().map(|subgroup| self.terms(subgroup)).collect();
        let scopes = &self.sealed_study.study.scopes;
        let profiles = (&sizes(&self.profiles)[..], &blocks[..]);
        let is_shown = figures.shows_subgroups(&terms, profiles, scopes, &windows);
        found
            .into_iter()
            .zip(is_shown)
            .filter(|(_, is_shown)| *is_shown)
            .map(|(subgroup, _)| subgroup)
            .collect()
    }

    /// The minimum number of pairs that a figure covers.
    fn least_pairs(&self) -> u64 {
        if self.outcome.end.is_final() { 1 } else { MIN_INTERIM_PAIRS }
    }

    fn min_pairs(&self) -> u64 {
        ((self.sealed_study.study.divergence.support * self.pairs() as f64).ceil() as u64)
            .max(self.least_pairs())
    }

    fn model_divergence(&self, model: usize, reducer: &mut Reducer) -> ModelDivergence {
        let declared = &self.sealed_study.study.divergence;
        let estimator = &self.estimators[model];
        let settings = SearchSettings {
            max_terms: declared.depth,
            min_pairs: self.min_pairs(),
            false_discovery_rate: declared.level,
            binary_scores: estimator.is_proportion,
            confidence: ONE_SIDED_CONFIDENCE,
        };
        let found = search_subgroups(
            &self.table(estimator),
            &estimator.layout,
            &settings,
            &mut reducer.probe(declared.metric),
        );
        let shown = self.shown_subgroups(found.subgroups, model);
        let subgroups =
            shown.iter().map(|subgroup| self.divergent_subgroup(subgroup, model, reducer)).collect();
        let confirmed: Vec<_> = shown.iter().map(|subgroup| self.terms(subgroup)).collect();
        let unconfirmed = declared
            .suspected
            .iter()
            .filter(|suspected| !confirmed.iter().any(|subgroup| suspects(suspected, subgroup)));
        let unconfirmed = unconfirmed.map(|suspected| self.suspected_name(suspected)).collect();
        let reduce = &mut reducer.reduce(declared.metric);
        let shown = self.windows.iter().filter(|(window, _)| {
            self.interim.is_none_or(|interim| {
                interim.model(model).shows_window(*window)
                    && is_shown_early(self.sealed_study, declared.metric)
            })
        });
        let series = shown.filter_map(|(window, part)| {
            let (figure, pairs) = estimator.value(part.models.get(model)?, reduce)?;
            Some((*window, (figure, pairs)))
        });
        let changes = self.series_change_points(&series.collect::<Vec<_>>());
        ModelDivergence {
            model: self.sealed_study.models[model].name.clone(),
            candidates: found.patterns as u64,
            tested: found.tested as u64,
            subgroups,
            unconfirmed,
            change_points: changes.map(|(changes, windows)| self.with_dates(changes, &windows)),
        }
    }

    fn table(&self, estimator: &MetricEstimator) -> PatternTable {
        let mut codes = vec![Vec::with_capacity(self.profiles.len()); self.index.conditions.len()];
        let width = 2 * estimator.layout.width();
        let mut sums = Vec::with_capacity(self.profiles.len() * width);
        let mut counts = Vec::with_capacity(self.profiles.len());
        for (profile, halves) in &self.profiles {
            codes.iter_mut().zip(self.index.values(*profile)).for_each(|(codes, value)| codes.push(value));
            counts.push(halves.iter().map(|half| half.pairs).sum());
            halves.iter().for_each(|half| sums.extend(estimator.sums(half)));
        }
        let sizes = self.index.conditions.iter().map(|(_, values)| *values).collect();
        PatternTable { sizes, codes, counts, width, sums }
    }

    /// The terms of a subgroup as (condition, value) indices of the study.
    fn terms(&self, found: &divergence::Subgroup) -> Vec<(usize, usize)> {
        let place = |term: &divergence::PatternTerm| {
            (self.index.conditions[usize::from(term.condition)].0, usize::from(term.value))
        };
        found.terms.iter().map(place).collect()
    }

    /// A suspected subgroup in words: `segment = direct or groups`.
    fn suspected_name(&self, suspected: &[(usize, Vec<usize>)]) -> String {
        let names = conditions(&self.sealed_study.study);
        let term = |(condition, values): &(usize, Vec<usize>)| {
            let value = |at: &usize| listed_value(&names.values(*condition)[*at], &[" or ", ", ", "; "]);
            let values: Vec<String> = values.iter().map(value).collect();
            format!("{} = {}", self.condition(*condition), values.join(" or "))
        };
        suspected.iter().map(term).collect::<Vec<_>>().join(", ")
    }

    fn divergent_subgroup(
        &self,
        found: &divergence::Subgroup,
        model: usize,
        reducer: &mut Reducer,
    ) -> DivergentSubgroup {
        let study = &self.sealed_study.study;
        let places = self.terms(found);
        let names = conditions(study);
        let term = |(condition, value): &(usize, usize)| SubgroupTerm {
            condition: self.condition(*condition),
            value: names.values(*condition)[*value].clone(),
        };
        let holds = |profile: u32| {
            let has = |term: &divergence::PatternTerm| {
                self.index.value_of(profile, usize::from(term.condition)) == term.value
            };
            found.terms.iter().all(has)
        };
        let [inside, outside] = [true, false].map(|inside| {
            self.outcome.answer_distributions.differences(model, |profile| holds(profile) == inside)
        });
        let mean_error = |differences: &SliceDifferences| {
            (differences.numbers >= self.least_pairs())
                .then(|| differences.errors.value() / differences.numbers as f64)
        };
        let plugin = &self.sealed_study.metrics[study.divergence.metric].plugin;
        DivergentSubgroup {
            suspected: study.divergence.suspects(&places),
            terms: places.iter().map(term).collect(),
            pairs: found.pairs,
            support: found.pairs as f64 / self.pairs().max(1) as f64,
            value: found.value,
            complement: found.complement,
            direction: direction(plugin.better, found.difference),
            difference: found.difference,
            interval: found.interval.clamped_difference(plugin.range),
            p_value: found.p_value,
            q_value: found.q_value,
            mean_errors: mean_error(&inside)
                .zip(mean_error(&outside))
                .map(|(inside, outside)| [inside, outside]),
            most_common: answer_pairs(&inside.answers)
                .into_iter()
                .next()
                .filter(|_| self.outcome.end.is_final()),
            untracked_pairs: inside.answers.other(),
            onset: self.onset(model, holds, found.difference, reducer),
            examples: match self.outcome.end {
                EndReason::Finished => inside.examples.into_iter().map(|(_, id)| id).collect(),
                _ => Vec::new(),
            },
        }
    }

    /// Since when the profiles that satisfy `holds` differ from all others with the sign of `difference`.
    fn onset(
        &self,
        model: usize,
        holds: impl Fn(u32) -> bool,
        difference: f64,
        reducer: &mut Reducer,
    ) -> Onset {
        let reduce = &mut reducer.reduce(self.sealed_study.study.divergence.metric);
        let mut differences = Vec::new();
        for window in self.outcome.profiles.windows() {
            let Some(profiles) = self.outcome.profiles.profiles_in_window(window) else {
                return Onset::Unknown;
            };
            let (mut own, mut others) = (ModelMoments::default(), ModelMoments::default());
            for (profile, halves) in profiles {
                let moments = if holds(profile) { &mut own } else { &mut others };
                let sums = halves.iter().filter_map(|half| half.models.get(model));
                sums.for_each(|sums| moments.merge_components(sums));
            }
            let [own, others] = [own, others].map(|sums| self.estimators[model].value(&sums, reduce));
            differences
                .extend(own.zip(others).map(|(own, others)| (window, weighted_difference(own, others))));
        }
        let Some((changes, windows)) = self.series_change_points(&differences) else { return Onset::Unknown };
        match first_change_in_direction(changes, difference) {
            Some(change) => {
                self.with_dates(vec![change], &windows).pop().map_or(Onset::Unknown, Onset::ChangePoint)
            }
            None => Onset::Start,
        }
    }

    /// The change points of a series, and its windows; `None` if there are too few windows.
    fn series_change_points(
        &self,
        series: &[(Window, (f64, f64))],
    ) -> Option<(Vec<divergence::DetectedChange>, Vec<Window>)> {
        let figures: Vec<(f64, f64)> = series.iter().map(|(_, figure)| *figure).collect();
        Some((
            change_points(&figures, self.sealed_study.key)?,
            series.iter().map(|(window, _)| *window).collect(),
        ))
    }

    fn with_dates(&self, changes: Vec<divergence::DetectedChange>, windows: &[Window]) -> Vec<ChangePoint> {
        let study = &self.sealed_study.study;
        let clock = WindowClock::new(study.windows, study.time_zone.clone());
        let change = |change: divergence::DetectedChange| ChangePoint {
            window: clock.label(windows[change.window]),
            at: timestamp(clock.bounds(windows[change.window]).start),
            before: change.before,
            after: change.after,
            p_value: change.p_value,
        };
        changes.into_iter().map(change).collect()
    }
}

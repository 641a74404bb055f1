//! Reports as runs make them, for tests.

use jiff::{SignedDuration, Timestamp};

use crate::model::divergence::fixture::{divergence, spreads, times as points};
use crate::model::report::{
    ConditionInfo, FORMAT, MetricInfo, MetricScores, MetricValue, ModelReport, PluginInfo, Report, WindowInfo,
};
use crate::model::run_summary::{
    ComparisonCounts, DeterminismSummary, ExcludedExample, LatencySummary, PluginFailure, RunEnd,
    SubstrateLatencySummary,
};
use understudy_records::join::{Account, Accounting};
use understudy_sandbox::Better;
use understudy_statistics::scoring::wilson;
use understudy_study::AnswerForm;

/// Two models on labels, two metrics, three conditions, 62 weeks.
pub(crate) fn hotel() -> Report {
    let conditions = [
        ("day", &["weekday", "weekend"][..]),
        (
            "segment",
            &[
                "corporate",
                "direct",
                "groups",
                "offline_travel_agent",
                "online_travel_agent",
                "other",
                "missing",
            ],
        ),
        ("lead-time", &["< 7", "7 to < 30", "30 to < 90", "90 to < 180", ">= 180", "missing"]),
    ];
    let pairs: [&[u64]; 3] =
        [&[11_002, 4_400], &[812, 1_190, 1_633, 3_404, 8_363, 0, 0], &[2_771, 2_502, 3_871, 3_320, 2_938, 0]];
    let model = |name: &str, share: f64, abstained: u64, failed: u64, latency: u64| {
        let share = |salt: u64| share + wave(salt, 0.08);
        let kappa = |salt: u64| share(salt) * 1.2 - 0.25;
        let scores = |figure: &dyn Fn(u64, u64) -> MetricValue| MetricScores {
            overall: MetricValue { abstained, failed, ..figure(0, 15_402) },
            conditions: each(&pairs, figure),
            windows: (0..62).map(|week| figure(100 + week, 190 + week * 37 % 120)).collect(),
        };
        ModelReport {
            plugin: plugin(name),
            form: AnswerForm::Label,
            answered: 15_402 - abstained - failed,
            abstained,
            failed,
            blinded: 0,
            latency: times(15_402, latency),
            latency_quantiles: points(latency),
            answer_distributions: spreads(AnswerForm::Label, &[2, 7, 6], 62),
            determinism_check: DeterminismSummary { checked: 154, ..DeterminismSummary::default() },
            scores: vec![
                scores(&|salt, pairs| matching((share(salt) * pairs as f64) as u64, pairs)),
                scores(&|salt, pairs| {
                    of_sums((pairs > 0).then(|| kappa(salt)), pairs, vec![pairs as f64, 0.5])
                }),
            ],
        }
    };
    let account = Account { received: 15_402, paired: 15_402, ..Account::default() };
    Report {
        accounting: Accounting { snapshots: account, decisions: account },
        comparison: ComparisonCounts { compared: 15_402, incomparable: 0 },
        models: vec![model("booked-room", 0.79, 0, 0, 1_920), model("room-rules", 0.61, 120, 3, 2_410)],
        metrics: vec![
            metric("agreement", true, Better::Higher, Some(0.0), &["agrees"]),
            metric("kappa", false, Better::Higher, Some(-1.0), &["agrees", "model-a"]),
        ],
        conditions: conditions.map(condition).to_vec(),
        windows: weeks(62),
        replay_of: None,
        substrate_latency: SubstrateLatencySummary {
            after: LatencySummary { max: 171_000_000_000_000, ..times(15_402, 7_200_000_000_000) },
            before: 0,
        },
        substrate_latency_quantiles: points(7_200_000_000_000),
        divergence: divergence("agreement", &["day", "segment", "lead-time"], &["booked-room", "room-rules"]),
        ..empty()
    }
}

/// One model on numbers, two metrics that have no greatest figure, two conditions, nine weeks with a gap.
pub(crate) fn rates() -> Report {
    let pairs: [&[u64]; 2] = [&[702, 298], &[61, 0, 939]];
    let mean = |salt: u64| 23.4 + wave(salt, 6.0);
    let scores = |scale: f64| {
        let figure = |salt: u64, pairs: u64| {
            of_sums((pairs > 0).then(|| mean(salt) * scale), pairs, vec![mean(salt) * scale * pairs as f64])
        };
        MetricScores {
            overall: MetricValue { unscored: 12, ..figure(0, 1_000) },
            conditions: each(&pairs, &figure),
            windows: (0..9)
                .map(|week| if week == 4 { of_sums(None, 2, vec![0.0]) } else { figure(week, 111) })
                .collect(),
        }
    };
    let account = Account { received: 1_007, rejected: 3, paired: 1_004, ..Account::default() };
    let mut windows = weeks(11);
    windows.drain(5..7);
    Report {
        study: "hotel-rates".into(),
        accounting: Accounting { snapshots: account, decisions: account },
        comparison: ComparisonCounts { compared: 1_000, incomparable: 4 },
        models: vec![ModelReport {
            plugin: plugin("historical-rate"),
            form: AnswerForm::Number,
            answered: 1_004,
            abstained: 0,
            failed: 0,
            blinded: 0,
            latency: times(1_004, 640),
            determinism_check: DeterminismSummary::default(),
            scores: vec![scores(1.0), scores(7.25)],
            latency_quantiles: points(640),
            answer_distributions: spreads(AnswerForm::Number, &[2, 3], 9),
        }],
        metrics: vec![
            MetricInfo {
                maximum: None,
                ..metric("mean-absolute-error", true, Better::Lower, Some(0.0), &["error"])
            },
            MetricInfo {
                maximum: None,
                ..metric("root-mean-square-error", false, Better::Lower, Some(0.0), &["square"])
            },
        ],
        conditions: vec![
            condition(("day", &["weekday", "weekend"])),
            condition(("segment", &["groups", "direct", "other"])),
        ],
        windows,
        replay_of: None,
        substrate_latency: SubstrateLatencySummary { after: times(1_001, 95_000_000_000), before: 3 },
        substrate_latency_quantiles: points(95_000_000_000),
        divergence: divergence("mean-absolute-error", &["day", "segment"], &["historical-rate"]),
        ..empty()
    }
}

/// A run that something happened to: stopped, with broken plugins and records that were refused.
pub(crate) fn troubled() -> Report {
    let incident = |plugin: &str, what: &str, count, first_id: &str| PluginFailure {
        plugin: plugin.into(),
        what: what.into(),
        count,
        first_id: first_id.into(),
    };
    let refused = |stream: &str, line, class: &str, reason: &str| ExcludedExample {
        stream: stream.into(),
        line,
        class: class.into(),
        reason: reason.into(),
    };
    let conflict = |line| {
        refused("decisions", line, "conflict", "id `b-1893` came before with other content, on line 17")
    };
    let bounds = "`decide` panicked at src/lib.rs:42:9: index out of bounds: the len is 3 but the index is 7, which is the \
                  row's own `adults`; the model knows parties of up to three";
    let snapshots = Account {
        received: 16_004,
        rejected: 2,
        late: 1,
        paired: 15_412,
        waiting: 502,
        expired: 87,
        ..Account::default()
    };
    let decisions =
        Account { received: 15_563, duplicate: 31, conflict: 120, paired: 15_412, ..Account::default() };
    let mut hotel = hotel();
    for model in &mut hotel.models {
        model.answered += 599;
        model.latency.count += 599;
    }
    hotel.substrate_latency.after.count += 10;
    Report {
        end: RunEnd::SourceFailed(vec![
            "decisions: `hotel-assignments.jsonl.gz` ends within a gzip member".into(),
        ]),
        accounting: Accounting { snapshots, decisions },
        comparison: ComparisonCounts { compared: 15_402, incomparable: 10 },
        failures: vec![
            incident("room-rules", bounds, 1_204, "b-482"),
            incident("recorded", "`decide` answered nothing: the decision names no room", 10, "b-9001"),
            incident("kappa", "`score` said: the label `l` is not in `labels`", 9, "b-17"),
            incident("room-rules", "`decide` used up its fuel", 3, "b-77"),
            incident("booked-room", "`decide` answered the label 12, but gave 9 names", 2, "b-3"),
            incident("booked-room", "`decide` took longer than 1s", 1, "b-5"),
        ],
        excluded: vec![
            refused("snapshots", 12, "rejected", "not a JSON object: expected `,` or `}` at column 40"),
            refused("snapshots", 4_017, "rejected", "`adults` is \"two\", but an integer was declared"),
            refused("snapshots", 9_313, "late", "observed at 2016-07-01T00:00:00Z, 3 d behind the latest"),
            conflict(18),
            conflict(19),
            conflict(20),
            conflict(21),
            refused("decisions", 40, "duplicate", "id `b-40` came before, the same to the byte, on line 39"),
        ],
        ..hotel
    }
}

/// A run to which no record came.
pub(crate) fn empty() -> Report {
    let started_at: Timestamp = "2026-11-23T06:49:55Z".parse().unwrap();
    Report {
        format: FORMAT,
        study: "hotel-rooms".into(),
        declaration_digest: digest(),
        time_zone: "UTC".into(),
        began,
        ended_at: began + SignedDuration::from_millis(8_214),
        end: RunEnd::Finished,
        accounting: Accounting::default(),
        comparison: ComparisonCounts::default(),
        models: vec![ModelReport {
            plugin: plugin("booked-room"),
            form: AnswerForm::Label,
            answered: 0,
            abstained: 0,
            failed: 0,
            blinded: 0,
            latency: LatencySummary::default(),
            determinism_check: DeterminismSummary::default(),
            scores: vec![MetricScores {
                overall: of_sums(None, 0, vec![0.0]),
                conditions: vec![vec![of_sums(None, 0, vec![0.0]); 2]],
                windows: vec![],
            }],
            latency_quantiles: vec![],
            answer_distributions: spreads(AnswerForm::Label, &[2], 0),
        }],
        comparator: plugin("recorded"),
        metrics: vec![metric("agreement", true, Better::Higher, Some(0.0), &["agrees"])],
        conditions: vec![condition(("day", &["weekday", "weekend"]))],
        windows: vec![],
        replay_of: None,
        substrate_latency: SubstrateLatencySummary::default(),
        substrate_latency_quantiles: vec![],
        divergence: divergence("agreement", &["day"], &[]),
        failures: vec![],
        excluded: vec![],
    }
}

fn digest() -> String {
    "3f".repeat(32)
}

fn plugin(name: &str) -> PluginInfo {
    PluginInfo { name: name.into(), title: format!("{name} 0.1.0"), digest: digest() }
}

fn metric(
    name: &str,
    primary: bool,
    better: Better,
    minimum: Option<f64>,
    components: &[&str],
) -> MetricInfo {
    let components = components.iter().map(|&name| name.into()).collect();
    MetricInfo { plugin: plugin(name), primary, better, least, maximum: Some(1.0), components }
}

fn condition((name, values): (&str, &[&str])) -> ConditionInfo {
    ConditionInfo { name: name.into(), values: values.iter().map(|&value| value.into()).collect() }
}

fn weeks(number: i64) -> Vec<WindowInfo> {
    let first: Timestamp = "2016-06-27T00:00:00Z".parse().unwrap();
    let day = |day: i64| first + SignedDuration::from_hours(24 * day);
    let week = |week| WindowInfo {
        label: day(7 * week + 6).strftime("week ending %Y-%m-%d").to_string(),
        start: day(7 * week),
        end: day(7 * week + 7),
    };
    (0..number).map(week).collect()
}

fn times(count: u64, typical: u64) -> LatencySummary {
    LatencySummary { count, p50: typical, p90: typical * 2, p99: typical * 5, max: typical * 870 }
}

/// Something between `-height` and `height` that looks like chance.
fn wave(salt: u64, height: f64) -> f64 {
    (salt as f64 * 1.7).sin() * height
}

fn each(pairs: &[&[u64]], figure: &dyn Fn(u64, u64) -> MetricValue) -> Vec<Vec<MetricValue>> {
    let values = |(place, pairs): (usize, &&[u64])| {
        pairs
            .iter()
            .enumerate()
            .map(|(value, &pairs)| figure((10 * place + value + 1) as u64, pairs))
            .collect()
    };
    pairs.iter().enumerate().map(values).collect()
}

/// So many of the pairs agree.
fn matching(agree: u64, pairs: u64) -> MetricValue {
    let figure = of_sums((pairs > 0).then(|| agree as f64 / pairs as f64), pairs, vec![agree as f64]);
    MetricValue { interval: wilson(agree, pairs, 0.975), ..figure }
}

fn of_sums(value: Option<f64>, pairs: u64, sums: Vec<f64>) -> MetricValue {
    MetricValue { value, interval: None, pairs, abstained: 0, failed: 0, unscored: 0, sums }
}

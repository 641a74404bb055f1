//! Sample reports for tests.

mod parts;

use jiff::{SignedDuration, Timestamp};

use self::parts::{
    by_window, ceiling, condition, digest, each, latency_summary, matching, metric, metric_value, plugin,
    wave, weeks, window_values,
};
use crate::model::divergence::SubgroupTerm;
use crate::model::divergence::fixture::{answer_distributions, divergence, latency_quantiles, reliability};
use crate::model::report::{FORMAT, MetricInfo, MetricScores, MetricValue, ModelReport, Report};
use crate::model::run_summary::{
    DeterminismSummary, ExcludedExample, LatencySummary, MissingAnswers, MissingKind, MissingValues,
    PluginFailure, RunEnd, SubstrateLatencySummary,
};
use crate::model::window_breakdown::{ScopeInfo, WindowBreakdown};
use understudy_records::join::{Account, Accounting};
use understudy_sandbox::Better;
use understudy_statistics::verdict::PairCounts;
use understudy_study::{AnswerForm, FollowUp, Metadata};

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
        let scores = |value: &dyn Fn(u64, u64) -> MetricValue| MetricScores {
            overall: MetricValue { abstained, failed, ..value(0, 15_402) },
            conditions: each(&pairs, value),
            windows: (0..62).map(|week| value(100 + week, 190 + week * 37 % 120)).collect(),
            conditions_by_window: by_window(&pairs, 58..62, 62, value),
            scopes_by_window: Vec::new(),
            remark: None,
        };
        ModelReport {
            plugin: plugin(name),
            training_period: None,
            form: AnswerForm::Label,
            answered: 15_402 - abstained - failed,
            abstained,
            failed,
            blinded: 0,
            latency: latency_summary(15_402, latency),
            latency_quantiles: latency_quantiles(latency),
            answer_distributions: answer_distributions(AnswerForm::Label, &[2, 7, 6], 62),
            reliability: reliability(),
            determinism_check: DeterminismSummary { checked: 154, ..DeterminismSummary::default() },
            scores: vec![
                MetricScores {
                    scopes_by_window: vec![window_values(58..62, |week| {
                        matching((share(500 + week) * 183.0) as u64, 183)
                    })],
                    ..scores(&|salt, pairs| matching((share(salt) * pairs as f64) as u64, pairs))
                },
                scores(&|salt, pairs| {
                    metric_value((pairs > 0).then(|| kappa(salt)), pairs, vec![pairs as f64, 0.5])
                }),
            ],
        }
    };
    let account = Account { received: 15_402, paired: 15_402, ..Account::default() };
    Report {
        accounting: Accounting { snapshots: account, decisions: account },
        input_diagnosis: None,
        comparison: PairCounts { compared: 15_402, incomparable: 0 },
        revisions: None,
        ceiling: Some(ceiling()),
        models: vec![model("booked-room", 0.79, 0, 0, 1_920), model("room-rules", 0.61, 120, 3, 2_410)],
        metrics: vec![
            metric("agreement", true, Better::Higher, Some(0.0), &["agrees"]),
            metric("kappa", false, Better::Higher, Some(-1.0), &["agrees", "model-a"]),
        ],
        conditions: conditions.map(condition).to_vec(),
        windows: weeks(62),
        window_breakdown: WindowBreakdown {
            first_window: 58,
            min_pairs: 30,
            threshold_metric: Some("agreement".into()),
            scopes: vec![ScopeInfo {
                name: "weekday".into(),
                values: vec![SubgroupTerm { condition: "day".into(), value: "weekday".into() }],
            }],
        },
        replay_of: None,
        substrate_latency: SubstrateLatencySummary {
            latency: LatencySummary {
                max: 171_000_000_000_000,
                ..latency_summary(15_402, 7_200_000_000_000)
            },
            dated_before_snapshot: 0,
        },
        substrate_latency_quantiles: latency_quantiles(7_200_000_000_000),
        divergence: divergence("agreement", &["day", "segment", "lead-time"], &["booked-room", "room-rules"]),
        ..empty()
    }
}

/// One model on numbers, two metrics without a maximum, two conditions, nine weeks with a gap.
pub(crate) fn rates() -> Report {
    let pairs: [&[u64]; 2] = [&[702, 298], &[61, 0, 939]];
    let mean = |salt: u64| 23.4 + wave(salt, 6.0);
    let scores = |scale: f64| {
        let value = |salt: u64, pairs: u64| {
            metric_value(
                (pairs > 0).then(|| mean(salt) * scale),
                pairs,
                vec![mean(salt) * scale * pairs as f64],
            )
        };
        MetricScores {
            overall: MetricValue { unscored: 12, ..value(0, 1_000) },
            conditions: each(&pairs, &value),
            windows: (0..9)
                .map(|week| if week == 4 { metric_value(None, 2, vec![0.0]) } else { value(week, 111) })
                .collect(),
            conditions_by_window: by_window(&pairs, 0..9, 9, &value),
            scopes_by_window: Vec::new(),
            remark: Some("no case is longer than k = 9, so this is 0 by construction".into()),
        }
    };
    let account = Account { received: 1_007, rejected: 3, paired: 1_004, ..Account::default() };
    let mut windows = weeks(11);
    windows.drain(5..7);
    Report {
        study: "hotel-rates".into(),
        accounting: Accounting { snapshots: account, decisions: account },
        input_diagnosis: None,
        comparison: PairCounts { compared: 1_000, incomparable: 4 },
        revisions: None,
        ceiling: None,
        models: vec![ModelReport {
            plugin: plugin("historical-rate"),
            training_period: None,
            form: AnswerForm::Number,
            answered: 1_004,
            abstained: 0,
            failed: 0,
            blinded: 0,
            latency: latency_summary(1_004, 640),
            determinism_check: DeterminismSummary::default(),
            scores: vec![scores(1.0), scores(7.25)],
            latency_quantiles: latency_quantiles(640),
            answer_distributions: answer_distributions(AnswerForm::Number, &[2, 3], 9),
            reliability: Vec::new(),
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
        substrate_latency: SubstrateLatencySummary {
            latency: latency_summary(1_001, 95_000_000_000),
            dated_before_snapshot: 3,
        },
        substrate_latency_quantiles: latency_quantiles(95_000_000_000),
        divergence: divergence("mean-absolute-error", &["day", "segment"], &["historical-rate"]),
        ..empty()
    }
}

/// A run whose source failed, with plugin failures and excluded records.
pub(crate) fn troubled() -> Report {
    let failure = |plugin: &str, message: &str, count, (first, first_id): (u64, &str)| PluginFailure {
        plugin: plugin.into(),
        message: message.into(),
        example: message.contains('…').then(|| message.replace('…', "30 °C; reboot")),
        count,
        first_id: first_id.into(),
        first_sequence: Some(first),
    };
    let missing = |plugin: &str, kind, reason: Option<&str>, count, first_id: &str, example: Option<&str>| {
        MissingAnswers {
            plugin: plugin.into(),
            kind,
            reason: reason.map(str::to_owned),
            count,
            first_id: first_id.into(),
            example: example.map(str::to_owned),
        }
    };
    let missing_values = |stream: &str, field: &str, missing| MissingValues {
        stream: stream.into(),
        field: field.into(),
        missing,
        records: 15_402,
    };
    let excluded = |stream: &str, line, reason: &str, detail: &str| ExcludedExample {
        stream: stream.into(),
        line,
        position: "line".into(),
        reason: reason.into(),
        detail: detail.into(),
    };
    let conflict = |line| {
        excluded("decisions", line, "conflict", "id `b-1893` came before with other content, on line 17")
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
    hotel.substrate_latency.latency.count += 10;
    Report {
        metadata: Metadata {
            owners: vec!["hotel team".into(), "ann".into()],
            protocol: Some("https://wiki.example.org/rooms?page=7#metric".into()),
            notes: Some("agreed before the season\nwith the reception".into()),
        },
        follow_up: Some(FollowUp {
            run: "1a".repeat(32),
            seal: "2b".repeat(32),
            verdict: "3c".repeat(32),
            scope: "weekend".into(),
        }),
        end: RunEnd::SourceFailed(vec![
            "decisions: `hotel-assignments.jsonl.gz` ends within a gzip member".into(),
        ]),
        accounting: Accounting { snapshots, decisions },
        input_diagnosis: None,
        comparison: PairCounts { compared: 15_402, incomparable: 10 },
        revisions: None,
        ceiling: None,
        missing_answers: vec![
            missing("recorded", MissingKind::Abstained, Some("the decision has no `room`"), 2, "b-88", None),
            missing(
                "recorded",
                MissingKind::Failed,
                Some("the ranking repeats `…`"),
                7,
                "b-9001",
                Some("the ranking repeats `i\u{a0}0`"),
            ),
            missing("recorded", MissingKind::Failed, None, 1, "", None),
            missing("room-rules", MissingKind::Abstained, Some(""), 120, "b-2 ", None),
        ],
        failures: vec![
            failure("room-rules", bounds, 1_204, (482, "b-482")),
            failure(
                "recorded",
                "`decide` answered nothing: the decision names no room",
                10,
                (9_001, "b-9001"),
            ),
            failure("kappa", "`score` said: the label `…` is not in `labels`", 9, (17, "b-17")),
            failure("room-rules", "`decide` used up its fuel", 3, (77, "b-77")),
            failure("booked-room", "`decide` answered the label 12, but gave 9 names", 2, (5, "b-3")),
            failure("booked-room", "`decide` took longer than 1s", 1, (3, "b-5")),
        ],
        excluded: vec![
            excluded("snapshots", 12, "rejected", "not a JSON object: expected `,` or `}` at column 40"),
            excluded("snapshots", 4_017, "rejected", "`adults` is \"two\", but an integer was declared"),
            excluded("snapshots", 9_313, "late", "observed at 2016-07-01T00:00:00Z, 3 d behind the latest"),
            conflict(18),
            conflict(19),
            conflict(20),
            conflict(21),
            excluded("decisions", 40, "duplicate", "id `b-40` came before, the same to the byte, on line 39"),
        ],
        missing_values: vec![
            missing_values("snapshots", "agent", 412),
            missing_values("snapshots", "deposit\u{a0}type", 15_402),
        ],
        ..hotel
    }
}

/// A run without records.
pub(crate) fn empty() -> Report {
    let started_at: Timestamp = "2026-11-23T06:49:55Z".parse().unwrap();
    Report {
        format: FORMAT,
        study: "hotel-rooms".into(),
        metadata: Metadata::default(),
        follow_up: None,
        declaration_digest: digest(),
        time_zone: "UTC".into(),
        started_at,
        ended_at: started_at + SignedDuration::from_millis(8_214),
        end: RunEnd::Finished,
        accounting: Accounting::default(),
        input_diagnosis: None,
        comparison: PairCounts::default(),
        revisions: None,
        ceiling: None,
        models: vec![ModelReport {
            plugin: plugin("booked-room"),
            training_period: None,
            form: AnswerForm::Label,
            answered: 0,
            abstained: 0,
            failed: 0,
            blinded: 0,
            latency: LatencySummary::default(),
            determinism_check: DeterminismSummary::default(),
            scores: vec![MetricScores {
                overall: metric_value(None, 0, vec![0.0]),
                conditions: vec![vec![metric_value(None, 0, vec![0.0]); 2]],
                windows: vec![],
                conditions_by_window: vec![vec![Vec::new(); 2]],
                scopes_by_window: vec![],
                remark: None,
            }],
            latency_quantiles: vec![],
            answer_distributions: answer_distributions(AnswerForm::Label, &[2], 0),
            reliability: Vec::new(),
        }],
        comparator: plugin("recorded"),
        metrics: vec![metric("agreement", true, Better::Higher, Some(0.0), &["agrees"])],
        conditions: vec![condition(("day", &["weekday", "weekend"]))],
        windows: vec![],
        window_breakdown: WindowBreakdown { min_pairs: 30, ..WindowBreakdown::default() },
        replay_of: None,
        substrate_latency: SubstrateLatencySummary::default(),
        substrate_latency_quantiles: vec![],
        divergence: divergence("agreement", &["day"], &[]),
        missing_answers: vec![],
        failures: vec![],
        excluded: vec![],
        missing_values: vec![],
    }
}

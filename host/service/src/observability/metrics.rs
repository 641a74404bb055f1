//! `GET /metrics`: what is counted, in the text format of OpenMetrics 1.0, which Prometheus reads:
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
//!
//! Names and units follow <https://prometheus.io/docs/practices/naming/>: base units, the unit in the name, `_total` for what
//! only grows.
//!
//! Always holds: a label has as many values as the study has plugins and the server has endpoints, whatever is sent; no label
//! and no value tells of a single record.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::app::state::Served;
use crate::http::response::content;
use crate::observability::status::{Phase, Status};
use understudy_engine::RunStatus;
use understudy_records::pairing::Account;

/// The media type of the format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Upper bounds of the buckets of times, in seconds: from a tenth of a millisecond, which a request without a sync takes, to the
/// ten seconds that one may take.
const SECONDS: [f64; 12] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

type Labels = Vec<(&'static str, String)>;
type Real = Gauge<f64, AtomicU64>;

/// What the server counts of its own requests.
#[derive(Clone)]
pub struct Metrics {
    requests: Family<Labels, Counter>,
    durations: Family<Labels, Histogram>,
    waits: Histogram,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        Metrics {
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            waits: histogram(),
        }
    }
}

impl Metrics {
    /// A request was answered. `path` is the pattern of the endpoint, not what was asked for.
    pub fn answered(&self, method: &'static str, path: &str, status: u16, took: Duration) {
        let mut labels = vec![("path", path.to_owned()), ("method", method.to_owned())];
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
        labels.push(("status", status.to_string()));
        self.requests.get_or_create(&labels).inc();
    }

    /// Deliveries have waited so long until the log had them.
    pub fn waited(&self, time: Duration) {
        self.waits.observe(time.as_secs_f64());
    }

    fn register(&self, registry: &mut Registry) {
        registry.register(
            "understudy_http_requests",
            "Requests that were answered, by the pattern of their path",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "understudy_http_request_duration",
            "From the head of a request to the head of its answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register_with_unit(
            "understudy_log_wait",
            "How long deliveries waited until the log had them on disk",
            Unit::Seconds,
            self.waits.clone(),
        );
    }
}

/// `GET /metrics`.
pub async fn metrics(state: State<Arc<Served>>) -> Response<Body> {
    let status = Status::of(&state.0).await;
    let mut registry = Registry::default();
    state.0.metrics.register(&mut registry);
    stands(&mut registry, &status);
    let mut text = String::new();
    encode(&mut text, &registry).expect("a text takes what is written to it");
    content(StatusCode::OK, OPEN_METRICS, text)
}

/// What is known of the run and the process.
fn stands(registry: &mut Registry, status: &Status) {
    let info = [("version", status.version.clone()), ("study", status.study.clone())];
    registry.register("understudy_build", "What serves which study", Info::new(info.to_vec()));
    let ready = [("understudy_ready", "Whether records are taken", Phase::Serving)];
    let draining = [("understudy_draining", "Whether the run is ending", Phase::Draining)];
    for (name, help, phase) in ready.into_iter().chain(draining) {
        gauge(registry, name, help, None, u64::from(status.phase == phase) as f64);
    }
    let queue = &status.queue;
    gauge(
        registry,
        "understudy_queue_deliveries",
        "Deliveries that wait for the log",
        None,
        queue.deliveries as f64,
    );
    let oldest = "How long the oldest delivery has waited for the log";
    gauge(registry, "understudy_queue_oldest", oldest, Some(Unit::Seconds), queue.oldest_seconds);
    let room = "Room for the bodies of requests that is free";
    gauge(registry, "understudy_room_free", room, Some(Unit::Bytes), queue.room_free_bytes as f64);
    let room = "Room for the bodies of requests";
    gauge(registry, "understudy_room", room, Some(Unit::Bytes), queue.room_bytes as f64);
    if let Some(disk) = status.disk {
        let free = "Free on the disk that the run is written to";
        gauge(registry, "understudy_disk_free", free, Some(Unit::Bytes), disk.free_bytes as f64);
        let run = "Size of the files in the run directory";
        gauge(registry, "understudy_run_size", run, Some(Unit::Bytes), disk.run_bytes as f64);
    }
    if let Some(bytes) = status.resident_bytes {
        // The name that every client library has for it.
        gauge(registry, "process_resident_memory", "Resident memory size", Some(Unit::Bytes), bytes as f64);
    }
    if let Some(standing) = &status.standing {
        run(registry, standing, &status.models);
        plugins(registry, standing);
    }
}

/// What the run counts of its records and answers.
fn run(registry: &mut Registry, standing: &RunStatus, models: &[String]) {
    let (received, fates) = (Family::<Labels, Counter>::default(), Family::<Labels, Counter>::default());
    let (waiting, clocks) = (Family::<Labels, Gauge>::default(), Family::<Labels, Real>::default());
    let accounts = [&standing.accounting.snapshots, &standing.accounting.decisions];
    for ((stream, account), clock) in
        ["snapshots", "decisions"].into_iter().zip(accounts).zip(standing.clocks)
    {
        let stream = vec![("stream", stream.to_owned())];
        received.get_or_create(&stream).inc_by(account.received);
        waiting.get_or_create(&stream).set(whole(account.waiting));
        let Account { rejected, duplicate, conflict, late, paired, expired, .. } = *account;
        let settled = [
            ("rejected", rejected),
            ("duplicate", duplicate),
            ("conflict", conflict),
            ("late", late),
            ("paired", paired),
            ("expired", expired),
        ];
        for (fate, count) in settled {
            let labels = [stream.as_slice(), &[("fate", fate.to_owned())]].concat();
            fates.get_or_create(&labels).inc_by(count);
        }
        if let Some(clock) = clock {
            clocks.get_or_create(&stream).set(clock.as_microsecond() as f64 / 1e6);
        }
    }
    registry.register("understudy_records_received", "Records that the log was given", received);
    let help = "Records whose fate is settled, by that; with those that wait they are the received ones";
    registry.register("understudy_records", help, fates);
    let help = "Records that may still meet their partner";
    registry.register("understudy_records_waiting", help, waiting);
    let help = "The latest time among the accepted records of a stream, in seconds since 1970";
    registry.register_with_unit("understudy_stream_clock", help, Unit::Seconds, clocks);

    let (answers, latency) = (Family::<Labels, Counter>::default(), Family::<Labels, Real>::default());
    for (model, counts) in models.iter().zip(&standing.models) {
        let own = vec![("model", model.clone())];
        let outcomes = [
            ("answered", counts.answered),
            ("abstained", counts.abstained),
            ("failed", counts.failed),
            ("blinded", counts.blinded),
        ];
        for (outcome, count) in outcomes {
            let labels = [own.as_slice(), &[("outcome", outcome.to_owned())]].concat();
            answers.get_or_create(&labels).inc_by(count);
        }
        let times = &counts.latency;
        for (quantile, nanos) in
            [("0.5", times.p50), ("0.9", times.p90), ("0.99", times.p99), ("1", times.max)]
        {
            if times.count > 0 {
                let labels = [own.as_slice(), &[("quantile", quantile.to_owned())]].concat();
                latency.get_or_create(&labels).set(nanos as f64 / 1e9);
            }
        }
    }
    let help = "Snapshots by what a model did with them; blinded ones were not asked about before their decision had come";
    registry.register("understudy_model_answers", help, answers);
    let help = "Time until the batch of a snapshot was answered, over the whole run, by quantile";
    registry.register_with_unit("understudy_model_latency", help, Unit::Seconds, latency);
    counter(registry, "understudy_incidents", "How often models have broken", standing.incidents);
    let help = "Groups of segments that are sealed or being sealed";
    counter(registry, "understudy_segment_groups", help, u64::from(standing.groups));
    let help = "Batches of snapshots that are being answered";
    gauge(registry, "understudy_batches_in_flight", help, None, standing.in_flight as f64);
    let help = "The generation of plugins in force: how many swaps there were";
    gauge(registry, "understudy_generation", help, None, f64::from(standing.generation));
}

/// What the plugins use.
fn plugins(registry: &mut Registry, standing: &RunStatus) {
    let [calls, fuel, traps] = std::array::from_fn(|_| Family::<Labels, Counter>::default());
    let [memory, generation] = std::array::from_fn(|_| Family::<Labels, Gauge>::default());
    for plugin in &standing.plugins {
        let labels = vec![("plugin", plugin.name.clone()), ("role", plugin.role.clone())];
        calls.get_or_create(&labels).inc_by(plugin.usage.calls);
        fuel.get_or_create(&labels).inc_by(plugin.usage.fuel);
        traps.get_or_create(&labels).inc_by(plugin.usage.traps);
        memory.get_or_create(&labels).set(whole(plugin.usage.memory_bytes));
        generation.get_or_create(&labels).set(i64::from(plugin.generation));
    }
    registry.register("understudy_plugin_calls", "Calls of a plugin", calls);
    registry.register(
        "understudy_plugin_fuel",
        "Fuel that a plugin has used, about one a Wasm instruction",
        fuel,
    );
    registry.register("understudy_plugin_traps", "Calls that ended an instance of a plugin", traps);
    let help = "The most linear memory that an instance of a plugin has had";
    registry.register_with_unit("understudy_plugin_memory", help, Unit::Bytes, memory);
    registry.register("understudy_plugin_generation", "The generation with which a plugin came", generation);
}

/// A count as a gauge has it.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn gauge(registry: &mut Registry, name: &str, help: &str, unit: Option<Unit>, value: f64) {
    let gauge = Real::default();
    gauge.set(value);
    match unit {
        Some(unit) => registry.register_with_unit(name, help, unit, gauge),
        None => registry.register(name, help, gauge),
    }
}

fn counter(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let counter: Counter = Counter::default();
    counter.inc_by(value);
    registry.register(name, help, counter);
}

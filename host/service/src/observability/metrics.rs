//! `GET /metrics`: metrics for Prometheus and other scrapers.
//!
//! Names and units follow <https://prometheus.io/docs/practices/naming/>: base units, the unit as a suffix,
//! `_total` for counters.
//!
//! Invariants:
//! - The number of label values depends on the study's plugins and the server's endpoints, never on requests.
//! - No label and no value describes a single record. See `status` for the values that depend on answers.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::VARY;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::app::delivery_queue::DeliveryQueue;
use crate::http::response::content;
use crate::observability::metrics_format::MetricsFormat;
use crate::observability::status::{Phase, Status, StatusSources};
use crate::util::request_duration_histogram::request_duration_histogram;
use understudy_engine::RunStatus;
use understudy_records::join::AccountTerm;
use understudy_sandbox::USAGE_BLOCK_ROWS;

type MetricLabels = Vec<(&'static str, String)>;
type Real = Gauge<f64, AtomicU64>;

/// When a value changes that depends on answers. Followed by what is counted.
const BLOCKS: &str = "changes once it covers at least 1,000 more";
const _: () = assert!(USAGE_BLOCK_ROWS == 1000, "the help texts have the number");

/// Counters and durations of requests.
#[derive(Clone)]
pub struct RequestMetrics {
    requests: Family<MetricLabels, Counter>,
    durations: Family<MetricLabels, Histogram>,
}

impl Default for RequestMetrics {
    fn default() -> RequestMetrics {
        RequestMetrics {
            requests: Family::default(),
            durations: Family::new_with_constructor(request_duration_histogram),
        }
    }
}

impl RequestMetrics {
    /// Records a completed request. `path` is the pattern of the endpoint, not the requested path.
    pub fn record(&self, method: &'static str, path: &str, status: u16, took: Duration) {
        let mut labels = vec![("path", path.to_owned()), ("method", method.to_owned())];
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
        labels.push(("status", status.to_string()));
        self.requests.get_or_create(&labels).inc();
    }

    fn register(&self, registry: &mut Registry, deliveries: &DeliveryQueue) {
        registry.register("understudy_http_requests", "Completed requests", self.requests.clone());
        registry.register_with_unit(
            "understudy_http_request_duration",
            "Time from the head of a request to the head of its response",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register_with_unit(
            "understudy_log_wait",
            "Time until the records of a delivery were on disk",
            Unit::Seconds,
            deliveries.wait_seconds.clone(),
        );
    }
}

/// `GET /metrics`.
pub async fn metrics(
    State(sources): State<StatusSources>,
    State(requests): State<Arc<RequestMetrics>>,
    headers: HeaderMap,
) -> Response<Body> {
    let status = Status::collect(&sources).await;
    let mut registry = Registry::default();
    requests.register(&mut registry, &sources.deliveries);
    register_status(&mut registry, &status);
    let format = MetricsFormat::from_headers(&headers);
    let mut response = content(StatusCode::OK, format.content_type(), format.encode(&registry));
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    response
}

/// Registers the metrics of the run and of the process.
fn register_status(registry: &mut Registry, status: &Status) {
    let info = [("version", status.version.clone()), ("study", status.study.clone())];
    registry.register("understudy_build", "Program version and study name", Info::new(info.to_vec()));
    let ready = [("understudy_ready", "1 while records are accepted, otherwise 0", Phase::Serving)];
    let draining = [("understudy_draining", "1 while the run is ending, otherwise 0", Phase::Draining)];
    for (name, help, phase) in ready.into_iter().chain(draining) {
        gauge(registry, name, help, None, u64::from(status.phase == phase) as f64);
    }
    let queue = &status.queue;
    gauge(
        registry,
        "understudy_queue_deliveries",
        "Deliveries that are not on disk yet",
        None,
        queue.deliveries as f64,
    );
    let oldest = "Age of the oldest delivery that is not on disk yet";
    gauge(registry, "understudy_queue_oldest", oldest, Some(Unit::Seconds), queue.oldest_seconds);
    let free = "Free memory for request bodies";
    let free_bytes = queue.body_memory_free_bytes as f64;
    gauge(registry, "understudy_body_memory_free", free, Some(Unit::Bytes), free_bytes);
    let total = "Total memory for request bodies";
    gauge(registry, "understudy_body_memory", total, Some(Unit::Bytes), queue.body_memory_bytes as f64);
    if let Some(disk) = status.disk {
        let free = "Free space on the disk of the run directory, rounded down to 64 MiB";
        gauge(registry, "understudy_disk_free", free, Some(Unit::Bytes), disk.free_bytes as f64);
        let run = format!("Total size of the files in the run directory; {BLOCKS} snapshots");
        if let Some(bytes) = disk.run_bytes {
            gauge(registry, "understudy_run_size", &run, Some(Unit::Bytes), bytes as f64);
        }
    }
    if let Some(bytes) = status.resident_bytes {
        // The name that Prometheus client libraries use.
        let help = "Resident memory size, rounded up to 16 MiB";
        gauge(registry, "process_resident_memory", help, Some(Unit::Bytes), bytes as f64);
    }
    if let Some(run) = &status.run_status {
        register_run(registry, run, &status.models);
        register_plugins(registry, run);
    }
}

/// Registers the metrics of records and model answers.
fn register_run(registry: &mut Registry, run: &RunStatus, models: &[String]) {
    let (received, outcomes) =
        (Family::<MetricLabels, Counter>::default(), Family::<MetricLabels, Counter>::default());
    let (waiting, clocks) =
        (Family::<MetricLabels, Gauge>::default(), Family::<MetricLabels, Real>::default());
    let accounts = [&run.accounting.snapshots, &run.accounting.decisions];
    for ((stream, account), clock) in
        ["snapshots", "decisions"].into_iter().zip(accounts).zip(run.clocks.into_array())
    {
        let stream = vec![("stream", stream.to_owned())];
        received.get_or_create(&stream).inc_by(account.received);
        waiting.get_or_create(&stream).set(gauge_value(account.waiting));
        let final_terms = account.terms().into_iter().filter(|(term, _)| *term != AccountTerm::Waiting);
        for (outcome, count) in final_terms {
            let labels = [stream.as_slice(), &[("outcome", outcome.name().to_owned())]].concat();
            outcomes.get_or_create(&labels).inc_by(count);
        }
        if let Some(clock) = clock {
            clocks.get_or_create(&stream).set(clock.as_microsecond() as f64 / 1e6);
        }
    }
    registry.register("understudy_records_received", "Records that were received", received);
    let help = "Records by final outcome; the sum, plus the waiting records, equals the received records";
    registry.register("understudy_records", help, outcomes);
    let help = "Records that may still be paired";
    registry.register("understudy_records_waiting", help, waiting);
    let help = "Latest event time among the accepted records of a stream, in seconds since 1970";
    registry.register_with_unit("understudy_stream_clock", help, Unit::Seconds, clocks);

    let (answers, latency) =
        (Family::<MetricLabels, Counter>::default(), Family::<MetricLabels, Real>::default());
    for (model, counts) in models.iter().zip(&run.models) {
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
        for (statistic, nanos) in
            [("p50", times.p50), ("p90", times.p90), ("p99", times.p99), ("max", times.max)]
        {
            if times.count > 0 {
                let labels = [own.as_slice(), &[("statistic", statistic.to_owned())]].concat();
                latency.get_or_create(&labels).set(nanos as f64 / 1e9);
            }
        }
    }
    let help =
        "Snapshots by outcome of a model; blinded ones are evaluated only after their decision has arrived";
    registry.register("understudy_model_answers", help, answers);
    let help = format!(
        "Time from a snapshot batch's dispatch to the model's answers, over the whole run, by percentile and maximum; {BLOCKS} \
         answers"
    );
    registry.register_with_unit("understudy_model_latency", help, Unit::Seconds, latency);
    counter(registry, "understudy_model_failures", "Failed model calls", run.failures);
    let help = "Segment groups that are sealed or being sealed";
    counter(registry, "understudy_segment_groups", help, u64::from(run.groups));
    let help = "Snapshot batches that models are evaluating";
    gauge(registry, "understudy_batches_in_flight", help, None, run.in_flight as f64);
    let help = "Current generation of plugins, which is the number of swaps";
    gauge(registry, "understudy_generation", help, None, f64::from(run.generation));
}

/// Registers the resource usage of the plugins.
fn register_plugins(registry: &mut Registry, run: &RunStatus) {
    let [rows, calls, fuel, traps] = std::array::from_fn(|_| Family::<MetricLabels, Counter>::default());
    let [memory, generation] = std::array::from_fn(|_| Family::<MetricLabels, Gauge>::default());
    for plugin in &run.plugins {
        let labels = vec![("plugin", plugin.name.clone()), ("role", plugin.role.clone())];
        rows.get_or_create(&labels).inc_by(plugin.usage.rows);
        calls.get_or_create(&labels).inc_by(plugin.usage.calls);
        fuel.get_or_create(&labels).inc_by(plugin.usage.fuel);
        traps.get_or_create(&labels).inc_by(plugin.usage.traps);
        memory.get_or_create(&labels).set(gauge_value(plugin.usage.memory_bytes));
        generation.get_or_create(&labels).set(i64::from(plugin.generation));
    }
    let help = format!("Rows that calls, fuel and memory of a plugin cover; {BLOCKS} rows");
    registry.register("understudy_plugin_rows", help, rows);
    registry.register("understudy_plugin_calls", format!("Plugin calls; {BLOCKS} rows"), calls);
    let help = format!("Fuel that a plugin has used, about 1 per Wasm instruction; {BLOCKS} rows");
    registry.register("understudy_plugin_fuel", help, fuel);
    registry.register(
        "understudy_plugin_traps",
        "Plugin calls that trapped and so ended the instance",
        traps,
    );
    let help = format!("Peak linear memory of a plugin instance; {BLOCKS} rows");
    registry.register_with_unit("understudy_plugin_memory", help, Unit::Bytes, memory);
    registry.register(
        "understudy_plugin_generation",
        "Generation in which a plugin was swapped in; 0 if it was sealed",
        generation,
    );
}

/// A count as the value of an integer gauge.
fn gauge_value(count: u64) -> i64 {
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

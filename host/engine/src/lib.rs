//! The engine of a run: it takes records from their sources, runs the models, joins and evaluates pairs, and
//! recovers a run from its log.
//!
//! ```text
//! snapshots  ingest -> number, deduplicate -> inference -> log
//!                                |                          |
//!                              join -------------------- evaluation -> aggregates -> report
//!                                |
//! decisions  ingest -> number, deduplicate -> log
//! ```
//!
//! Two threads read and decode, `limits.workers` threads run models, one evaluates, two write; the thread
//! that calls [`run`] coordinates.
//!
//! The modules form a list in which each imports only modules before it: plugins, seal, batches, stats,
//! log_schema, ingest, inference, join, evaluation, recovery, control, hot_swap, pipeline.
//!
//! Invariants:
//! - An accepted snapshot is answered and logged before any of its pairs is evaluated. A blinded snapshot is
//!   logged then, and answered with its pair.
//! - All queues are bounded.
//! - No statistic depends on batch sizes, the number of workers or the interleaving of the streams.

pub mod batches;
pub mod control;
pub mod evaluation;
pub mod hot_swap;
pub mod inference;
pub mod ingest;
pub mod join;
pub mod log_schema;
pub mod pipeline;
pub mod plugins;
pub mod recovery;
pub mod seal;
pub mod stats;

pub use crate::batches::acks::{DeliveryReceipt, RowExclusion};
pub use crate::batches::evaluated_pairs::EvaluatedPairs;
pub use crate::batches::pair_batch::PairBatch;
pub use crate::control::messages::RunCommand;
pub use crate::control::published_absent_fields::AbsentField;
pub use crate::control::status::{PluginStatus, RunStatus};
pub use crate::evaluation::divergence_stats::{keyed_id_hash, profile_index};
pub use crate::evaluation::projection::buffered_fields;
pub use understudy_sandbox::ModelFiles;

pub use crate::hot_swap::request::{Replacement, SwapError, SwapRequest, SwapResult};
pub use crate::hot_swap::swapper::HotSwapper;
pub use crate::ingest::push_intake::{DeliveryError, IntakeHandle};
pub use crate::ingest::shed_counter::ShedCounter;
pub use crate::ingest::stream_interleaving::ReadOrder;
pub use crate::log_schema::pair_table::{BLINDED, OUTCOME, PairTableBuilder, SCORED};
pub use crate::log_schema::schema::schemas;
pub use crate::pipeline::run_execution::{EndedRun, run};
pub use crate::pipeline::run_handle::{OnReady, RunHandle};
pub use crate::pipeline::run_options::{ReplayedRun, RunMode, RunOptions};
pub use crate::plugins::blinding::{BlindingRule, blinding_mask};
pub use crate::plugins::compile_cache_folder::CompileCache;
pub use crate::plugins::embedded_components::{
    ComponentError, component_named, names_trained_model, stock_component, stock_names,
};
pub use crate::plugins::inspection::{InspectedPlugin, inspect_plugin, load_within_default_limits};
pub use crate::plugins::load::{LoadStudyError, LoadedStudy, load_study};
pub use crate::plugins::loaded_plugin::LoadedPlugin;
pub use crate::plugins::plugin_versions::PluginVersions;
pub use crate::plugins::ranking_order::ranking_order_remark;
pub use crate::plugins::stored_files::{PluginOverrides, StoredPlugin, asset_file_name, plugin_file_name};
pub use crate::plugins::study_fields::conditions;
pub use crate::plugins::trained_model::{
    ImportFileError, import_model, is_importer_cached, load_lowered_model, read_model_files,
};
pub use crate::recovery::recomputation::{Recomputed, recompute, recompute_ids};
pub use crate::recovery::run_loader::load_run_study;
pub use crate::seal::manifest::{SEAL, Seal, SealedPlugin};
pub use crate::seal::registration::study_register;
pub use crate::seal::seal_error::{SealError, seal_path};
pub use crate::seal::seal_file::{create_or_verify, load_and_verify};
pub use crate::seal::sealed_study::SealedStudy;
pub use crate::seal::study_identity::check_registered;
pub use crate::stats::aggregates::Aggregates;
pub use crate::stats::checkpoint::{Checkpoint, EndState};
pub use crate::stats::determinism::DeterminismStats;
pub use crate::stats::interim_schedule::{InterimCallback, InterimSnapshot, NotReady};
pub use crate::stats::latency::{LatencyHistogram, LatencyPercentiles};
pub use crate::stats::run_result::{
    EndReason, FailureGroup, ListedExclusion, ModelCounts, RunResult, SubstrateLatency, UnansweredGroup,
    UnansweredKind,
};

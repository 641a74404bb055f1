//! Runs the models on snapshots in a worker pool.

pub mod determinism_check;
pub mod work_queues;
pub mod worker_pool;

//! The host of understudy: runs decision models in shadow.
//!
//! The rooms of the house, from the floor up; a room uses only those before it. See ARCHITECTURE.md.

pub mod study;

pub mod batch;

pub mod sandbox;
pub mod source;

pub mod runlog;

pub mod pairing;
pub mod scoring;

pub mod divergence;

pub mod verdict;

pub mod run;

pub mod report;

pub mod audit;

pub mod service;

pub mod cli;

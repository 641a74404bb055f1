//! Endpoints for operators and auditors: swaps, the end of the run, cases and reviews.

pub mod cases_and_review;
mod json_body;
pub mod swap_and_end;
pub mod verdict_gate;

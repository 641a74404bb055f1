//! Plugins are swapped during a run: no record is lost, none is answered twice, and every row has its
//! generation.

mod continuity;
mod fixture;
mod requests;
mod trained_models;

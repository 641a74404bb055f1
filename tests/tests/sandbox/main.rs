//! The sandbox, called as the host calls it, against plugins that are hostile, clumsy or no plugins at all.
//!
//! Always holds: nothing here waits for a clock to prove something; where a limit of time is needed, every other limit is
//! out of reach.

mod deeds;
mod fixture;

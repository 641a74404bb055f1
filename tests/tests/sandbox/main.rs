//! The sandbox, called as the host calls it, against plugins that are hostile, clumsy or no plugins at all.
//!
//! Always holds: nothing here waits for a clock to prove something; where a limit of time is tested, every other limit is
//! out of reach.

mod cache;
mod cuts;
mod deeds;
mod fixture;
mod grants;
mod handmade;
mod hostile;
mod limits;
mod load;
mod metrics;

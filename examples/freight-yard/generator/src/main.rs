//! Writes the feed of `examples/freight-yard/study.toml`: calls to `snapshots.jsonl`, and a dispatcher's bays
//! to `decisions.jsonl`.
//!
//! **The feed is synthetic.** The yard does not exist. `quotas.rs` defines how often the dispatcher chooses
//! the bay of the allocator, which runs natively here.
//!
//! Invariants:
//! - The output is a pure function of the seed.

mod calls;
mod dispatcher;
mod quotas;

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;

use calls::{Call, Numbers};
use quotas::QUOTAS;

const USAGE: &str = "\
freight-yard FOLDER [SEED]

  writes snapshots.jsonl and decisions.jsonl, a synthetic feed of three weeks, into FOLDER, which is created if missing;
  SEED is a whole number [default: 2026]";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, seed) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [folder] if !folder.starts_with('-') => (Path::new(folder), 2026),
        [folder, seed] => {
            let seed = seed.parse().with_context(|| format!("invalid seed `{seed}`\n\n{USAGE}"))?;
            (Path::new(folder), seed)
        }
        _ => bail!("{USAGE}"),
    };
    let feed = Feed::new(seed)?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for (name, lines) in [("snapshots.jsonl", feed.snapshots), ("decisions.jsonl", feed.decisions)] {
        let path = folder.join(name);
        std::fs::write(&path, lines).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Both streams, each sorted by time.
#[derive(PartialEq)]
struct Feed {
    snapshots: String,
    decisions: String,
}

impl Feed {
    fn new(seed: u64) -> anyhow::Result<Feed> {
        let mut numbers = Numbers(seed);
        let mut decided = Vec::new();
        for quota in &QUOTAS {
            let calls = (0..quota.calls).map(|_| Call::draw(&mut numbers, quota)).collect();
            decided.extend(dispatcher::decide(&mut numbers, quota, calls)?);
        }
        decided.sort_by_key(|(call, _)| call.called_at);
        for (number, (call, decision)) in (1..).zip(&mut decided) {
            call.id = format!("call-{number:04}");
            decision.id.clone_from(&call.id);
        }
        let snapshots = lines(decided.iter().map(|(call, _)| call))?;
        decided.sort_by_key(|(_, decision)| decision.decided_at);
        let decisions = lines(decided.iter().map(|(_, decision)| decision))?;
        Ok(Feed { snapshots, decisions })
    }
}

/// Writes one JSON object per line.
fn lines<T: Serialize>(records: impl Iterator<Item = T>) -> anyhow::Result<String> {
    let mut lines = String::new();
    for record in records {
        lines.push_str(&serde_json::to_string(&record)?);
        lines.push('\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_depends_only_on_its_seed() {
        let feed = |seed| Feed::new(seed).unwrap();
        assert!(feed(1) == feed(1));
        assert!(feed(1) != feed(2));
    }

    #[test]
    fn streams_are_sorted_and_every_call_has_one_decision() {
        let Feed { snapshots, decisions } = Feed::new(2026).unwrap();
        let column = |lines: &str, key: &str| -> Vec<String> {
            let value = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()[key].clone();
            lines.lines().map(|line| value(line).as_str().unwrap().to_owned()).collect()
        };
        assert!(column(&snapshots, "called_at").is_sorted());
        assert!(column(&decisions, "decided_at").is_sorted());
        let calls = column(&snapshots, "id");
        assert!(calls.is_sorted_by(|one, other| one < other));
        let mut decided = column(&decisions, "id");
        decided.sort_unstable();
        assert_eq!(calls, decided);
        assert_eq!(calls.len(), 3_016);
    }
}

//! All the tests, with what they need: the plugins, the program, and a Python that can read Parquet.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;

use crate::shell::{cargo, command};
use crate::{host, plugins};

/// Builds everything and runs every test. `rest` goes to the tests, to choose some.
pub fn test(root: &Path, rest: &[&str]) -> anyhow::Result<()> {
    host(root)?;
    plugins::build(root)?;
    let python = python(root)?;
    let mut tests = cargo(root)
        .args(["test", "--release", "--workspace", "--no-fail-fast", "--"])
        .args(rest)
        .env("UNDERSTUDY_PYTHON", python);
    let shown = tests.shown();
    let mut running =
        tests.0.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{shown}`"))?;
    let mut counts = [0u64; 3];
    for line in BufReader::new(running.stdout.take().context("the output was piped")?).lines() {
        let line = line?;
        println!("{line}");
        add(&mut counts, &line);
    }
    let status = running.wait()?;
    println!("\n{} passed, {} failed, {} skipped", counts[0], counts[1], counts[2]);
    anyhow::ensure!(status.success(), "`{shown}` ended with {status}");
    Ok(())
}

/// Adds the counts of a closing line of one test binary: passed, failed, ignored.
fn add(counts: &mut [u64; 3], line: &str) {
    if let Some(results) = line.strip_prefix("test result: ") {
        for (count, word) in counts.iter_mut().zip(["passed", "failed", "ignored"]) {
            let of = results.split([';', '.']).map(str::trim).find_map(|part| part.strip_suffix(word));
            *count += of.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0);
        }
    }
}

/// A virtual environment with the readers of Parquet that the tests ask, made once.
fn python(root: &Path) -> anyhow::Result<PathBuf> {
    let wanted = root.join("tests/requirements.txt");
    let venv = root.join("target/venv");
    let python = venv.join("bin/python");
    let stamp = venv.join("requirements.txt");
    let requirements = std::fs::read(&wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
    if std::fs::read(&stamp).is_ok_and(|installed| installed == requirements) {
        return Ok(python);
    }
    command("python3", root)
        .args(["-m", "venv"])
        .arg(&venv)
        .run()
        .context("the tests need python3 with venv")?;
    command(&python, root).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&wanted).run()?;
    std::fs::write(&stamp, requirements).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up() {
        let mut counts = [0; 3];
        add(
            &mut counts,
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.1s",
        );
        add(&mut counts, "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        add(&mut counts, "running 3 tests");
        assert_eq!(counts, [15, 2, 1]);
    }
}

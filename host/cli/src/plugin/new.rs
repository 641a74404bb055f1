//! `understudy plugin new`: the folder of a new plugin.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use super::super::Exit;
use super::super::output::print_err;
use understudy_plugin_kit::{Kind, NewProject, is_package_name};

/// Write the folder of a new plugin: source, tests and rows. It builds and passes its tests at once.
///
/// The plugin depends on the SDK by its path in a clone of understudy. Without --sdk the clone is looked for above the folder of
/// the plugin, then above the current folder, then above this program.
#[derive(clap::Args)]
pub(super) struct New {
    /// Name of the plugin: lower-case letters, digits and hyphens.
    name: String,
    /// Language of the plugin.
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    lang: Language,
    /// What the plugin is.
    #[arg(long, value_enum, default_value_t = KindArgument::Model)]
    kind: KindArgument,
    /// Folder of the plugin. [default: ./NAME]
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// A clone of understudy, or its folder guest-sdk.
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// Rust, with the SDK.
    Rust,
}

#[derive(Clone, Copy, ValueEnum)]
enum KindArgument {
    /// Answers rows.
    Model,
    /// Expresses the decision in the form of answers.
    Comparator,
    /// Scores answers.
    Metric,
}

impl New {
    pub fn execute(self) -> anyhow::Result<Exit> {
        let Language::Rust = self.lang;
        is_package_name(&self.name)?;
        let folder = self.output.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        let shown = folder.display();
        if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
            bail!("cannot write {shown}: it is there already; choose another folder with --output");
        }
        let sdk = self.find_sdk(&folder)?;
        let kind = match self.kind {
            KindArgument::Model => Kind::Model,
            KindArgument::Comparator => Kind::Comparator,
            KindArgument::Metric => Kind::Metric,
        };
        let path = sdk
            .to_str()
            .with_context(|| format!("the path {} is not UTF-8; move the clone", sdk.display()))?;
        for (name, text) in (NewProject { name: &self.name, kind, sdk: path }).files() {
            let file = folder.join(name);
            let cannot_write = || format!("cannot write {}", file.display());
            fs::create_dir_all(file.parent().expect("a file of a folder")).with_context(cannot_write)?;
            fs::write(&file, text).with_context(cannot_write)?;
        }
        // The versions with which the SDK is tested. Cargo removes those that the plugin does not need.
        let (lock, copy) = (sdk.with_file_name("Cargo.lock"), folder.join("Cargo.lock"));
        if lock.is_file() {
            fs::copy(&lock, &copy)
                .with_context(|| format!("cannot copy {} to {}", lock.display(), copy.display()))?;
        }
        print_err(format_args!("written to {shown}, with the SDK in {path}"));
        print_err(format_args!("next: understudy plugin test {shown}"));
        Ok(Exit::Done)
    }

    /// The absolute path of the SDK.
    fn find_sdk(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        if let Some(named) = &self.sdk {
            let shown = named.display();
            let found = [named.clone(), named.join("guest-sdk")].into_iter().find(|path| is_sdk(path));
            let found = found.with_context(|| {
                format!("there is no SDK in {shown}; name a clone of understudy, or its folder guest-sdk")
            })?;
            return found.canonicalize().with_context(|| format!("cannot read {shown}"));
        }
        let folder = std::path::absolute(folder).ok();
        let program = std::env::current_exe().ok();
        let starts = folder.into_iter().chain(std::env::current_dir().ok()).chain(program);
        let found = starts
            .flat_map(|start| start.ancestors().map(|above| above.join("guest-sdk")).collect::<Vec<_>>())
            .find(|path| is_sdk(path));
        found.and_then(|path| path.canonicalize().ok()).context(
            "cannot find the SDK: there is no clone of understudy above the folder of the plugin, the current folder or this program; \
             name one with --sdk",
        )
    }
}

/// Whether a folder has the crate `understudy-sdk`.
fn is_sdk(folder: &Path) -> bool {
    let manifest = understudy_run_log::read_file(&folder.join("Cargo.toml"));
    manifest.is_ok_and(|text| String::from_utf8_lossy(&text).contains("name = \"understudy-sdk\"\n"))
}

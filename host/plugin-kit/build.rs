//! Collects the SDKs that the modules of `language` include, so that the program can write them beside a new plugin.
//!
//! Sources are copied as they are. The manifest of the workspace and `Cargo.lock` are reduced to what the SDK needs.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use toml::{Table, Value};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;
use wit_component::StringEncoding;

/// The crates of the SDK, relative to the root of the workspace.
const CRATES: [&str; 3] = ["guest-sdk", "guest-sdk/derive", "guest-sdk/scorer"];

/// Files and folders of the SDK for Rust that are copied.
const RUST_SOURCES: [&str; 6] =
    ["LICENSE", "guest-sdk/Cargo.toml", "guest-sdk/derive", "guest-sdk/scorer", "guest-sdk/src", "wit"];

/// Files and folders of the SDK for JavaScript that are copied.
const JAVASCRIPT_SOURCES: [&str; 9] = [
    "README.md",
    "build.js",
    "component.js",
    "index.d.ts",
    "index.js",
    "lib",
    "package.json",
    "testing.d.ts",
    "testing.js",
];

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("the crate is in host/")?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    rust_sdk(root, &out)?;
    javascript_sdk(root, &out)?;
    c_sdk(root, &out)?;
    python_sdk(root, &out)
}

/// Writes `javascript_sdk.rs`: the npm package of the SDK for JavaScript, with the contract.
fn javascript_sdk(root: &Path, out: &Path) -> anyhow::Result<()> {
    let package = root.join("guest-sdk/javascript");
    let mut files = Vec::new();
    for source in JAVASCRIPT_SOURCES {
        add_files(&package, &package.join(source), "sdk", &mut files)?;
    }
    for source in ["LICENSE", "wit"] {
        add_files(root, &root.join(source), "sdk", &mut files)?;
    }
    fs::write(out.join("javascript_sdk.rs"), constant("JAVASCRIPT_SDK_FILES", &files)?)?;
    Ok(())
}

/// Writes `c_sdk.rs`: the sources of the SDK for C, and the adapters of the contract that `wit-bindgen-c` makes.
fn c_sdk(root: &Path, out: &Path) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for source in ["include", "src"] {
        let package = root.join("guest-sdk/c");
        add_files(&package, &package.join(source), "sdk", &mut files)?;
    }
    for source in ["LICENSE", "wit"] {
        add_files(root, &root.join(source), "sdk", &mut files)?;
    }
    let contract = root.join("wit/shadow.wit");
    let contract =
        fs::read_to_string(&contract).with_context(|| format!("cannot read {}", contract.display()))?;
    for world in ["model", "metric"] {
        for (name, text) in c_bindings(&contract, world)? {
            let path = out.join(&name);
            fs::write(&path, text)?;
            files.push((format!("sdk/bindings/{name}"), path));
        }
    }
    fs::write(out.join("c_sdk.rs"), constant("C_SDK_FILES", &files)?)?;
    Ok(())
}

/// The adapter of a world for C by the names of its files: a header, a source, and the source of the custom section with the world.
fn c_bindings(contract: &str, world: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("shadow.wit", contract)?;
    let id = resolve.select_world(&[package], Some(world))?;
    let mut files = Files::default();
    // The object file has the custom section, but the files of a plugin are texts.
    let options = wit_bindgen_c::Opts { no_object_file: true, ..wit_bindgen_c::Opts::default() };
    options.build().generate(&mut resolve, id, &mut files)?;
    let mut texts: Vec<(String, String)> = files
        .iter()
        .map(|(name, bytes)| Ok((name.to_owned(), std::str::from_utf8(bytes)?.to_owned())))
        .collect::<anyhow::Result<_>>()?;
    let metadata = wit_component::metadata::encode(&resolve, id, StringEncoding::UTF8, None)?;
    texts.push((format!("{world}_type.c"), type_section(world, &metadata)?));
    Ok(texts)
}

/// The source of a custom section of the module, from which the component is made.
fn type_section(world: &str, metadata: &[u8]) -> anyhow::Result<String> {
    let mut source = format!(
        "// The world `{world}` in the binary format of components, as a custom section of the module.\n\n\
         __asm__(\n    \".section \\\".custom_section.component-type:{world}\\\",\\\"\\\",@\\n\"\n"
    );
    for bytes in metadata.chunks(24) {
        let mut line = String::new();
        for byte in bytes {
            write!(line, "\\\\{byte:03o}")?;
        }
        writeln!(source, "    \".ascii \\\"{line}\\\"\\n\"")?;
    }
    // The adapter calls this function, so that the linker takes the section.
    let function = format!("void __component_type_object_force_link_{world}(void)");
    write!(source, "    \".text\\n\"\n);\n\n{function};\n{function} {{}}\n")?;
    Ok(source)
}

/// Writes `rust_sdk.rs`: the files of the SDK for Rust, and its `Cargo.lock`.
fn rust_sdk(root: &Path, out: &Path) -> anyhow::Result<()> {
    for source in ["Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    let manifests: Vec<Table> = CRATES
        .iter()
        .map(|folder| table(&root.join(folder).join("Cargo.toml")))
        .collect::<anyhow::Result<_>>()?;
    let manifest = out.join("Cargo.toml");
    fs::write(&manifest, workspace_manifest(&table(&root.join("Cargo.toml"))?, &manifests)?.to_string())?;
    let lock = out.join("Cargo.lock");
    fs::write(&lock, versions(&table(&root.join("Cargo.lock"))?, &manifests)?)?;
    let mut files = vec![("sdk/Cargo.toml".to_owned(), manifest)];
    for source in RUST_SOURCES {
        add_files(root, &root.join(source), "sdk", &mut files)?;
    }
    let mut code = constant("RUST_SDK_FILES", &files)?;
    writeln!(
        code,
        "/// The tested versions of its dependencies.\nconst RUST_SDK_LOCK: &str = include_str!({lock:?});"
    )?;
    fs::write(out.join("rust_sdk.rs"), code)?;
    Ok(())
}

/// Writes `python_sdk.rs`: the package of the SDK for Python, and the contract in it.
fn python_sdk(root: &Path, out: &Path) -> anyhow::Result<()> {
    let (folder, package) = (root.join("guest-sdk/python"), "guest-sdk/python/understudy_sdk");
    let mut files = vec![
        ("sdk/LICENSE".to_owned(), root.join("LICENSE")),
        ("sdk/understudy_sdk/shadow.wit".to_owned(), root.join("wit/shadow.wit")),
    ];
    add_files(&folder, &root.join(package), "sdk", &mut files)?;
    // Tests may leave compiled modules behind.
    files.retain(|(path, _)| !path.contains("__pycache__"));
    fs::write(out.join("python_sdk.rs"), constant("PYTHON_SDK_FILES", &files)?)?;
    Ok(())
}

/// The source of a constant with files, each with its path below the folder of a plugin and its text.
fn constant(name: &str, files: &[(String, PathBuf)]) -> anyhow::Result<String> {
    let mut code =
        format!("/// Paths below the folder of a plugin, and texts.\nconst {name}: &[(&str, &str)] = &[\n");
    for (path, source) in files {
        writeln!(code, "    ({path:?}, include_str!({source:?})),")?;
    }
    code.push_str("];\n");
    Ok(code)
}

fn table(path: &Path) -> anyhow::Result<Table> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| format!("cannot read {}", path.display()))
}

/// Adds a file, or all files below a folder in the order of their names, with their paths from `root`, below `target`.
fn add_files(
    root: &Path,
    path: &Path,
    target: &str,
    files: &mut Vec<(String, PathBuf)>,
) -> anyhow::Result<()> {
    if !path.is_dir() {
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path.strip_prefix(root)?.to_str().context("the path is not UTF-8")?;
        files.push((format!("{target}/{name}"), path.to_owned()));
        return Ok(());
    }
    println!("cargo::rerun-if-changed={}", path.display());
    let entries =
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<BTreeSet<_>>>()?;
    entries.iter().try_for_each(|entry| add_files(root, entry, target, files))
}

/// The manifest of a workspace with the crates of the SDK, and with what they inherit.
fn workspace_manifest(root: &Table, manifests: &[Table]) -> anyhow::Result<Table> {
    let mut workspace = root["workspace"].as_table().context("the root is a workspace")?.clone();
    workspace.remove("default-members");
    let members: Vec<Value> = CRATES.iter().map(|folder| Value::from(*folder)).collect();
    workspace.insert("members".to_owned(), Value::from(members));
    let used = |name: &str| {
        let kinds = ["dependencies", "dev-dependencies"];
        manifests
            .iter()
            .any(|manifest| kinds.iter().any(|kind| names(manifest, kind).any(|known| known == name)))
    };
    let dependencies = workspace["dependencies"].as_table_mut().context("the root has dependencies")?;
    dependencies.retain(|name, _| used(name));
    Ok(Table::from_iter([("workspace".to_owned(), Value::from(workspace))]))
}

fn names<'m>(manifest: &'m Table, kind: &str) -> impl Iterator<Item = &'m str> {
    manifest
        .get(kind)
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(|table| table.keys().map(String::as_str))
}

/// A `Cargo.lock` of the packages that the SDK depends on, directly or not.
fn versions(lock: &Table, manifests: &[Table]) -> anyhow::Result<String> {
    let packages = lock["package"].as_array().context("a lock has packages")?;
    let text = |package: &Value, key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let needs = |package: &Value| -> Vec<String> {
        let needs = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        needs.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    // A dependency is named `name`, or `name version` if there are several versions.
    let is_named = |package: &Value, need: &str| {
        let (name, version) = need.split_once(' ').unwrap_or((need, ""));
        text(package, "name") == name && (version.is_empty() || text(package, "version") == version)
    };
    let mut open: Vec<String> = Vec::new();
    for manifest in manifests {
        let own = manifest["package"]["name"].as_str().context("a package has a name")?;
        let package =
            packages.iter().find(|package| is_named(package, own)).context("a lock has all packages")?;
        let is_needed = |need: &String| {
            let name = need.split(' ').next().unwrap_or_default();
            names(manifest, "dependencies").any(|known| known == name) && !name.starts_with("understudy-")
        };
        open.extend(needs(package).into_iter().filter(is_needed));
    }
    let mut kept: BTreeSet<usize> = BTreeSet::new();
    while let Some(need) = open.pop() {
        let at = packages
            .iter()
            .position(|package| is_named(package, &need))
            .context("a lock has all packages")?;
        if kept.insert(at) {
            open.extend(needs(&packages[at]));
        }
    }
    let kept: Vec<Value> = kept.into_iter().map(|at| packages[at].clone()).collect();
    Ok(Table::from_iter([
        ("version".to_owned(), lock["version"].clone()),
        ("package".to_owned(), Value::from(kept)),
    ])
    .to_string())
}

//! The imports between the modules of a crate, computed from its source files.
//!
//! Invariants:
//! - An import is an edge to the module that defines the item: re-exports are followed.
//! - Test modules are left out.
//! - A module and its own ancestors count as one unit: edges between them are left out, since a parent declares and re-exports
//!   its children and children use what their parent defines.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, File, Item, ItemMod, ItemUse, UseTree};

/// The path of a module below its crate; empty for the crate itself.
pub type ModulePath = Vec<String>;

/// One crate's modules and what each imports.
pub struct ImportGraph {
    modules: BTreeMap<ModulePath, Module>,
}

/// What is known of one module file.
#[derive(Default)]
struct Module {
    children: BTreeSet<String>,
    /// Names that `use` brings in, with the path as written.
    imports: Vec<(String, ModulePath)>,
    /// Paths of `use ...::*`.
    globs: Vec<ModulePath>,
    /// Paths in expressions and types that begin with `crate`, `self` or `super`.
    paths: Vec<ModulePath>,
}

impl ImportGraph {
    /// Reads all modules of the crate whose `lib.rs` is in `source`.
    ///
    /// # Panics
    /// If a declared module has no file, or a file is not Rust.
    pub fn read(source: &Path) -> ImportGraph {
        let mut graph = ImportGraph { modules: BTreeMap::new() };
        graph.add(&source.join("lib.rs"), source, Vec::new());
        graph
    }

    fn add(&mut self, file: &Path, folder: &Path, path: ModulePath) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed: File =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut collector = Collector::default();
        collector.visit_file(&parsed);
        for child in &collector.module.children {
            let (flat, nested) = (folder.join(format!("{child}.rs")), folder.join(child).join("mod.rs"));
            let child_file = if flat.is_file() { flat } else { nested };
            let child_path = path.iter().cloned().chain([child.clone()]).collect();
            self.add(&child_file, &folder.join(child), child_path);
        }
        self.modules.insert(path, collector.module);
    }

    /// The paths of all modules.
    pub fn modules(&self) -> impl Iterator<Item = &ModulePath> {
        self.modules.keys()
    }

    /// The modules that each module imports from, without its own ancestors and descendants.
    pub fn edges(&self) -> BTreeMap<&ModulePath, BTreeSet<ModulePath>> {
        let mut edges = BTreeMap::new();
        for (path, module) in &self.modules {
            let written = module.imports.iter().map(|(_, target)| target);
            let targets = written.chain(&module.globs).chain(&module.paths);
            let resolved = targets.filter_map(|target| self.resolve(path, target, 0));
            let others = resolved.filter(|target| !target.starts_with(path) && !path.starts_with(target));
            edges.insert(path, others.collect());
        }
        edges
    }

    /// The module that defines what `target` names, as written in the module `from`; `None` outside of the crate.
    fn resolve(&self, from: &[String], target: &[String], depth: usize) -> Option<ModulePath> {
        // Re-exports that lead in a circle do not compile; the bound only keeps this function total.
        if depth > 16 {
            return None;
        }
        let mut segments = target.iter();
        let mut module: ModulePath = from.to_vec();
        let first = segments.next()?;
        match first.as_str() {
            "crate" => module.clear(),
            "self" => {}
            "super" => {
                module.pop()?;
            }
            _ => {
                if !self.modules.get(from)?.children.contains(first) {
                    return None;
                }
                module.push(first.clone());
            }
        }
        for (index, segment) in target.iter().enumerate().skip(1) {
            if segment == "super" {
                module.pop()?;
                continue;
            }
            let here = self.modules.get(&module)?;
            if here.children.contains(segment) {
                module.push(segment.clone());
                continue;
            }
            if let Some((_, import)) = here.imports.iter().find(|(name, _)| name == segment) {
                let full: ModulePath = import.iter().chain(&target[index + 1..]).cloned().collect();
                return self.resolve(&module, &full, depth + 1).or(Some(module));
            }
            let through = here.globs.iter().find_map(|glob| {
                let full: ModulePath = glob.iter().chain([segment]).cloned().collect();
                self.resolve(&module, &full, depth + 1).filter(|found| *found != module)
            });
            return through.or(Some(module));
        }
        Some(module)
    }

    /// Groups of modules that import each other, directly or through others.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let edges = self.edges();
        circles(&edges.iter().map(|(from, to)| (from.join("::"), names(to))).collect())
    }

    /// The same between rooms: a room is a child of the crate with everything below it.
    pub fn room_edges(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, targets) in self.edges() {
            let Some(from) = from.first() else { continue };
            let others = targets.iter().filter_map(|target| target.first()).filter(|room| *room != from);
            rooms.entry(from.clone()).or_default().extend(others.cloned());
        }
        rooms
    }
}

fn names(paths: &BTreeSet<ModulePath>) -> BTreeSet<String> {
    paths.iter().map(|path| path.join("::")).collect()
}

/// The strongly connected components of more than one node, each sorted.
pub fn circles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> =
        edges.keys().map(|from| (from, reachable(edges, from))).collect();
    let mut found = BTreeSet::new();
    for (from, reached) in &reach {
        let circle: Vec<String> = reached
            .iter()
            .filter(|to| reach.get(*to).is_some_and(|back| back.contains(from)))
            .map(|to| (*to).clone())
            .collect();
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn reachable<'g>(edges: &'g BTreeMap<String, BTreeSet<String>>, from: &String) -> BTreeSet<&'g String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = edges.get(from).into_iter().flatten().collect();
    while let Some(node) = open.pop() {
        if reached.insert(node) {
            open.extend(edges.get(node).into_iter().flatten());
        }
    }
    reached
}

/// Collects the module's declarations, imports and paths; skips everything for tests.
#[derive(Default)]
struct Collector {
    module: Module,
    /// How many inline modules are open.
    depth: usize,
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.content.is_none() {
            self.module.children.insert(item.ident.to_string());
            return;
        }
        self.depth += 1;
        visit::visit_item_mod(self, item);
        self.depth -= 1;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if self.depth == 0 {
            self.add_use(&item.tree, Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: ModulePath = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let relative = matches!(segments[0].as_str(), "crate" | "super" | "self");
        if relative && segments.len() > 1 && self.depth == 0 {
            self.module.paths.push(segments);
        }
        visit::visit_path(self, path);
    }
}

impl Collector {
    fn add_use(&mut self, tree: &UseTree, before: ModulePath) {
        let with =
            |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<ModulePath>();
        match tree {
            UseTree::Path(path) => self.add_use(&path.tree, with(&path.ident)),
            UseTree::Name(name) if name.ident == "self" => {
                let alias = before.last().cloned().unwrap_or_default();
                self.module.imports.push((alias, before));
            }
            UseTree::Name(name) => self.module.imports.push((name.ident.to_string(), with(&name.ident))),
            UseTree::Rename(rename) => {
                self.module.imports.push((rename.rename.to_string(), with(&rename.ident)));
            }
            UseTree::Glob(_) => self.module.globs.push(before),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(tree, before.clone());
                }
            }
        }
    }
}

/// Whether an item is compiled for tests only.
fn for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The Rust files below a folder, in any order.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(files: &[(&str, &str)]) -> ImportGraph {
        let folder = tempfile::tempdir().expect("a temporary directory");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text).expect("a file");
        }
        ImportGraph::read(folder.path())
    }

    #[test]
    fn a_circle_through_a_re_export_is_found() {
        let graph = graph(&[
            ("lib.rs", "mod one; mod two; pub use one::One;"),
            ("one.rs", "use crate::two::Two; pub struct One(Two);"),
            ("two.rs", "pub struct Two; fn f(_: crate::One) {}"),
        ]);
        assert_eq!(graph.circles(), [["one", "two"]]);
    }

    #[test]
    fn tests_and_ancestors_are_left_out() {
        let graph = graph(&[
            ("lib.rs", "mod one; mod two;"),
            ("one.rs", "use super::two::Two; mod inner; struct One;"),
            ("one/inner.rs", "use super::One;"),
            ("two.rs", "pub struct Two; #[cfg(test)] mod tests { use crate::one::One; }"),
        ]);
        assert_eq!(graph.circles(), Vec::<Vec<String>>::new());
        assert_eq!(graph.room_edges()["one"], BTreeSet::from(["two".to_owned()]));
    }

    #[test]
    fn a_circle_between_files_of_two_rooms_is_found() {
        let graph = graph(&[
            ("lib.rs", "mod high; mod low;"),
            ("high/mod.rs", "mod a; pub mod b; pub use a::A;"),
            ("high/a.rs", "use crate::low::Low; pub struct A(Low);"),
            ("high/b.rs", "pub struct B;"),
            ("low.rs", "pub struct Low; use crate::high::{b::B};"),
        ]);
        // The files have no circle; the rooms have one.
        assert!(graph.circles().is_empty());
        assert_eq!(circles(&graph.room_edges()), [["high", "low"]]);
    }
}

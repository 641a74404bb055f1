//! The compile cache is used if it is valid and private. Otherwise it is ignored and repaired.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use understudy_sandbox::{ComponentFile, DeciderPlugin, PluginRole, Sandbox};
use understudy_tests::plugin;

use super::fixture::{BUDGET, recorded, sandbox, some_bad};

/// Loads the guest `evil` and lets it answer a row.
fn load(sandbox: &Sandbox, folder: &Path) {
    let file = ComponentFile::read(&plugin("guests/evil")).expect("it was built");
    let config = r#"{"on": "bad", "do": "panic"}"#.to_owned();
    let loaded = DeciderPlugin::load(sandbox, &file, PluginRole::Model, config, [].into(), Some(folder))
        .expect("it loads");
    assert_eq!(recorded(&loaded.instance().decide(&some_bad(1, |_| false))), ["0"]);
}

/// The files of a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path()).collect()
}

/// The only file of the cache.
fn cache_file(folder: &Path) -> PathBuf {
    let files = files(folder);
    let [file] = &files[..] else { panic!("{files:?}") };
    file.clone()
}

/// A folder for a cache.
fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder");
    let cache = folder.path().join("a/cache");
    (folder, cache)
}

#[test]
fn a_second_load_uses_the_cache() {
    let (_folder, cache) = folder();
    let sandbox = sandbox(BUDGET);
    load(&sandbox, &cache);
    let first = fs::metadata(cache_file(&cache)).expect("it is there");
    load(&sandbox, &cache);
    let second = fs::metadata(cache_file(&cache)).expect("it is there");
    assert_eq!(
        (second.ino(), second.mtime_nsec()),
        (first.ino(), first.mtime_nsec()),
        "it was not written again"
    );
}

#[test]
fn only_the_owner_can_access_the_cache() {
    let (_folder, cache) = folder();
    load(&sandbox(BUDGET), &cache);
    for (path, mode) in
        [(cache.as_path(), 0o700), (cache.parent().expect("it has one"), 0o700), (&cache_file(&cache), 0o600)]
    {
        assert_eq!(fs::metadata(path).expect("it is there").mode() & 0o777, mode, "{}", path.display());
    }
}

#[test]
fn damaged_cache_files_are_ignored_and_replaced() {
    let (_folder, cache) = folder();
    let sandbox = sandbox(BUDGET);
    load(&sandbox, &cache);
    let path = cache_file(&cache);
    let sound = fs::read(&path).expect("it is there");
    let mut changed = sound.clone();
    changed[sound.len() / 2] ^= 1;
    let mut foreign = sound.clone();
    foreign[..32].fill(0);
    for bad in [&sound[..sound.len() / 2], &sound[..31], &[], &changed, &foreign] {
        fs::write(&path, bad).expect("it can be written");
        load(&sandbox, &cache);
        assert_eq!(cache_file(&cache), path);
        assert!(fs::read(&path).expect("it is there") == sound, "it was not mended");
    }
}

#[test]
fn code_of_another_plugin_is_ignored() {
    let (_folder, cache) = folder();
    let sandbox = sandbox(BUDGET);
    load(&sandbox, &cache);
    let path = cache_file(&cache);
    let sound = fs::read(&path).expect("it is there");
    let other = ComponentFile::read(&plugin("booked_room")).expect("it was built");
    DeciderPlugin::load(&sandbox, &other, PluginRole::Model, "{}".to_owned(), [].into(), Some(&cache))
        .expect("it loads");
    let other = files(&cache).into_iter().find(|file| *file != path).expect("it has a file of its own");
    fs::copy(other, &path).expect("it can be written");
    load(&sandbox, &cache);
    assert!(fs::read(&path).expect("it is there") == sound, "it was not mended");
}

#[test]
fn a_file_of_another_user_is_not_trusted() {
    let (_folder, cache) = folder();
    let sandbox = sandbox(BUDGET);
    load(&sandbox, &cache);
    let path = cache_file(&cache);
    // Only root can change the owner of a file; other users skip this test.
    if std::os::unix::fs::chown(&path, Some(4321), None).is_ok() {
        load(&sandbox, &cache);
        assert_ne!(fs::metadata(cache_file(&cache)).expect("it is there").uid(), 4321, "it was replaced");
    }
}

#[test]
fn foreign_code_with_a_valid_digest_is_ignored() {
    let (_folder, cache) = folder();
    let sandbox = sandbox(BUDGET);
    load(&sandbox, &cache);
    let path = cache_file(&cache);
    let sound = fs::read(&path).expect("it is there");
    // The checksum of a file with this name and without code.
    let name = path.file_name().expect("it has a name").as_encoded_bytes();
    let empty = understudy_sandbox::sha256_hex(name);
    let empty: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(&empty[2 * at..][..2], 16).expect("hexadecimal")).collect();
    fs::write(&path, empty).expect("it can be written");
    load(&sandbox, &cache);
    assert!(fs::read(&path).expect("it is there") == sound, "it was not mended");
}

#[test]
fn a_folder_writable_by_others_is_not_used() {
    let (_folder, cache) = folder();
    let sandbox = sandbox(BUDGET);
    for mode in [0o777, 0o770, 0o702] {
        fs::create_dir_all(&cache).expect("it can be made");
        fs::set_permissions(&cache, Permissions::from_mode(mode)).expect("it is ours");
        load(&sandbox, &cache);
        assert_eq!(files(&cache), Vec::<PathBuf>::new(), "{mode:o}");
    }
    fs::set_permissions(&cache, Permissions::from_mode(0o700)).expect("it is ours");
    load(&sandbox, &cache);
    assert_eq!(files(&cache).len(), 1);
}

#[test]
fn a_file_writable_by_others_is_replaced() {
    let (_folder, cache) = folder();
    let sandbox = sandbox(BUDGET);
    load(&sandbox, &cache);
    let path = cache_file(&cache);
    let before = fs::metadata(&path).expect("it is there").ino();
    fs::set_permissions(&path, Permissions::from_mode(0o666)).expect("it is ours");
    load(&sandbox, &cache);
    let after = fs::metadata(cache_file(&cache)).expect("it is there");
    assert_eq!(after.mode() & 0o777, 0o600);
    assert_ne!(after.ino(), before);
}

#[test]
fn symbolic_links_are_not_followed() {
    let (folder, cache) = folder();
    let sandbox = sandbox(BUDGET);
    load(&sandbox, &cache);
    // A symbolic link to a folder is not a private folder.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path(), &link).expect("it can be made");
    load(&sandbox, &link);
    assert_eq!(files(folder.path()).len(), 2, "the link, and what the cache stands in");
    // A symbolic link to a valid file is replaced, not followed.
    let (path, elsewhere) = (cache_file(&cache), folder.path().join("elsewhere"));
    fs::rename(&path, &elsewhere).expect("it can be moved");
    std::os::unix::fs::symlink(&elsewhere, &path).expect("it can be made");
    load(&sandbox, &cache);
    assert!(fs::symlink_metadata(cache_file(&cache)).expect("it is there").is_file());
}

#[test]
fn loading_works_without_a_cache() {
    let (folder, _) = folder();
    let file = folder.path().join("file");
    fs::write(&file, "no folder").expect("it can be written");
    load(&sandbox(BUDGET), &file);
    load(&sandbox(BUDGET), &file.join("below"));
    assert_eq!(fs::read(&file).expect("it is there"), b"no folder");
}

#[test]
fn concurrent_loads_are_safe() {
    let (_folder, cache) = folder();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let sandbox = sandbox(BUDGET);
                for _ in 0..3 {
                    load(&sandbox, &cache);
                }
            });
        }
    });
    // The file is valid, and no temporary file remains.
    let before = fs::metadata(cache_file(&cache)).expect("it is there").ino();
    load(&sandbox(BUDGET), &cache);
    assert_eq!(fs::metadata(cache_file(&cache)).expect("it is there").ino(), before);
}

#[test]
fn a_folder_of_another_user_is_not_trusted() {
    let (_folder, cache) = folder();
    let sandbox = sandbox(BUDGET);
    load(&sandbox, &cache);
    let path = cache_file(&cache);
    // Only root can change the owner of a folder; other users skip this test.
    if std::os::unix::fs::chown(&cache, Some(4321), None).is_ok() {
        fs::write(&path, "not to be mended").expect("it can be written");
        load(&sandbox, &cache);
        assert_eq!(fs::read(&path).expect("it is there"), b"not to be mended");
    }
}

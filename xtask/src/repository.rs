//! The repository as the checks see it: its files and what Cargo knows about its crates.

use crate::Outcome;
use crate::program_output::output_of;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The file Cargo leaves in a target folder, which marks it as not worth reading.
const CACHE_MARK: &str = "CACHEDIR.TAG";

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// The path relative to the repository's root.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl TextFile {
    /// Whether the file's name ends in `.extension`.
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        self.path.extension().is_some_and(|e| e == extension)
    }
}

/// A crate of the workspace.
#[derive(Debug)]
pub(crate) struct Crate {
    /// The package's name, as in its `Cargo.toml`.
    pub(crate) package: String,
    /// The crate's folder, relative to the repository's root.
    pub(crate) folder: PathBuf,
    /// The folders' names of the workspace's crates it depends on when built for use.
    pub(crate) depends_on: Vec<String>,
}

impl Crate {
    /// Returns the last part of the crate's folder, which is its name in `ARCHITECTURE.md`.
    pub(crate) fn node(&self) -> String {
        node_of(&self.folder)
    }
}

/// Returns the repository's root: the folder above this crate's.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Reads every text file with one of `extensions` under `root`, sorted by path.
///
/// Hidden folders other than `.ci`, and folders that Cargo marked as caches, are passed over.
pub(crate) fn text_files(root: &Path, extensions: &[&str]) -> Outcome<Vec<TextFile>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                if is_read(&path) {
                    folders.push(path);
                }
            } else if extensions
                .iter()
                .any(|&e| path.extension().is_some_and(|x| x == e))
                || in_ci(&path)
            {
                let text =
                    fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
                let path = path.strip_prefix(root)?.to_path_buf();
                files.push(TextFile { path, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The scripts in `.ci` have no extension.
fn in_ci(path: &Path) -> bool {
    path.parent()
        .is_some_and(|folder| folder.file_name().is_some_and(|name| name == ".ci"))
}

fn is_read(folder: &Path) -> bool {
    let hidden = folder
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.') && name != ".ci");
    !hidden && !folder.join(CACHE_MARK).exists()
}

/// Asks Cargo for the workspace's own crates, without the network.
pub(crate) fn crates(root: &Path) -> Outcome<Vec<Crate>> {
    let metadata = cargo_metadata(root, &["--no-deps"])?;
    crates_in(&metadata, root)
}

/// Asks Cargo for all packages of the lock file, without the network.
///
/// Where only the packages of this machine's platform were ever downloaded, those are what it returns; the
/// second value then names the platform.
pub(crate) fn packages(root: &Path) -> Outcome<(Value, Option<String>)> {
    if let Ok(metadata) = cargo_metadata(root, &[]) {
        return Ok((metadata, None));
    }
    let rustc = output_of(Command::new("rustc").arg("-vV"))?;
    let host = rustc
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("`rustc -vV` names no host; is this rustc?")?;
    let metadata = cargo_metadata(root, &["--filter-platform", host])?;
    Ok((metadata, Some(host.to_owned())))
}

/// Runs `cargo metadata` without the network, with further arguments.
pub(crate) fn cargo_metadata(root: &Path, arguments: &[&str]) -> Outcome<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(root)
        .args(["metadata", "--format-version", "1", "--offline"])
        .args(arguments);
    Ok(serde_json::from_str(&output_of(&mut command)?)?)
}

/// Reads the workspace's crates and their edges out of Cargo's metadata.
fn crates_in(metadata: &Value, root: &Path) -> Outcome<Vec<Crate>> {
    let mut crates = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        let folder = manifest.parent().unwrap_or(manifest);
        crates.push(Crate {
            package: package["name"].as_str().unwrap_or_default().to_owned(),
            folder: folder.strip_prefix(root).unwrap_or(folder).to_path_buf(),
            depends_on: normal_dependencies(package),
        });
    }
    if crates.is_empty() {
        return Err("`cargo metadata` lists no package; run this in the repository".into());
    }
    crates.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(crates)
}

/// Returns the workspace's crates a package needs when built for use: neither for tests nor for building.
fn normal_dependencies(package: &Value) -> Vec<String> {
    let dependencies = package["dependencies"].as_array().into_iter().flatten();
    let mut names: Vec<String> = dependencies
        .filter(|dependency| dependency["kind"].is_null())
        .filter_map(|dependency| dependency["path"].as_str())
        .map(|path| node_of(Path::new(path)))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn node_of(folder: &Path) -> String {
    folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn edges_are_the_normal_dependencies_inside_the_workspace() {
        let metadata = json!({"packages": [
            {"name": "hawker", "manifest_path": "/r/crates/server/Cargo.toml", "dependencies": [
                {"name": "engine", "kind": null, "path": "/r/crates/engine"},
                {"name": "events", "kind": "dev", "path": "/r/crates/events"},
                {"name": "serde", "kind": null}
            ]},
            {"name": "engine", "manifest_path": "/r/crates/engine/Cargo.toml", "dependencies": []}
        ]});
        let crates = crates_in(&metadata, Path::new("/r")).expect("two crates are listed");
        assert_eq!(crates[1].package, "hawker");
        assert_eq!(crates[1].node(), "server");
        assert_eq!(crates[1].depends_on, ["engine"]);
        assert_eq!(crates[0].folder, Path::new("crates/engine"));
    }

    #[test]
    fn no_package_is_an_error() {
        assert!(crates_in(&json!({}), Path::new("/r")).is_err());
    }

    #[test]
    fn this_crate_is_found_with_its_sources() {
        let files = text_files(&root(), &["rs"]).expect("the repository is readable");
        assert!(
            files
                .iter()
                .any(|file| file.path == Path::new("xtask/src/repository.rs"))
        );
        assert!(files.iter().all(|file| !file.path.starts_with("target")));
    }
}

//! A Rust file of the repository with what the rules ask of it.

use crate::repository::TextFile;
use crate::rust_source::RustSource;
use std::path::{Path, PathBuf};

/// A Rust file, split once and read by every rule.
#[derive(Debug)]
pub(crate) struct RustFile {
    /// The path relative to the repository's root.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) source: RustSource,
    /// Whether the whole file is a test: in a folder `tests`, or declared under `#[cfg(test)]`.
    is_test: bool,
}

impl RustFile {
    /// Splits every file and marks those that another declares as a test module.
    pub(crate) fn all(files: Vec<TextFile>) -> Vec<Self> {
        let mut all: Vec<Self> = files.into_iter().map(Self::new).collect();
        let tests: Vec<PathBuf> = all.iter().flat_map(Self::test_module_paths).collect();
        for file in &mut all {
            file.is_test |= tests
                .iter()
                .any(|test| *test == file.path.with_extension("") || file.path.starts_with(test));
        }
        all
    }

    fn new(file: TextFile) -> Self {
        Self {
            is_test: file.path.iter().any(|part| part == "tests"),
            source: RustSource::new(&file.text),
            path: file.path,
            text: file.text,
        }
    }

    /// Whether a line, counted from 1, belongs to a test.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.is_test || self.source.is_test_line(line)
    }

    /// Returns the paths, without `.rs`, of the modules this file declares under `#[cfg(test)]`.
    fn test_module_paths(&self) -> Vec<PathBuf> {
        let stem = self.path.file_stem().unwrap_or_default();
        let folder = if ["lib", "main", "mod"].iter().any(|name| stem == *name) {
            self.path.parent().unwrap_or(Path::new("")).to_path_buf()
        } else {
            self.path.with_extension("")
        };
        self.source
            .test_modules
            .iter()
            .map(|name| folder.join(name))
            .collect()
    }
}

/// Makes a file for the tests of the rules.
#[cfg(test)]
pub(crate) fn fixture(path: &str, text: &str) -> RustFile {
    RustFile::new(text_fixture(path, text))
}

/// Makes a text file for the tests of the rules.
#[cfg(test)]
pub(crate) fn text_fixture(path: &str, text: &str) -> TextFile {
    TextFile {
        path: path.into(),
        text: text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_declared_as_test_modules_are_tests() {
        let files = vec![
            text_fixture("a/src/lib.rs", "mod b;\n#[cfg(test)]\nmod fixture;\n"),
            text_fixture("a/src/fixture.rs", "fn f() {}\n"),
            text_fixture("a/src/fixture/deep.rs", "fn f() {}\n"),
            text_fixture("a/src/b.rs", "#[cfg(test)]\nmod tests;\n"),
            text_fixture("a/src/b/tests.rs", "fn f() {}\n"),
            text_fixture("a/tests/whole.rs", "fn f() {}\n"),
        ];
        let tests: Vec<bool> = RustFile::all(files)
            .iter()
            .map(|file| file.is_test_line(1))
            .collect();
        assert_eq!(tests, [false, true, true, false, true, true]);
    }
}

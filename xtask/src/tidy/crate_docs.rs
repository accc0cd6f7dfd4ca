//! Rule: each crate opens with its purpose, an example, and one thing it never does.

use super::rust_file::RustFile;
use crate::finding::Finding;
use crate::repository::Crate;
use crate::rust_source::whole_words;

/// The fewest words that can state a purpose.
const PURPOSE_WORDS: usize = 5;

/// Checks the docs at the head of each crate's `lib.rs`, or `main.rs` where there is no library.
pub(crate) fn check(files: &[RustFile], crates: &[Crate]) -> Vec<Finding> {
    crates
        .iter()
        .flat_map(|one| check_crate(files, one))
        .collect()
}

fn check_crate(files: &[RustFile], one: &Crate) -> Vec<Finding> {
    let library = one.folder.join("src/lib.rs");
    let program = one.folder.join("src/main.rs");
    let Some(file) = [&library, &program]
        .iter()
        .find_map(|path| files.iter().find(|file| file.path == **path))
    else {
        let problem = format!("crate `{}` has no source file of this name", one.package);
        return vec![Finding::new(
            &library,
            1,
            problem,
            "add it, with the crate's docs",
        )];
    };
    missing_parts(&file.text, file.path == library)
        .into_iter()
        .map(|(problem, remedy)| Finding::new(&file.path, 1, problem, remedy))
        .collect()
}

/// Returns what the docs at the head of `text` lack, each with its remedy.
fn missing_parts(text: &str, is_library: bool) -> Vec<(&'static str, &'static str)> {
    let docs: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let mut missing = Vec::new();
    let first_paragraph = docs.iter().take_while(|line| !line.trim().is_empty());
    if first_paragraph
        .flat_map(|line| line.split_whitespace())
        .count()
        < PURPOSE_WORDS
    {
        missing.push((
            "the crate's purpose is not stated",
            "open the file with a `//!` sentence that states it",
        ));
    }
    if !has_example(&docs, is_library) {
        let remedy =
            "add a fenced block to the crate's docs; in a library one that runs as a doctest";
        missing.push(("the crate's docs show no example", remedy));
    }
    if whole_words(&docs.join("\n").to_lowercase(), "never").is_empty() {
        let remedy = "add a sentence with the word \"never\" to the crate's docs";
        missing.push(("the crate's docs do not say what it never does", remedy));
    }
    missing
}

/// Whether the docs hold a fenced block that serves as an example: in a library one of Rust.
fn has_example(docs: &[&str], is_library: bool) -> bool {
    let fences = docs
        .iter()
        .filter_map(|line| line.trim().strip_prefix("```"));
    // Every second fence closes a block.
    let mut openings = fences.step_by(2);
    openings.any(|language| !is_library || ["", "rust", "no_run"].contains(&language))
}

#[cfg(test)]
mod tests {
    use super::super::rust_file::fixture;
    use super::*;

    fn problems(file: &str, text: &str) -> Vec<String> {
        let one = Crate {
            package: "a".into(),
            folder: "crates/a".into(),
            depends_on: Vec::new(),
        };
        check(&[fixture(file, text)], &[one])
            .into_iter()
            .map(|finding| finding.problem)
            .collect()
    }

    #[test]
    fn full_docs_pass() {
        let text = "//! Adds numbers for those who cannot.\n//!\n//! ```\n//! a::add(1, 2);\n//! ```\n//! It never subtracts.\n";
        assert_eq!(problems("crates/a/src/lib.rs", text), [""; 0]);
        let program = "//! Adds numbers on the command line.\n//! ```sh\n//! a 1 2\n//! ```\n//! Never subtracts.\n";
        assert_eq!(problems("crates/a/src/main.rs", program), [""; 0]);
    }

    #[test]
    fn each_missing_part_is_named() {
        assert_eq!(
            problems(
                "crates/a/src/lib.rs",
                "//! Adds.\n\n//! This comes too late, never mind.\n"
            ),
            [
                "the crate's purpose is not stated",
                "the crate's docs show no example",
                "the crate's docs do not say what it never does",
            ]
        );
    }

    #[test]
    fn a_library_needs_an_example_in_rust() {
        let text = "//! Adds numbers for those who cannot; never subtracts.\n//!\n//! ```text\n//! 1 + 2\n//! ```\n";
        assert_eq!(
            problems("crates/a/src/lib.rs", text),
            ["the crate's docs show no example"]
        );
        assert_eq!(problems("crates/a/src/main.rs", text), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_source_file_is_found() {
        assert_eq!(
            problems("crates/b/src/lib.rs", ""),
            ["crate `a` has no source file of this name"]
        );
    }
}

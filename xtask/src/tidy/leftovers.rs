//! Rule: nothing is left for later: no `TODO`, `FIXME` or `XXX`, no `todo!` or `unimplemented!`.
//!
//! Words in `backticks` are quoted, as in the line above, and pass; so do words in string literals.

use super::rust_file::RustFile;
use crate::finding::Finding;
use crate::repository::TextFile;
use crate::rust_source::whole_words;
use std::path::Path;

const WORDS: [&str; 3] = ["TODO", "FIXME", "XXX"];
const MACROS: [&str; 2] = ["todo", "unimplemented"];
const REMEDY: &str = "do it now, or open an issue and delete the line";

/// Finds the words in comments and the macros in code.
pub(crate) fn check(rust: &[RustFile], other: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in rust {
        in_comments(&file.path, &file.source.comments, &mut findings);
        in_code(file, &mut findings);
    }
    for file in other.iter().filter(|file| !file.has_extension("md")) {
        in_comments(&file.path, &after_hash(&file.text), &mut findings);
    }
    findings
}

fn in_comments(path: &Path, comments: &str, findings: &mut Vec<Finding>) {
    for (line, number) in comments.lines().zip(1..) {
        // Every second part lies between backticks.
        let spoken: String = line.split('`').step_by(2).collect();
        for word in WORDS {
            if !whole_words(&spoken, word).is_empty() {
                findings.push(Finding::new(
                    path,
                    number,
                    format!("`{word}` in a comment"),
                    REMEDY,
                ));
            }
        }
    }
}

fn in_code(file: &RustFile, findings: &mut Vec<Finding>) {
    for name in MACROS {
        for offset in file.source.code_words(name) {
            if file.source.code[offset + name.len()..].starts_with('!') {
                let line = file.source.line_of(offset);
                findings.push(Finding::new(
                    &file.path,
                    line,
                    format!("`{name}!` is a stub"),
                    REMEDY,
                ));
            }
        }
    }
}

/// Keeps what follows the first `#` of each line: the comments of TOML, Python and shell, near enough.
fn after_hash(text: &str) -> String {
    let comment = |line: &str| {
        line.split_once('#')
            .map_or("", |(_, comment)| comment)
            .to_owned()
            + "\n"
    };
    text.lines().map(comment).collect()
}

#[cfg(test)]
mod tests {
    use super::super::rust_file::{fixture, text_fixture};
    use super::*;

    #[test]
    fn words_and_stubs_are_found() {
        let rust = "// TODO: later\nfn f() {\n    todo!()\n}\n/// FIXME\nfn g() { unimplemented!(\"x\") }\n";
        let found = check(
            &[fixture("a.rs", rust)],
            &[text_fixture("b.py", "x = 1\ny = 2  # XXX wrong\n")],
        );
        let mut lines: Vec<_> = found
            .iter()
            .map(|f| (f.file.display().to_string(), f.line))
            .collect();
        lines.sort();
        let expected = [
            ("a.rs", 1),
            ("a.rs", 3),
            ("a.rs", 5),
            ("a.rs", 6),
            ("b.py", 2),
        ];
        assert_eq!(lines, expected.map(|(file, line)| (file.to_owned(), line)));
    }

    #[test]
    fn quoted_words_longer_words_and_strings_pass() {
        let rust = "// `TODO` is a word, XXXL a size.\nlet todo = \"TODO todo!()\"; let todo_list = todo;\n";
        let other = [
            text_fixture("a.md", "# TODO\n"),
            text_fixture("b.toml", "key = 'TODO'\n"),
        ];
        assert_eq!(check(&[fixture("a.rs", rust)], &other), []);
    }
}

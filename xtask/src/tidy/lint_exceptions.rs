//! Rule: whoever switches a lint off says why.

use super::rust_file::RustFile;
use crate::finding::Finding;
use crate::rust_source::whole_words;

/// Finds `allow` and `expect` attributes without `reason = "…"`.
pub(crate) fn check(files: &[RustFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        for (offset, attribute) in file.source.attributes() {
            if switches_off(attribute) && whole_words(attribute, "reason").is_empty() {
                let line = file.source.line_of(offset);
                let problem = format!("`#[{}]` gives no reason", attribute.trim());
                let remedy = "add `reason = \"…\"`, or mend what the lint found";
                findings.push(Finding::new(&file.path, line, problem, remedy));
            }
        }
    }
    findings
}

/// Whether an attribute's text holds `allow(…)` or `expect(…)`, also inside `cfg_attr(…)`.
fn switches_off(attribute: &str) -> bool {
    ["allow", "expect"].iter().any(|word| {
        whole_words(attribute, word)
            .iter()
            .any(|at| attribute[at + word.len()..].starts_with('('))
    })
}

#[cfg(test)]
mod tests {
    use super::super::rust_file::fixture;
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        check(&[fixture("a.rs", text)])
            .iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn exceptions_without_a_reason_are_found() {
        let text = "#![allow(dead_code)]\n#[cfg_attr(test, allow(\n    unused,\n))]\nfn f() {}\n#[expect(unused)]\nfn g() {}\n";
        assert_eq!(lines(text), [1, 2, 6]);
    }

    #[test]
    fn reasons_other_attributes_comments_and_strings_pass() {
        let text = "#![allow(dead_code, reason = \"why\")]\n// #[allow(x)]\n#[should_panic(expected = \"allow(\")]\n\
                    const A: &str = \"#[allow(x)]\";\n#[derive(Debug)]\nstruct S;\n";
        assert_eq!(lines(text), [0; 0]);
    }
}

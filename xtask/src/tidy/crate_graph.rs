//! Rule: the crate graph that Cargo sees equals the one written in `ARCHITECTURE.md`.
//!
//! The format is described in the header of [`super`].

use crate::finding::Finding;
use crate::repository::{Crate, TextFile};
use std::collections::BTreeMap;
use std::path::Path;

const FILE: &str = "ARCHITECTURE.md";
const HEADING: &str = "crate graph";

/// An edge from a crate to one it depends on, by the names of their folders.
type Edge = (String, String);

/// Compares the edges Cargo knows with those written down.
pub(crate) fn check(files: &[TextFile], crates: &[Crate]) -> Vec<Finding> {
    let file = Path::new(FILE);
    let Some(document) = files.iter().find(|candidate| candidate.path == file) else {
        let remedy =
            "write it, with the edges `a --> b` in a fenced block under the heading `Crate graph`";
        return vec![Finding::new(file, 1, "the file is missing", remedy)];
    };
    let Some((start, written)) = written_edges(&document.text) else {
        let remedy = "add one with a fenced `text` or `mermaid` block of lines `a --> b`";
        return vec![Finding::new(
            file,
            1,
            "no heading `Crate graph` with a fenced block",
            remedy,
        )];
    };
    compare(start, &written, crates)
}

fn compare(start: usize, written: &[(usize, Edge)], crates: &[Crate]) -> Vec<Finding> {
    let file = Path::new(FILE);
    let nodes: BTreeMap<&str, String> = crates
        .iter()
        .map(|one| (one.package.as_str(), one.node()))
        .collect();
    let node = |name: &String| nodes.get(name.as_str()).unwrap_or(name).clone();
    let written: BTreeMap<Edge, usize> = written
        .iter()
        .map(|(line, (from, to))| ((node(from), node(to)), *line))
        .collect();
    let actual: Vec<Edge> = crates
        .iter()
        .flat_map(|one| one.depends_on.iter().map(|to| (one.node(), to.clone())))
        .collect();
    let mut findings = Vec::new();
    for (edge, line) in &written {
        if !actual.contains(edge) {
            let problem = format!(
                "`{} --> {}` is written but Cargo has no such edge",
                edge.0, edge.1
            );
            findings.push(Finding::new(
                file,
                *line,
                problem,
                "delete the line, or add the dependency",
            ));
        }
    }
    for edge in actual {
        if !written.contains_key(&edge) {
            let problem = format!(
                "Cargo has the edge `{} --> {}`, the graph does not",
                edge.0, edge.1
            );
            let remedy = "add the line and the reason, or drop the dependency";
            findings.push(Finding::new(file, start, problem, remedy));
        }
    }
    findings
}

/// Returns the line of the block's fence and the edges in it, each with its line.
fn written_edges(text: &str) -> Option<(usize, Vec<(usize, Edge)>)> {
    let mut lines = text.lines().zip(1..);
    lines
        .find(|(line, _)| heading(line).is_some_and(|title| title.eq_ignore_ascii_case(HEADING)))?;
    let (_, start) = lines.find(|(line, _)| is_fence(line) || heading(line).is_some())?;
    if !is_fence(text.lines().nth(start - 1)?) {
        return None;
    }
    let block = lines.take_while(|(line, _)| !is_fence(line));
    let edges =
        block.flat_map(|(line, number)| edges_in(line).into_iter().map(move |edge| (number, edge)));
    Some((start, edges.collect()))
}

fn is_fence(line: &str) -> bool {
    line.trim_start().starts_with("```")
}

fn heading(line: &str) -> Option<&str> {
    line.starts_with('#')
        .then(|| line.trim_start_matches('#').trim())
}

/// Reads `a & b --> c --> d` as the edges a→c, b→c, c→d.
fn edges_in(line: &str) -> Vec<Edge> {
    let sides: Vec<Vec<String>> = line
        .trim()
        .trim_end_matches(';')
        .split("-->")
        .map(names)
        .collect();
    let mut edges = Vec::new();
    for pair in sides.windows(2) {
        for from in &pair[0] {
            edges.extend(pair[1].iter().map(|to| (from.clone(), to.clone())));
        }
    }
    edges
}

/// Reads `a[label] & b` as the names a and b.
fn names(side: &str) -> Vec<String> {
    let name = |part: &str| {
        part.split(['[', '(', '{'])
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    side.split('&')
        .map(name)
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::rust_file::text_fixture;
    use super::*;

    fn two_crates() -> Vec<Crate> {
        let one = |package: &str, folder: &str, depends_on: &[&str]| Crate {
            package: package.into(),
            folder: folder.into(),
            depends_on: depends_on.iter().map(ToString::to_string).collect(),
        };
        vec![
            one("hawker", "crates/server", &["engine", "events"]),
            one("engine", "crates/engine", &["events"]),
            one("events", "crates/events", &[]),
        ]
    }

    fn findings(text: &str) -> Vec<(usize, String)> {
        check(&[text_fixture(FILE, text)], &two_crates())
            .into_iter()
            .map(|finding| (finding.line, finding.problem))
            .collect()
    }

    #[test]
    fn the_same_edges_pass_in_either_notation() {
        let mermaid = "# A\n## Crate graph\nText.\n```mermaid\nflowchart TD\n  server[the binary] --> engine & events;\n  \
                       engine --> events\n```\n";
        assert_eq!(findings(mermaid), []);
        let text =
            "### Crate Graph\n```text\nhawker --> engine --> events\nhawker --> events\n```\n";
        assert_eq!(findings(text), []);
    }

    #[test]
    fn a_missing_and_a_surplus_edge_are_named_with_their_lines() {
        let text = "## Crate graph\n```text\nserver --> engine & events\nevents --> engine\n```\n";
        assert_eq!(
            findings(text),
            [
                (
                    4,
                    "`events --> engine` is written but Cargo has no such edge".to_owned()
                ),
                (
                    2,
                    "Cargo has the edge `engine --> events`, the graph does not".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn a_missing_file_heading_or_block_is_a_finding() {
        assert_eq!(check(&[], &two_crates())[0].problem, "the file is missing");
        for text in [
            "# A\n",
            "## Crate graph\n## Next\n```text\nserver --> engine\n```\n",
        ] {
            assert_eq!(
                findings(text),
                [(1, "no heading `Crate graph` with a fenced block".to_owned())]
            );
        }
    }
}

//! Rule: relative links in Markdown lead to a file of the repository, and to a heading that is there.

use crate::finding::Finding;
use crate::repository::TextFile;
use std::path::{Component, Path, PathBuf};

/// Finds links whose file or heading does not exist; `exists` takes paths relative to the root.
pub(crate) fn check(files: &[TextFile], exists: &dyn Fn(&Path) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.has_extension("md")) {
        for (line, target) in targets(&file.text) {
            if let Err((problem, remedy)) = follow(&file.path, &target, files, exists) {
                findings.push(Finding::new(&file.path, line, problem, remedy));
            }
        }
    }
    findings
}

/// Follows one link from the file `from`; an error is the problem and its remedy.
fn follow(
    from: &Path,
    target: &str,
    files: &[TextFile],
    exists: &dyn Fn(&Path) -> bool,
) -> Result<(), (String, &'static str)> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let folder = from.parent().unwrap_or(Path::new(""));
    let destination = if path.is_empty() {
        Some(from.to_path_buf())
    } else {
        normalise(&folder.join(path))
    };
    let Some(destination) = destination else {
        let problem = format!("the link `{target}` leads out of the repository");
        return Err((
            problem,
            "name the place in words, or link to its address on the web",
        ));
    };
    if !exists(&destination) {
        let problem = format!("the link `{target}` leads to no file");
        return Err((
            problem,
            "correct the path, relative to this file and spelled as on disk",
        ));
    }
    let document = files.iter().find(|file| file.path == destination);
    match document {
        Some(document) if !heading.is_empty() && !has_heading(&document.text, heading) => {
            let problem = format!("the link `{target}` leads to no heading");
            Err((
                problem,
                "use the heading's words in lower case, joined by hyphens",
            ))
        }
        _ => Ok(()),
    }
}

/// Resolves `.` and `..`; `None` where the path leaves the root.
fn normalise(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir if clean.pop() => {}
            _ => return None,
        }
    }
    Some(clean)
}

/// Returns the target of every link, image, reference and HTML attribute, with its line.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        // Every second part lies between backticks.
        let spoken: String = line.split('`').step_by(2).collect::<Vec<_>>().join("_");
        let starts = spoken.match_indices("](").map(|(at, open)| at + open.len());
        found.extend(starts.map(|start| (number, inline_target(&spoken[start..]))));
        if let Some((label, target)) = spoken.split_once("]: ")
            && label.starts_with('[')
        {
            found.push((number, first_word(target)));
        }
        for attribute in ["src=\"", "href=\""] {
            let values = spoken.split(attribute).skip(1);
            found.extend(values.map(|value| {
                (
                    number,
                    value.split('"').next().unwrap_or_default().to_owned(),
                )
            }));
        }
    }
    found.retain(|(_, target)| !target.is_empty());
    found
}

/// Returns the lines outside fenced blocks, counted from 1.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fence: Option<&str> = None;
    let mut lines = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let start = line.trim_start();
        let length = start.len() - start.trim_start_matches(['`', '~']).len();
        match fence {
            Some(open) if length >= open.len() && start.starts_with(open) => fence = None,
            None if length >= 3 => fence = Some(&start[..length]),
            None => lines.push((number, line)),
            Some(_) => {}
        }
    }
    lines
}

/// Cuts a link's target at the parenthesis that closes it and drops the title.
fn inline_target(rest: &str) -> String {
    let mut depth = 1;
    let end = rest.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    first_word(&rest[..end.unwrap_or(rest.len())])
}

fn first_word(target: &str) -> String {
    let target = target.trim();
    let bare = target
        .strip_prefix('<')
        .and_then(|inner| inner.split('>').next());
    bare.or_else(|| target.split_whitespace().next())
        .unwrap_or_default()
        .to_owned()
}

/// Whether `text` has a heading that GitHub would anchor as `anchor`.
fn has_heading(text: &str, anchor: &str) -> bool {
    let mut seen = Vec::new();
    for (_, line) in prose(text) {
        if line.starts_with('#') {
            let base = slug(line.trim_start_matches('#').trim());
            let repeats = seen.iter().filter(|earlier| **earlier == base).count();
            let full = if repeats == 0 {
                base.clone()
            } else {
                format!("{base}-{repeats}")
            };
            if full == anchor {
                return true;
            }
            seen.push(base);
        }
        let explicit = format!("id=\"{anchor}\"");
        if line.contains(&explicit) {
            return true;
        }
    }
    false
}

/// Turns a heading into an anchor as GitHub does: lower case, punctuation dropped, spaces to hyphens.
fn slug(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::super::rust_file::text_fixture;
    use super::*;

    fn problems(text: &str) -> Vec<(usize, String)> {
        let files = [
            text_fixture("docs/a.md", text),
            text_fixture(
                "README.md",
                "# Über Hawker\n## What it is\n## What it is\n## 运行 `demo`\n",
            ),
        ];
        let exists = |path: &Path| {
            ["docs/a.md", "README.md", "docs", "docs/picture (1).png"]
                .iter()
                .any(|known| path == Path::new(known))
        };
        check(&files, &exists)
            .into_iter()
            .map(|finding| (finding.line, finding.problem))
            .collect()
    }

    #[test]
    fn links_that_resolve_pass() {
        let text = "# Here\n[a](../README.md), [b](../README.md#what-it-is-1 \"title\") [c](#here)\n\
                    ![p](<picture (1).png>) [web](https://example.com/x) [mail](mailto:a@b.c)\n\
                    [ref]: ../README.md#运行-demo\n<img src=\"../docs/a.md\"> [d](./) [e](../README.md#über-hawker)\n";
        assert_eq!(problems(text), []);
    }

    #[test]
    fn code_is_not_read() {
        let text = "`[a](gone.md)`\n````text\n```\n[a](gone.md)\n```\n````\n";
        assert_eq!(problems(text), []);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let text = "x [a](gone.md) [b](../README.md#gone)\n[c](../../shared/x.md)\n[r]: gone.md\n<a href=\"gone.md\">\n[d](#gone)\n";
        let expected = [
            (1, "the link `gone.md` leads to no file"),
            (1, "the link `../README.md#gone` leads to no heading"),
            (
                2,
                "the link `../../shared/x.md` leads out of the repository",
            ),
            (3, "the link `gone.md` leads to no file"),
            (4, "the link `gone.md` leads to no file"),
            (5, "the link `#gone` leads to no heading"),
        ];
        assert_eq!(
            problems(text),
            expected.map(|(line, problem)| (line, problem.to_owned()))
        );
    }
}

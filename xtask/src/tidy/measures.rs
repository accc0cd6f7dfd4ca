//! Measures that are printed for a reader to judge, and fail nothing.

use super::rust_file::RustFile;
use crate::repository::Crate;
use std::fmt::Write as _;

const LONG_FILE_LINES: usize = 500;
const LONG_FUNCTION_LINES: usize = 70;

/// Returns the measures of all files as text.
pub(crate) fn report(files: &[RustFile], crates: &[Crate]) -> String {
    let parts = [
        file_sizes(files),
        function_sizes(files),
        panics(files, crates),
        test_ratio(files),
    ];
    parts.concat()
}

fn file_sizes(files: &[RustFile]) -> String {
    let mut lengths: Vec<usize> = files.iter().map(|file| file.text.lines().count()).collect();
    lengths.sort_unstable();
    let (p50, p90) = (percentile(&lengths, 50), percentile(&lengths, 90));
    let mut text = format!(
        "lines per file: p50 {p50}, p90 {p90} of {} files\n",
        files.len()
    );
    for file in files {
        let lines = file.text.lines().count();
        if lines > LONG_FILE_LINES {
            let _ = writeln!(
                text,
                "  over {LONG_FILE_LINES}: {} ({lines} lines)",
                file.path.display()
            );
        }
    }
    text
}

fn function_sizes(files: &[RustFile]) -> String {
    let mut count = 0;
    let mut long = Vec::new();
    for file in files {
        for function in file.source.functions() {
            count += 1;
            if function.length > LONG_FUNCTION_LINES {
                let path = file.path.display();
                long.push(format!(
                    "  {path}:{} {} ({} lines)\n",
                    function.line, function.name, function.length
                ));
            }
        }
    }
    let share = percent(long.len(), count);
    let head = format!(
        "functions over {LONG_FUNCTION_LINES} lines: {} of {count} ({share:.1} %)\n",
        long.len()
    );
    head + &long.concat()
}

fn panics(files: &[RustFile], crates: &[Crate]) -> String {
    let mut text = String::from("unwrap + expect per 1,000 lines outside tests:\n");
    for one in crates {
        let own = files
            .iter()
            .filter(|file| file.path.starts_with(&one.folder));
        let (calls, lines) = own
            .map(panics_in)
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let rate = percent(calls, lines) * 10.0;
        let _ = writeln!(
            text,
            "  {:<12} {rate:>5.1}  ({calls} in {lines} lines)",
            one.node()
        );
    }
    text
}

/// Counts the calls of `unwrap` and `expect` outside tests, and the lines there.
fn panics_in(file: &RustFile) -> (usize, usize) {
    let calls = [".unwrap()", ".expect("]
        .iter()
        .flat_map(|call| file.source.code.match_indices(call));
    let calls = calls
        .filter(|(offset, _)| !file.is_test_line(file.source.line_of(*offset)))
        .count();
    let lines = file
        .text
        .lines()
        .zip(1..)
        .filter(|(_, line)| !file.is_test_line(*line))
        .count();
    (calls, lines)
}

fn test_ratio(files: &[RustFile]) -> String {
    let (tests, code) = files
        .iter()
        .map(split_lines)
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let ratio = percent(tests, code) / 100.0;
    format!("test : code lines, neither blank nor comment: {ratio:.2} ({tests} : {code})\n")
}

/// Counts the lines of tests and of other code, leaving out blank lines and lines of comment alone.
fn split_lines(file: &RustFile) -> (usize, usize) {
    let lines = file
        .text
        .lines()
        .zip(file.source.code.lines())
        .zip(file.source.comments.lines())
        .zip(1..);
    let mut counts = (0, 0);
    for (((text, code), comments), number) in lines {
        let is_comment = code.trim().is_empty() && !comments.trim().is_empty();
        if text.trim().is_empty() || is_comment {
            continue;
        }
        if file.is_test_line(number) {
            counts.0 += 1;
        } else {
            counts.1 += 1;
        }
    }
    counts
}

/// Returns the nearest-rank percentile of sorted values, 0 where there are none.
fn percentile(sorted: &[usize], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        100.0 * part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::rust_file::fixture;
    use super::*;

    const SOURCE: &str = "//! Docs.\n\nfn f() {\n    g().unwrap(); // .unwrap()\n    h().unwrap_or(\".expect(\");\n}\n\
                          #[cfg(test)]\nmod tests {\n    fn t() {\n        g().expect(\"x\");\n    }\n}\n";

    #[test]
    fn percentiles_are_nearest_rank() {
        assert_eq!(percentile(&[], 50), 0);
        assert_eq!(percentile(&[1, 2, 3, 4], 50), 2);
        assert_eq!(percentile(&[1, 2, 3, 4], 90), 4);
        assert_eq!(percentile(&[7], 90), 7);
    }

    #[test]
    fn calls_in_tests_comments_and_strings_are_left_out() {
        assert_eq!(panics_in(&fixture("a/src/lib.rs", SOURCE)), (1, 6));
        assert_eq!(panics_in(&fixture("a/tests/b.rs", SOURCE)), (0, 0));
    }

    #[test]
    fn blank_lines_and_comments_are_no_code() {
        assert_eq!(split_lines(&fixture("a/src/lib.rs", SOURCE)), (6, 4));
    }

    #[test]
    fn a_line_of_a_literal_is_code() {
        assert_eq!(
            split_lines(&fixture("a.rs", "const A: &str = \"\n// b\nc\";\n")),
            (0, 3)
        );
    }

    #[test]
    fn long_files_and_functions_are_listed() {
        let body = "    x();\n".repeat(499);
        let file = fixture(
            "a.rs",
            &format!("fn long() {{\n{body}}}\nfn short() {{}}\n"),
        );
        let one = Crate {
            package: "a".into(),
            folder: "".into(),
            depends_on: Vec::new(),
        };
        let text = report(&[file], &[one]);
        assert!(text.contains("over 500: a.rs (502 lines)"), "{text}");
        assert!(
            text.contains("functions over 70 lines: 1 of 2 (50.0 %)\n  a.rs:1 long (501 lines)"),
            "{text}"
        );
    }
}

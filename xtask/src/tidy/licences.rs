//! Rule: every dependency comes from crates.io under a licence that `deny.toml` allows.

use super::spdx;
use crate::Outcome;
use crate::finding::Finding;
use crate::repository::TextFile;
use serde_json::Value;
use std::path::Path;

const FILE: &str = "deny.toml";
const REMEDY: &str =
    "choose another crate, or allow the licence in `[licenses]` once its terms are read";

/// The registry's two spellings in Cargo's metadata.
const CRATES_IO: [&str; 2] = [
    "registry+https://github.com/rust-lang/crates.io-index",
    "sparse+https://index.crates.io/",
];

/// Compares the packages Cargo knows with the allow list.
pub(crate) fn check(files: &[TextFile], metadata: &Value) -> Outcome<Vec<Finding>> {
    let path = Path::new(FILE);
    let Some(file) = files.iter().find(|candidate| candidate.path == path) else {
        let remedy = "write it, with `[licenses] allow = […]`";
        return Ok(vec![Finding::new(path, 1, "the file is missing", remedy)]);
    };
    let settings: toml::Table = file
        .text
        .parse()
        .map_err(|error| format!("{FILE}: {error}"))?;
    let allowed: Vec<&str> = settings
        .get("licenses")
        .and_then(|licences| licences.get("allow")?.as_array())
        .ok_or("deny.toml: add `allow = [\"MIT\", …]` under `[licenses]`")?
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    let line = 1 + file
        .text
        .lines()
        .take_while(|line| line.trim() != "[licenses]")
        .count();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let problems = packages.filter_map(|package| problem(package, &allowed));
    Ok(problems
        .map(|problem| Finding::new(path, line, problem, REMEDY))
        .collect())
}

/// Says what is wrong with a package, if anything.
fn problem(package: &Value, allowed: &[&str]) -> Option<String> {
    let label = format!("`{} {}`", text(&package["name"]), text(&package["version"]));
    if let Some(source) = package["source"].as_str()
        && !CRATES_IO.contains(&source)
    {
        return Some(format!("{label} comes from `{source}`, not from crates.io"));
    }
    let Some(licence) = package["license"].as_str() else {
        return Some(format!("{label} names no licence"));
    };
    match spdx::is_satisfied(licence, &|name| allowed.contains(&name)) {
        Ok(true) => None,
        Ok(false) => Some(format!(
            "{label} is under `{licence}`, which is not allowed"
        )),
        Err(error) => Some(format!("{label} has a licence nobody can read: {error}")),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::super::rust_file::text_fixture;
    use super::*;
    use serde_json::json;

    fn problems(packages: &Value) -> Vec<(usize, String)> {
        let file = text_fixture(FILE, "# Licences.\n[licenses]\nallow = [\"MIT\"]\n");
        let found =
            check(&[file], &json!({ "packages": packages })).expect("the settings are readable");
        found
            .into_iter()
            .map(|finding| (finding.line, finding.problem))
            .collect()
    }

    #[test]
    fn licences_and_sources_are_compared() {
        let packages = json!([
            {"name": "own", "version": "0.1.0", "license": "MIT", "source": null},
            {"name": "good", "version": "1.0.0", "license": "GPL-3.0 OR MIT", "source": CRATES_IO[0]},
            {"name": "bad", "version": "2.0.0", "license": "GPL-3.0", "source": CRATES_IO[1]},
            {"name": "none", "version": "3.0.0", "license": null, "source": CRATES_IO[0]},
            {"name": "fork", "version": "4.0.0", "license": "MIT", "source": "git+https://example.com/fork"},
            {"name": "odd", "version": "5.0.0", "license": "MIT OR", "source": CRATES_IO[0]}
        ]);
        let expected = [
            "`bad 2.0.0` is under `GPL-3.0`, which is not allowed",
            "`none 3.0.0` names no licence",
            "`fork 4.0.0` comes from `git+https://example.com/fork`, not from crates.io",
            "`odd 5.0.0` has a licence nobody can read: expected a licence, got `the end`",
        ];
        assert_eq!(
            problems(&packages),
            expected.map(|problem| (2, problem.to_owned()))
        );
    }

    #[test]
    fn missing_settings_are_reported() {
        let found = check(&[], &json!({})).expect("a missing file is a finding");
        assert_eq!(found[0].problem, "the file is missing");
        assert!(check(&[text_fixture(FILE, "[licenses]\n")], &json!({})).is_err());
    }
}

//! `cargo xtask tidy`: rules that fail and measures that are printed.
//!
//! Rules, one module each: the crate graph of `ARCHITECTURE.md`, relative links, lint exceptions without a
//! reason, leftovers, crate docs, licences. Measures: lines per file and function, `unwrap` and `expect`
//! per 1,000 lines, test lines per line of code.
//!
//! # The crate graph in `ARCHITECTURE.md`
//!
//! Under a heading `Crate graph` (any level) stands a fenced block, `text` or `mermaid`, with one line per
//! crate or edge. A crate's name is its folder's (`crates/server` is `server`); a package's name is accepted
//! as well. `&` joins several names on either side; other lines are ignored. Edges are the normal
//! dependencies inside the workspace; those for tests and builds are left out.
//!
//! ````text
//! ## Crate graph
//! ```mermaid
//! flowchart TD
//!   server --> engine & events
//!   engine --> events
//! ```
//! ````

mod crate_docs;
mod crate_graph;
mod leftovers;
mod licences;
mod links;
mod lint_exceptions;
mod measures;
mod rust_file;
mod spdx;

use crate::Outcome;
use crate::repository;
use rust_file::RustFile;

/// Runs every rule, prints findings and measures, and says whether all rules hold.
pub(crate) fn run() -> Outcome<bool> {
    let root = repository::root();
    let crates = repository::crates(&root)?;
    let files = repository::text_files(&root, &["rs", "md", "toml", "py", "sh"])?;
    let (rust, other): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.has_extension("rs"));
    let rust = RustFile::all(rust);

    let mut findings = Vec::new();
    findings.extend(crate_graph::check(&other, &crates));
    findings.extend(links::check(&other, &|path| root.join(path).exists()));
    findings.extend(lint_exceptions::check(&rust));
    findings.extend(leftovers::check(&rust, &other));
    findings.extend(crate_docs::check(&rust, &crates));
    let (packages, platform) = repository::packages(&root)?;
    findings.extend(licences::check(&other, &packages)?);
    findings.sort();

    print!("{}", measures::report(&rust, &crates));
    if let Some(platform) = platform {
        println!(
            "licences: checked for {platform} alone; `cargo fetch` first to check every platform"
        );
    }
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => println!("tidy: all rules hold"),
        count => println!("tidy: {count} findings"),
    }
    Ok(findings.is_empty())
}

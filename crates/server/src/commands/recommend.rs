//! `hawker recommend`.

use std::time::Instant;

use engine::{RecommendProgress, RecommendReport, RecommendRequest, RecommendedLine};
use serde::Serialize;

use super::{config, grouped, store};
use crate::Outcome;
use crate::cli::{RecommendArgs, Shared};
use crate::terminal::Terminal;

/// What a machine reads of a run.
#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    report: RecommendReport,
    seconds: f64,
}

pub(crate) fn run(shared: &Shared, args: &RecommendArgs, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let store = store(shared)?;
    let request = RecommendRequest {
        user: args.user.clone(),
        top: args.top.into(),
        category: args.category.clone(),
        segment: args.segment.clone(),
        include_bought: args.include_bought,
        explore: args.explore,
        seed: args.seed.unwrap_or(config.campaign.seed),
        why: args.why,
        identities: args.identities,
        out: args.out.clone(),
    };
    let started = Instant::now();
    let spinner = terminal.spinner("reading the log and the models");
    let mut bar = None;
    let report = engine::recommend(&store, &config, &request, &mut |progress| {
        if let RecommendProgress::Ranking(done, all) = progress {
            spinner.finish_and_clear();
            bar.get_or_insert_with(|| terminal.bar(all as u64, "shoppers"))
                .set_position(done as u64);
        }
    });
    spinner.finish_and_clear();
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let report = report?;
    let seconds = started.elapsed().as_secs_f64();
    for text in report.lines.iter().flat_map(for_people) {
        terminal.say(text);
    }
    if let Some(file) = &report.file {
        terminal.say(format!(
            "{} products for {} shoppers in {seconds:.1} s, {} of them to explore, by {}, in {}",
            grouped(report.products),
            grouped(report.shoppers),
            grouped(report.explored),
            report.model,
            file.display()
        ));
    }
    if let Some(candidates) = report.candidates {
        terminal.say(format!(
            "a large catalogue: the user model found {} candidates for each shopper, which were then ranked",
            grouped(candidates as u64)
        ));
    }
    terminal.result(&Summary { report, seconds })
}

/// A list as a person reads it.
fn for_people(line: &RecommendedLine) -> Vec<String> {
    let name = line
        .user_id
        .clone()
        .unwrap_or_else(|| line.user.to_string());
    let mut lines = vec![format!(
        "for {name} at {}, by {}",
        line.at, line.model_version
    )];
    if line.products.is_empty() {
        lines.push("no product may be recommended".to_owned());
    }
    for (place, product) in line.products.iter().enumerate() {
        let chance = match (product.explored, product.propensity < 1.0) {
            (true, _) => format!(
                ", drawn from beyond (rank {}), probability {:.4}",
                product.rank, product.propensity
            ),
            (false, true) => format!(", probability {:.4}", product.propensity),
            (false, false) => String::new(),
        };
        lines.push(format!(
            "{:>4}  {} ({}), score {:.3}{chance}",
            place + 1,
            product.title,
            product.id,
            product.score
        ));
        lines.extend(product.why.iter().map(|why| format!("      {}", why.text)));
    }
    lines
}

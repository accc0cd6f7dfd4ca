//! `hawker campaign`.

use std::collections::BTreeMap;
use std::time::Instant;

use engine::{CampaignProgress, CampaignReport, CampaignRequest, Config, Store};
use serde::Serialize;

use super::{config, grouped, store};
use crate::Outcome;
use crate::cli::{CampaignArgs, Shared};
use crate::terminal::Terminal;

/// What a machine reads of a campaign.
#[derive(Serialize)]
pub(crate) struct Summary {
    shoppers: u64,
    messages: u64,
    nothing: BTreeMap<String, u64>,
    strategies: BTreeMap<String, u64>,
    largest_product_share: f64,
    largest_variant_share: f64,
    live_lines: u64,
    live_messages: u64,
    run: String,
    seconds: f64,
}

impl Summary {
    fn new(report: CampaignReport, seconds: f64) -> Self {
        Self {
            shoppers: report.shoppers,
            messages: report.messages,
            nothing: report.nothing,
            strategies: report.strategies,
            largest_product_share: report.largest_product_share,
            largest_variant_share: report.largest_variant_share,
            live_lines: report.live_lines,
            live_messages: report.live_messages,
            run: report.run,
            seconds,
        }
    }
}

pub(crate) fn run(shared: &Shared, args: &CampaignArgs, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let mut store = store(shared)?;
    let summary = write_campaign(&mut store, &config, args, terminal)?;
    terminal.result(&summary)
}

/// Writes a campaign and says what it came to.
pub(crate) fn write_campaign(
    store: &mut Store,
    config: &Config,
    args: &CampaignArgs,
    terminal: Terminal,
) -> Outcome<Summary> {
    let request = CampaignRequest {
        channel: args.channel,
        goal: args.goal,
        seed: args.seed.unwrap_or(config.campaign.seed),
        at: args.at,
        out: args.out.clone(),
        identities: args.identities,
    };
    let started = Instant::now();
    let spinner = terminal.spinner("reading the log");
    let mut bar: Option<indicatif::ProgressBar> = None;
    let report = engine::run_campaign(store, config, &request, &mut |progress| match progress {
        CampaignProgress::Reading => {}
        CampaignProgress::Writing(done, all) => {
            spinner.finish_and_clear();
            bar.get_or_insert_with(|| terminal.bar(all as u64, "shoppers"))
                .set_position(done as u64);
        }
        CampaignProgress::Choosing | CampaignProgress::Delivering => {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
            }
        }
    });
    spinner.finish_and_clear();
    let report = report?;
    let seconds = started.elapsed().as_secs_f64();
    terminal.say(format!(
        "{} messages for {} shoppers in {seconds:.1} s, in {}",
        grouped(report.messages),
        grouped(report.shoppers),
        args.out.display()
    ));
    for (id, why) in &report.paused {
        terminal.say(format!("paused {id}: {why}"));
    }
    if report.live_lines > 0 {
        terminal.say(format!(
            "{} lines were written for one shopper each, {} of them were sent",
            grouped(report.live_lines),
            grouped(report.live_messages)
        ));
    }
    if let Some(why) = &report.no_live_lines {
        terminal.say(format!("no live lines: {why}"));
    }
    for (reason, shoppers) in &report.nothing {
        terminal.say(format!("{:>12}  nothing: {reason}", grouped(*shoppers)));
    }
    if report.nothing.get("no_consent").copied().unwrap_or(0) == report.shoppers {
        terminal.say("nobody consented to this channel; `hawker status` shows the consents");
    }
    Ok(Summary::new(report, seconds))
}

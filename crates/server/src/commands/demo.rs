//! `hawker demo`: the whole loop on a simulated shop.

use std::path::PathBuf;
use std::time::Instant;

use engine::ingest::{Format, ImportReport};
use engine::{Config, Demo, DemoReport, Store};

use super::{evaluate, grouped, import, report, train};
use crate::Outcome;
use crate::cli::{DemoArgs, ImportArgs, Shared};
use crate::terminal::Terminal;

/// Campaigns that the policy learns from.
const ROUNDS: usize = 16;
const SMALL_ROUNDS: usize = 4;

pub(crate) fn run(shared: &Shared, args: &DemoArgs, terminal: Terminal) -> Outcome<()> {
    let started = Instant::now();
    let data_dir = shared.data_dir.join("demo");
    let from_former_run = data_dir.join("log.sqlite").exists();
    if from_former_run {
        std::fs::remove_dir_all(&data_dir)?;
    }
    let spinner = terminal.spinner("generating the shop");
    let mut demo = Demo::new(args.small, args.seed, &data_dir.join("shop"))?;
    let config = demo.config(args.small);
    let (feed, events) = demo.write_files()?;
    spinner.finish_and_clear();
    engine::write_demo_key(&data_dir, args.seed)?;
    let mut store = Store::open(&data_dir)?;
    import_file(&mut store, &config, Format::MerchantFeed, feed, terminal)?;
    let imported = import_file(&mut store, &config, Format::Segment, events, terminal)?;
    train::train_models(&mut store, &config, terminal)?;
    let evaluation = evaluate::evaluate_models(&store, &config, terminal)?;
    let rounds = if args.small { SMALL_ROUNDS } else { ROUNDS };
    let measured = campaigns(&mut demo, &mut store, &config, rounds, terminal)?;
    let path = data_dir.join("report.html");
    measured.save(&data_dir, &config)?;
    report::write(&store, &config, &path)?;
    tell(&measured, terminal);
    let seconds = started.elapsed().as_secs_f64();
    terminal.say(format!("done in {seconds:.0} s; open {}", path.display()));
    terminal.result(&serde_json::json!({
        "import": imported,
        "evaluation": evaluation,
        "demo": measured,
        "report": path,
        "seconds": seconds,
    }))
}

fn import_file(
    store: &mut Store,
    config: &Config,
    format: Format,
    path: PathBuf,
    terminal: Terminal,
) -> Outcome<ImportReport> {
    let files = ImportArgs {
        format,
        paths: vec![path],
        consents: Vec::new(),
    };
    import::import_files(store, config, &files, terminal)
}

/// Writes campaign after campaign, each learning from the ones before it.
fn campaigns(
    demo: &mut Demo,
    store: &mut Store,
    config: &Config,
    rounds: usize,
    terminal: Terminal,
) -> Outcome<DemoReport> {
    let bar = terminal.bar(rounds as u64, "campaigns");
    terminal.say("campaign  messages  policy (truth)    random (truth)    best possible");
    for _ in 0..rounds {
        let round = demo.round(store, config)?;
        let percent = |rate: Option<f64>| {
            rate.map_or("–".to_owned(), |rate| format!("{:.2} %", 100.0 * rate))
        };
        bar.suspend(|| {
            terminal.say(format!(
                "{:>8}  {:>8}  {:>7} ({})  {:>7} ({})  {}",
                round.round,
                grouped(round.messages),
                percent(round.policy_rate),
                percent(round.policy_truth),
                percent(round.random_rate),
                percent(round.random_truth),
                percent(round.oracle_truth),
            ));
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(demo.report(store, config)?)
}

fn tell(measured: &DemoReport, terminal: Terminal) {
    let relative = [
        ("clicks over random messages", &measured.lift_over_random),
        ("the same, second half", &measured.late_lift_over_random),
    ];
    for (name, lift) in relative {
        if let Some(lift) = lift {
            terminal.say(format!(
                "{name}: {:+.1} % [{:+.1}, {:+.1}], true {:+.1} %",
                100.0 * lift.measured.value,
                100.0 * lift.measured.low,
                100.0 * lift.measured.high,
                100.0 * lift.truth
            ));
        }
    }
    if let Some(lift) = &measured.orders_per_1000_over_holdout {
        terminal.say(format!(
            "orders per 1,000 shoppers over the holdout: {:+.1} [{:+.1}, {:+.1}], true {:+.1}",
            lift.measured.value, lift.measured.low, lift.measured.high, lift.truth
        ));
    }
}

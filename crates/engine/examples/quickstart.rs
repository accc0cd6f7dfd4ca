//! The whole loop in one file: a shop's files come in, messages go out, what the shoppers did comes back, the policy
//! learns.
//!
//! ```sh
//! cargo run -p engine --example quickstart
//! ```
//!
//! The shop is simulated, so that somebody reacts. With a shop of your own, its export stands in the place of step 1, its
//! sender and its tracking in that of step 4, and the other steps stay as they are.
#![allow(clippy::print_stdout, reason = "an example reports to its reader")]

use std::error::Error;
use std::path::{Path, PathBuf};

use datasets::{ShopConfig, SimulatedShop};
use engine::ingest::{Format, ImportRequest, import};
use engine::{
    CampaignRequest, Config, DeliveredLine, FEATURE_NAMES, Policy, Store, learn, run_campaign,
    write_demo_key,
};
use events::{Channel, Goal, Identity, Strategy, Timestamp};
use jiff::SignedDuration;
use serde_json::json;

const SEED: u64 = 7;
const CAMPAIGNS: i64 = 3;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;

    // 1. A shop exports its catalogue and a year of events. Both are files that real shops have: a Merchant Center feed
    // and events in Segment's envelope. This world is a function of its seed alone.
    let mut shop = SimulatedShop::new(ShopConfig::small(), SEED)?;
    let (feed, history) = export(&shop, folder.path())?;

    // 2. Both are imported into a data directory. It holds one SQLite file and the key of the vault, and belongs to this
    // process until `store` is dropped. The consents are in the events: whoever gave none is not written to.
    // The key of a real shop is drawn by the operating system; this one follows from the seed, so that the example prints
    // the same every time.
    let data_dir = folder.path().join("data");
    write_demo_key(&data_dir, SEED)?;
    let mut store = Store::open(&data_dir)?;
    let mut config = Config::default();
    // A small shop needs more room for each product, and a large control arm shows a difference early.
    config.campaign.max_product_share = 0.05;
    config.campaign.control_share = 0.3;
    take_in(&mut store, &config, Format::MerchantFeed, feed, shop.end())?;
    take_in(&mut store, &config, Format::Segment, history, shop.end())?;

    // `engine::train` belongs here. Without it products are ranked by item-kNN beside recent popularity, which keeps
    // this example to seconds.
    for campaign in 0..CAMPAIGNS {
        // 3. Every shopper gets one message, or nothing with the reason. The decisions are in the log before the file
        // is there. The moment is an argument, as everywhere: nothing in the engine reads a clock.
        let at = shop.end() + SignedDuration::from_hours(11 + 72 * campaign);
        let request = CampaignRequest {
            channel: Channel::Push,
            goal: Goal::Click,
            seed: SEED,
            at: Some(at),
            out: folder.path().join(format!("campaign-{campaign}.jsonl")),
            identities: true,
        };
        let report = run_campaign(&mut store, &config, &request, &mut |_| {})?;
        let lines = read_campaign(&request.out)?;
        println!(
            "\n{} messages for {} shoppers",
            report.messages, report.shoppers
        );
        println!("  nothing: {:?}", report.nothing);
        if let Some(line) = lines.iter().find(|line| line.text.is_some()) {
            show(line);
        }

        // 4. The shop sends them, and what the shoppers did comes back as events that name the decision.
        let answers = react(&mut shop, &lines, at)?;
        let path = folder.path().join(format!("answers-{campaign}.jsonl"));
        std::fs::write(&path, answers.join("\n"))?;
        let next_day = at + SignedDuration::from_hours(25);
        take_in(&mut store, &config, Format::Segment, path, next_day)?;

        // 5. A day later the clicks have had their time, and the policy learns from every message that was seen.
        let learnt = learn(
            &mut store,
            config.learning.attribution,
            request.goal,
            next_day,
        )?;
        println!("  learnt from {} messages", learnt.learnt);
    }

    // 6. The policy is a line in 26 features of a message; before the first click all it knew was 2 % for any message.
    show_policy(&Policy::load(&store, Goal::Click)?);
    Ok(())
}

/// Writes the catalogue and the history as the shop's own systems would.
fn export(shop: &SimulatedShop, folder: &Path) -> Outcome<(PathBuf, PathBuf)> {
    let (feed, history) = (folder.join("products.tsv"), folder.join("events.jsonl"));
    let mut rows = vec!["id\ttitle\tprice\tsale_price\tgoogle_product_category\tbrand".to_owned()];
    for product in shop.products() {
        let price = |price: Option<events::Money>| {
            price.map_or_else(String::new, |price| {
                format!("{:.2} {}", price.decimal(), price.currency)
            })
        };
        rows.push(format!(
            "{}\t{}\t{}\t{}\t{}\t{}",
            product.id,
            product.title,
            price(product.price),
            price(product.sale_price),
            product
                .google_product_category
                .as_deref()
                .unwrap_or_default(),
            product.brand.as_deref().unwrap_or_default(),
        ));
    }
    std::fs::write(&feed, rows.join("\n"))?;
    std::fs::write(
        &history,
        shop.segment_lines().collect::<Vec<_>>().join("\n"),
    )?;
    Ok((feed, history))
}

/// Imports one file and says what became of its rows.
fn take_in(
    store: &mut Store,
    config: &Config,
    format: Format,
    file: PathBuf,
    now: Timestamp,
) -> Outcome<()> {
    let request = ImportRequest {
        format,
        files: vec![file],
        consents: Vec::new(),
        now,
    };
    let report = import(store, config, &request, &mut |_| {})?;
    println!(
        "{format}: {} rows read, {} kept, {} merged, {} quarantined",
        report.rows_read, report.kept, report.merged, report.quarantined
    );
    Ok(())
}

/// Reads a campaign's file, one decision a line.
fn read_campaign(path: &Path) -> Outcome<Vec<DeliveredLine>> {
    let text = std::fs::read_to_string(path)?;
    Ok(text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?)
}

/// Prints a message with its reason and the odds it was drawn with.
fn show(line: &DeliveredLine) {
    let text = line.plain_text.clone().unwrap_or_default();
    println!("  “{}” {}", text.title.unwrap_or_default(), text.body);
    println!("  {}", line.reason);
    let candidates = &line.decision.candidates;
    let total: f64 = candidates
        .iter()
        .map(|candidate| candidate.propensity)
        .sum();
    println!(
        "  drawn with probability {:.3} from {} candidates, whose probabilities sum to {total:.3}",
        line.decision.chosen().propensity,
        candidates.len(),
    );
}

/// Prints the largest coefficients of the policy's posterior mean.
fn show_policy(policy: &Policy) {
    let weights = policy.model.mean().iter().copied();
    let mut weights: Vec<(&str, f64)> = FEATURE_NAMES.into_iter().zip(weights).collect();
    weights.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    println!(
        "\nafter {} messages, the largest coefficients:",
        policy.learnt
    );
    for (feature, weight) in weights.into_iter().take(6) {
        println!("  {weight:+.4}  {feature}");
    }
}

/// Delivers the messages and returns what the shop's tracking saw, one event a line.
fn react(shop: &mut SimulatedShop, lines: &[DeliveredLine], at: Timestamp) -> Outcome<Vec<String>> {
    let mut answers = Vec::new();
    for line in lines {
        let (Some(user), Some(product)) = (&line.user_id, &line.product) else {
            continue;
        };
        let made = |strategy: &Strategy| Some(strategy.name()) == line.strategy.as_deref();
        let Some(strategy) = Strategy::ALL.into_iter().find(made) else {
            continue;
        };
        let (shopper, decision) = (Identity::User(user.clone()), &line.decision);
        let message = shop.message(&shopper, &product.id, strategy, decision.channel, at)?;
        let reaction = shop.react(&message, SEED);
        let deeds = [
            ("Promotion Viewed", true),
            ("Promotion Clicked", reaction.clicked),
            ("Unsubscribed", reaction.unsubscribed),
        ];
        for (minutes, (event, _)) in (1..).zip(deeds).filter(|(_, (_, happened))| *happened) {
            let event = json!({
                "type": "track",
                "event": event,
                "messageId": format!("{} {event}", decision.decision_id),
                "userId": user,
                "timestamp": at + SignedDuration::from_mins(minutes),
                "properties": {
                    "decision_id": decision.decision_id,
                    "product_id": product.id,
                    "channel": decision.channel,
                },
            });
            answers.push(event.to_string());
        }
    }
    Ok(answers)
}

//! One campaign of the demo, seen from the shop: read the file, deliver, watch, send the events back.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use datasets::{Message, segment_line};
use events::{
    DecisionId, EventKind, Identity, IncomingEvent, LineItem, Properties, Strategy, Timestamp,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::{Demo, files};
use crate::campaign::{CampaignRequest, DeliveredLine, run_campaign};
use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::ingest::{Format, ImportRequest, import};
use crate::learn::learn;
use crate::store::Store;

/// What one campaign came to, beside the truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RoundReport {
    /// The campaign, from 1.
    pub round: u64,
    /// Messages that reached a shopper.
    pub messages: u64,
    /// Clicks per decision of the policy arm, silence included.
    pub policy_rate: Option<f64>,
    /// The same of the random arm.
    pub random_rate: Option<f64>,
    /// Exact expected clicks per decision of the policy arm.
    pub policy_truth: Option<f64>,
    /// The same of the random arm.
    pub random_truth: Option<f64>,
    /// Exact expected clicks per decision of the best product and argument for the same shoppers.
    pub oracle_truth: Option<f64>,
    /// Expected clicks that the policy arm has forgone against the best messages, over all campaigns so far.
    pub cumulative_regret: f64,
    /// The same of the random arm, per as many decisions as the policy arm took.
    pub random_cumulative_regret: f64,
    /// Orders that followed clicks.
    pub orders: u64,
    /// Shoppers who left the channel.
    pub unsubscribed: u64,
    /// Messages from which the policy has learnt so far.
    pub learnt: u64,
}

/// What happened so far, and what the simulator knows of it.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) rounds: Vec<RoundReport>,
    /// Of every message that was sent.
    pub(super) truths: HashMap<DecisionId, Truth>,
}

/// What the simulator expects of a message, exactly.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Truth {
    /// P(click) of what was sent.
    pub(super) click: f64,
    /// P(order) of what was sent.
    pub(super) order: f64,
}

/// One decision at which the policy or chance had a choice.
struct Entry {
    clicked: bool,
    /// Exact P(click) of what was sent.
    truth: f64,
    /// Exact P(click) of the best message.
    best_truth: f64,
}

/// One campaign while its messages are delivered.
#[derive(Default)]
struct Delivery {
    report: RoundReport,
    answers: Vec<IncomingEvent>,
    policy: Vec<Entry>,
    random: Vec<Entry>,
}

/// Runs one campaign from its decision to what the policy learns of it.
pub(super) fn run(demo: &mut Demo, store: &mut Store, config: &Config) -> Result<RoundReport> {
    let round = demo.ledger.rounds.len();
    let at = demo.next_at();
    let out = demo.dir.join(format!("campaign-{}.jsonl", round + 1));
    let request = CampaignRequest {
        channel: demo.channel,
        goal: demo.goal,
        seed: demo.seed.wrapping_add(round as u64),
        at: Some(at),
        out: out.clone(),
        identities: true,
    };
    run_campaign(store, config, &request, &mut |_| {})?;
    let mut delivery = Delivery::default();
    let lines = read_campaign(&out)?;
    let best = best_clicks(demo, &lines, at)?;
    for (line, best) in lines.iter().zip(best) {
        react(demo, line, at, best, &mut delivery)?;
    }
    let events = demo.dir.join(format!("answers-{}.jsonl", round + 1));
    files::write_lines(&events, delivery.answers.iter().map(segment_line))?;
    if !delivery.answers.is_empty() {
        let request = ImportRequest {
            format: Format::Segment,
            files: vec![events],
            consents: Vec::new(),
            now: at + jiff::SignedDuration::from_hours(48),
        };
        import(store, config, &request, &mut |_| {})?;
    }
    learn(
        store,
        config.learning.attribution,
        demo.goal,
        at + jiff::SignedDuration::from_hours(25),
    )?;
    let before = demo.ledger.rounds.last().copied().unwrap_or_default();
    let report = RoundReport {
        round: round as u64 + 1,
        learnt: crate::policy::Policy::load(store, demo.goal)?.learnt,
        ..delivery.summarise(before)
    };
    demo.ledger.rounds.push(report);
    Ok(report)
}

/// Reads a campaign's file as its receiver would.
fn read_campaign(path: &Path) -> Result<Vec<DeliveredLine>> {
    let file = File::open(path).map_err(EngineError::io("open", path))?;
    BufReader::new(file)
        .lines()
        .map(|line| {
            let line = line.map_err(EngineError::io("read", path))?;
            serde_json::from_str(&line).map_err(|error| EngineError::Corrupt {
                what: "line of a campaign",
                place: path.display().to_string(),
                detail: error.to_string(),
            })
        })
        .collect()
}

/// The shopper of a line at which the policy or chance had a choice.
fn shopper_of(line: &DeliveredLine) -> Option<Identity> {
    let has_choice = line
        .nothing
        .as_ref()
        .is_none_or(|nothing| nothing.reason == "policy");
    let user_id = line.user_id.clone().filter(|_| has_choice);
    user_id.map(Identity::User)
}

/// P(click) of the best message to the shopper of each line, before any of them reacts.
fn best_clicks(demo: &Demo, lines: &[DeliveredLine], at: Timestamp) -> Result<Vec<f64>> {
    let best = |line: &DeliveredLine| {
        let Some(shopper) = shopper_of(line) else {
            return Ok(0.0);
        };
        let best = demo
            .shop
            .best_action(&shopper, demo.channel, at, demo.goal)?;
        Ok(best.map_or(0.0, |best| best.expected_reward))
    };
    lines.par_iter().map(best).collect()
}

/// Delivers one decision: the shopper reacts, and what happened becomes events.
fn react(
    demo: &mut Demo,
    line: &DeliveredLine,
    at: Timestamp,
    best_truth: f64,
    delivery: &mut Delivery,
) -> Result<()> {
    let Some(shopper) = shopper_of(line) else {
        return Ok(());
    };
    let mut entry = Entry {
        clicked: false,
        truth: 0.0,
        best_truth,
    };
    if let Some(message) = message_of(demo, line, &shopper, at)? {
        let click = demo.shop.click_probability(&message);
        let order = click * demo.shop.purchase_probability(&message);
        let id = line.decision.decision_id.clone();
        demo.ledger.truths.insert(id, Truth { click, order });
        let reaction = demo.shop.react(&message, demo.seed);
        (entry.clicked, entry.truth) = (reaction.clicked, click);
        // Without a chance of a click the message does not reach the shopper.
        if click > 0.0 {
            delivery.report.messages += 1;
            delivery.report.orders += u64::from(reaction.ordered.is_some());
            delivery.report.unsubscribed += u64::from(reaction.unsubscribed);
            let answers = events_of(line, &shopper, at, &reaction);
            delivery.answers.extend(answers);
        }
    }
    match line.decision.experiment.as_str() {
        "random" => delivery.random.push(entry),
        _ => delivery.policy.push(entry),
    }
    Ok(())
}

fn message_of(
    demo: &Demo,
    line: &DeliveredLine,
    shopper: &Identity,
    at: Timestamp,
) -> Result<Option<Message>> {
    let (Some(product), Some(strategy)) = (&line.product, &line.strategy) else {
        return Ok(None);
    };
    let Some(strategy) = Strategy::ALL
        .into_iter()
        .find(|known| known.name() == strategy)
    else {
        return Ok(None);
    };
    Ok(Some(demo.shop.message(
        shopper,
        &product.id,
        strategy,
        demo.channel,
        at,
    )?))
}

/// What a shop's own tracking would send.
fn events_of(
    line: &DeliveredLine,
    shopper: &Identity,
    at: Timestamp,
    reaction: &datasets::Reaction,
) -> Vec<IncomingEvent> {
    let decision = &line.decision.decision_id;
    let product = line
        .product
        .as_ref()
        .map(|product| product.id.clone())
        .unwrap_or_default();
    let event = |kind: EventKind, minutes: i64, properties: Properties, personal| IncomingEvent {
        message_id: format!("{decision}-{}", kind.code()),
        identity: shopper.clone(),
        alias: None,
        kind,
        at: at + jiff::SignedDuration::from_mins(minutes),
        properties,
        personal,
    };
    let about = || Properties {
        decision_id: Some(DecisionId(decision.0.clone())),
        products: vec![LineItem::of(product.clone())],
        ..Properties::default()
    };
    let mut events = vec![event(EventKind::PromotionViewed, 1, about(), Map::new())];
    if reaction.clicked {
        events.push(event(EventKind::PromotionClicked, 3, about(), Map::new()));
    }
    if let Some(paid) = reaction.ordered {
        let properties = Properties {
            order_id: Some(format!("o-{decision}")),
            products: vec![LineItem {
                product_id: product.clone(),
                quantity: 1,
                price_minor: Some(paid.minor),
            }],
            currency: Some(paid.currency),
            ..about()
        };
        events.push(event(EventKind::OrderCompleted, 15, properties, Map::new()));
    }
    if reaction.unsubscribed {
        let mut personal = Map::new();
        personal.insert(
            "properties".to_owned(),
            json!({"channel": line.decision.channel.name()}),
        );
        let properties = Properties {
            products: Vec::new(),
            ..about()
        };
        events.push(event(EventKind::Unsubscribed, 5, properties, personal));
    }
    events
}

impl Delivery {
    /// Rates, truths and regret of the campaign, after those before it.
    fn summarise(&self, before: RoundReport) -> RoundReport {
        let clicked = |entry: &Entry| f64::from(u8::from(entry.clicked));
        let forgone = |entries: &[Entry]| {
            let forgone = entries.iter().map(|entry| entry.best_truth - entry.truth);
            forgone.sum::<f64>()
        };
        let of_even_draws = forgone(&self.random) / self.random.len().max(1) as f64;
        RoundReport {
            policy_rate: mean(&self.policy, clicked),
            random_rate: mean(&self.random, clicked),
            policy_truth: mean(&self.policy, |entry| entry.truth),
            random_truth: mean(&self.random, |entry| entry.truth),
            oracle_truth: mean(&self.policy, |entry| entry.best_truth),
            cumulative_regret: before.cumulative_regret + forgone(&self.policy),
            random_cumulative_regret: before.random_cumulative_regret
                + of_even_draws * self.policy.len() as f64,
            ..self.report
        }
    }
}

/// Mean over decisions.
fn mean(entries: &[Entry], number: impl Fn(&Entry) -> f64) -> Option<f64> {
    let sum: f64 = entries.iter().map(number).sum();
    (!entries.is_empty()).then(|| sum / entries.len() as f64)
}

//! One campaign of the demo, seen from the shop: read the file, deliver, watch, send the events back.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use datasets::{Message, SimulatedShop, segment_line};
use events::{
    DecisionId, EventKind, Identity, IncomingEvent, LineItem, Properties, Strategy, Timestamp,
};
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
    /// Share of the policy arm's messages that were clicked.
    pub policy_rate: Option<f64>,
    /// The same of the random arm.
    pub random_rate: Option<f64>,
    /// Exact expected clicks per message of the policy arm.
    pub policy_truth: Option<f64>,
    /// The same of the random arm.
    pub random_truth: Option<f64>,
    /// Exact expected clicks per message of the best product and argument for the same shoppers.
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

/// One decision with what came of it and its truth.
struct Entry {
    round: usize,
    clicked: bool,
    ordered: bool,
    /// Whether a message reached the shopper.
    reached: bool,
    /// Exact P(click) of what was sent.
    click_truth: f64,
    /// Exact P(order) of what was sent.
    order_truth: f64,
    /// Exact P(click) of the best message.
    best_truth: f64,
}

/// Everything that happened, by arm and shopper.
pub(super) struct Ledger {
    pub(super) rounds: Vec<RoundReport>,
    arms: BTreeMap<String, BTreeMap<String, Vec<Entry>>>,
}

impl Ledger {
    pub(super) fn new(_shop: &SimulatedShop) -> Self {
        Self {
            rounds: Vec::new(),
            arms: BTreeMap::new(),
        }
    }

    /// Clicks per decision of every shopper of an arm.
    pub(super) fn clicks_per_decision(&self, arm: &str, from_round: usize) -> Vec<f64> {
        self.per_shopper(arm, from_round, |entry| f64::from(u8::from(entry.clicked)))
            .into_iter()
            .map(|(sum, decisions)| sum / decisions as f64)
            .collect()
    }

    /// Exact expected clicks per decision, averaged over shoppers as [`Ledger::clicks_per_decision`] is.
    pub(super) fn true_clicks(&self, arm: &str, from_round: usize) -> f64 {
        let all = self.per_shopper(arm, from_round, |entry| entry.click_truth);
        all.iter()
            .map(|(sum, decisions)| sum / *decisions as f64)
            .sum::<f64>()
            / all.len().max(1) as f64
    }

    /// Orders of every shopper of an arm.
    pub(super) fn orders_per_shopper(&self, arm: &str) -> Vec<f64> {
        let all = self.per_shopper(arm, 0, |entry| f64::from(u8::from(entry.ordered)));
        all.into_iter().map(|(sum, _)| sum).collect()
    }

    /// Exact expected orders per shopper of an arm.
    pub(super) fn true_orders_per_shopper(&self, arm: &str) -> f64 {
        let all = self.per_shopper(arm, 0, |entry| entry.order_truth);
        all.iter().map(|(sum, _)| sum).sum::<f64>() / all.len().max(1) as f64
    }

    /// For every shopper of an arm with a decision since a round: the sum of a number, and the decisions.
    fn per_shopper(
        &self,
        arm: &str,
        from_round: usize,
        number: impl Fn(&Entry) -> f64,
    ) -> Vec<(f64, usize)> {
        let shoppers = self.arms.get(arm).into_iter().flat_map(BTreeMap::values);
        shoppers
            .filter_map(|entries| {
                let late = || entries.iter().filter(|entry| entry.round >= from_round);
                let decisions = late().count();
                (decisions > 0).then(|| (late().map(&number).sum(), decisions))
            })
            .collect()
    }

    fn of_round(&self, arm: &str, round: usize) -> Vec<&Entry> {
        let shoppers = self.arms.get(arm).into_iter().flat_map(BTreeMap::values);
        shoppers
            .flatten()
            .filter(|entry| entry.round == round)
            .collect()
    }
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
    let mut report = RoundReport {
        round: round as u64 + 1,
        ..RoundReport::default()
    };
    let mut answers = Vec::new();
    for line in read_campaign(&out)? {
        react(demo, &line, at, round, &mut report, &mut answers)?;
    }
    let events = demo.dir.join(format!("answers-{}.jsonl", round + 1));
    files::write_lines(&events, answers.iter().map(segment_line))?;
    if !answers.is_empty() {
        let request = ImportRequest {
            format: Format::Segment,
            files: vec![events],
            consents: Vec::new(),
            now: at + jiff::SignedDuration::from_hours(48),
        };
        import(store, config, &request, &mut |_| {})?;
    }
    learn(store, demo.goal, at + jiff::SignedDuration::from_hours(25))?;
    report.learnt = crate::policy::Policy::load(store, demo.goal)?.learnt;
    summarise(demo, round, &mut report);
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

/// Delivers one decision: the shopper reacts, and what happened becomes events.
fn react(
    demo: &mut Demo,
    line: &DeliveredLine,
    at: Timestamp,
    round: usize,
    report: &mut RoundReport,
    answers: &mut Vec<IncomingEvent>,
) -> Result<()> {
    let experiment = &line.decision.experiment;
    let is_chosen = line
        .nothing
        .as_ref()
        .is_none_or(|nothing| matches!(nothing.reason.as_str(), "policy" | "holdout"));
    let Some(user_id) = line.user_id.clone().filter(|_| is_chosen) else {
        return Ok(());
    };
    let shopper = Identity::User(user_id);
    let mut entry = Entry {
        round,
        clicked: false,
        ordered: false,
        reached: false,
        click_truth: 0.0,
        order_truth: 0.0,
        best_truth: 0.0,
    };
    if !line.decision.holdout {
        let best = demo
            .shop
            .best_action(&shopper, demo.channel, at, demo.goal)?;
        entry.best_truth = best.map_or(0.0, |best| best.expected_reward);
    }
    if let Some(message) = message_of(demo, line, &shopper, at)? {
        entry.click_truth = demo.shop.click_probability(&message);
        entry.order_truth = entry.click_truth * demo.shop.purchase_probability(&message);
        entry.reached = entry.click_truth > 0.0;
        let reaction = demo.shop.react(&message, demo.seed);
        (entry.clicked, entry.ordered) = (reaction.clicked, reaction.ordered.is_some());
        report.messages += u64::from(entry.reached);
        report.orders += u64::from(entry.ordered);
        report.unsubscribed += u64::from(reaction.unsubscribed);
        if entry.reached {
            answers.extend(events_of(line, &shopper, at, &reaction));
        }
    }
    let arm = demo.ledger.arms.entry(experiment.clone()).or_default();
    arm.entry(shopper.as_str().to_owned())
        .or_default()
        .push(entry);
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

/// Rates, truths and regret of one round.
fn summarise(demo: &Demo, round: usize, report: &mut RoundReport) {
    let policy = demo.ledger.of_round("policy", round);
    let random = demo.ledger.of_round("random", round);
    report.policy_rate = rate(&policy, |entry| f64::from(u8::from(entry.clicked)));
    report.random_rate = rate(&random, |entry| f64::from(u8::from(entry.clicked)));
    report.policy_truth = rate(&policy, |entry| entry.click_truth);
    report.random_truth = rate(&random, |entry| entry.click_truth);
    report.oracle_truth = rate(&policy, |entry| entry.best_truth);
    let forgone = |entries: &[&Entry]| {
        entries
            .iter()
            .map(|entry| entry.best_truth - entry.click_truth)
            .sum::<f64>()
    };
    let before = demo.ledger.rounds.last().copied().unwrap_or_default();
    report.cumulative_regret = before.cumulative_regret + forgone(&policy);
    let per_decision = forgone(&random) / random.len().max(1) as f64;
    report.random_cumulative_regret =
        before.random_cumulative_regret + per_decision * policy.len() as f64;
}

/// Mean over the decisions that reached a shopper.
fn rate(entries: &[&Entry], number: impl Fn(&Entry) -> f64) -> Option<f64> {
    let reached: Vec<f64> = entries
        .iter()
        .filter(|entry| entry.reached)
        .map(|entry| number(entry))
        .collect();
    (!reached.is_empty()).then(|| reached.iter().sum::<f64>() / reached.len() as f64)
}

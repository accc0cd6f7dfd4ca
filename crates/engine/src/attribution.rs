//! Which message an answer is credited to.
//!
//! An answer that names its decision belongs to that decision, if it comes from the shopper about whom it was taken. An
//! order that names none belongs to the last message that the shopper had seen or clicked by then, within a week of its
//! decision. A click needs the id: in a shop full of links nobody can tell later which of them a message held, and a policy
//! that learns from guessed clicks learns to send to whoever clicks anyway.
//!
//! An order is credited when it is taken in. An impression that is reported in a later file comes too late for it; an event
//! of the same order that names its decision does not.

use events::{Currency, DecisionId, Event, EventKind, LineItem, Money, Outcome};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::store::{Credit, OrderPart, Store};

/// Position of the last event whose answers are outcomes already.
const ATTRIBUTED: &str = "attributed_until";
/// Hours after a decision in which a click counts, and hours in which an order does.
pub(crate) const CLICK_WINDOW_HOURS: i64 = 24;
pub(crate) const ORDER_WINDOW_HOURS: i64 = 7 * 24;

/// What an order without a `decision_id` is credited to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// The last message that the shopper had seen or clicked, within a week of its decision.
    #[default]
    LastTouch,
    /// Nothing: only what names its decision counts.
    Explicit,
}

/// What became of the answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Attributed {
    /// New outcomes.
    pub(crate) outcomes: u64,
    /// Answers that name a decision about somebody else, or one that the log does not hold.
    pub(crate) foreign: u64,
}

/// Turns what happened since the last call into outcomes.
pub(crate) fn attribute(store: &mut Store, attribution: Attribution) -> Result<Attributed> {
    let after = match store.meta(ATTRIBUTED)? {
        Some(bytes) => String::from_utf8_lossy(&bytes).parse().unwrap_or(0),
        None => 0,
    };
    // Before the first message, no order can be due to one.
    let orders_since_ms = match attribution {
        Attribution::LastTouch => store.first_message_ms()?.unwrap_or(i64::MAX),
        Attribution::Explicit => i64::MAX,
    };
    let (mut named, mut orders, mut last) = (Vec::new(), Vec::new(), after);
    store.for_each_response(after, orders_since_ms, |position, response| {
        last = position;
        match (
            outcome_name(response.kind),
            response.properties.decision_id.clone(),
        ) {
            (Some(event), Some(decision)) => named.push((event, decision, response)),
            (Some("order"), None) => orders.push(response),
            _ => {}
        }
        Ok(())
    })?;
    store.transaction(|store| {
        let mut done = Attributed::default();
        for (event, decision, response) in named {
            credit_named(store, event, decision, &response, &mut done)?;
        }
        // After everything that names its decision, since an impression may stand behind the order in the file.
        for order in orders {
            credit_order(store, &order, &mut done)?;
        }
        store.set_meta(ATTRIBUTED, last.to_string().as_bytes())?;
        Ok(done)
    })
}

/// What an event is to a message that it answers.
fn outcome_name(kind: EventKind) -> Option<&'static str> {
    match kind {
        EventKind::PromotionViewed | EventKind::EmailDelivered => Some("impression"),
        EventKind::PromotionClicked | EventKind::EmailLinkClicked | EventKind::ProductClicked => {
            Some("click")
        }
        EventKind::OrderCompleted => Some("order"),
        EventKind::Unsubscribed => Some("unsubscribe"),
        _ => None,
    }
}

fn credit_named(
    store: &Store,
    event: &'static str,
    decision: DecisionId,
    response: &Event,
    done: &mut Attributed,
) -> Result<()> {
    if store.shopper_of_decision(&decision)? != Some(response.user) {
        done.foreign += 1;
        return Ok(());
    }
    let part = (event == "order").then(|| OrderPart::of(response.message, &response.properties));
    if let Some(order_id) = part.as_ref().and_then(|part| part.order_id.as_deref()) {
        store.move_order(order_id, &decision)?;
    }
    let outcome = outcome(event, decision, response);
    done.outcomes += u64::from(store.put_outcome(&outcome, part.as_ref(), Credit::Explicit)?);
    Ok(())
}

fn credit_order(store: &Store, response: &Event, done: &mut Attributed) -> Result<()> {
    let part = OrderPart::of(response.message, &response.properties);
    // A further line of an order goes where the order went.
    let known = match &part.order_id {
        Some(order_id) => store.decision_of_order(order_id, response.user)?,
        None => None,
    };
    let decision = match known {
        Some(decision) => Some(decision),
        None => store.last_touch(response.user, response.at, ORDER_WINDOW_HOURS * 3_600_000)?,
    };
    if let Some(decision) = decision {
        let outcome = outcome("order", decision, response);
        done.outcomes += u64::from(store.put_outcome(&outcome, Some(&part), Credit::LastTouch)?);
    }
    Ok(())
}

fn outcome(event: &str, decision_id: DecisionId, response: &Event) -> Outcome {
    let Event { at, properties, .. } = response;
    let value = match event {
        "order" => order_value(&properties.products, properties.currency),
        _ => 0.0,
    };
    Outcome {
        decision_id,
        event: event.to_owned(),
        value,
        currency: properties.currency,
        at: *at,
    }
}

fn order_value(products: &[LineItem], currency: Option<Currency>) -> f64 {
    let minor = products.iter().map(LineItem::amount_minor).sum();
    currency.map_or(0.0, |currency| Money { minor, currency }.decimal())
}

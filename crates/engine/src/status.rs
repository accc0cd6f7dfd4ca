//! What is in a data directory and what is stale.

use std::collections::BTreeMap;

use events::Goal;
use serde::Serialize;

use crate::campaign::{UnfinishedDelivery, unfinished_delivery};
use crate::error::Result;
use crate::policy::Policy;
use crate::store::{ConsentSummary, Store};
use crate::train::{ModelFolders, Selection, saved_evaluation};

/// The state of a data directory.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Events in the log.
    pub events: u64,
    /// Time of the first event, RFC 3339; empty for an empty log.
    pub first_event: String,
    /// Time of the last event.
    pub last_event: String,
    /// Known shoppers.
    pub shoppers: u64,
    /// Guest checkouts, browsers and devices that belong to no known shopper.
    pub guests: u64,
    /// Products in the catalogue.
    pub products: u64,
    /// Rows that wait for repair, by reason.
    pub quarantine: BTreeMap<String, u64>,
    /// Consents by channel, purpose, state and source.
    pub consents: Vec<ConsentSummary>,
    /// Decisions taken.
    pub decisions: u64,
    /// Messages among them.
    pub messages: u64,
    /// A campaign whose decisions count as sent, but whose file was never finished.
    pub unfinished_delivery: Option<UnfinishedDelivery>,
    /// The stages after the import.
    pub stages: Vec<Stage>,
    /// A hash over the logical content of the log, equal for the same imports.
    pub fingerprint: String,
    /// A hash over the trained models; `null` before training.
    pub model_fingerprint: Option<String>,
}

/// A stage after the import.
#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// What there is and whether the log has grown since, in words.
    pub state: String,
    /// Whether the command should be run again.
    pub stale: bool,
}

impl Status {
    /// Looks at a data directory.
    ///
    /// # Errors
    /// Those of the store and of damaged model files.
    pub fn of(store: &Store) -> Result<Self> {
        let log = store.log_summary()?;
        let shoppers = store.shoppers()?;
        let guests = shoppers.iter().filter(|shopper| shopper.guest).count() as u64;
        let (decisions, messages) = store.decision_counts()?;
        let moment = |ms: i64| match log.events {
            0 => String::new(),
            _ => jiff::Timestamp::from_millisecond(ms)
                .map_or_else(|_| ms.to_string(), |at| at.to_string()),
        };
        Ok(Self {
            events: log.events,
            first_event: moment(log.first_ms),
            last_event: moment(log.last_ms),
            shoppers: shoppers.len() as u64 - guests,
            guests,
            products: store.catalogue()?.products.len() as u64,
            quarantine: store.quarantine_counts()?.into_iter().collect(),
            consents: store.consent_summary()?,
            decisions,
            messages,
            unfinished_delivery: unfinished_delivery(store)?,
            stages: stages(store, log.last_position)?,
            fingerprint: store.fingerprint()?,
            model_fingerprint: ModelFolders::of(store.dir()).fingerprint()?,
        })
    }
}

fn stages(store: &Store, last_position: i64) -> Result<Vec<Stage>> {
    let selection = Selection::load(&ModelFolders::of(store.dir()).root)?;
    let evaluation = saved_evaluation(store.dir())?;
    let mut stages = vec![
        stage(
            "model",
            "hawker train",
            selection.map(|selection| selection.known_position()),
            last_position,
        ),
        stage(
            "evaluation",
            "hawker evaluate",
            evaluation.map(|evaluation| evaluation.log_position),
            last_position,
        ),
    ];
    for (name, goal) in [("clicks", Goal::Click), ("purchases", Goal::Purchase)] {
        let policy = Policy::load(store, goal)?;
        stages.push(Stage {
            name,
            state: match policy.learnt {
                0 => format!("the policy has learnt nothing yet; `hawker learn --goal {goal}` takes outcomes in"),
                learnt => format!("the policy has learnt from {learnt} messages"),
            },
            stale: false,
        });
    }
    Ok(stages)
}

fn stage(name: &'static str, command: &str, known: Option<i64>, last_position: i64) -> Stage {
    let (state, stale) = match known {
        None => (format!("not there yet; run `{command}`"), true),
        Some(position) if position < last_position => {
            let events = last_position - position;
            (
                format!("stale: {events} events came since; run `{command}`"),
                true,
            )
        }
        Some(_) => ("up to date".to_owned(), false),
    };
    Stage { name, state, stale }
}

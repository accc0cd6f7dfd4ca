//! From what the engine measured to what the report shows.

mod campaign;
pub(crate) mod feedback;
mod model;
mod shop;
mod words;

use engine::{Config, LiftRequest, Shop, Store};

use crate::Outcome;
use crate::report::data::Report;
use crate::report::data::{Estimate, Header};

/// Gathers the report of a data directory; in that of a demo the truth stands beside the measured lift.
pub(crate) fn gather(store: &Store, config: &Config) -> Outcome<Report> {
    let shop = Shop::load(store, config, None)?;
    let overview = engine::Overview::of(store, config, &shop)?;
    let status = engine::Status::of(store)?;
    let imports = engine::imports(store)?;
    let campaign = engine::last_campaign(store)?;
    let evaluation = engine::saved_evaluation(store.dir())?;
    let record = engine::saved_record(store.dir())?;
    let demo = engine::saved_demo(store.dir())?;
    let feedback = if let Some(demo) = &demo {
        feedback::of_demo(store, demo)?
    } else {
        let lift = engine::lift(store, config, &LiftRequest::default())?;
        feedback::of_shop(store, &config.shop.currency, &lift)?
    };
    let day = |moment: &str| moment.get(..10).map(str::to_owned);
    Ok(Report {
        header: Header {
            shop: config.shop.name.clone(),
            currency: config.shop.currency.clone(),
            first_day: day(&status.first_event),
            last_day: day(&status.last_event),
            generated_at: None,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            fingerprint: status.fingerprint.clone(),
            simulated: demo.is_some(),
            rows_read: Some(imports.iter().map(|import| import.rows_read).sum()),
            shoppers: Some(status.shoppers),
            products: Some(status.products),
            messages: Some(status.messages),
            lift: feedback
                .first()
                .and_then(|feedback| feedback.lifts.first().cloned()),
        },
        cleaning: shop::cleaning(store, &imports)?,
        shop: Some(shop::shop(&shop, &overview)),
        trainings: record.iter().map(model::training).collect(),
        evaluation: evaluation
            .as_ref()
            .map(|evaluation| model::evaluation(evaluation, config)),
        shoppers: shop::portraits(&overview),
        refusals: campaign.as_ref().and_then(campaign::refusals),
        campaigns: campaign
            .iter()
            .map(|report| campaign::campaign(report, &shop))
            .collect(),
        feedback,
        notes: notes(&status, evaluation.is_some(), demo.is_some()),
    })
}

/// What a reader should know before trusting the figures.
fn notes(status: &engine::Status, evaluated: bool, simulated: bool) -> Vec<String> {
    let mut notes = vec![
        "The evaluation foresees the next order of shoppers with a history; shoppers without one are counted and left out.".to_owned(),
        "Reasons name purchases that speak for a product in the item-to-item model; the ranking itself may weigh more than these.".to_owned(),
    ];
    if simulated {
        notes.push("The shop is simulated. Its true click probabilities are known to this report alone, never to a model.".to_owned());
    }
    if status
        .consents
        .iter()
        .any(|consent| consent.source.contains("assumed"))
    {
        notes.push("Consents were assumed at import. Check that the shop has them before anything is sent.".to_owned());
    }
    if !evaluated {
        notes.push(
            "No evaluation was run yet: `hawker evaluate` adds the table of models.".to_owned(),
        );
    }
    notes
}

/// A figure with its interval.
fn estimate(value: f64, low: Option<f64>, high: Option<f64>) -> Estimate {
    Estimate { value, low, high }
}

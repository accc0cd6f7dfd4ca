//! Why each product of a list stands there, in numbers and in the shopper's language.

use events::{Language, Locale, Timestamp};
use recommender::reasons::{Reasons, in_words};
use recommender::{Interaction, InteractionKind, Place, Scorer};

use super::line::{Why, WhyEvent, WhyInterest, WhyModel, WhyUserModel};
use super::list::Source;
use crate::error::{EngineError, Result};
use crate::shop::{KnownShopper, Shop};

/// Points of the integral behind an event's contribution.
const STEPS: usize = 64;
/// Events of a smaller contribution are not listed.
const WORTH_LISTING: f32 = 0.01;

/// The reasons of a shopper's products, in the order of their places.
///
/// # Errors
/// [`EngineError::NotReady`] before training, and what a model fails with.
pub(super) fn of(source: &Source<'_>, known: &KnownShopper, places: &[Place]) -> Result<Vec<Why>> {
    let (shop, moment_s) = (source.shop, source.shop.moment_s());
    let model = source
        .ranker
        .user_model()
        .ok_or_else(|| EngineError::NotReady {
            missing: "no user model is trained".to_owned(),
            remedy: "run `hawker train` first".to_owned(),
        })?;
    let history = shop.history(known);
    let locale = known
        .shopper
        .locale
        .as_ref()
        .unwrap_or(&source.config.shop.locale);
    let language = Locale(locale.clone()).language();
    let items: Vec<u32> = places.iter().map(|place| place.item).collect();
    let parts = match source.ranker.blend(source.task) {
        Some(blend) => blend.parts_beyond_average(history, &items, &source.admitted, moment_s)?,
        None => vec![Vec::new(); items.len()],
    };
    let alone = source.ranker.name(source.task);
    let places = places.iter().zip(parts);
    places
        .map(|(place, parts)| {
            let reasons = model.reasons(history, moment_s, place.item, STEPS)?;
            let mut models: Vec<WhyModel> = parts
                .into_iter()
                .map(|(name, part)| WhyModel {
                    model: name.to_owned(),
                    part,
                })
                .collect();
            models.sort_by(|a, b| b.part.total_cmp(&a.part));
            let leading = match models.first() {
                Some(first) => (first.part > 0.0).then_some(first.model.as_str()),
                None => Some(alone),
            };
            let by_user_model = leading == Some(model.name());
            let words = in_words(&reasons, history, &shop.corpus, language);
            let brought = (!by_user_model).then(|| brought_up(leading, language));
            Ok(Why {
                text: text(place.explored, brought, words, language),
                by_user_model,
                models,
                user_model: in_numbers(&reasons, history, shop),
            })
        })
        .collect()
}

/// The sentences in their order: chance, what else than the user model brought the product up, what the user model says.
fn text(explored: bool, brought: Option<String>, words: String, language: Language) -> String {
    let chance = explored.then(|| match language {
        Language::En => {
            "Drawn by chance from the ranks beyond, to learn how it is liked.".to_owned()
        }
        Language::Zh => "从后续名次中随机抽取，以了解顾客是否喜欢。".to_owned(),
    });
    let said = match (&brought, language) {
        (None, _) => words,
        (Some(_), Language::En) => format!("What the user model says of it: {words}"),
        (Some(_), Language::Zh) => format!("用户模型的看法：{words}"),
    };
    let sentences: Vec<String> = [chance, brought, Some(said)]
        .into_iter()
        .flatten()
        .collect();
    sentences.join(match language {
        Language::En => " ",
        Language::Zh => "",
    })
}

/// The sentence that says which model brought a product up, where it was not the user model; `leading` is nothing where no
/// model ranks it above the average product.
fn brought_up(leading: Option<&str>, language: Language) -> String {
    let Some(model) = leading else {
        return match language {
            Language::En => "No model ranks it above the average product.",
            Language::Zh => "没有模型认为它高于平均水平。",
        }
        .to_owned();
    };
    let (english, chinese) = match model {
        "popular" => ("the shop's sales of all time", "店铺的历史总销量"),
        "popular-recently" => ("the shop's recent sales", "店铺近期的销量"),
        "popular-in-season" => ("the sales of the season", "当季的销量"),
        "newest" => ("that it is new", "新品上架"),
        "own-repeats" => ("the shopper's own repeat purchases", "顾客自己的复购"),
        "item-knn" => (
            "what the same shoppers buy together",
            "同一批顾客一起购买的商品",
        ),
        "transitions" => ("what is usually bought next", "通常接着购买的商品"),
        "count-model" => ("what is bought near and after each other", "先后购买的统计"),
        "implicit-als" => (
            "the pattern of all purchases (ALS)",
            "全部购买的整体规律（ALS）",
        ),
        other => (other, other),
    };
    match language {
        Language::En => format!("What brings it up is {english}, not the user model."),
        Language::Zh => format!("让它靠前的是{chinese}，而不是用户模型。"),
    }
}

/// The reasons with the shop's own names.
fn in_numbers(reasons: &Reasons, history: &[Interaction], shop: &Shop) -> WhyUserModel {
    let listed = reasons
        .events
        .iter()
        .filter(|event| event.contribution.abs() >= WORTH_LISTING);
    let events: Vec<WhyEvent> = listed
        .map(|event| {
            let line = &history[event.position];
            WhyEvent {
                product: shop.products[event.item as usize].id.clone(),
                kind: kind_name(line.kind).to_owned(),
                at: Timestamp::from_second(line.at_s).unwrap_or(shop.now),
                part: event.contribution,
            }
        })
        .collect();
    let listed: f32 = events.iter().map(|event| event.part).sum();
    WhyUserModel {
        score: reasons.score,
        other: reasons.taste() - listed,
        events,
        popularity: reasons.popularity,
        average_popularity: reasons.average_popularity,
        own_past: reasons.own_past,
        interests: interests(reasons, shop),
    }
}

fn interests(reasons: &Reasons, shop: &Shop) -> Vec<WhyInterest> {
    let item = &shop.corpus.items[reasons.item as usize];
    let name = |names: &[String], index: Option<u32>| Some(names[index? as usize].clone());
    let category = name(&shop.corpus.categories, item.category);
    let brand = name(&shop.corpus.brands, item.brand);
    let band = item.price_band.map(|band| (band + 1).to_string());
    let fields = reasons.fields;
    [
        ("own", None, fields.own),
        ("title", None, fields.title),
        ("category", category, fields.category),
        ("brand", brand, fields.brand),
        ("price_band", band, fields.price_band),
    ]
    .map(|(field, label, part)| WhyInterest {
        field: field.to_owned(),
        label,
        part,
    })
    .into()
}

fn kind_name(kind: InteractionKind) -> &'static str {
    match kind {
        InteractionKind::View => "view",
        InteractionKind::Add => "add",
        InteractionKind::Purchase => "purchase",
        InteractionKind::Review => "review",
        InteractionKind::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_come_from_the_user_model_says_so() {
        let words = || "Mostly because of Tea Towel (bought last).".to_owned();
        assert_eq!(text(false, None, words(), Language::En), words());
        let knn = brought_up(Some("item-knn"), Language::En);
        assert_eq!(
            text(true, Some(knn), words(), Language::En),
            "Drawn by chance from the ranks beyond, to learn how it is liked. What brings it up is what the same shoppers \
             buy together, not the user model. What the user model says of it: Mostly because of Tea Towel (bought last)."
        );
        let nobody = brought_up(None, Language::Zh);
        assert_eq!(
            text(
                true,
                Some(nobody),
                "主要因为之前买过它。".to_owned(),
                Language::Zh
            ),
            "从后续名次中随机抽取，以了解顾客是否喜欢。没有模型认为它高于平均水平。用户模型的看法：主要因为之前买过它。"
        );
        assert_eq!(
            brought_up(Some("newest"), Language::Zh),
            "让它靠前的是新品上架，而不是用户模型。"
        );
        let unnamed = brought_up(Some("oracle"), Language::En);
        assert_eq!(unnamed, "What brings it up is oracle, not the user model.");
    }
}

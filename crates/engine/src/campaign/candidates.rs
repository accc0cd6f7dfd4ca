//! The messages among which the policy chooses for one shopper: products × arguments, each already rendered and passed
//! by the guard.

use std::collections::{BTreeMap, HashSet};

use events::{Availability, Exclusion, Language, LiveDraft, Strategy};
use features::Replenishment;
use guard::{Facts, Rendered, Value};
use recommender::{Task, bought, top_k};

use super::person::Pair;
use super::reason::reason;
use super::standing::Standing;
use crate::copybook::{Copybook, Text};
use crate::copywriting::live::{LiveBrief, LiveWriter};
use crate::error::Result;
use crate::policy::{ActionFacts, FEATURE_COUNT};
use crate::shop::{KnownShopper, Shop};
use crate::train::Ranker;

/// Products beyond the best from which the one that explores is drawn.
const EXPLORED_RANKS: usize = 50;
/// The shop's own texts that compete for one product and argument, at most; of more, each shopper gets others.
const OWN_TEXTS: usize = 3;
/// Regular products that are due again, at most.
const DUE_PRODUCTS: usize = 2;

/// One message that could be sent.
pub(crate) struct Candidate {
    pub(crate) position: usize,
    pub(crate) variant_id: String,
    pub(crate) strategy: Strategy,
    pub(crate) rendered: Rendered,
    /// What the names of the text stand for.
    pub(crate) paths: Vec<events::Binding>,
    /// What wrote the text.
    pub(crate) provider: String,
    /// Whether it is one of the shop's own store.
    pub(crate) is_stored: bool,
    /// How the text was written, where it was written for this shopper.
    pub(crate) live: Option<LiveDraft>,
    pub(crate) reason: String,
    pub(crate) x: [f64; FEATURE_COUNT],
}

/// The candidates of one shopper, and what was left out.
#[derive(Default)]
pub(crate) struct Candidates {
    pub(crate) messages: Vec<Candidate>,
    pub(crate) exclusions: Vec<Exclusion>,
}

/// What the candidates of every shopper of a campaign are made from.
pub(crate) struct Source<'a> {
    pub(crate) shop: &'a Shop,
    pub(crate) ranker: &'a Ranker,
    pub(crate) copybook: &'a Copybook,
    pub(crate) standing: &'a Standing<'a>,
    /// The counts of each product that copy may state, by its position.
    pub(crate) stats: &'a [BTreeMap<String, Value>],
    /// Whether each product may be spoken of: in stock, with a title and a price.
    pub(crate) sellable: &'a [bool],
    pub(crate) products_per_shopper: usize,
    /// Writes for one shopper, where the shop lets it.
    pub(crate) live: Option<&'a LiveWriter<'a>>,
}

/// A shopper who may get a message.
struct Addressed<'a> {
    known: &'a KnownShopper,
    language: Language,
    seed: u64,
    /// The shopper's state, where lines are written that depend on it.
    state: Option<Vec<f32>>,
}

/// Which products may be spoken of.
pub(crate) fn sellable(shop: &Shop) -> Vec<bool> {
    shop.products
        .iter()
        .map(|product| {
            product.availability == Availability::InStock
                && product.stock.is_none_or(|stock| stock > 0)
                && !product.title.trim().is_empty()
                && product.current_price().is_some_and(|price| price.minor > 0)
        })
        .collect()
}

impl Source<'_> {
    /// The candidates of some shoppers, in their order.
    pub(crate) fn of(
        &self,
        shoppers: &[(&KnownShopper, Language, u64)],
    ) -> Result<Vec<Candidates>> {
        let known: Vec<&KnownShopper> = shoppers.iter().map(|(known, ..)| *known).collect();
        let scores = self.ranker.scores(self.shop, &known, Task::NewItems)?;
        let mut states = match self.live {
            Some(live) if live.reads_states() => self.ranker.user_states(self.shop, &known)?,
            _ => Vec::new(),
        }
        .into_iter();
        Ok(shoppers
            .iter()
            .zip(scores)
            .map(|((known, language, seed), scores)| {
                let addressed = Addressed {
                    known,
                    language: *language,
                    seed: *seed,
                    state: states.next(),
                };
                self.of_one(&addressed, &scores)
            })
            .collect())
    }

    fn of_one(&self, addressed: &Addressed<'_>, scores: &[f32]) -> Candidates {
        let Addressed {
            known,
            language,
            seed,
            ..
        } = *addressed;
        let mut candidates = Candidates::default();
        let messages = self.standing.messages_lately(known.shopper.pseudonym);
        let hour = self.standing.local_hour(known);
        let spread = Spread::of(scores, self.sellable);
        for (rank, (position, due)) in self.products(known, scores, seed).into_iter().enumerate() {
            let pair = Pair::new(self.shop, self.ranker, known, position, due);
            let affinity = spread.standard(scores[position]) / 3.0;
            let facts = pair.action_facts(affinity, rank == 0, messages, hour);
            for strategy in Strategy::ALL {
                let turn = seed ^ (position as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let library = self.copybook.of(language, strategy);
                let exclusions = &mut candidates.exclusions;
                let first = self.first_that_passes(&pair, library, turn, exclusions);
                let passed = first.map(|(text, rendered)| (text, rendered, false));
                let own = self.own_that_pass(&pair, (language, strategy), turn, exclusions);
                for (text, rendered, is_stored) in passed.into_iter().chain(own) {
                    let provider = &text.variant.generator.provider;
                    let mut facts = facts;
                    facts.native_copy = provider != copywriter::templates::PROVIDER;
                    candidates.messages.push(Candidate {
                        position,
                        variant_id: text.id.clone(),
                        strategy,
                        rendered,
                        paths: text.variant.bindings.clone(),
                        provider: provider.clone(),
                        is_stored,
                        live: None,
                        reason: reason(&pair, language),
                        x: facts.features(strategy),
                    });
                }
            }
            if rank == 0 {
                self.write_live(addressed, &pair, facts, &mut candidates);
            }
        }
        candidates
    }

    /// Lines about a product for this shopper alone, each a candidate of its own once the guard has passed it.
    fn write_live(
        &self,
        addressed: &Addressed<'_>,
        pair: &Pair<'_>,
        mut action: ActionFacts,
        candidates: &mut Candidates,
    ) {
        let Some(live) = self.live else {
            return;
        };
        let product = &self.shop.products[pair.position];
        let brief = LiveBrief {
            product,
            language: addressed.language,
            user_state: addressed.state.clone(),
            guard: &self.copybook.guard,
            now: self.shop.now,
            seed: addressed.seed,
        };
        let exclusions = &mut candidates.exclusions;
        let mut refuse = |id: &str, reason: String| {
            exclusions.push(Exclusion {
                candidate: format!("{} {id}", product.id),
                reason,
            });
        };
        let lines = match live.write(&brief) {
            Ok(lines) => lines,
            Err(error) => return refuse("live", error.to_string()),
        };
        action.native_copy = true;
        let user = pair.user_facts();
        let facts = self.facts(pair, &user);
        for line in lines {
            let id = line.variant.id.clone();
            if let Some(rule) = line.broken {
                refuse(&id, rule);
                continue;
            }
            let text = match self.copybook.checked(line.variant, &product.allowed_claims) {
                Ok(text) => text,
                Err(rule) => {
                    refuse(&id, rule);
                    continue;
                }
            };
            match self.copybook.guard.render_compiled(&text.compiled, &facts) {
                Ok(rendered) => candidates.messages.push(Candidate {
                    position: pair.position,
                    variant_id: id,
                    strategy: text.variant.strategy,
                    rendered,
                    paths: text.variant.bindings,
                    provider: text.variant.generator.provider,
                    is_stored: false,
                    live: Some(line.draft),
                    reason: reason(pair, addressed.language),
                    x: action.features(text.variant.strategy),
                }),
                Err(refusal) => refuse(&id, refusal.reason),
            }
        }
    }

    /// The products that compete: the best new ones, one that explores, and regular ones that are due.
    fn products<'a>(
        &'a self,
        known: &'a KnownShopper,
        scores: &[f32],
        seed: u64,
    ) -> Vec<(usize, Option<Replenishment<'a>>)> {
        let user = known.shopper.pseudonym;
        let mut mask: Vec<bool> = self
            .sellable
            .iter()
            .zip(&self.shop.products)
            .map(|(sells, product)| *sells && !self.standing.was_shown(user, &product.id))
            .collect();
        let is_open = mask.clone();
        for item in bought(self.shop.history(known)) {
            mask[item as usize] = false;
        }
        let mut groups = HashSet::new();
        let wide: Vec<u32> = top_k(scores, &mask, EXPLORED_RANKS)
            .into_iter()
            .filter(|item| {
                // Sizes and colours of one thing do not compete with each other.
                let group = &self.shop.products[*item as usize].item_group_id;
                group.as_ref().is_none_or(|group| groups.insert(group))
            })
            .collect();
        let best = self.products_per_shopper.saturating_sub(1).max(1);
        let mut products: Vec<usize> = wide.iter().take(best).map(|item| *item as usize).collect();
        // The last place goes to a product further down, drawn evenly, so that the log knows what happens there.
        if self.products_per_shopper > 1
            && let Some(rest) = wide.get(best..).filter(|rest| !rest.is_empty())
        {
            products.push(rest[(seed % rest.len() as u64) as usize] as usize);
        }
        let due = known
            .profile
            .replenishment_due(self.shop.now, &self.shop.index);
        let due = due
            .into_iter()
            .filter_map(|due| Some((self.shop.position(due.product_id)?, Some(due))))
            .filter(|(position, _)| is_open[*position])
            .take(DUE_PRODUCTS);
        let new = products.into_iter().map(|position| (position, None));
        new.chain(due).collect()
    }

    /// The first text, from a place that differs by shopper and product, whose names all have values and which the guard
    /// passes.
    fn first_that_passes<'t>(
        &self,
        pair: &Pair<'_>,
        texts: &'t [Text],
        turn: u64,
        exclusions: &mut Vec<Exclusion>,
    ) -> Option<(&'t Text, Rendered)> {
        let user = pair.user_facts();
        let facts = self.facts(pair, &user);
        let start = (turn % texts.len().max(1) as u64) as usize;
        for text in texts[start..].iter().chain(&texts[..start]) {
            if let Some(rendered) = self.rendered(text, &facts, exclusions) {
                return Some((text, rendered));
            }
        }
        None
    }

    /// The shop's own texts that apply to the product and pass, each a candidate of its own beside the library's.
    fn own_that_pass(
        &self,
        pair: &Pair<'_>,
        (language, strategy): (Language, Strategy),
        turn: u64,
        exclusions: &mut Vec<Exclusion>,
    ) -> Vec<(&Text, Rendered, bool)> {
        let product = &self.shop.products[pair.position];
        let texts = self.copybook.own(language, strategy, &product.id);
        if texts.is_empty() {
            return Vec::new();
        }
        let user = pair.user_facts();
        let facts = self.facts(pair, &user);
        let start = (turn % texts.len() as u64) as usize;
        let in_turn = texts[start..].iter().chain(&texts[..start]);
        in_turn
            .filter_map(|text| Some((*text, self.rendered(text, &facts, exclusions)?, true)))
            .take(OWN_TEXTS)
            .collect()
    }

    /// What a message about the pair's product may state.
    fn facts<'f>(&'f self, pair: &Pair<'_>, user: &'f BTreeMap<String, Value>) -> Facts<'f> {
        Facts {
            product: &self.shop.products[pair.position],
            stats: &self.stats[pair.position],
            user,
            now: self.shop.now,
            version: &self.shop.catalogue_version,
        }
    }

    /// A text as the guard passes it; a refusal is noted.
    fn rendered(
        &self,
        text: &Text,
        facts: &Facts<'_>,
        exclusions: &mut Vec<Exclusion>,
    ) -> Option<Rendered> {
        match self.copybook.guard.render_compiled(&text.compiled, facts) {
            Ok(rendered) => return Some(rendered),
            // A name without a value is the usual case of a text that does not apply, not a refusal.
            Err(refusal) if refusal.reason.starts_with("unbound") => {}
            Err(refusal) => exclusions.push(Exclusion {
                candidate: format!("{} {}", facts.product.id, text.id),
                reason: refusal.reason,
            }),
        }
        None
    }
}

/// Mean and standard deviation of a shopper's scores over the products that may be spoken of.
struct Spread {
    mean: f64,
    deviation: f64,
}

impl Spread {
    fn of(scores: &[f32], sellable: &[bool]) -> Self {
        let admitted = || {
            scores
                .iter()
                .zip(sellable)
                .filter(|(_, sells)| **sells)
                .map(|(score, _)| f64::from(*score))
        };
        let count = admitted().count().max(1) as f64;
        let mean = admitted().sum::<f64>() / count;
        let variance = admitted().map(|score| (score - mean).powi(2)).sum::<f64>() / count;
        Self {
            mean,
            deviation: variance.sqrt().max(1e-9),
        }
    }

    fn standard(&self, score: f32) -> f64 {
        (f64::from(score) - self.mean) / self.deviation
    }
}

#[cfg(test)]
#[expect(
    clippy::float_cmp,
    reason = "the numbers are exact in binary, and so must the results be"
)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_standardised_over_what_is_sold() {
        let spread = Spread::of(&[1.0, 3.0, 100.0], &[true, true, false]);
        assert_eq!(
            [1.0, 2.0, 4.0].map(|score| spread.standard(score)),
            [-1.0, 0.0, 2.0]
        );
        // Equal scores stand at the mean.
        assert_eq!(Spread::of(&[2.0; 3], &[true; 3]).standard(2.0), 0.0);
    }
}

//! One shopper's list: what may stand there, in which order, and which places explore.

use std::collections::HashSet;

use nn::scan::RowMask;
use recommender::{ItemIndex, Place, RetrievalSettings, Task, bought, explore, top_k};

use super::line::{RecommendedLine, RecommendedProduct};
use super::{RecommendRequest, filter, why};
use crate::config::Config;
use crate::error::Result;
use crate::shop::{KnownShopper, Shop};
use crate::train::Ranker;

/// Ranks beyond a list from which the products that explore are drawn.
const BEYOND: usize = 50;

/// What the lists of all shoppers are made from.
pub(super) struct Source<'a> {
    pub(super) shop: &'a Shop,
    pub(super) ranker: &'a Ranker,
    pub(super) config: &'a Config,
    pub(super) request: &'a RecommendRequest,
    pub(super) task: Task,
    /// Whether each product may be recommended to anybody.
    pub(super) admitted: Vec<bool>,
    index: Option<ItemIndex>,
}

impl<'a> Source<'a> {
    /// Decides which products may be recommended, and indexes a catalogue that is too large to rank whole.
    pub(super) fn new(
        shop: &'a Shop,
        ranker: &'a Ranker,
        config: &'a Config,
        request: &'a RecommendRequest,
        shoppers: usize,
    ) -> Result<Self> {
        let task = if request.include_bought {
            Task::All
        } else {
            Task::NewItems
        };
        Ok(Self {
            admitted: filter::products(shop, request.category.as_deref())?,
            index: index(shop, ranker, task, &config.retrieval, shoppers)?,
            shop,
            ranker,
            config,
            request,
            task,
        })
    }

    /// Products that the first stage hands to the ranking, at least; nothing where all are ranked.
    pub(super) fn candidates(&self) -> Option<usize> {
        let wanted = self
            .config
            .retrieval
            .candidates
            .max(self.request.top + BEYOND);
        self.index.as_ref().map(|_| wanted)
    }

    /// The lines of some shoppers, in their order.
    pub(super) fn lines(&self, shoppers: &[&KnownShopper]) -> Result<Vec<RecommendedLine>> {
        let scores = self.ranker.scores(self.shop, shoppers, self.task)?;
        let queries = match (&self.index, self.ranker.user_model()) {
            (Some(_), Some(model)) => {
                let histories: Vec<_> = shoppers
                    .iter()
                    .map(|known| self.shop.history(known))
                    .collect();
                model.queries(&histories, self.shop.moment_s())?
            }
            _ => vec![Vec::new(); shoppers.len()],
        };
        let shoppers = shoppers.iter().zip(scores).zip(queries);
        shoppers
            .map(|((known, scores), query)| self.line(known, &scores, &query))
            .collect()
    }

    fn line(&self, known: &KnownShopper, scores: &[f32], query: &[f32]) -> Result<RecommendedLine> {
        let mask = self.mask(known, query)?;
        let seed = seed_of(self.request.seed, &known.shopper.pseudonym.0);
        let ranked = self.ranked(scores, &mask);
        let places = explore(&ranked, self.request.top, self.request.explore, seed)?;
        let reasons = if self.request.why {
            why::of(self, known, &places)?
                .into_iter()
                .map(Some)
                .collect()
        } else {
            vec![None; places.len()]
        };
        let product = |(place, why): (&Place, _)| {
            let product = &self.shop.products[place.item as usize];
            RecommendedProduct {
                id: product.id.clone(),
                title: product.title.clone(),
                score: scores[place.item as usize],
                rank: place.rank,
                explored: place.explored,
                propensity: place.propensity,
                why,
            }
        };
        Ok(RecommendedLine {
            user: known.shopper.pseudonym,
            user_id: None,
            products: places.iter().zip(reasons).map(product).collect(),
            at: self.shop.now,
            seed,
            model_version: self.ranker.version().to_owned(),
            catalogue_version: self.shop.catalogue_version.clone(),
        })
    }

    /// The products that may stand in a shopper's list; of a large catalogue those that the first stage found.
    fn mask(&self, known: &KnownShopper, query: &[f32]) -> Result<Vec<bool>> {
        let own = bought(self.shop.history(known));
        let mask = self.task.mask(&self.admitted, &own);
        let (Some(index), Some(wanted)) = (&self.index, self.candidates()) else {
            return Ok(mask);
        };
        let admit = RowMask::from_fn(mask.len(), |item| mask[item]);
        let mut found = vec![false; mask.len()];
        for (item, _) in index.search(query, wanted, Some(&admit))? {
            found[item as usize] = true;
        }
        // The product of query and item knows nothing of the shopper's own purchases, so these compete in any case.
        for item in own {
            found[item as usize] |= mask[item as usize];
        }
        Ok(found)
    }

    /// The best products of a list and of the ranks beyond it; sizes and colours of one thing do not compete with each
    /// other.
    fn ranked(&self, scores: &[f32], mask: &[bool]) -> Vec<u32> {
        let wanted = self.request.top + BEYOND;
        let mut looked_at = 2 * wanted;
        loop {
            let best = top_k(scores, mask, looked_at);
            let is_all = best.len() < looked_at;
            let mut groups = HashSet::new();
            let mut distinct: Vec<u32> = best
                .into_iter()
                .filter(|item| {
                    let group = &self.shop.products[*item as usize].item_group_id;
                    group.as_ref().is_none_or(|group| groups.insert(group))
                })
                .collect();
            if distinct.len() >= wanted || is_all {
                distinct.truncate(wanted);
                return distinct;
            }
            looked_at *= 2;
        }
    }
}

/// The index of a catalogue that is larger than what is ranked whole; nothing where it is not, or where the user model,
/// which the index searches by, has no part in the ranking.
///
/// One shopper is looked for among all items: building a graph takes longer than thousands of such looks.
fn index(
    shop: &Shop,
    ranker: &Ranker,
    task: Task,
    settings: &RetrievalSettings,
    shoppers: usize,
) -> Result<Option<ItemIndex>> {
    let (Some(_), Some(model)) = (ranker.blend(task), ranker.user_model()) else {
        return Ok(None);
    };
    if shop.products.len() <= settings.exact_up_to {
        return Ok(None);
    }
    let settings = RetrievalSettings {
        exact_up_to: if shoppers == 1 {
            usize::MAX
        } else {
            settings.exact_up_to
        },
        ..*settings
    };
    let rows = model.item_rows(shop.moment_s())?;
    Ok(Some(ItemIndex::new(&rows.values, rows.columns, &settings)?))
}

/// The seed of one shopper's draws; 53 bits, so that every JSON reader keeps them.
fn seed_of(seed: u64, user: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(b"recommend")
        .update(&seed.to_le_bytes())
        .update(user);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes) >> 11
}

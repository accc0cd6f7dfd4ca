use nn::generator;
use rand::RngExt;
use rand::seq::SliceRandom;

use crate::RecommenderError;
use crate::error::refuse;

/// One place of a list that may explore.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The item.
    pub item: u32,
    /// Its rank among the candidates, 1 the best.
    pub rank: usize,
    /// Whether it was drawn from the ranks beyond the list.
    pub explored: bool,
    /// The probability with which this item stands at this place.
    pub propensity: f64,
}

/// The list of the `places` best of ranked items, in which each place is given away with probability `share` to an item
/// drawn evenly, without repetition, from the other ranked ones.
///
/// With W items beyond the list, a place keeps its item with probability 1 − share and holds any one of the W with
/// share / W: given that a place explores, each of the W is as likely there as any other, whichever other places explore.
/// Where W is below the number of places, only the last W places explore. `share` is then exactly the expected share of
/// explored places otherwise.
///
/// Propensities are those of single places; draws without repetition make two places of one list depend on each other.
///
/// # Errors
/// [`RecommenderError::Setting`] for a share outside [0, 1).
pub fn explore(
    ranked: &[u32],
    places: usize,
    share: f64,
    seed: u64,
) -> Result<Vec<Place>, RecommenderError> {
    if !(0.0..1.0).contains(&share) {
        return Err(refuse(
            "share",
            share,
            "a share from 0 up to, not including, 1",
        ));
    }
    let (best, beyond) = ranked.split_at(places.min(ranked.len()));
    let mut rng = generator(seed, "explore", 0);
    let mut drawn: Vec<usize> = (0..beyond.len()).collect();
    drawn.shuffle(&mut rng);
    let first_exploring = best.len() - best.len().min(beyond.len());
    let mut list = Vec::with_capacity(best.len());
    for (place, &item) in best.iter().enumerate() {
        let kept = Place {
            item,
            rank: place + 1,
            explored: false,
            propensity: 1.0,
        };
        if place < first_exploring {
            list.push(kept);
            continue;
        }
        let explores = rng.random::<f64>() < share;
        list.push(match drawn.pop().filter(|_| explores) {
            Some(position) => Place {
                item: beyond[position],
                rank: best.len() + position + 1,
                explored: true,
                propensity: share / beyond.len() as f64,
            },
            None => Place {
                propensity: 1.0 - share,
                ..kept
            },
        });
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const RANKED: [u32; 9] = [40, 41, 42, 43, 50, 51, 52, 53, 54];

    #[test]
    fn items_stand_where_they_do_as_often_as_their_propensity_says() {
        let (lists, share) = (20_000_u64, 0.3);
        let mut seen: BTreeMap<(usize, u32), (usize, f64)> = BTreeMap::new();
        for seed in 0..lists {
            let list = explore(&RANKED, 4, share, seed).expect("a share");
            let distinct: BTreeSet<u32> = list.iter().map(|place| place.item).collect();
            assert_eq!(distinct.len(), 4);
            for (position, place) in list.iter().enumerate() {
                assert_eq!(RANKED[place.rank - 1], place.item);
                assert_eq!(place.explored, place.rank > 4);
                let entry = seen.entry((position, place.item)).or_default();
                *entry = (entry.0 + 1, place.propensity);
            }
        }
        // Each place holds its own item or one of the five beyond.
        assert_eq!(seen.len(), 4 * 6);
        for ((position, item), (count, propensity)) in seen {
            let error = 4.5 * (propensity * (1.0 - propensity) / lists as f64).sqrt();
            let found = count as f64 / lists as f64;
            assert!(
                (found - propensity).abs() < error,
                "item {item} at {position}: {found}, not {propensity}"
            );
        }
    }

    #[test]
    fn few_items_beyond_leave_the_first_places_alone() {
        let list = explore(&RANKED[..6], 4, 0.5, 3).expect("a share");
        let sure = list.iter().filter(|place| place.propensity >= 1.0).count();
        assert_eq!(sure, 2);
        for ranked in [&RANKED[..0], &RANKED[..3]] {
            let list = explore(ranked, 4, 0.5, 3).expect("a share");
            let items: Vec<u32> = list.iter().map(|place| place.item).collect();
            assert_eq!(items, ranked);
            assert!(list.iter().all(|place| place.propensity >= 1.0));
        }
    }

    #[test]
    fn without_a_share_the_best_stand_for_certain() {
        let list = explore(&RANKED, 3, 0.0, 9).expect("a share");
        let items: Vec<u32> = list.iter().map(|place| place.item).collect();
        assert_eq!(items, [40, 41, 42]);
        assert!(
            list.iter()
                .all(|place| place.propensity >= 1.0 && !place.explored)
        );
        assert_eq!(explore(&RANKED, 0, 0.2, 9).expect("a share"), []);
    }

    #[test]
    fn the_seed_decides_and_a_share_is_checked() {
        let list = |seed| explore(&RANKED, 4, 0.5, seed).expect("a share");
        assert_eq!(list(7), list(7));
        assert!((0..20).any(|seed| list(seed) != list(7)));
        for share in [-0.1, 1.0, f64::NAN] {
            let error = explore(&RANKED, 4, share, 1).expect_err("no share");
            let expected =
                format!("`share` is {share}; expected a share from 0 up to, not including, 1");
            assert_eq!(error.to_string(), expected);
        }
    }
}

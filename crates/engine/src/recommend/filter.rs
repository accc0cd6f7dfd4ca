//! Which shoppers get a list, and which products may stand in one.

use events::{Identity, Pseudonym};

use super::RecommendRequest;
use crate::campaign::{named_segment, sellable};
use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::shop::{KnownShopper, Shop};
use crate::store::Store;

/// The shoppers that were asked for, in the order of their pseudonyms.
pub(super) fn shoppers<'a>(
    store: &Store,
    config: &Config,
    shop: &'a Shop,
    request: &RecommendRequest,
) -> Result<Vec<&'a KnownShopper>> {
    let segment = request.segment.as_deref();
    let segment = segment
        .map(|name| named_segment(config, name))
        .transpose()?;
    let mut shoppers: Vec<&KnownShopper> = match &request.user {
        Some(user) => vec![known_shopper(store, shop, user)?],
        None => shop.shoppers.iter().collect(),
    };
    if let Some(segment) = segment {
        shoppers.retain(|known| segment.matches(&known.profile, shop.now));
    }
    Ok(shoppers)
}

/// The shopper behind an identifier or a pseudonym.
pub(crate) fn known_shopper<'a>(
    store: &Store,
    shop: &'a Shop,
    user: &str,
) -> Result<&'a KnownShopper> {
    let pseudonym = Pseudonym::try_from(user.to_owned())
        .unwrap_or_else(|_| store.vault().pseudonym(&Identity::User(user.to_owned())));
    let found = shop
        .shoppers
        .iter()
        .find(|known| known.shopper.pseudonym == pseudonym);
    found.ok_or_else(|| EngineError::NotReady {
        missing: format!("no shopper of {} is known as `{user}`", store.dir().display()),
        remedy: "give the identifier as it stands in the files that were imported, such as a `userId` or `Customer ID`, or \
                 a pseudonym from an export; guests have none"
            .to_owned(),
    })
}

/// Whether each product may be recommended to anybody: it may be spoken of and is of the category that was asked for.
pub(super) fn products(shop: &Shop, category: Option<&str>) -> Result<Vec<bool>> {
    let mut admitted = sellable(shop);
    let Some(category) = category else {
        return Ok(admitted);
    };
    let names = &shop.corpus.categories;
    let of_category: Vec<bool> = names.iter().map(|name| is_within(name, category)).collect();
    if !of_category.contains(&true) {
        return Err(unknown(names, category));
    }
    for (admitted, item) in admitted.iter_mut().zip(&shop.corpus.items) {
        *admitted &= item
            .category
            .is_some_and(|index| of_category[index as usize]);
    }
    Ok(admitted)
}

/// Whether a path of categories such as `Home > Kitchen` is the one that was asked for, leads through it or ends in it.
fn is_within(path: &str, asked: &str) -> bool {
    let steps = |path: &str| -> Vec<String> {
        path.split('>')
            .map(|step| step.trim().to_lowercase())
            .collect()
    };
    let (path, asked) = (steps(path), steps(asked));
    path.starts_with(&asked) || path.ends_with(&asked)
}

fn unknown(names: &[String], category: &str) -> EngineError {
    let asked = category.to_lowercase();
    let distance = |name: &&str| strsim::damerau_levenshtein(&name.to_lowercase(), &asked);
    let last_steps = names
        .iter()
        .map(|name| name.rsplit('>').next().unwrap_or(name).trim());
    let nearest = names
        .iter()
        .map(String::as_str)
        .chain(last_steps)
        .min_by_key(distance);
    EngineError::NotReady {
        missing: format!("no product is of the category `{category}`"),
        remedy: match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "leave --category out: the catalogue has none".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_named_by_its_path_a_step_above_or_its_last_step() {
        for (path, asked, within) in [
            ("Home > Kitchen", "home > kitchen", true),
            ("Home > Kitchen", "Home", true),
            ("Home > Kitchen", "kitchen", true),
            ("Home > Kitchen > Mugs", "Kitchen", false),
            ("Home > Kitchen", "Hom", false),
            ("Kitchen", "Kitchen", true),
        ] {
            assert_eq!(is_within(path, asked), within, "{asked} in {path}");
        }
    }

    #[test]
    fn an_unknown_category_is_answered_with_the_nearest() {
        let names = ["Home > Kitchen".to_owned(), "Garden".to_owned()];
        assert_eq!(
            unknown(&names, "Kichten").to_string(),
            "no product is of the category `Kichten`; did you mean `Kitchen`?"
        );
        assert_eq!(
            unknown(&[], "Garden").to_string(),
            "no product is of the category `Garden`; leave --category out: the catalogue has none"
        );
    }
}

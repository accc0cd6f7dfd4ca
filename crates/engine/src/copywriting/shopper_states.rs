//! The states of a shop's shoppers, as the user model that serves makes them.

use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::recommend::known_shopper;
use crate::shop::Shop;
use crate::store::Store;
use crate::train::Ranker;

/// A shop with the user model that was trained on it.
pub(super) struct ShopperStates<'a> {
    store: &'a Store,
    shop: Shop,
    ranker: Ranker,
}

impl<'a> ShopperStates<'a> {
    /// # Errors
    /// [`EngineError::NotReady`] where nothing was imported or no user model is trained.
    pub(super) fn open(store: &'a Store, config: &Config) -> Result<Self> {
        let shop = Shop::load(store, config, None)?;
        let ranker = Ranker::load(store.dir(), &shop)?;
        if ranker.user_model().is_none() {
            return Err(EngineError::NotReady {
                missing: "no user model is trained, so nothing is known of a shopper".to_owned(),
                remedy: "run `hawker train` first".to_owned(),
            });
        }
        Ok(Self {
            store,
            shop,
            ranker,
        })
    }

    /// The version of the user model.
    pub(super) fn version(&self) -> &str {
        self.ranker.version()
    }

    /// The state of a shopper at the end of the log, [U].
    pub(super) fn of(&self, user: &str) -> Result<Vec<f32>> {
        let known = known_shopper(self.store, &self.shop, user)?;
        let states = self.ranker.user_states(&self.shop, &[known])?;
        Ok(states.into_iter().next().unwrap_or_default())
    }
}

//! What ranks products for a campaign: the models that training chose, or a rule where nothing was trained yet.

use std::sync::Arc;

use recommender::user_model::UserModel;
use recommender::{
    BaselineSettings, Because, Blend, Component, ItemKnn, Popular, ScoreScale, Scorer, Task,
};

use super::{BLEND_NEW_ITEMS, BLEND_REPEATS, ModelFolders, Selection, blends, components};
use crate::error::{EngineError, Result};
use crate::shop::{KnownShopper, Shop};

/// A purchase speaks for a product that is among this many that go best with it, or this share of a small catalogue; a
/// weaker link explains nothing.
const COMPANIONS: usize = 25;
const COMPANION_SHARE: usize = 25;

/// Ranks products for shoppers, and says from which purchases a product follows.
pub struct Ranker {
    new_items: Served,
    repeats: Served,
    all: Served,
    /// What was trained; nothing before.
    user_model: Option<Arc<UserModel>>,
    item_knn: ItemKnn,
    version: String,
}

/// What ranks for one task.
#[derive(Clone)]
struct Served {
    scorer: Arc<dyn Scorer>,
    /// The scorer once more where it is a blend, whose score can be taken apart.
    blend: Option<Arc<Blend>>,
}

impl Served {
    fn blend(blend: Arc<Blend>) -> Self {
        Self {
            scorer: Arc::clone(&blend) as Arc<dyn Scorer>,
            blend: Some(blend),
        }
    }
}

impl Ranker {
    /// Loads what training left for this shop; without any, item-kNN beside recent popularity serves.
    ///
    /// # Errors
    /// [`EngineError::Recommender`] for a damaged model: `hawker train` makes it anew.
    pub fn load(data_dir: &std::path::Path, shop: &Shop) -> Result<Self> {
        let folders = ModelFolders::of(data_dir);
        match (Selection::load(&folders.root)?, folders.fingerprint()?) {
            (Some(selection), Some(fingerprint))
                if folders.served_by(&selection).join("model.json").exists() =>
            {
                Self::trained(&selection, &fingerprint, &folders, shop)
            }
            _ => Self::untrained(shop),
        }
    }

    /// The version that decisions record.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Scores every product for some shoppers, at the shop's moment.
    ///
    /// # Errors
    /// What a model fails with.
    pub fn scores(
        &self,
        shop: &Shop,
        shoppers: &[&KnownShopper],
        task: Task,
    ) -> Result<Vec<Vec<f32>>> {
        let histories: Vec<_> = shoppers
            .iter()
            .map(|shopper| shop.history(shopper))
            .collect();
        let scorer = &self.served(task).scorer;
        Ok(scorer.scores(&histories, shop.moment_s())?)
    }

    /// The name of what ranks for a task.
    pub(crate) fn name(&self, task: Task) -> &str {
        self.served(task).scorer.name()
    }

    /// The blend that ranks for a task; nothing where a baseline does.
    pub(crate) fn blend(&self, task: Task) -> Option<&Blend> {
        self.served(task).blend.as_deref()
    }

    /// The user model that was trained.
    pub(crate) fn user_model(&self) -> Option<&UserModel> {
        self.user_model.as_deref()
    }

    /// The states of some shoppers at the shop's moment, each a vector of the user model's width; none where no user model is
    /// trained.
    ///
    /// # Errors
    /// What a model fails with.
    pub(crate) fn user_states(
        &self,
        shop: &Shop,
        shoppers: &[&KnownShopper],
    ) -> Result<Vec<Vec<f32>>> {
        let Some(user_model) = &self.user_model else {
            return Ok(Vec::new());
        };
        let histories: Vec<_> = shoppers
            .iter()
            .map(|shopper| shop.history(shopper))
            .collect();
        Ok(user_model.user_states(&histories, shop.moment_s())?)
    }

    fn served(&self, task: Task) -> &Served {
        match task {
            Task::NewItems => &self.new_items,
            Task::Repeats => &self.repeats,
            Task::All => &self.all,
        }
    }

    /// The purchases of a shopper that speak for a product, strongest first: those with which it is bought together more
    /// than nearly all others are.
    pub fn because(&self, shop: &Shop, shopper: &KnownShopper, item: usize) -> Vec<Because> {
        let history = shop.history(shopper);
        let companions = COMPANIONS.min(shop.products.len() / COMPANION_SHARE).max(3);
        let mut parts = self.item_knn.because(history, item as u32, shop.moment_s());
        parts.retain(|part| {
            let companions = self.item_knn.neighbours(part.item, companions);
            companions
                .iter()
                .any(|(companion, _)| *companion as usize == item)
        });
        parts
    }

    /// The exact parts of a product's score by the model that gave them, largest first; none where no blend ranks.
    ///
    /// # Errors
    /// What a model fails with.
    pub fn parts(
        &self,
        shop: &Shop,
        shopper: &KnownShopper,
        item: usize,
    ) -> Result<Vec<(String, f64)>> {
        let Some(blend) = self.blend(Task::NewItems) else {
            return Ok(Vec::new());
        };
        let parts = blend.parts(shop.history(shopper), item as u32, shop.moment_s())?;
        let mut parts: Vec<(String, f64)> = parts
            .into_iter()
            .map(|(name, part)| (name.to_owned(), part.into()))
            .collect();
        parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
        Ok(parts)
    }

    fn trained(
        selection: &Selection,
        fingerprint: &str,
        folders: &ModelFolders,
        shop: &Shop,
    ) -> Result<Self> {
        let user_model = Arc::new(UserModel::load(
            &folders.served_by(selection),
            &shop.corpus,
        )?);
        let mut components = components(&selection.baselines, &shop.corpus, None)?;
        components.push(Component {
            scorer: Arc::clone(&user_model) as Arc<dyn Scorer>,
            scale: ScoreScale::Logit,
        });
        let blends = blends(&components, selection)?.map(Arc::new);
        let named = |name: &str| -> Option<Served> {
            let blend = blends.iter().find(|blend| blend.name() == name);
            let single = components.iter().find(|one| one.scorer.name() == name);
            let single = single.map(|component| Served {
                scorer: Arc::clone(&component.scorer),
                blend: None,
            });
            blend
                .map(|blend| Served::blend(Arc::clone(blend)))
                .or(single)
        };
        let serves = |name: &str, otherwise: &str| {
            named(name)
                .or_else(|| named(otherwise))
                .ok_or_else(|| EngineError::NotReady {
                    missing: format!(
                        "the trained selection names the model `{name}`, which is not known"
                    ),
                    remedy: "run `hawker train` again".to_owned(),
                })
        };
        Ok(Self {
            new_items: serves(&selection.default_new_items, BLEND_NEW_ITEMS)?,
            repeats: serves(&selection.default_repeats, BLEND_REPEATS)?,
            all: serves(&selection.default_all, BLEND_REPEATS)?,
            user_model: Some(user_model),
            item_knn: ItemKnn::fit(&shop.corpus, selection.baselines.item_knn)?,
            version: format!("{}@{}", selection.default_new_items, &fingerprint[..12]),
        })
    }

    fn untrained(shop: &Shop) -> Result<Self> {
        let settings = BaselineSettings::default();
        let item_knn = ItemKnn::fit(&shop.corpus, settings.item_knn)?;
        let popular = Popular::recently(&shop.corpus, settings.popular_half_life_days)?;
        let component = |scorer: Arc<dyn Scorer>| Component {
            scorer,
            scale: ScoreScale::Count,
        };
        // Popularity decides among what the neighbours do not know, above all for shoppers without a history.
        let blend = Arc::new(Blend::new(
            "item-knn",
            vec![
                component(Arc::new(item_knn.clone())),
                component(Arc::new(popular)),
            ],
            vec![1.0, 0.3],
        )?);
        let repeats = recommender::OwnRepeats::fit(&shop.corpus, settings.repeats_half_life_days)?;
        let blend = Served::blend(blend);
        Ok(Self {
            new_items: blend.clone(),
            repeats: Served {
                scorer: Arc::new(repeats),
                blend: None,
            },
            all: blend,
            user_model: None,
            item_knn,
            version: format!("item-knn@{}", shop.log.last_position),
        })
    }
}

//! Recommendations without a text: for every shopper, or one, a list of products with scores, propensities and reasons.
//!
//! The way through: the log → the shoppers that were asked for → `list` (which products may stand there, the first stage
//! among very many, the ranking, the share that explores) → `why` (reasons in words) → the file, whole or absent.

mod filter;
mod line;
mod list;
mod why;

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use recommender::RecommenderError;
use serde::Serialize;

pub use line::{
    RecommendedLine, RecommendedProduct, Why, WhyEvent, WhyInterest, WhyModel, WhyUserModel,
};

pub(crate) use filter::known_shopper;

use crate::campaign::check_place;
use crate::config::Config;
use crate::error::{EngineError, Result};
use crate::export::WholeFile;
use crate::shop::Shop;
use crate::store::Store;
use crate::train::Ranker;
use list::Source;

/// Scores of one model that are held at once by a thread, which bounds the memory for large catalogues.
const SCORES_A_BATCH: usize = 4_000_000;
/// Shoppers that go through the ranking together, at most.
const BATCH: usize = 256;
/// The same where reasons are asked for, which take longer than all else.
const BATCH_WITH_REASONS: usize = 4;

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct RecommendRequest {
    /// One shopper, by the shop's own identifier or by pseudonym; everybody where absent.
    pub user: Option<String>,
    /// Products of a list.
    pub top: usize,
    /// Only products of this category or below it.
    pub category: Option<String>,
    /// Only shoppers of this segment of the configuration.
    pub segment: Option<String>,
    /// Whether products that a shopper has bought may stand in the list.
    pub include_bought: bool,
    /// Expected share of the places that go to products drawn evenly from the ranks beyond, in [0, 1).
    pub explore: f64,
    /// Seed of that draw.
    pub seed: u64,
    /// Whether each product comes with its reasons, which takes seconds a shopper.
    pub why: bool,
    /// Whether lines name shoppers by the shop's own identifiers beside the pseudonyms; the file is then its owner's.
    pub identities: bool,
    /// The file of JSON lines to write; without one the lines are handed back.
    pub out: Option<PathBuf>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecommendProgress {
    /// The log is read and the models are loaded; a large catalogue's index is built.
    Reading,
    /// Lists are made: shoppers done, and all.
    Ranking(usize, usize),
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecommendReport {
    /// Shoppers with a line.
    pub shoppers: u64,
    /// Products over all lists.
    pub products: u64,
    /// Those of them that explore.
    pub explored: u64,
    /// The name and version of what ranks.
    pub model: String,
    /// Products that the first stage handed to the ranking for each shopper, at least; nothing where all were ranked.
    pub candidates: Option<usize>,
    /// The file that was written.
    pub file: Option<PathBuf>,
    /// The lines, where no file was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<RecommendedLine>,
}

/// Recommends products to the shoppers of the log, at the moment of its last event.
///
/// The same seed on the same data directory gives the same lists.
///
/// # Errors
/// [`EngineError::NotReady`] for an empty log, an unknown shopper, category or segment, and for reasons before training;
/// [`EngineError::Recommender`] for a share outside [0, 1); those of the store, of the models and of the file.
pub fn recommend(
    store: &Store,
    config: &Config,
    request: &RecommendRequest,
    progress: &mut dyn FnMut(RecommendProgress),
) -> Result<RecommendReport> {
    progress(RecommendProgress::Reading);
    check(request)?;
    let shop = Shop::load(store, config, None)?;
    let shoppers = filter::shoppers(store, config, &shop, request)?;
    let ranker = Ranker::load(store.dir(), &shop)?;
    if request.why && ranker.user_model().is_none() {
        return Err(EngineError::NotReady {
            missing: "no user model is trained, and the reasons are read from it".to_owned(),
            remedy: "run `hawker train` first, or leave --why out".to_owned(),
        });
    }
    let source = Source::new(&shop, &ranker, config, request, shoppers.len())?;
    let mut lines = Lines::open(request)?;
    let most = if request.why {
        BATCH_WITH_REASONS
    } else {
        BATCH
    };
    let batch = (SCORES_A_BATCH / shop.products.len().max(1)).clamp(1, most);
    // A few batches at a time, so that there is something to tell.
    for (done, batches) in shoppers.chunks(batch * 8).enumerate() {
        progress(RecommendProgress::Ranking(done * batch * 8, shoppers.len()));
        let made = batches
            .par_chunks(batch)
            .map(|batch| source.lines(batch))
            .collect::<Result<Vec<_>>>()?;
        for line in made.into_iter().flatten() {
            lines.push(store, line)?;
        }
    }
    lines.finish(RecommendReport {
        shoppers: 0,
        products: 0,
        explored: 0,
        model: ranker.version().to_owned(),
        candidates: source.candidates(),
        file: request.out.clone(),
        lines: Vec::new(),
    })
}

/// Refuses what cannot be done before the log is read.
fn check(request: &RecommendRequest) -> Result<()> {
    if !(0.0..1.0).contains(&request.explore) {
        return Err(EngineError::Recommender(RecommenderError::Setting {
            field: "explore",
            value: request.explore.to_string(),
            expected: "a share from 0 up to, not including, 1",
        }));
    }
    match &request.out {
        Some(out) => check_place(out),
        None => Ok(()),
    }
}

/// Where the lines go: into the file, or into the report.
struct Lines<'a> {
    request: &'a RecommendRequest,
    file: Option<(&'a Path, BufWriter<WholeFile>)>,
    kept: Vec<RecommendedLine>,
    shoppers: u64,
    products: u64,
    explored: u64,
}

impl<'a> Lines<'a> {
    fn open(request: &'a RecommendRequest) -> Result<Self> {
        let open = |out: &'a PathBuf| -> Result<(&'a Path, BufWriter<WholeFile>)> {
            let file = WholeFile::create(out, request.identities)?;
            Ok((out, BufWriter::new(file)))
        };
        Ok(Self {
            request,
            file: request.out.as_ref().map(open).transpose()?,
            kept: Vec::new(),
            shoppers: 0,
            products: 0,
            explored: 0,
        })
    }

    fn push(&mut self, store: &Store, mut line: RecommendedLine) -> Result<()> {
        if self.request.identities {
            let identity = store.identity(line.user)?;
            line.user_id = identity.map(|identity| identity.as_str().to_owned());
        }
        self.shoppers += 1;
        self.products += line.products.len() as u64;
        self.explored += line
            .products
            .iter()
            .filter(|product| product.explored)
            .count() as u64;
        let Some((path, file)) = &mut self.file else {
            self.kept.push(line);
            return Ok(());
        };
        serde_json::to_writer(&mut *file, &line)
            .map_err(std::io::Error::from)
            .and_then(|()| writeln!(file))
            .map_err(EngineError::io("write", *path))
    }

    /// Puts the file in its place and counts what it holds.
    fn finish(self, report: RecommendReport) -> Result<RecommendReport> {
        if let Some((path, file)) = self.file {
            file.into_inner()
                .map_err(std::io::IntoInnerError::into_error)
                .and_then(WholeFile::finish)
                .map_err(EngineError::io("write", path))?;
        }
        Ok(RecommendReport {
            shoppers: self.shoppers,
            products: self.products,
            explored: self.explored,
            lines: self.kept,
            ..report
        })
    }
}

//! A campaign: for every shopper one checked message about one product, or nothing, with the reason and the odds.
//!
//! The way through: `standing` (who may be written to) → `candidates` (products × arguments, rendered and checked) →
//! `choose` (propensities under caps, the draw) → the store, durably → `deliver` (the file).

mod candidates;
mod choose;
mod deliver;
mod moment;
mod pending;
mod person;
mod reason;
mod standing;
mod summary;

use std::path::PathBuf;

use bandit::SampledPosterior;
use events::{
    Action, Channel, Context, CopyText, Decision, DecisionId, Exclusion, Explanation, Goal,
    Language, Locale, Timestamp,
};
use features::Segment;
use rayon::prelude::*;

pub(crate) use candidates::sellable;
use candidates::{Candidates, Source};
use choose::{Open, propensities};
pub(crate) use deliver::check_place;
pub(crate) use standing::named_segment;
use standing::{Arm, Standing};

pub use deliver::{DeliveredLine, DeliveredProduct, Nothing, last_campaign};
pub use pending::{UnfinishedDelivery, unfinished_delivery};
pub use summary::{CampaignReport, Refused};

use crate::config::Config;
use crate::copy_check;
use crate::copybook::Copybook;
use crate::copywriting::live::LiveModel;
use crate::error::Result;
use crate::policy::{DRAWS, Policy};
use crate::shop::{KnownShopper, Shop};
use crate::store::Store;
use crate::train::Ranker;
use crate::variants;

/// Shoppers that go through the ranking together.
const BATCH: usize = 256;

/// What is asked of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignRequest {
    /// Where the messages are shown.
    pub channel: Channel,
    /// What they are to achieve.
    pub goal: Goal,
    /// The seed of every draw.
    pub seed: u64,
    /// The moment of the decision; that of the last event where absent.
    pub at: Option<Timestamp>,
    /// The file to write: `.csv`, or JSON lines.
    pub out: PathBuf,
    /// Whether the file names the shoppers by their real identifiers beside the pseudonyms.
    pub identities: bool,
}

/// Where a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignProgress {
    /// The log is read and the models are loaded.
    Reading,
    /// Candidates are made: shoppers done, and all.
    Writing(usize, usize),
    /// The choice under the caps.
    Choosing,
    /// Decisions are written to the log and the file.
    Delivering,
}

/// Writes a campaign: decides for every shopper, logs the decisions, then writes the file.
///
/// A run that was interrupted after its decisions were logged only writes its file when it is started again.
///
/// # Errors
/// [`crate::EngineError::NotReady`] for an empty log, an unknown segment or a moment that the log cannot speak of, and those
/// of the store, of the models and of the file.
pub fn run_campaign(
    store: &mut Store,
    config: &Config,
    request: &CampaignRequest,
    progress: &mut dyn FnMut(CampaignProgress),
) -> Result<CampaignReport> {
    progress(CampaignProgress::Reading);
    deliver::check_place(&request.out)?;
    if let Some(report) = pending::resume(store, request)? {
        return Ok(report);
    }
    moment::check(store.log_summary()?, request.at)?;
    let shop = Shop::load(store, config, request.at)?;
    let policy = Policy::load(store, request.goal)?;
    let ranker = Ranker::load(store.dir(), &shop)?;
    let guard = copy_check::guard(config)?;
    let paused = variants::pause_untrue(store, &guard, shop.now)?;
    let copybook = Copybook::open(store, guard, request.channel, config)?;
    let standing = Standing::read(store, config, &shop, request.channel)?;
    let live = LiveModel::open(store.dir(), config, request.channel, ranker.version())?;
    let (live, no_live) = match live {
        Some(Ok(live)) => (Some(live), None),
        Some(Err(remark)) => (None, Some(remark)),
        None => (None, None),
    };
    let mut written_by: Vec<&str> = copybook.own_version.iter().map(String::as_str).collect();
    written_by.extend(live.as_ref().map(LiveModel::version));
    let live_writer = live.as_ref().map(LiveModel::writer).transpose()?;
    let run = Run {
        name: run_name(store, request, &shop, &policy, &ranker, &written_by)?,
        shop: &shop,
        policy: &policy,
        ranker: &ranker,
        request,
        config,
        segments: segments(config),
    };
    let stats: Vec<_> = shop
        .sales
        .iter()
        .map(|sales| sales.stats(shop.log_start(), shop.now))
        .collect();
    let sellable = sellable(&shop);
    let source = Source {
        shop: &shop,
        ranker: &ranker,
        copybook: &copybook,
        standing: &standing,
        stats: &stats,
        sellable: &sellable,
        products_per_shopper: config.campaign.products_per_shopper,
        live: live_writer.as_ref(),
    };
    let cases = run.cases(&standing, &source, progress)?;
    progress(CampaignProgress::Choosing);
    let posterior = policy.model.sample(DRAWS, request.seed)?;
    let (decisions, mut report) = run.decide(&cases, &posterior)?;
    progress(CampaignProgress::Delivering);
    let lines = deliver::lines(&run, &cases, decisions);
    report.fill(&lines);
    report.no_live_lines = no_live.map(|remark| remark.to_string());
    report.paused = paused
        .into_iter()
        .map(|(id, why)| (id, why.to_string()))
        .collect();
    deliver::deliver(store, &run, &lines, &report)?;
    Ok(report)
}

/// One campaign in progress.
struct Run<'a> {
    name: String,
    shop: &'a Shop,
    policy: &'a Policy,
    ranker: &'a Ranker,
    request: &'a CampaignRequest,
    config: &'a Config,
    segments: Vec<(String, Segment)>,
}

/// One shopper on the way through a campaign.
struct Case<'a> {
    known: &'a KnownShopper,
    locale: Locale,
    arm: Arm,
    seed: u64,
    /// Why there is no message, where that is settled before the choice.
    refusal: Option<(&'static str, String)>,
    candidates: Candidates,
}

impl<'a> Run<'a> {
    /// Every shopper with candidates, in the order of the pseudonyms.
    fn cases(
        &self,
        standing: &Standing<'_>,
        source: &Source<'_>,
        progress: &mut dyn FnMut(CampaignProgress),
    ) -> Result<Vec<Case<'a>>> {
        let shoppers = &self.shop.shoppers;
        let mut cases: Vec<Case<'a>> = shoppers
            .iter()
            .map(|known| self.case(standing, known))
            .collect();
        let open: Vec<usize> = (0..cases.len())
            .filter(|case| cases[*case].refusal.is_none())
            .collect();
        // A few batches at a time, so that there is something to tell.
        for (done, batches) in open.chunks(BATCH * 8).enumerate() {
            progress(CampaignProgress::Writing(done * BATCH * 8, open.len()));
            let made = batches
                .par_chunks(BATCH)
                .map(|batch| {
                    let shoppers: Vec<(&KnownShopper, Language, u64)> = batch
                        .iter()
                        .map(|case| {
                            let case = &cases[*case];
                            (case.known, case.locale.language(), case.seed)
                        })
                        .collect();
                    source.of(&shoppers)
                })
                .collect::<Result<Vec<_>>>()?;
            for (case, candidates) in batches.iter().zip(made.into_iter().flatten()) {
                let case = &mut cases[*case];
                if candidates.messages.is_empty() {
                    case.refusal = Some((
                        "nothing_eligible",
                        "no product with a text that applies".to_owned(),
                    ));
                }
                case.candidates = candidates;
            }
        }
        Ok(cases)
    }

    fn case(&self, standing: &Standing<'_>, known: &'a KnownShopper) -> Case<'a> {
        let user = known.shopper.pseudonym;
        let arm = Arm::of(user, &self.config.campaign);
        let refusal = standing.refusal(known).or_else(|| {
            (arm == Arm::Holdout).then(|| {
                (
                    "holdout",
                    "kept without messages, to measure against".to_owned(),
                )
            })
        });
        let locale = known
            .shopper
            .locale
            .clone()
            .unwrap_or_else(|| self.config.shop.locale.clone());
        Case {
            known,
            locale: Locale(locale),
            arm,
            seed: seed_of(&self.name, &user.0),
            refusal,
            candidates: Candidates::default(),
        }
    }

    /// Draws every decision.
    fn decide(
        &self,
        cases: &[Case<'a>],
        posterior: &SampledPosterior,
    ) -> Result<(Vec<Decision>, CampaignReport)> {
        let open: Vec<Open<'_>> = cases
            .iter()
            .filter(|case| case.refusal.is_none())
            .map(|case| Open {
                candidates: &case.candidates,
                arm: case.arm,
                seed: case.seed,
            })
            .collect();
        let chosen = propensities(&open, posterior, &self.config.campaign)?;
        let report = CampaignReport::new(self, &chosen);
        let mut pmfs = chosen.pmfs.into_iter();
        let decisions = cases
            .iter()
            .map(|case| match case.refusal {
                Some(_) => self.no_choice(case),
                None => match pmfs.next() {
                    Some(pmf) => self.choice(case, &pmf),
                    None => self.no_choice(case),
                },
            })
            .collect();
        Ok((decisions, report))
    }

    /// The decision of a shopper to whom nothing can be sent.
    fn no_choice(&self, case: &Case<'a>) -> Decision {
        let mut decision = self.decision(case);
        if let Some((name, detail)) = &case.refusal {
            decision.exclusions.insert(
                0,
                Exclusion {
                    candidate: "message".to_owned(),
                    reason: format!("{name}: {detail}"),
                },
            );
            decision.explanation.reason.clone_from(detail);
        }
        decision.candidates = vec![nothing(1.0)];
        decision
    }

    /// The decision drawn from propensities.
    fn choice(&self, case: &Case<'a>, pmf: &bandit::Pmf) -> Decision {
        let messages = &case.candidates.messages;
        let probabilities = pmf.as_slice();
        let mut decision = self.decision(case);
        decision.candidates = messages
            .iter()
            .zip(probabilities)
            .map(|(message, propensity)| events::Candidate {
                action: Action::Message,
                product: Some(self.shop.products[message.position].id.clone()),
                variant: Some(message.variant_id.clone()),
                provider: (message.is_stored || message.live.is_some())
                    .then(|| message.provider.clone()),
                live: message.live.clone(),
                propensity: *propensity,
                score: self.policy.model.score(&message.x).unwrap_or_default(),
            })
            .collect();
        decision
            .candidates
            .push(nothing(probabilities[messages.len()]));
        decision.chosen = pmf.draw(case.seed);
        if let Some(message) = messages.get(decision.chosen) {
            decision.rendered_text = Some(message.rendered.text.clone());
            decision.explanation = self.policy.explain(&message.x, message.reason.clone());
        } else {
            let reason = match case.arm {
                Arm::Random => "silence was drawn, as evenly as any message",
                _ => "no message promised more than silence",
            };
            reason.clone_into(&mut decision.explanation.reason);
        }
        decision
    }

    /// What every decision of this run has in common.
    fn decision(&self, case: &Case<'a>) -> Decision {
        let known = case.known;
        let timezone = known.shopper.timezone.clone();
        let matching = self
            .segments
            .iter()
            .filter(|(_, segment)| segment.matches(&known.profile, self.shop.now))
            .map(|(name, _)| name.clone());
        Decision {
            decision_id: DecisionId::derive(&self.name, known.shopper.pseudonym),
            user: known.shopper.pseudonym,
            context: Context {
                locale: case.locale.clone(),
                timezone: timezone.unwrap_or_else(|| self.config.shop.timezone.clone()),
                segments: matching.collect(),
            },
            channel: self.request.channel,
            slot: "default".to_owned(),
            goal: self.request.goal,
            candidates: Vec::new(),
            chosen: 0,
            rendered_text: None,
            exclusions: case.candidates.exclusions.clone(),
            experiment: case.arm.name().to_owned(),
            holdout: case.arm == Arm::Holdout,
            explanation: Explanation::default(),
            seed: case.seed,
            log_position: self.shop.log.last_position,
            policy_version: self.policy.version(self.request.goal),
            model_version: self.ranker.version().to_owned(),
            catalogue_version: self.shop.catalogue_version.clone(),
            decided_at: self.shop.now,
        }
    }
}

fn nothing(propensity: f64) -> events::Candidate {
    events::Candidate {
        action: Action::Nothing,
        product: None,
        variant: None,
        provider: None,
        live: None,
        propensity,
        score: 0.0,
    }
}

/// Names a run after all that it depends on, the decisions before it among them: repeating it from the same state gives
/// the same ids, running it a second time gives others.
fn run_name(
    store: &Store,
    request: &CampaignRequest,
    shop: &Shop,
    policy: &Policy,
    ranker: &Ranker,
    written_by: &[&str],
) -> Result<String> {
    let (decisions, _) = store.decision_counts()?;
    let mut hasher = blake3::Hasher::new();
    for part in [
        request.channel.name(),
        request.goal.name(),
        &request.seed.to_string(),
        &shop.now.to_string(),
        &shop.log.last_position.to_string(),
        &shop.catalogue_version,
        &policy.version(request.goal),
        ranker.version(),
        &decisions.to_string(),
    ] {
        hasher.update(part.as_bytes()).update(&[0]);
    }
    // A shop without texts of its own and live lines has the names that it had before there could be any.
    for version in written_by {
        hasher.update(version.as_bytes());
    }
    Ok(format!("c_{}", &hasher.finalize().to_hex()[..16]))
}

/// The seed of one shopper's draw; 53 bits, so that every JSON reader keeps them.
fn seed_of(run: &str, user: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(run.as_bytes()).update(user);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes) >> 11
}

fn segments(config: &Config) -> Vec<(String, Segment)> {
    config
        .segments
        .iter()
        .filter_map(|(name, rule)| Some((name.clone(), Segment::parse(rule).ok()?)))
        .collect()
}

/// The text of a message on one line, for metrics and tables.
pub(crate) fn one_line(text: &CopyText) -> String {
    text.fields()
        .map(|(_, field)| field)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Why a product is recommended to a shopper, in words.
pub(crate) fn reason_for(
    shop: &Shop,
    ranker: &Ranker,
    known: &KnownShopper,
    position: usize,
    language: Language,
) -> String {
    reason::reason(
        &person::Pair::new(shop, ranker, known, position, None),
        language,
    )
}

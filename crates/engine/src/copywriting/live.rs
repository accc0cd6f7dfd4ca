//! Lines that are written for one shopper and one product while the message is decided on.

use std::path::Path;

use copywriter::CopyError;
use copywriter::decoder::{Copywriter, Meaning, Placement, Search, Writer};
use events::{
    Channel, CopyVariant, Language, LiveDraft, Locale, Product, Strategy, Timestamp, VariantStatus,
};
use guard::Guard;
use nn::inference::Precision;

use super::from_facts::{findings, implied_controls, product_facts, unfounded};
use super::writer::{self, Saved};
use super::written::{about, keep_distinct};
use crate::config::Config;
use crate::error::Result;
use crate::variants::Remark;

/// A shop's language model that may write on the spot for a channel.
pub(crate) struct LiveModel {
    model: Copywriter,
    saved: Saved,
    channel: Channel,
    /// The language that it writes where its corpus did not name any.
    language: Language,
    lines: usize,
    approved_by: String,
}

/// A [`LiveModel`] that is ready to write.
pub(crate) struct LiveWriter<'a> {
    of: &'a LiveModel,
    writer: Writer<'a>,
    controls: Vec<String>,
    strategies: Vec<Strategy>,
}

/// What a line is to be about, and for whom.
pub(crate) struct LiveBrief<'a> {
    pub(crate) product: &'a Product,
    pub(crate) language: Language,
    /// The shopper's state; nothing where the model reads none.
    pub(crate) user_state: Option<Vec<f32>>,
    pub(crate) guard: &'a Guard,
    pub(crate) now: Timestamp,
    pub(crate) seed: u64,
}

/// A line, whose template and rendering nobody has checked yet.
pub(crate) struct LiveLine {
    /// The rule that it breaks as it stands, read against the product.
    pub(crate) broken: Option<String>,
    pub(crate) variant: CopyVariant,
    pub(crate) draft: LiveDraft,
}

impl LiveModel {
    /// The model of a data directory, where the configuration asks for live lines; else nothing, or why there can be none.
    ///
    /// `states_of` is the version of what makes the shoppers' states now.
    pub(crate) fn open(
        data_dir: &Path,
        config: &Config,
        channel: Channel,
        states_of: &str,
    ) -> Result<Option<std::result::Result<Self, Remark>>> {
        if !config.copywriter.live {
            return Ok(None);
        }
        let Some(approved_by) = config.copywriter.approval.standing(channel) else {
            let detail = format!(
                "lines that nobody reads first need a standing approval: set `{channel} = \"standing\"` in [copywriter.approval]"
            );
            return Ok(Some(Err(Remark::new("approval", &detail))));
        };
        if !writer::is_trained(data_dir)? {
            let detail = "there is no language model; train one with `hawker train copywriter --corpus FILE`";
            return Ok(Some(Err(Remark::new("model", detail))));
        }
        let (model, saved) = writer::load(data_dir)?;
        if saved.states_of.as_ref().is_some_and(|of| of != states_of) {
            let detail = format!(
                "{}; run `hawker train copywriter` again",
                writer::STALE_STATES
            );
            return Ok(Some(Err(Remark::new("user_model", &detail))));
        }
        Ok(Some(Ok(Self {
            model,
            saved,
            channel,
            language: Locale(config.shop.locale.clone()).language(),
            lines: config.copywriter.live_lines,
            approved_by,
        })))
    }

    /// The provider and the hash of the weights.
    pub(crate) fn version(&self) -> &str {
        self.model.version()
    }

    /// Lays the weights out for writing.
    pub(crate) fn writer(&self) -> Result<LiveWriter<'_>> {
        let controls = self.model.controls();
        let known = |strategy: &Strategy| controls.iter().any(|name| name == strategy.name());
        let mut strategies: Vec<Strategy> = Strategy::ALL.into_iter().filter(known).collect();
        if strategies.is_empty() {
            strategies.push(Strategy::Benefit);
        }
        Ok(LiveWriter {
            of: self,
            writer: self.model.writer(Precision::Int8)?,
            controls,
            strategies,
        })
    }
}

impl LiveWriter<'_> {
    /// Whether lines depend on the shopper's state.
    pub(crate) fn reads_states(&self) -> bool {
        self.of.saved.states_of.is_some()
    }

    /// Drafts different lines, the best first, each checked against the product as `hawker copy check` does, and against the
    /// values of properties that the corpus knows; the argument is drawn from those that the model learnt with. None where
    /// the model does not know the language.
    ///
    /// # Errors
    /// [`CopyError`] where there is no line of these facts, such as [`CopyError::TooManyFacts`].
    pub(crate) fn write(
        &self,
        brief: &LiveBrief<'_>,
    ) -> std::result::Result<Vec<LiveLine>, CopyError> {
        let LiveModel { saved, channel, .. } = self.of;
        if !self.knows(brief.language) {
            return Ok(Vec::new());
        }
        let strategy = self.strategies[(brief.seed % self.strategies.len() as u64) as usize];
        let (tag, channel) = (brief.language.tag(), *channel);
        let meaning = Meaning {
            controls: implied_controls(&self.controls, &[channel.name(), strategy.name(), tag]),
            facts: product_facts(brief.product, brief.now),
            user_state: brief.user_state.clone(),
            ..Meaning::default()
        };
        let search = Search::Sample {
            count: self.of.lines,
            temperature: saved.drafts.temperature,
            top_p: saved.drafts.top_p,
            min_p: 0.0,
        };
        let config = saved.drafts.decoding(search);
        let config = about(&meaning, &saved.drafts, &saved.lexicon, config);
        let mut drafts = self.writer.write(&meaning, &config, brief.seed)?;
        let pool = drafts.clone();
        self.writer
            .rank(&meaning, &mut drafts, &pool, saved.drafts.consensus());
        keep_distinct(&mut drafts);
        let placement = Placement {
            product: brief.product,
            channel,
            language: brief.language,
            strategy,
            seed: brief.seed,
        };
        let grounds = brief.guard.ground(brief.product, brief.now);
        // Words that would be read as a template are no line.
        let variants = drafts.into_iter().filter_map(|draft| {
            let variant = self.writer.variant(&meaning, &draft, &placement).ok()?;
            let mut found = findings(brief.guard, &draft.text, &grounds, Some(channel));
            found.extend(unfounded(&saved.lexicon, &meaning.facts, &draft.text, true));
            let broken = found.into_iter().find(|found| found.severity.is_error());
            Some(LiveLine {
                broken: broken.map(|found| found.rule),
                variant: CopyVariant {
                    status: VariantStatus::Live,
                    approved_by: Some(self.of.approved_by.clone()),
                    ..variant
                },
                draft: LiveDraft {
                    model: self.of.version().to_owned(),
                    tokens: draft.tokens,
                    log_probabilities: draft.token_log_probabilities,
                },
            })
        });
        Ok(variants.collect())
    }

    fn knows(&self, language: Language) -> bool {
        let known = |language: Language| self.controls.iter().any(|name| name == language.tag());
        let names_languages = [Language::En, Language::Zh].into_iter().any(known);
        if names_languages {
            known(language)
        } else {
            language == self.of.language
        }
    }
}

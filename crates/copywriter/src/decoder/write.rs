//! Texts from facts.

use std::ops::ControlFlow;

use nn::inference::{Engine, Precision};

use super::consensus::{Consensus, Pool};
use super::constraints::Constraints;
use super::coverage::Covered;
use super::decoding::{DecodingConfig, Search};
use super::example::{Fact, Meaning};
use super::model::Copywriter;
use super::pieces::Pieces;
use super::search::{Hypothesis, Start, search};
use super::sequence::Prompt;
use super::slots::Values;
use super::tokenizer::slot_token;
use crate::CopyError;
use crate::network::check_state;

/// Writes with a trained model; making one lays its weights out once.
#[derive(Debug)]
pub struct Writer<'a> {
    pub(super) model: &'a Copywriter,
    engine: Engine,
    pub(super) pieces: Pieces,
}

/// A text that the model wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The text, with the values in their slots.
    pub text: String,
    /// Its tokens, slots in the place of values; see [`Writer::rank`].
    pub tokens: Vec<u32>,
    /// log P of the tokens and the end under the model.
    pub log_probability: f64,
    /// The same of each token, the end's last.
    pub token_log_probabilities: Vec<f32>,
}

impl Copywriter {
    /// Makes the model ready to write.
    ///
    /// # Errors
    /// [`CopyError::Nn`] where memory is short.
    pub fn writer(&self, precision: Precision) -> Result<Writer<'_>, CopyError> {
        Ok(Writer {
            model: self,
            engine: self.network.engine(precision)?,
            pieces: Pieces::new(&self.tokenizer),
        })
    }
}

impl Writer<'_> {
    /// Writes texts from facts: as many as the search finds, the likeliest first where it is a beam. The same seed gives
    /// the same texts.
    ///
    /// # Errors
    /// [`CopyError::Setting`] for a bad configuration, [`CopyError::UserState`] for a state of another length than the model's, [`CopyError::TooManyFacts`] where they leave
    /// no room for a text, [`CopyError::Banned`] for banned phrases that cannot be looked for.
    pub fn write(
        &self,
        meaning: &Meaning,
        config: &DecodingConfig,
        seed: u64,
    ) -> Result<Vec<Draft>, CopyError> {
        self.watched(meaning, config, seed, &mut |_, _| ControlFlow::Continue(()))
    }

    /// Writes one text and tells it as it is drawn, piece by piece: whole characters, with the values in their slots. What is
    /// told was not checked by anybody. `told` may break; the text is then none.
    ///
    /// # Errors
    /// As [`Writer::write`], and [`CopyError::Setting`] for a search that does not draw one text.
    pub fn stream(
        &self,
        meaning: &Meaning,
        config: &DecodingConfig,
        seed: u64,
        told: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Option<Draft>, CopyError> {
        if !matches!(config.search, Search::Sample { count: 1, .. }) {
            return Err(CopyError::Setting {
                field: "search",
                value: format!("{:?}", config.search),
                expected: "one text that is drawn, since others take back what they wrote",
            });
        }
        let prompt = Prompt::new(meaning, &self.model.slotted, &self.model.tokenizer)?;
        // The bytes of a character that is not whole yet.
        let mut pending: Vec<u8> = Vec::new();
        let mut tell = |_: usize, token: u32| {
            pending.extend_from_slice(self.bytes(&prompt, token).unwrap_or_default());
            let whole = match std::str::from_utf8(&pending) {
                Ok(text) => text.len(),
                Err(error) => error.valid_up_to(),
            };
            let text = String::from_utf8_lossy(&pending[..whole]).into_owned();
            pending.drain(..whole);
            if text.is_empty() {
                return ControlFlow::Continue(());
            }
            told(&text)
        };
        let drafts = self.watched(meaning, config, seed, &mut tell)?;
        Ok(drafts.into_iter().next())
    }

    fn watched(
        &self,
        meaning: &Meaning,
        config: &DecodingConfig,
        seed: u64,
        watch: &mut dyn FnMut(usize, u32) -> ControlFlow<()>,
    ) -> Result<Vec<Draft>, CopyError> {
        config.check()?;
        let model = self.model;
        let prompt = Prompt::new(meaning, &model.slotted, &model.tokenizer)?;
        let constraints = Constraints::new(&prompt, &self.pieces, config)?;
        let prefix = self.prefix(meaning)?;
        let own_words = match &model.own_words {
            Some(weights) if !meaning.own_texts.is_empty() => {
                Some((model.own_words_of(meaning, &self.pieces)?, weights))
            }
            _ => None,
        };
        let start = Start {
            engine: &self.engine,
            prefix: &prefix,
            prompt: &prompt.tokens,
            own_words: own_words.as_ref().map(|(own, weights)| (own, *weights)),
        };
        let most = model.config.max_tokens;
        let room = most.saturating_sub(prompt.tokens.len() + 1);
        if room == 0 {
            return Err(CopyError::TooManyFacts {
                tokens: prompt.tokens.len(),
                most,
            });
        }
        let found = search(start, &constraints, config, room, seed, watch)?;
        let drafts = found.into_iter();
        Ok(drafts
            .filter_map(|text| self.draft(&prompt, text))
            .collect())
    }

    /// Orders drafts of one meaning, the best first: those that leave out and add the fewest facts, among them those that
    /// `pool` agrees with most; see [`Consensus`].
    pub fn rank(
        &self,
        meaning: &Meaning,
        drafts: &mut Vec<Draft>,
        pool: &[Draft],
        consensus: Consensus,
    ) {
        let pool = Pool::new(pool.iter().map(|draft| &draft.tokens[..]));
        let mut keyed: Vec<(usize, f64, Draft)> = std::mem::take(drafts)
            .into_iter()
            .map(|draft| {
                let errors = self.covered(meaning, &draft);
                let expected = pool.expected(&draft.tokens, consensus);
                (errors.missing + errors.added, expected, draft)
            })
            .collect();
        keyed.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        drafts.extend(keyed.into_iter().map(|(_, _, draft)| draft));
    }

    /// How many facts a draft leaves out and adds: those with slots exactly, those told as words as far as they are
    /// recognised.
    pub fn covered(&self, meaning: &Meaning, draft: &Draft) -> Covered {
        let told = meaning
            .facts
            .iter()
            .filter(|fact| !self.model.slotted.contains(&fact.name));
        let told: Vec<Fact> = told.cloned().collect();
        let mut covered = self.model.coverage.of(&draft.tokens, &told);
        let (values, _) = Values::of(&meaning.facts, &self.model.slotted);
        let slots = values.slots.iter();
        let tokens = slots.filter_map(|slot| self.model.tokenizer.special(&slot_token(&slot.name)));
        covered.missing += tokens.filter(|slot| !draft.tokens.contains(slot)).count();
        covered
    }

    fn prefix(&self, meaning: &Meaning) -> Result<Vec<f32>, CopyError> {
        let width = self.model.config.user_width;
        if width == 0 {
            return Ok(Vec::new());
        }
        let nobody = vec![0.0; width];
        let state = meaning.user_state.as_ref().unwrap_or(&nobody);
        check_state(state, width)?;
        Ok(self.model.network.prefix(state)?)
    }

    /// What a token writes: a slot its value.
    fn bytes<'p>(&'p self, prompt: &'p Prompt<'_>, token: u32) -> Option<&'p [u8]> {
        match prompt.slots.iter().position(|slot| *slot == token) {
            Some(slot) => Some(prompt.values.slots[slot].value.as_bytes()),
            None => self.pieces.bytes(token),
        }
    }

    /// The text of tokens; nothing where their bytes are no text, or blanks alone.
    fn draft(&self, prompt: &Prompt<'_>, found: Hypothesis) -> Option<Draft> {
        let mut bytes = Vec::new();
        for token in &found.tokens {
            bytes.extend_from_slice(self.bytes(prompt, *token)?);
        }
        let text = String::from_utf8(bytes).ok()?.trim().to_owned();
        if text.is_empty() {
            return None;
        }
        Some(Draft {
            text,
            log_probability: found.log_probability(),
            tokens: found.tokens,
            token_log_probabilities: found.log_probabilities,
        })
    }
}

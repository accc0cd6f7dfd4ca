use std::path::Path;

use nn::Tensor;

use super::example::{Example, Meaning};
use super::model::Copywriter;
use super::own_words::{OwnWords, OwnWordsWeights};
use super::pieces::Pieces;
use super::sequence::sequences;
use crate::CopyError;
use crate::network::Sequence;

/// How little a model expected a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surprise {
    /// −log P(text | facts, user state, the shopper's own words), in nats.
    pub nats: f64,
    /// Tokens of the text, its end among them.
    pub tokens: usize,
}

impl Copywriter {
    /// How little the model expects each of some texts; nothing for one that is too long or names an exact value in part.
    ///
    /// # Errors
    /// [`CopyError::UserState`] for a state of another length than the model's.
    pub fn surprise(&self, examples: &[Example]) -> Result<Vec<Option<Surprise>>, CopyError> {
        let pieces = Pieces::new(&self.tokenizer);
        let mut surprises = vec![None; examples.len()];
        for (place, text) in self.sequences(examples)? {
            let model = self.of_model(&text)?;
            let tokens = &text.tokens[text.prompt..];
            let nats = match &self.own_words {
                None => model.iter().map(|x| f64::from(*x)).sum::<f64>(),
                Some(weights) => {
                    let own = self.own_words_of(&examples[place].meaning, &pieces)?;
                    weights.log_probabilities(&own, tokens, &model).iter().sum()
                }
            };
            surprises[place] = Some(Surprise {
                nats: -nats,
                tokens: tokens.len(),
            });
        }
        Ok(surprises)
    }

    /// Finds how much the shoppers' own words count beside what the model has learnt, on texts that it has not learnt, and
    /// keeps it with the model in its folder.
    ///
    /// # Errors
    /// As [`Copywriter::surprise`], and [`CopyError::Nn`] where the folder cannot be written.
    pub fn fit_own_words(&mut self, examples: &[Example], folder: &Path) -> Result<(), CopyError> {
        let pieces = Pieces::new(&self.tokenizer);
        let told = self.sequences(examples)?;
        let texts = told.into_iter().map(|(place, text)| {
            let own = self.own_words_of(&examples[place].meaning, &pieces)?;
            let model = self.of_model(&text)?;
            Ok((own, text.tokens[text.prompt..].to_vec(), model))
        });
        let texts = texts.collect::<Result<Vec<_>, CopyError>>()?;
        self.own_words = Some(OwnWordsWeights::fit(&texts));
        self.save(folder)
    }

    fn sequences(&self, examples: &[Example]) -> Result<Vec<(usize, Sequence)>, CopyError> {
        let most = self.config.max_tokens;
        sequences(examples, &self.slotted, &self.tokenizer, most)
    }

    /// log `P_φ` of each token of a text and of its end.
    fn of_model(&self, text: &Sequence) -> Result<Vec<f32>, CopyError> {
        self.network
            .log_probabilities(&[text], self.config.user_width)
    }

    /// The cache of the shopper for whom a text is.
    pub(super) fn own_words_of(
        &self,
        meaning: &Meaning,
        pieces: &Pieces,
    ) -> Result<OwnWords, CopyError> {
        let texts = meaning.own_texts.iter();
        let texts: Vec<Vec<u32>> = texts.map(|t| self.tokens(t)).collect::<Result<_, _>>()?;
        Ok(OwnWords::new(&texts, pieces))
    }

    /// A text as the model reads it.
    ///
    /// # Errors
    /// [`CopyError::Tokenizer`] where it cannot be cut.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>, CopyError> {
        let mut tokens = Vec::new();
        self.tokenizer.encode(text, &mut tokens)?;
        Ok(tokens)
    }

    /// The vectors of the tokens [V, D], which follow the weights: what is said of a shopper's words in them, the model
    /// understands from its first step on.
    pub fn token_table(&self) -> &Tensor {
        self.network.token_table()
    }
}

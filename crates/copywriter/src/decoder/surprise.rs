use nn::Tensor;

use super::example::Example;
use super::model::Copywriter;
use super::sequence::sequences;
use crate::CopyError;

/// How little a model expected a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surprise {
    /// −log P(text | facts, user state), in nats.
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
        let most = self.config.max_tokens;
        let mut surprises = vec![None; examples.len()];
        for (place, text) in sequences(examples, &self.slotted, &self.tokenizer, most)? {
            let (nats, tokens) = self.network.loss_of(&[text], self.config.user_width)?;
            surprises[place] = Some(Surprise { nats, tokens });
        }
        Ok(surprises)
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

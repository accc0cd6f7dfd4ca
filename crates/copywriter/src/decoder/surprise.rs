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
}

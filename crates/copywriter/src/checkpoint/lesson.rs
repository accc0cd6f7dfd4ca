use events::CopyVariant;
use guard::Guard;

use crate::brief::{Brief, Judge, Prompt, Refused, Written, answer_of, slots_with_evidence};

/// What a model is told of a product, and an approved text as the answer to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    pub(super) prompt: Prompt,
    pub(super) answer: String,
}

impl Lesson {
    /// Takes a variant as the answer to a brief: its names become the brief's slots, and what the shop adds at the end goes.
    ///
    /// Nothing is learnt that would not be let through: the answer is judged as one of a model is.
    ///
    /// # Errors
    /// The reason for which the answer would be refused; [`Refused::Markup`] for a template with conditions, and
    /// [`Refused::UnknownSlot`] for a value that a model is not offered.
    pub fn of(brief: &Brief<'_>, variant: &CopyVariant, guard: &Guard) -> Result<Self, Refused> {
        let brief = Brief { count: 1, ..*brief };
        let slots = slots_with_evidence(&brief)?;
        let prompt = Prompt::new(&brief, &slots, guard);
        let answer = answer_of(variant, &brief, &slots, &prompt.fields)?;
        let judge = Judge {
            brief: &brief,
            slots: &slots,
            guard,
            generator: variant.generator.clone(),
        };
        let mut written = Written::default();
        judge.judge(&answer, &mut written);
        match written.refused.pop() {
            Some(refused) => Err(refused),
            None => Ok(Self { prompt, answer }),
        }
    }

    /// What the model is told: the rules, and the facts as data.
    pub fn prompt(&self) -> (&str, &str) {
        (&self.prompt.system, &self.prompt.user)
    }

    /// The answer that is learnt: the JSON object that a model is asked for.
    pub fn answer(&self) -> &str {
        &self.answer
    }
}

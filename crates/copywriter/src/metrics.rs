//! Metrics over texts: how varied they are, and how close they come to references.
//!
//! Nearly every metric takes tokens, so that the tokenisation is the caller's choice: [`crate::tokenise`] for mixed
//! English and Chinese, [`crate::characters`] for characters, [`jieba_words`] for Chinese words, and one for each published
//! figure: [`tokenise_13a`] for BLEU and NIST, [`tokenise_ptb`] for ROUGE-L and `CIDEr` of the E2E challenge,
//! [`tokenise_rouge`] for rouge-score. [`chrf`] and [`SlotRules`] take texts as they are.

mod bleu;
mod chrf;
mod cider;
mod distinct;
mod diversity;
mod features;
mod jieba;
mod mteval;
mod ngrams;
mod nist;
mod ptb;
mod rouge;
mod rouge_chinese;
mod rouge_l;
mod rouge_n;
mod self_bleu;
mod slot_error;
mod voice;

pub use bleu::{Bleu, Smoothing};
pub use chrf::chrf;
pub use cider::{Idf, cider};
pub use distinct::distinct_n;
pub use diversity::Diversity;
pub use features::{feature_coverage_ratio, feature_diversity, unique_sentence_ratio};
pub use jieba::jieba_words;
pub use mteval::tokenise_13a;
pub use nist::{NistForm, nist};
pub use ptb::tokenise_ptb;
pub use rouge::Rouge;
pub use rouge_chinese::{RougeChinese, rouge_chinese};
pub use rouge_l::{rouge_l, rouge_l_coco};
pub use rouge_n::{rouge_n, tokenise_rouge};
pub use self_bleu::{self_bleu, self_bleu_each};
pub use slot_error::{Slot, SlotErrors, SlotRules, WrongValue, slot_error_rate};
pub use voice::VoiceProfile;

use crate::CopyError;

/// Refuses texts and reference lists that do not go together one to one.
fn check_pairs(hypotheses: usize, references: usize) -> Result<(), CopyError> {
    if hypotheses == references {
        return Ok(());
    }
    Err(CopyError::Unpaired {
        hypotheses,
        references,
    })
}

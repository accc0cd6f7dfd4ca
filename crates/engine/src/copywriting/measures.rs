//! What is measured of the texts of a set.

use std::collections::BTreeMap;

use copywriter::characters;
use copywriter::decoder::{Lexicon, Meaning};
use copywriter::metrics::{
    Bleu, NistForm, SlotErrors, SlotRules, Smoothing, cider, distinct_n, jieba_words, nist,
    rouge_chinese, rouge_l_coco, slot_error_rate, tokenise_13a, tokenise_ptb,
};

use super::sets::FactTextDataset;
use crate::error::Result;

/// Figures by name.
pub(super) type Measures = BTreeMap<String, f64>;

/// A text with what it was written from and what people wrote.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged<'a> {
    pub(super) meaning: &'a Meaning,
    pub(super) references: &'a [String],
    pub(super) text: &'a str,
}

/// The figures under which results on the set were published, and how texts hold to their facts.
pub(super) fn measures(
    dataset: FactTextDataset,
    texts: &[Judged<'_>],
    lexicon: &Lexicon,
) -> Result<Measures> {
    let mut all = Measures::new();
    match dataset {
        FactTextDataset::E2e => {
            overlap(texts, &mut all)?;
            let rules = SlotRules::e2e();
            let errors: Vec<SlotErrors> = texts.iter().map(|one| slots(&rules, one)).collect();
            all.insert("slot_error_rate".to_owned(), slot_error_rate(&errors));
        }
        FactTextDataset::AdvertiseGen => {
            chinese(texts, &mut all);
            held(texts, lexicon, &mut all);
        }
        FactTextDataset::Myntra => {
            overlap(texts, &mut all)?;
            held(texts, lexicon, &mut all);
        }
    }
    Ok(all)
}

/// BLEU and NIST as mteval-13a over small letters, ROUGE-L and `CIDEr` as the COCO caption tools.
fn overlap(texts: &[Judged<'_>], all: &mut Measures) -> Result<()> {
    let mteval = |text: &str| tokenise_13a(&text.to_lowercase());
    let ptb = |text: &str| tokenise_ptb(text);
    let (hypotheses, references) = tokens(texts, mteval);
    let bleu = Bleu::of_corpus(&hypotheses, &references)?;
    all.insert("bleu".to_owned(), 100.0 * bleu.score(Smoothing::None));
    all.insert(
        "nist".to_owned(),
        nist(&hypotheses, &references, NistForm::Mteval)?,
    );
    all.insert("distinct_4".to_owned(), distinct_n(&hypotheses, 4));
    let (hypotheses, references) = tokens(texts, ptb);
    let pairs = hypotheses.iter().zip(&references);
    let rouge = mean(pairs.map(|(text, list)| rouge_l_coco(text, list)));
    all.insert("rouge_l".to_owned(), 100.0 * rouge);
    all.insert(
        "cider".to_owned(),
        mean(cider(&hypotheses, &references)?.into_iter()),
    );
    Ok(())
}

/// The texts and their references as tokens.
fn tokens(
    texts: &[Judged<'_>],
    cut: impl Fn(&str) -> Vec<String>,
) -> (Vec<Vec<String>>, Vec<Vec<Vec<String>>>) {
    let references = |one: &Judged<'_>| one.references.iter().map(|text| cut(text)).collect();
    (
        texts.iter().map(|one| cut(one.text)).collect(),
        texts.iter().map(references).collect(),
    )
}

/// BLEU-4 over characters and ROUGE over jieba's words, means over the texts, as `ChatGLM`'s evaluation has them.
fn chinese(texts: &[Judged<'_>], all: &mut Measures) {
    let bleu = mean(texts.iter().map(|one| {
        let references: Vec<_> = one.references.iter().map(|text| characters(text)).collect();
        Bleu::of_text(&characters(one.text), &references).score(Smoothing::Exponential)
    }));
    all.insert("bleu_4".to_owned(), 100.0 * bleu);
    let words: Vec<Vec<String>> = texts.iter().map(|one| jieba_words(one.text)).collect();
    let scores = texts.iter().zip(&words).map(|(one, words)| {
        let references = one.references.iter();
        let best = references.map(|text| rouge_chinese(words, &jieba_words(text)));
        best.max_by(|a, b| a.rouge_l.f.total_cmp(&b.rouge_l.f))
    });
    let scores: Vec<_> = scores.flatten().collect();
    for (name, f) in [
        ("rouge_1", mean(scores.iter().map(|score| score.rouge_1.f))),
        ("rouge_2", mean(scores.iter().map(|score| score.rouge_2.f))),
        ("rouge_l", mean(scores.iter().map(|score| score.rouge_l.f))),
    ] {
        all.insert(name.to_owned(), 100.0 * f);
    }
    all.insert("distinct_4".to_owned(), distinct_n(&words, 4));
}

/// How many facts stand in the texts word for word, and how many are contradicted or made up.
fn held(texts: &[Judged<'_>], lexicon: &Lexicon, all: &mut Measures) {
    let (mut facts, mut verbatim, mut contradicted, mut unbound) = (0usize, 0usize, 0usize, 0usize);
    for one in texts {
        let text = one.text.to_lowercase();
        let values = one
            .meaning
            .facts
            .iter()
            .map(|fact| fact.value.to_lowercase());
        facts += one.meaning.facts.len();
        verbatim += values.filter(|value| text.contains(value.as_str())).count();
        for found in lexicon.unfounded(&one.meaning.facts, one.text) {
            if found.contradicts {
                contradicted += 1;
            } else {
                unbound += 1;
            }
        }
    }
    let share = |count: usize| 100.0 * count as f64 / facts.max(1) as f64;
    all.insert("verbatim".to_owned(), share(verbatim));
    all.insert("contradicted".to_owned(), share(contradicted));
    all.insert("unbound".to_owned(), share(unbound));
}

fn slots(rules: &SlotRules, one: &Judged<'_>) -> SlotErrors {
    let facts = one.meaning.facts.iter();
    let facts: Vec<(&str, &str)> = facts
        .map(|fact| (&fact.name[..], &fact.value[..]))
        .collect();
    rules.errors(&facts, one.text)
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

//! Learns which wordings read like a breach from labelled sentences, and says how well it tells sentences that it has not
//! learnt from.
//!
//! Run: `cargo run --release -p guard --example learn_wordings -- crates/guard/packs/wordings.tsv
//! crates/guard/tests/labelled/development.jsonl crates/guard/tests/labelled/editorial.jsonl`
//!
//! A support vector machine with squared hinge loss, learnt by dual coordinate descent (Hsieh et al. 2008, "A Dual
//! Coordinate Descent Method for Large-scale Linear SVM"), for each language. Its limit lies where [`FALSE_SHARE`] of the
//! look-alikes score above it that were left out of the learning, tenth by tenth; neighbouring sentences, which one person
//! wrote, are left out together. What is said of a product is right or wrong by the product and teaches nothing here.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fs;

use guard::RulePack;
use guard::wording::{Category, Entry, Gram, LanguageModel, Wordings, grams};
use serde_json::Value;

const FOLDS: usize = 10;
const PASSES: usize = 100;
/// The cost of a sentence on the wrong side.
const COST: f64 = 1.0;
/// Added to each count before log-count ratios are taken.
const SMOOTHING: f64 = 0.1;
/// The sentences that hold a gram, at least.
const LEAST_SENTENCES: usize = 2;
/// The share of look-alikes that read like a breach.
const FALSE_SHARE: f64 = 0.02;
/// The share of breaches that read like innocent copy.
const MISSED_SHARE: f64 = 0.02;
/// How often each fix of a rule is learnt.
const FIX_WEIGHT: usize = 5;
/// The largest weight that is written.
const LARGEST: f64 = 1_000.0;

struct Sentence {
    grams: BTreeMap<Gram, u32>,
    /// What it breaks, where it breaks anything.
    breach: Option<Category>,
    /// Everyday copy, and no look-alike of a breach.
    is_plain: bool,
}

impl Sentence {
    fn new(text: &str, breach: Option<Category>, is_plain: bool) -> Self {
        let mut counts = BTreeMap::new();
        for gram in grams(text) {
            *counts.entry(gram).or_insert(0) += 1;
        }
        Self {
            grams: counts,
            breach,
            is_plain,
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments
        .next()
        .ok_or("give the file to write and files of sentences")?;
    let mut sentences: [Vec<Sentence>; 2] = Default::default();
    for file in arguments {
        read(&fs::read_to_string(&file)?, &mut sentences)
            .map_err(|error| format!("{file}: {error}"))?;
    }
    add_fixes(&mut sentences);
    let models = ["en", "zh"].map(|language| {
        let sentences: Vec<&Sentence> = sentences[usize::from(language == "zh")].iter().collect();
        let [breach, innocent] = limits(language, &sentences);
        Learnt::of(&sentences).written(&sentences, breach, innocent)
    });
    fs::write(out, Wordings::to_tsv(models.each_ref()))?;
    Ok(())
}

/// Adds the sentences of a file, English ones and Chinese ones apart.
fn read(text: &str, sentences: &mut [Vec<Sentence>; 2]) -> Result<(), Box<dyn Error>> {
    for line in text.lines() {
        let row: Value = serde_json::from_str(line)?;
        if row.get("product").is_some() {
            continue;
        }
        let text = row["text"].as_str().ok_or("a line has no text")?;
        let category = row["category"].as_str().unwrap_or("");
        let breach =
            (row["ok"] == false).then(|| Category::of(category).unwrap_or(Category::Other));
        let language = usize::from(row["lang"] == "zh");
        sentences[language].push(Sentence::new(text, breach, category == "plain"));
    }
    Ok(())
}

/// Adds what the rules advise in the place of a breach, which reads like none.
fn add_fixes(sentences: &mut [Vec<Sentence>; 2]) {
    for rule in RulePack::built_in().rules {
        let fixes = [&rule.fix.en, &rule.fix.zh]
            .into_iter()
            .chain(rule.fix.of.values());
        for fix in fixes.filter(|fix| !fix.is_empty()) {
            let language = usize::from(!fix.is_ascii());
            for _ in 0..FIX_WEIGHT {
                sentences[language].push(Sentence::new(fix, None, true));
            }
        }
    }
}

/// The limits of breaches and of innocent copy, with what they would have told of sentences that were left out.
fn limits(language: &str, sentences: &[&Sentence]) -> [f64; 2] {
    let scores = left_out_scores(sentences);
    let scores_of = |is_in: &dyn Fn(&Sentence) -> bool| -> Vec<f64> {
        let all = sentences.iter().zip(&scores);
        let of = all.filter(|(sentence, _)| is_in(sentence));
        let mut scores: Vec<f64> = of.map(|(_, score)| *score).collect();
        scores.sort_by(f64::total_cmp);
        scores
    };
    let breaches = scores_of(&|sentence| sentence.breach.is_some());
    let plain = scores_of(&|sentence| sentence.is_plain);
    let look_alikes = scores_of(&|sentence| sentence.breach.is_none() && !sentence.is_plain);
    let breach_at = |share: f64| {
        look_alikes[look_alikes.len() - 1 - (look_alikes.len() as f64 * share) as usize]
    };
    let innocent_at = |share: f64| breaches[(breaches.len() as f64 * share) as usize];
    let above = |scores: &[f64], limit: f64| {
        let below = scores.partition_point(|score| *score <= limit);
        1.0 - below as f64 / scores.len() as f64
    };
    for share in [0.002, 0.005, 0.01, 0.02, 0.05] {
        let limit = breach_at(share);
        eprintln!(
            "{language}: above {limit:.2} {share} of {} look-alikes, {:.4} of {} plain sentences, {:.3} of {} breaches",
            look_alikes.len(),
            above(&plain, limit),
            plain.len(),
            above(&breaches, limit),
            breaches.len(),
        );
    }
    for share in [0.005, 0.01, 0.02, 0.03, 0.05] {
        let limit = innocent_at(share);
        let below = 1.0 - above(&look_alikes, limit);
        eprintln!("{language}: below {limit:.2} {share} of breaches, {below:.3} of look-alikes");
    }
    [breach_at(FALSE_SHARE), innocent_at(MISSED_SHARE)]
}

/// The score of each sentence by a model that has not seen it.
fn left_out_scores(sentences: &[&Sentence]) -> Vec<f64> {
    let fold_of = |at: usize| at * FOLDS / sentences.len();
    let mut scores = Vec::with_capacity(sentences.len());
    for fold in 0..FOLDS {
        let part = |is_in: bool| -> Vec<&Sentence> {
            let all = sentences.iter().enumerate();
            all.filter(|(at, _)| (fold_of(*at) == fold) == is_in)
                .map(|(_, sentence)| *sentence)
                .collect()
        };
        let learnt = Learnt::of(&part(false));
        scores.extend(
            part(true)
                .into_iter()
                .map(|sentence| learnt.score(sentence)),
        );
    }
    scores
}

/// A gram as it was learnt.
#[derive(Default, Clone)]
struct Feature {
    /// Inverse document frequency.
    idf: f64,
    /// The root of the log-count ratio's size.
    scale: f64,
    weight: f64,
}

struct Learnt<'s> {
    features: HashMap<&'s Gram, Feature>,
    bias: f64,
}

impl<'s> Learnt<'s> {
    fn of(sentences: &[&'s Sentence]) -> Self {
        let mut frequencies: BTreeMap<&Gram, usize> = BTreeMap::new();
        for gram in sentences.iter().flat_map(|sentence| sentence.grams.keys()) {
            *frequencies.entry(gram).or_default() += 1;
        }
        frequencies.retain(|_, frequency| *frequency >= LEAST_SENTENCES);
        let index: BTreeMap<&Gram, usize> = frequencies.keys().copied().zip(0..).collect();
        let mut features: Vec<Feature> = frequencies
            .values()
            .map(|frequency| Feature {
                idf: ((1 + sentences.len()) as f64 / (1 + frequency) as f64).ln() + 1.0,
                ..Feature::default()
            })
            .collect();
        let mut rows: Vec<Vec<(usize, f64)>> = Vec::with_capacity(sentences.len());
        let mut sums = vec![[SMOOTHING; 2]; features.len()];
        for sentence in sentences {
            let known = sentence.grams.iter().filter_map(|(gram, count)| {
                let at = *index.get(gram)?;
                Some((at, f64::from(*count) * features[at].idf))
            });
            let mut row: Vec<(usize, f64)> = known.collect();
            let squares: f64 = row
                .iter()
                .map(|(at, value)| value * features[*at].idf)
                .sum();
            for (at, value) in &mut row {
                *value /= squares.sqrt();
                sums[*at][usize::from(sentence.breach.is_some())] += *value;
            }
            rows.push(row);
        }
        let total = |class: usize| sums.iter().map(|sums| sums[class]).sum::<f64>();
        let totals = [total(0), total(1)];
        for (feature, sums) in features.iter_mut().zip(&sums) {
            let ratio = (sums[1] / totals[1]) / (sums[0] / totals[0]);
            feature.scale = ratio.ln().abs().sqrt();
        }
        for (at, value) in rows.iter_mut().flatten() {
            *value *= features[*at].scale;
        }
        let targets = sentences.iter().map(|sentence| match sentence.breach {
            Some(_) => 1.0,
            None => -1.0,
        });
        let (weights, bias) =
            support_vectors(&rows, &targets.collect::<Vec<f64>>(), features.len());
        for (feature, weight) in features.iter_mut().zip(weights) {
            feature.weight = weight;
        }
        Self {
            features: frequencies.keys().copied().zip(features).collect(),
            bias,
        }
    }

    fn score(&self, sentence: &Sentence) -> f64 {
        let (mut sum, mut squares) = (0.0, 0.0);
        for (gram, count) in &sentence.grams {
            if let Some(feature) = self.features.get(gram) {
                sum += f64::from(*count) * feature.idf * feature.scale * feature.weight;
                squares += f64::from(*count) * feature.idf * feature.idf;
            }
        }
        if squares > 0.0 {
            sum / squares.sqrt() + self.bias
        } else {
            self.bias
        }
    }

    /// The model as it is written, its bias taken into the limits.
    fn written(&self, sentences: &[&Sentence], breach: f64, innocent: f64) -> LanguageModel {
        let weight = |feature: &Feature| feature.idf * feature.scale * feature.weight;
        let all = self.features.values().map(|feature| weight(feature).abs());
        let scale = LARGEST / all.fold(0.0, f64::max);
        let categories = categories(sentences);
        let mut entries: Vec<Entry> = self
            .features
            .iter()
            .map(|(gram, feature)| Entry {
                gram: (*gram).clone(),
                weight: (weight(feature) * scale).round() as i16,
                square: (feature.idf * feature.idf).round() as u8,
                category: categories.get(gram).copied().unwrap_or(Category::Other),
            })
            .collect();
        entries.sort_by(|a, b| a.gram.cmp(&b.gram));
        LanguageModel {
            breach: ((breach - self.bias) * scale) as f32,
            innocent: ((innocent - self.bias) * scale) as f32,
            entries,
        }
    }
}

/// The category in the breaches of which each gram is most frequent.
fn categories<'s>(sentences: &[&'s Sentence]) -> HashMap<&'s Gram, Category> {
    let mut sizes = [10.0; Category::ALL.len()];
    let mut counts: HashMap<&Gram, [f64; Category::ALL.len()]> = HashMap::new();
    for sentence in sentences {
        if let Some(category) = sentence.breach {
            sizes[category as usize] += 1.0;
            for gram in sentence.grams.keys() {
                counts.entry(gram).or_default()[category as usize] += 1.0;
            }
        }
    }
    let most = |counts: [f64; Category::ALL.len()]| {
        let share = |category: &Category| counts[*category as usize] / sizes[*category as usize];
        Category::ALL
            .into_iter()
            .max_by(|a, b| share(a).total_cmp(&share(b)))
    };
    let pairs = counts.into_iter();
    pairs
        .filter_map(|(gram, counts)| Some((gram, most(counts)?)))
        .collect()
}

/// Weights and bias: min ½|w|² + C Σ max(0, 1 − y w·x)², where x has a further 1 for the bias. The same for the same rows.
fn support_vectors(
    rows: &[Vec<(usize, f64)>],
    targets: &[f64],
    features: usize,
) -> (Vec<f64>, f64) {
    let (mut weights, mut bias) = (vec![0.0; features], 0.0);
    let mut duals = vec![0.0_f64; rows.len()];
    let diagonal = 1.0 / (2.0 * COST);
    let squares: Vec<f64> = rows
        .iter()
        .map(|row| 1.0 + diagonal + row.iter().map(|(_, value)| value * value).sum::<f64>())
        .collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut state = 1_u64;
    for _ in 0..PASSES {
        for at in (1..order.len()).rev() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            order.swap(at, (state >> 33) as usize % (at + 1));
        }
        for &at in &order {
            let row = &rows[at];
            let product: f64 = row
                .iter()
                .map(|(feature, value)| weights[*feature] * value)
                .sum();
            let gradient = targets[at] * (product + bias) - 1.0 + diagonal * duals[at];
            let dual = (duals[at] - gradient / squares[at]).max(0.0);
            let change = (dual - duals[at]) * targets[at];
            duals[at] = dual;
            for (feature, value) in row {
                weights[*feature] += change * value;
            }
            bias += change;
        }
    }
    (weights, bias)
}

use std::collections::HashMap;

/// Characters of the longest runs that are compared.
const LONGEST: usize = 4;

/// How a brand sounds, learnt from texts in its voice: runs of up to four characters, among them spaces and marks, which tell
/// who wrote a text better than its words do.
///
/// Each run r weighs (1 + ln count) · ln((2 + B) / (1 + B with r)), with B texts of the language that are nobody's voice, and a
/// text is as like the voice as the cosine between its weights and the mean of the samples'.
///
/// Sources: Kešelj et al., "N-gram-based Author Profiles for Authorship Attribution", 2003; Stamatatos, "A Survey of Modern
/// Authorship Attribution Methods", 2009.
#[derive(Debug, Clone)]
pub struct VoiceProfile {
    /// How much a run weighs that occurs once, where it is known to the background.
    rarity: HashMap<String, f64>,
    unseen: f64,
    /// The mean of the samples, of length 1.
    mean: HashMap<String, f64>,
    /// The mean likeness of a sample to the others.
    usual: f64,
}

impl VoiceProfile {
    /// The voice of samples, against texts of the same language in whatever voice; nothing with fewer than two samples, which
    /// tell nothing of how much the voice varies.
    pub fn of(samples: &[String], background: &[String]) -> Option<Self> {
        let samples: Vec<&String> = samples.iter().filter(|s| !s.trim().is_empty()).collect();
        if samples.len() < 2 {
            return None;
        }
        let mut texts_with: HashMap<String, f64> = HashMap::new();
        for text in background {
            for run in runs(text).into_keys() {
                *texts_with.entry(run).or_default() += 1.0;
            }
        }
        let all = background.len() as f64 + 2.0;
        let rarity = texts_with
            .into_iter()
            .map(|(run, with)| (run, (all / (with + 1.0)).ln()))
            .collect();
        let mut profile = Self {
            rarity,
            unseen: all.ln(),
            mean: HashMap::new(),
            usual: 1.0,
        };
        let vectors: Vec<HashMap<String, f64>> =
            samples.iter().map(|text| profile.vector(text)).collect();
        let likeness = (0..vectors.len()).map(|at| {
            let others = vectors.iter().enumerate().filter(|(other, _)| *other != at);
            cosine(&vectors[at], &mean(others.map(|(_, vector)| vector)))
        });
        profile.usual = (likeness.sum::<f64>() / vectors.len() as f64).max(1e-6);
        profile.mean = mean(vectors.iter());
        Some(profile)
    }

    /// How like the voice a text is: 1 where it is as like the samples as they are to each other, 0 where it shares nothing
    /// with them.
    pub fn similarity(&self, text: &str) -> f64 {
        cosine(&self.vector(text), &self.mean) / self.usual
    }

    /// The weights of a text's runs, of length 1.
    fn vector(&self, text: &str) -> HashMap<String, f64> {
        let weigh = |(run, count): (String, f64)| {
            let rarity = self.rarity.get(&run).copied().unwrap_or(self.unseen);
            (run, (1.0 + count.ln()) * rarity)
        };
        unit(runs(text).into_iter().map(weigh).collect())
    }
}

/// How often each run of characters occurs, blanks as one space.
fn runs(text: &str) -> HashMap<String, f64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let letters: Vec<char> = format!(" {} ", words.join(" ")).chars().collect();
    let mut runs = HashMap::new();
    for length in 1..=LONGEST {
        for run in letters.windows(length) {
            *runs.entry(run.iter().collect()).or_insert(0.0) += 1.0;
        }
    }
    runs
}

fn mean<'a>(vectors: impl Iterator<Item = &'a HashMap<String, f64>>) -> HashMap<String, f64> {
    let mut sum: HashMap<String, f64> = HashMap::new();
    for vector in vectors {
        for (run, weight) in vector {
            *sum.entry(run.clone()).or_default() += weight;
        }
    }
    unit(sum)
}

fn unit(mut vector: HashMap<String, f64>) -> HashMap<String, f64> {
    // In the order of the runs, so that the last digit does not depend on the table's.
    let mut squares: Vec<(&String, f64)> = vector.iter().map(|(run, x)| (run, x * x)).collect();
    squares.sort_by_key(|(run, _)| *run);
    let length = squares
        .iter()
        .map(|(_, x)| x)
        .sum::<f64>()
        .sqrt()
        .max(1e-12);
    for weight in vector.values_mut() {
        *weight /= length;
    }
    vector
}

fn cosine(a: &HashMap<String, f64>, b: &HashMap<String, f64>) -> f64 {
    let mut products: Vec<(&String, f64)> = a
        .iter()
        .filter_map(|(run, weight)| Some((run, weight * b.get(run)?)))
        .collect();
    products.sort_by_key(|(run, _)| *run);
    products.iter().map(|(_, product)| product).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_voice_knows_its_own() {
        let quiet = texts(&[
            "Tea, slowly. A mug for the window.",
            "Rain. Quiet. A plate, and bread.",
            "Wool, for the evening. Slowly, now.",
        ]);
        let background = texts(&[
            "Now £9.00: the mug that others choose!",
            "Back in stock: the plate for your kitchen.",
            "Still thinking of the bread knife? It is £4.50.",
        ]);
        let voice = VoiceProfile::of(&quiet, &background).expect("three samples");
        let own = voice.similarity("Bread, slowly. A quiet evening.");
        let loud = voice.similarity("HUGE SALE!!! Grab it before it's gone!!!");
        let middle = voice.similarity("Back in stock: the mug for your kitchen.");
        assert!(
            own > 0.8 && own > 2.0 * middle && middle > loud,
            "{own} {middle} {loud}"
        );
        let usual = quiet.iter().map(|text| voice.similarity(text)).sum::<f64>() / 3.0;
        assert!(
            usual > 1.0,
            "a sample is like a mean that it is part of: {usual}"
        );
        assert!(voice.similarity("").abs() < 0.2);
        assert!(VoiceProfile::of(&quiet[..1], &background).is_none());
    }

    #[test]
    fn texts_without_spaces_have_a_voice_too() {
        let samples = texts(&[
            "慢慢喝茶，窗边的杯子。",
            "雨天，安静，一块面包。",
            "慢慢来，羊毛的夜晚。",
        ]);
        let voice = VoiceProfile::of(&samples, &[]).expect("three samples");
        assert!(
            voice.similarity("慢慢喝，安静的夜晚。")
                > voice.similarity("大促销！！！马上抢购！！！")
        );
    }

    #[test]
    fn an_untold_run_weighs_most_and_likeness_is_a_cosine() {
        let voice = VoiceProfile::of(&texts(&["ab", "ab"]), &texts(&["b", "b c"])).expect("two");
        // Both samples are the same: as like as can be.
        assert!((voice.similarity("ab") - 1.0).abs() < 1e-12);
        assert!((voice.rarity["c"] - 2.0f64.ln()).abs() < 1e-12);
        assert!((voice.rarity["b"] - (4.0f64 / 3.0).ln()).abs() < 1e-12);
        assert!((voice.unseen - 4.0f64.ln()).abs() < 1e-12);
    }
}

//! How like the brand's voice a text is.

use copywriter::metrics::VoiceProfile;
use copywriter::templates::library;
use events::{Channel, Language};

use crate::config::Config;

/// The voice of the samples in the configuration, against the built-in library in the same language; nothing with fewer than
/// two samples.
pub(crate) fn brand_voice(config: &Config, language: Language) -> Option<VoiceProfile> {
    let texts = Channel::ALL
        .into_iter()
        .flat_map(|channel| library(channel, language));
    let background: Vec<String> = texts.map(|variant| words(&variant.template.body)).collect();
    VoiceProfile::of(&config.voice.samples, &background)
}

/// The words of a template, without what stands for values and without conditions.
fn words(template: &str) -> String {
    let mut words = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        words.push_str(before);
        let end = if after.starts_with('%') { "%}" } else { "}}" };
        rest = after.split_once(end).map_or("", |(_, rest)| rest);
    }
    words + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_words_of_its_own() {
        assert_eq!(
            words("Now {{ price | money }}: the {{ title }}."),
            "Now : the ."
        );
        assert_eq!(words("A{% if x %}b{% endif %}c"), "Abc");
    }

    #[test]
    fn a_shop_with_samples_has_a_voice() {
        let mut config = Config::default();
        assert!(brand_voice(&config, Language::En).is_none());
        config.voice.samples = ["Tea, slowly.", "Rain. Quiet. A mug."]
            .map(str::to_owned)
            .to_vec();
        let voice = brand_voice(&config, Language::En).expect("two samples");
        let loud = "Grab it now, before it is gone!";
        assert!(voice.similarity("Slowly. A mug, and rain.") > 2.0 * voice.similarity(loud));
    }
}

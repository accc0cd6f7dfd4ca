//! Splits a title into the words that may name an object.

/// Words that say what colour, material, pattern, size, number or occasion a product has, not what it is.
///
/// The list is short on purpose: the statistics find the objects, and the list keeps out what behaves like one in the
/// titles of gift shops, such as a motif that ends many of them.
const NO_OBJECTS: &str = "
    red blue green pink white black ivory cream silver gold golden purple yellow orange brown grey gray amber turquoise natural clear
    pastel multicolour multi multicolor m/colour colour color coloured assorted asst ass asstd mixed cerise lilac beige bronze rainbow
    aqua mint peach olive dark pale
    metal metallic glass wooden wood ceramic enamel zinc felt paper plastic acrylic wicker porcelain china cotton leather slate wire
    crystal silk velvet stone resin marble rubber wool woven steel iron brass copper feltcraft crochet canvas bakelike shell pearl
    diamante beaded jewelled knitted painted artificial
    vintage retro antique retrospot polkadot spotty spot dot stripe striped paisley gingham floral baroque rose flower heart star daisy
    butterfly strawberry cherry apple leaf woodland pantry spaceboy babushka regency french english union jack check lace kashmiri
    scandinavian edwardian victorian rustic decorative traditional classic modern folkart skull fairy toadstool dinosaur animal owl bird
    cat dog rabbit bunny hen chick chicken duck egg dolly cottage font angel snowflake
    christmas xmas easter birthday love home sweet garden kitchen magic new travel
    design des style print printed pattern shape shaped sc
    set pack pair piece pcs pc small large big medium mini jumbo giant tall short long round square oval single double triple tier size
    folding hanging scented hand hair tea cake time party tube drawing jewel
    childrens child childs children kids girl boy baby
    in with w and the for on to a an of your my you i it no by from at s
    红色 蓝色 绿色 粉色 粉红色 白色 黑色 黄色 紫色 灰色 金色 银色 棕色 米色 彩色 混色 颜色随机
    大号 中号 小号 加大 加厚 大码 均码 套装 礼盒装 两件套 三件套 件套 新款 正品 包邮 特价 同款 系列 家用 儿童 男士 女士 男款 女款 容量 大容量";

/// Words after which a title tells what is beside, inside or for the object.
const CUTS: [&str; 5] = ["in", "with", "w", "on", "for"];

/// Words whose end looks like a plural and is none.
const SINGULARS: [&str; 6] = ["glass", "christmas", "brass", "canvas", "lens", "gps"];

/// Longest Chinese suffix tried as an object.
pub(super) const LONGEST_SUFFIX: usize = 4;

/// A word of a title: a word as it is written, in lower case, singular; or a run of Chinese characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) is_chinese: bool,
}

/// The words that are never taken for an object.
pub(super) fn no_objects() -> std::collections::BTreeSet<&'static str> {
    NO_OBJECTS.split_whitespace().collect()
}

/// The parts of a title, the object's own part first: it is cut at commas and before words such as `in` and `with`.
pub(super) fn parts_of(title: &str) -> Vec<Vec<Word>> {
    let lower = title.to_lowercase();
    let mut parts = vec![Vec::new()];
    for phrase in lower.split([',', '，', ';', '(', '（', '【', '】']) {
        for word in words_of(phrase) {
            let is_cut = CUTS.contains(&word.text.as_str());
            match parts.last_mut() {
                Some(part) if !is_cut => part.push(word),
                _ => parts.push(Vec::new()),
            }
        }
        parts.push(Vec::new());
    }
    let mut parts: Vec<Vec<Word>> = parts.into_iter().map(without_motif).collect();
    parts.retain(|part| !part.is_empty());
    parts
}

/// Drops the word before `design`, which names a motif: `hand warmer owl design`.
fn without_motif(mut part: Vec<Word>) -> Vec<Word> {
    if let Some(at) = part
        .iter()
        .position(|word| matches!(word.text.as_str(), "design" | "des"))
        && at > 1
    {
        part.drain(at - 1..=at);
    }
    part
}

fn words_of(phrase: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut run = String::new();
    let mut run_is_chinese = false;
    for c in phrase.chars().chain([' ']) {
        let is_chinese = is_han(c);
        let belongs =
            is_chinese || c.is_alphanumeric() || (c == '-' && !run.is_empty()) || c == '\'';
        if (!belongs || is_chinese != run_is_chinese) && !run.is_empty() {
            words.extend(finish(&std::mem::take(&mut run), run_is_chinese));
        }
        if belongs {
            run.push(c);
            run_is_chinese = is_chinese;
        }
    }
    words
}

fn finish(run: &str, is_chinese: bool) -> Option<Word> {
    if is_chinese {
        return Some(Word {
            text: run.to_owned(),
            is_chinese,
        });
    }
    let run = run.trim_matches(['-', '\'']);
    let run = run.strip_suffix("'s").unwrap_or(run);
    let starts_with_letter = run.chars().next().is_some_and(char::is_alphabetic);
    starts_with_letter.then(|| Word {
        text: singular(run),
        is_chinese,
    })
}

/// Whether a character is of the CJK ideographs.
fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The singular of an English noun, by its ending.
pub(super) fn singular(word: &str) -> String {
    let stays = SINGULARS.contains(&word)
        || word.chars().count() <= 3
        || ["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    if stays || !word.ends_with('s') {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    let drops_two = ["xes", "ches", "shes", "sses"]
        .iter()
        .any(|end| word.ends_with(end));
    word[..word.len() - if drops_two { 2 } else { 1 }].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_become_singular() {
        for (plural, one) in [
            ("bags", "bag"),
            ("boxes", "box"),
            ("doilies", "doily"),
            ("matches", "match"),
            ("glass", "glass"),
            ("glasses", "glass"),
            ("cases", "case"),
            ("t-lights", "t-light"),
            ("bus", "bus"),
            ("pens", "pen"),
        ] {
            assert_eq!(singular(plural), one);
        }
    }

    #[test]
    fn a_title_is_cut_where_the_object_ends() {
        let texts = |title: &str| -> Vec<Vec<String>> {
            parts_of(title)
                .into_iter()
                .map(|part| part.into_iter().map(|word| word.text).collect())
                .collect()
        };
        assert_eq!(
            texts("PLASTERS IN TIN CIRCUS"),
            [vec!["plaster"], vec!["tin", "circus"]]
        );
        assert_eq!(texts("HAND WARMER OWL DESIGN"), [["hand", "warmer"]]);
        assert_eq!(texts("S/4 CACTI CANDLES"), [["s", "cacti", "candle"]]);
        assert_eq!(
            texts("北欧 陶瓷马克杯，350ml"),
            [vec!["北欧", "陶瓷马克杯"]]
        );
        assert!(texts("12 & 34").is_empty());
    }
}

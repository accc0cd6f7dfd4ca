use super::*;

fn said(text: &str) -> Vec<(Quantity, String)> {
    let normal = Normal::of(text);
    stated(&normal, false)
        .into_iter()
        .map(|stated| {
            let bytes = normal.source(text, &stated.range);
            (stated.quantity, text[bytes].to_owned())
        })
        .collect()
}

/// What one quantity of a text is, in short.
fn read(text: &str) -> String {
    let one = |(quantity, said): &(Quantity, String)| {
        let words = match quantity {
            Quantity::Money(amount, currency) => format!("{amount} {}", currency.unwrap_or("?")),
            Quantity::AtMost(amount) => format!("at most {amount}"),
            Quantity::MoneyOff(amount) => format!("{amount} less"),
            Quantity::PercentOff(percent) => format!("{percent:.0}% less"),
            Quantity::Percent(percent) => format!("{percent}%"),
            Quantity::Bundle { get, pay } => format!("{get} for {pay}"),
            Quantity::Date(day) => format!("{}-{} {:?}", day.month, day.of_month, day.year),
            Quantity::Count(count, unit) => {
                format!("{count} {}", if unit.is_some() { "units" } else { "?" })
            }
        };
        format!("{words} `{said}`")
    };
    said(text).iter().map(one).collect::<Vec<_>>().join("; ")
}

#[test]
fn quantities_are_read_in_both_languages() {
    for (text, quantities) in [
        ("Now £12.50", "12.5 GBP `£12.50`"),
        ("只要129元", "129 CNY `129元`"),
        ("一百二十九元起", "129 CNY `一百二十九元`"),
        ("￥９９", "99 CNY `￥９９`"),
        ("12 dollars", "12 USD `12 dollars`"),
        ("under $50", "at most 50 `$50`"),
        ("不到一百元", "at most 100 `一百元`"),
        ("Save $30 today", "30 less `$30`"),
        ("立减30元", "30 less `30元`"),
        ("20% off", "20% less `20%`"),
        ("八折", "20% less `八折`"),
        ("7.5折起", "25% less `7.5折`"),
        ("七五折", "25% less `七五折`"),
        ("全场一折", "90% less `一折`"),
        ("half price", "50% less `half price`"),
        ("半价", "50% less `半价`"),
        ("100% cotton", "100% `100%`"),
        ("含量百分之五", "5% `百分之五`"),
        ("2 for 1", "2 for 1 `2 for 1`"),
        ("two for one", "2 for 1 `two for one`"),
        ("Buy one get one free", "2 for 1 `Buy one get one`"),
        ("3 for the price of 2", "3 for 2 `3 for the price of 2`"),
        ("买一送一", "2 for 1 `买一送一`"),
        ("买2送1", "3 for 2 `买2送1`"),
        ("until 30 November", "11-30 None `30 November`"),
        ("by Nov 30th, 2026", "11-30 Some(2026) `Nov 30th, 2026`"),
        ("on 2026-11-30", "11-30 Some(2026) `2026-11-30`"),
        ("11月30日截止", "11-30 None `11月30日`"),
        ("2026年11月30号", "11-30 Some(2026) `2026年11月30号`"),
        ("20-hour battery", "20 units `20-hour`"),
        ("续航48小时", "48 units `48小时`"),
        ("保修三年", "3 units `三年`"),
        ("only two left", "2 units `two left`"),
        ("仅剩３件", "3 units `３件`"),
        ("a set of eight", "8 ? `eight`"),
        ("thousands of shoppers", "1000 ? `thousands`"),
    ] {
        assert_eq!(read(text), quantities, "{text}");
    }
}

#[test]
fn words_that_count_nothing_are_left_alone() {
    for text in [
        "one of a kind",
        "一起喝茶，十分好看",
        "the V3 vacuum",
        "万能的一天",
        "第一次来",
        "折叠椅",
        "四季常青",
        "open 24/7",
        "元气满满",
    ] {
        assert_eq!(read(text), "", "{text}");
    }
}

#[test]
fn statements_agree_where_they_say_the_same() {
    let one = |text: &str| said(text)[0].0;
    for (a, b, agrees) in [
        ("20 hours", "1200 minutes", true),
        ("20 hours", "20 minutes", false),
        ("2 years", "24 months", true),
        ("1.5公斤", "1500克", true),
        ("12", "12 pieces", true),
        ("under $50", "$48", true),
        ("under $50", "$58", false),
        ("buy two", "buy 2 get 1 free", true),
        ("£12", "$12", false),
        ("12元", "¥12", true),
        ("八折", "20% off", true),
        ("八折", "八五折", false),
        ("买一送一", "2 for 1", true),
        ("30 November", "2026-11-30", true),
        ("30 November 2025", "2026-11-30", false),
    ] {
        assert_eq!(one(a).agrees(&one(b)), agrees, "{a}, {b}");
    }
}

use super::data::Report;
use super::fixture::full;
use super::render;

/// What an attacker would put into every field that takes a text.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'&";

/// The page without its style, its script and the chart library, which hold no data.
fn markup(report: &Report) -> String {
    let page = render(report).expect("a page");
    let own = [
        include_str!("../../templates/report/report.css"),
        include_str!("../../templates/report/report.js"),
        include_str!("../../vendor/echarts.min.js"),
    ];
    own.iter().fold(page, |page, part| {
        assert!(page.contains(part), "style and script are inside the page");
        page.replace(part, "")
    })
}

/// Every value of the attribute in the markup.
fn values<'a>(markup: &'a str, attribute: &str) -> Vec<&'a str> {
    let opening = format!(" {attribute}=\"");
    let rest = markup.split(opening.as_str()).skip(1);
    rest.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn an_empty_report_has_a_header_and_no_section() {
    let mut report = Report::default();
    report.header.shop = "Corner shop".to_owned();
    let markup = markup(&report);
    assert!(markup.contains("<h1>Corner shop</h1>"));
    for absent in ["<section", "<nav", "<dl", "<figure", "None", "NaN"] {
        assert!(!markup.contains(absent), "{absent}");
    }
}

#[test]
fn a_full_report_has_every_section_once_and_in_order() {
    let markup = markup(&full("words"));
    let ids = [
        "cleaning",
        "shop",
        "learning",
        "evaluation",
        "shoppers",
        "campaigns",
        "messages",
        "refusals",
        "feedback",
        "notes",
    ];
    let places: Vec<usize> = ids
        .iter()
        .map(|id| {
            let opening = format!("<section id=\"{id}\"");
            assert_eq!(markup.matches(&opening).count(), 1, "{id}");
            assert!(
                markup.contains(&format!("href=\"#{id}\"")),
                "{id} in the contents"
            );
            markup.find(&opening).unwrap_or_default()
        })
        .collect();
    assert!(places.is_sorted());
    for figure in ["1,056,743", "+18.8%", "¥5,000", "80,995", "25.0%"] {
        assert!(markup.contains(figure), "{figure}");
    }
    for channel in [
        "class=\"push\"",
        "class=\"sms text\"",
        "class=\"mail\"",
        "class=\"banner\"",
        "class=\"post\"",
    ] {
        assert!(markup.contains(channel), "{channel}");
    }
}

#[test]
fn a_part_that_is_absent_leaves_its_section_out() {
    let mut report = full("words");
    report.cleaning = None;
    report.feedback.clear();
    report.campaigns.clear();
    let markup = markup(&report);
    for absent in ["cleaning", "feedback", "campaigns", "messages"] {
        assert!(!markup.contains(&format!("\"{absent}\"")), "{absent}");
        assert!(!markup.contains(&format!("\"#{absent}\"")), "{absent}");
    }
    assert!(markup.contains("<section id=\"shop\""));
}

#[test]
fn hostile_texts_stay_texts() {
    let markup = markup(&full(HOSTILE));
    assert!(!markup.contains("<img"), "an element came out of a text");
    assert!(markup.contains("&#60;img src=x onerror=alert(1)&#62;"));
    // As many script elements end as the page and its charts have.
    let plain = self::markup(&full("words"));
    for tag in ["</script", "<script", "<"] {
        assert_eq!(
            markup.matches(tag).count(),
            plain.matches(tag).count(),
            "{tag}"
        );
    }
    for attribute in [
        "class",
        "style",
        "lang",
        "title",
        "aria-label",
        "data-channel",
    ] {
        let (found, expected) = (values(&markup, attribute), values(&plain, attribute));
        assert_eq!(
            found.len(),
            expected.len(),
            "a text left its attribute: {attribute}"
        );
    }
}

#[test]
fn the_page_loads_nothing() {
    let markup = markup(&full("https://shop.example/p?id=1"));
    assert!(markup.contains("default-src 'none'"));
    for source in ["src", "srcset", "data", "action", "poster", "ping"] {
        assert_eq!(values(&markup, source), Vec::<&str>::new(), "{source}");
    }
    for link in values(&markup, "href") {
        assert!(link.starts_with('#') || link == "data:,", "{link}");
    }
    let style = include_str!("../../templates/report/report.css");
    for load in ["url(", "@import", "//", "@font-face"] {
        assert!(!style.contains(load), "{load}");
    }
    let script = include_str!("../../templates/report/report.js");
    for load in ["http", "fetch(", "import(", "innerHTML", "eval"] {
        assert!(!script.contains(load), "{load}");
    }
    let library = include_str!("../../vendor/echarts.min.js");
    for load in [
        "XMLHttpRequest",
        "fetch(",
        "import(",
        "eval(",
        "new Function",
        "</script",
    ] {
        assert!(!library.contains(load), "{load}");
    }
}

#[test]
fn chinese_is_kept_and_its_language_is_told() {
    let mut report = full("为你挑的：白色心形烛台，¥39.90");
    report.campaigns[0].examples[0].locale = "zh-CN".to_owned();
    let markup = markup(&report);
    assert!(markup.contains("<p class=\"push-title\">为你挑的：白色心形烛台，¥39.90</p>"));
    assert!(markup.contains("lang=\"zh-CN\""));
}

#[test]
fn rows_that_do_not_add_up_are_told() {
    let mut report = full("words");
    assert!(markup(&report).contains("the three add up."));
    if let Some(cleaning) = &mut report.cleaning {
        cleaning.kept -= 1;
    }
    assert!(markup(&report).contains("The three add up to 99, not to the rows read."));
}

#[test]
fn a_report_survives_its_json() {
    let report = full("文");
    let json = serde_json::to_string(&report).expect("JSON");
    let read: Report = serde_json::from_str(&json).expect("a report");
    assert!(read == report, "something was lost in {json}");
    let sparse: Report = serde_json::from_str(r#"{"header":{"shop":"s"}}"#).expect("defaults");
    assert_eq!(sparse.header.shop, "s");
}

#[test]
fn the_same_report_is_the_same_page() {
    assert_eq!(
        render(&full("words")).expect("a page"),
        render(&full("words")).expect("a page")
    );
}

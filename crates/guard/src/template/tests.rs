use super::*;
use crate::Bound;
use events::{Currency, Money};

fn bindings(values: Vec<(&str, Option<Value>)>) -> Bindings {
    Bindings::new(
        values
            .into_iter()
            .map(|(name, value)| Bound {
                name: name.to_owned(),
                path: format!("stat.{name}"),
                value,
                ends: None,
            })
            .collect(),
    )
    .expect("unique names")
}

fn sample() -> Bindings {
    bindings(vec![
        ("title", Some(Value::Text("RED MUG 60 CL".to_owned()))),
        (
            "long",
            Some(Value::Text("Wall Clock, Bamboo Blend, 30 cm".to_owned())),
        ),
        ("orders", Some(Value::Count(12_345))),
        ("one", Some(Value::Count(1))),
        ("none", Some(Value::Count(0))),
        ("gone", None),
        (
            "hostile",
            Some(Value::Text("{{ title }}<script>\n{% if x %}".to_owned())),
        ),
        (
            "until",
            Some(Value::Date("2026-05-01T09:30:00Z".parse().expect("valid"))),
        ),
        (
            "price",
            Some(Value::Money(Money {
                minor: 123_400,
                currency: Currency::GBP,
            })),
        ),
    ])
}

fn render(source: &str) -> Result<String, GuardError> {
    Template::parse(source)?.render(&sample(), Escape::None)
}

#[test]
fn outputs_and_filters() {
    for (source, text) in [
        ("", ""),
        ("a {b} 100%", "a {b} 100%"),
        ("{{title}}!", "RED MUG 60 CL!"),
        ("{{ title | title_case }}", "Red Mug 60 Cl"),
        ("{{ title | downcase | capitalize }}", "Red mug 60 cl"),
        ("{{ title | truncate: 10 }}", "RED MUG..."),
        // Cutting at 9 would leave `RED MUG 6`, a number that the title does not hold.
        ("{{ title | truncate: 12 }}", "RED MUG..."),
        ("{{ title | truncate: 13 }}", "RED MUG 60 CL"),
        // No word is left in pieces where the words before it are worth showing.
        ("{{ title | truncate: 9 }}", "RED MU..."),
        ("{{ long | truncate: 26 }}", "Wall Clock, Bamboo..."),
        ("{{ long | truncate: 30 }}", "Wall Clock, Bamboo Blend..."),
        ("{{ title | truncate_words: 2 }}", "RED MUG..."),
        (
            "{{ orders | number }} {{ orders | plural: 'order', \"orders\" }}",
            "12,345 orders",
        ),
        (
            "{{ one }} {{ one | plural: \"order\",\"orders\" }}",
            "1 order",
        ),
        ("{{ price }} {{ price | money }}", "£1234.00 £1,234.00"),
        ("{{ until | date }}", "2026-05-01"),
        ("{{ until | date: \"%-d %B %Y\" }}", "1 May 2026"),
        ("{{ until | date: \"%Y年%-m月%-d日\" }}", "2026年5月1日"),
        ("{{ gone | default: \"you\" }}", "you"),
        ("{{ gone | upcase | default: \"}} it\" }}", "}} it"),
        ("{{ hostile }}", "{{ title }}<script> {% if x %}"),
        (
            "{{ hostile | escape }}",
            "{{ title }}&lt;script&gt; {% if x %}",
        ),
    ] {
        assert_eq!(render(source), Ok(text.to_owned()), "{source}");
    }
}

#[test]
fn conditions() {
    for (source, text) in [
        ("{% if title %}a{% else %}b{% endif %}", "a"),
        ("{% if gone %}a{% else %}b{% endif %}", "b"),
        ("{% if none %}a{% else %}b{% endif %}", "b"),
        ("{% if unknown %}a{% endif %}c", "c"),
        ("{% if orders > 12345 %}a{% else %}b{% endif %}", "b"),
        ("{% if orders >= 12345 %}a{% endif %}", "a"),
        ("{% if price < 1234.5 %}a{% endif %}", "a"),
        ("{% if title == \"RED MUG 60 CL\" %}a{% endif %}", "a"),
        ("{% if title != 'x' %}a{% endif %}", "a"),
        ("{% if title > 3 %}a{% else %}b{% endif %}", "b"),
        ("{% if gone != 3 %}a{% else %}b{% endif %}", "b"),
        (
            "{% if one == 1 %}{% if gone %}a{% else %}b{% endif %}c{% endif %}",
            "bc",
        ),
    ] {
        assert_eq!(render(source), Ok(text.to_owned()), "{source}");
    }
}

#[test]
fn html_channels_escape_values_and_keep_listed_tags() {
    let html = |source: &str| {
        Template::parse(source)
            .and_then(|template| template.render(&sample(), Escape::Html))
            .expect("valid")
    };
    assert_eq!(
        html("<b>A & B</b> {{ hostile }}"),
        "<b>A &amp; B</b> {{ title }}&lt;script&gt; {% if x %}"
    );
    assert_eq!(
        html("{{ hostile | escape }}"),
        "{{ title }}&lt;script&gt; {% if x %}"
    );
    assert_eq!(html("<script>x</script>"), "&lt;script&gt;x&lt;/script&gt;");
}

#[test]
fn faults_name_line_column_and_remedy() {
    for (source, message) in [
        (
            "a\n  {{ title",
            "line 2, column 3: `{{` is never closed; close it with `}}`",
        ),
        (
            "a }} b",
            "line 1, column 3: `}}` closes nothing; open it with `{{` or `{%`, or remove it",
        ),
        (
            "杯{{ }}",
            "line 1, column 5: nothing where a name is expected; write the name of a binding, such as `title`",
        ),
        (
            "{{ product.title }}",
            "line 1, column 4: `product.title` is a path; bind a name to it, and write the name",
        ),
        (
            "{{ title | shout }}",
            "line 1, column 12: there is no filter `shout`; the filters are",
        ),
        (
            "{{ title | truncate }}",
            "line 1, column 21: nothing where `:` is expected",
        ),
        (
            "{{ title | truncate: 0 }}",
            "line 1, column 22: `0` is no length",
        ),
        (
            "{{ title title }}",
            "line 1, column 10: `title` is left over; close the output before it",
        ),
        (
            "{{- title }}",
            "line 1, column 3: whitespace control is not supported",
        ),
        (
            "{% for x in y %}",
            "line 1, column 4: `for` is not supported; the tags are `if`, `else` and `endif`",
        ),
        (
            "{% if title %}",
            "line 1, column 3: this `if` is never closed; add `{% endif %}`",
        ),
        (
            "{% endif %}",
            "line 1, column 4: `endif` stands outside an `if`",
        ),
        (
            "{% if a %}{% elsif b %}",
            "line 1, column 14: `elsif` is not supported",
        ),
        (
            "{% if a and b %}",
            "line 1, column 9: `and` is not supported; nest one `if` in another",
        ),
        (
            "{% if a > b %}",
            "line 1, column 11: `b` cannot be compared with",
        ),
        (
            "{% if a %}{% else %}{% else %}",
            "line 1, column 24: a second `else` for one `if`; remove it",
        ),
        (
            "{{ until | date: \"%H\" }}",
            "line 1, column 18: a date's format takes",
        ),
        (
            "{{ until | date: \"20 %B\" }}",
            "line 1, column 18: a date's format takes",
        ),
        (
            "{{ title | default: 'x }}",
            "line 1, column 1: `{{` is never closed",
        ),
    ] {
        let error = Template::parse(source).expect_err(source).to_string();
        assert!(
            error.starts_with(&format!("template {message}")),
            "{source}: {error}"
        );
    }
}

#[test]
fn filters_refuse_values_of_another_kind() {
    for source in [
        "{{ price | truncate: 2 }}",
        "{{ orders | upcase }}",
        "{{ title | money }}",
        "{{ title | plural: 'a', 'b' }}",
        "{{ orders | date }}",
        "{{ orders | number | number }}",
    ] {
        let error = render(source).expect_err(source);
        assert!(
            matches!(error, GuardError::FilterInput { .. }),
            "{source}: {error}"
        );
    }
    assert_eq!(
        render("{{ gone }}"),
        Err(GuardError::Unbound {
            name: "gone".to_owned(),
            path: "stat.gone".to_owned()
        })
    );
    assert_eq!(
        render("{{ nobody }}"),
        Err(GuardError::Undeclared {
            name: "nobody".to_owned()
        })
    );
}

#[test]
fn branches_are_listed_once_each() {
    let texts = |source: &str| {
        let template = Template::parse(source).expect("valid");
        template
            .branches()
            .iter()
            .map(|branch| {
                template
                    .render_branch(branch, &sample(), Escape::None)
                    .expect("renders")
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(texts("x"), ["x"]);
    assert_eq!(
        texts("{% if a %}1{% else %}2{% endif %}{% if b %}3{% endif %}"),
        ["13", "1", "23", "2"]
    );
    assert_eq!(
        texts("{% if a %}1{% if b %}2{% endif %}{% endif %}"),
        ["12", "1", ""]
    );
    // The same condition twice goes the same way.
    assert_eq!(
        texts("{% if a %}1{% endif %}{% if a %}2{% else %}3{% endif %}"),
        ["12", "3"]
    );
    let template =
        Template::parse("{% if a %}1{% if b > 3 %}2{% endif %}{% endif %}").expect("valid");
    let described: Vec<_> = template
        .branches()
        .iter()
        .map(|b| b.describe(&template))
        .collect();
    assert_eq!(
        described,
        ["if a; if b > 3", "if a; unless b > 3", "unless a"]
    );
    assert_eq!(template.names().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn size_depth_and_branches_are_limited() {
    let deep = "{% if a %}".repeat(9);
    let wide = ["a", "b", "c", "d", "e", "f", "g"]
        .map(|name| format!("{{% if {name} %}}x{{% endif %}}"))
        .concat();
    for (source, problem) in [
        (deep, "`if` is nested more than 8 deep"),
        (wide, "the template has more than 64 branches"),
        (
            "x".repeat(20_001),
            "the template is longer than 20000 bytes",
        ),
    ] {
        let error = Template::parse(&source).expect_err("too large").to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn a_template_that_writes_without_end_runs_out_of_fuel() {
    let bindings = Bindings::new(vec![Bound {
        name: "x".to_owned(),
        path: "fact.x".to_owned(),
        value: Some(Value::Text("mug ".repeat(25_000))),
        ends: None,
    }])
    .expect("one name");
    let render = |outputs: usize| {
        let template = Template::parse(&"{{ x }}".repeat(outputs)).expect("valid");
        template
            .render(&bindings, Escape::None)
            .map(|text| text.len())
    };
    assert_eq!(render(1), Ok(99_999));
    assert_eq!(
        render(1_000),
        Err(GuardError::OutOfFuel {
            limit: Template::FUEL
        })
    );
}

#[test]
fn json_is_escaped_whole() {
    let template = Template::parse("say \"{{ title }}\"").expect("valid");
    let bindings = Bindings::new(vec![Bound {
        name: "title".to_owned(),
        path: "product.title".to_owned(),
        value: Some(Value::Text("a \"b\"".to_owned())),
        ends: None,
    }])
    .expect("one name");
    assert_eq!(
        template.render(&bindings, Escape::Json).as_deref(),
        Ok(r#"say \"a \"b\"\""#)
    );
}

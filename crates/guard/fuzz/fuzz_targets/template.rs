//! Any text is a template or an error with a place; a template renders or refuses, and what it renders holds no value as
//! markup.
#![no_main]

use guard::{Bindings, Bound, Escape, Template, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (String, String)| {
    let (source, value) = input;
    let Ok(template) = Template::parse(&source) else {
        return;
    };
    assert!(template.branches().len() <= Template::MAX_BRANCHES);
    let bound = template
        .names()
        .map(|name| Bound {
            name: name.to_owned(),
            path: "fact.x".to_owned(),
            value: Some(Value::Text(value.clone())),
            ends: None,
        })
        .collect();
    let Ok(bindings) = Bindings::new(bound) else {
        return;
    };
    for escape in [Escape::None, Escape::Html, Escape::Json] {
        let _ = template.render(&bindings, escape);
    }
});

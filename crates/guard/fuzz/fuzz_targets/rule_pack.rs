//! Any text is a rule pack or an error; any phrase of a pack is read or refused.
#![no_main]

use guard::{Guard, RulePack};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (String, String)| {
    let (phrase, text) = input;
    let _ = RulePack::from_toml(&phrase);
    let quoted: String = phrase
        .chars()
        .map(|c| format!("\\U{:08X}", u32::from(c)))
        .collect();
    let pack = format!(
        "version = \"f\"\n[[rule]]\nid = \"f\"\nkind = \"forbidden\"\nreason = \"f\"\npasses = []\nfails = []\nphrases = [\"{quoted}\"]"
    );
    if let Ok(pack) = RulePack::from_toml(&pack) {
        let _ = Guard::new(pack).check_text(&text, &guard::TextContext::default());
    }
});

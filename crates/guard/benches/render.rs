//! Measures one message: resolving its bindings, rendering title and body, and every check of the general pack, for a
//! push message in English, one in Chinese and a text message. Run: `cargo bench -p guard`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use events::{
    Binding, Channel, CopyText, CopyVariant, Currency, Generator, Locale, Money, Product, Scope,
    Strategy, Timestamp, VariantStatus,
};
use guard::{CompiledVariant, Facts, Guard, RulePack, Value};

const ROUNDS: u32 = 50_000;

fn main() {
    let product = Product {
        id: "mug-7".to_owned(),
        title: "WHITE HANGING HEART T-LIGHT HOLDER".to_owned(),
        price: Money::from_decimal(12.5, Currency::GBP).ok(),
        ..Product::default()
    };
    let stats = BTreeMap::from([("orders_30d".to_owned(), Value::Count(1204))]);
    let user = BTreeMap::from([("last_month".to_owned(), Value::Text("March".to_owned()))]);
    let facts = Facts {
        product: &product,
        stats: &stats,
        user: &user,
        now: Timestamp::UNIX_EPOCH,
        version: "1",
    };
    let guard = Guard::new(RulePack::built_in());
    let english = "You bought it in {{ last }}{% if orders >= 10 %}, and {{ orders | number }} shoppers chose it this \
                   month{% endif %}. Yours for {{ price | money }}.";
    let chinese = "您在{{ last }}买过{{ title | title_case }}，本月有{{ orders | number }}位顾客选择它。现价{{ price }}，慢慢挑。";
    let sms = "{{ title | title_case }} for {{ price }}, as in {{ last }}. Reply STOP to opt out";
    for (name, channel, locale, title, body) in [
        (
            "push, English",
            Channel::Push,
            "en-GB",
            Some("{{ title | title_case | truncate: 45 }}"),
            english,
        ),
        (
            "push, Chinese",
            Channel::Push,
            "zh-CN",
            Some("{{ title | title_case | truncate: 45 }}"),
            chinese,
        ),
        ("sms, English", Channel::Sms, "en-GB", None, sms),
    ] {
        let variant = variant(channel, locale, title, body);
        let compiled = match CompiledVariant::new(&variant) {
            Ok(compiled) => compiled,
            Err(error) => return eprintln!("{name}: {error}"),
        };
        if let Err(refusal) = guard.render_compiled(&compiled, &facts) {
            return eprintln!("{name}: {refusal}: {:?}", refusal.checks);
        }
        let start = Instant::now();
        for _ in 0..ROUNDS {
            let _ = black_box(guard.render_compiled(black_box(&compiled), &facts));
        }
        let each = start.elapsed() / ROUNDS;
        let start = Instant::now();
        for _ in 0..ROUNDS {
            let _ = black_box(CompiledVariant::new(black_box(&variant)));
        }
        eprintln!(
            "{name}: {each:?} a message, compiling {:?}",
            start.elapsed() / ROUNDS
        );
    }
}

fn variant(channel: Channel, locale: &str, title: Option<&str>, body: &str) -> CopyVariant {
    let binding = |(name, path): (&str, &str)| Binding {
        name: name.to_owned(),
        path: path.to_owned(),
    };
    CopyVariant {
        id: "v".to_owned(),
        scope: Scope::All,
        channel,
        slot: "default".to_owned(),
        locale: Locale(locale.to_owned()),
        strategy: Strategy::SocialProof,
        template: CopyText {
            title: title.map(str::to_owned),
            body: body.to_owned(),
            ..CopyText::default()
        },
        bindings: [
            ("title", "product.title"),
            ("price", "product.current_price"),
            ("orders", "stat.orders_30d"),
            ("last", "user.last_month"),
        ]
        .map(binding)
        .to_vec(),
        premises: Vec::new(),
        assets: Vec::new(),
        generator: Generator {
            provider: "templates".to_owned(),
            model: "1".to_owned(),
            prompt_hash: None,
            seed: 0,
        },
        checks: Vec::new(),
        status: VariantStatus::Draft,
        approved_by: None,
        parent_id: None,
    }
}

use datasets::{ShopConfig, SimulatedShop};
use events::{Channel, Language, MessageKey};

use crate::small;

/// A change of these hashes changes every figure that was ever measured on the simulated shop: it takes a reason, an
/// entry in the changelog and new measurements. The draws compare with the results of the C library's `exp` and `ln`,
/// whose last bits differ between platforms, so the hashes are those of one platform.
#[test]
fn the_catalogue_the_events_and_the_probabilities_are_frozen() {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        eprintln!("skipped: the hashes are those of Linux with glibc");
        return;
    }
    let shop = small(7);
    let catalogue: String = shop
        .products()
        .map(|product| json(product) + "\n")
        .collect();
    let events: String = shop.segment_lines().map(|line| line + "\n").collect();
    let zh = ShopConfig {
        language: Language::Zh,
        zh_share: 0.9,
        ..ShopConfig::small()
    };
    let zh = SimulatedShop::new(zh, 7).expect("valid");
    let chinese: String = zh.products().map(|product| json(product) + "\n").collect();
    let exact = probabilities(&shop);
    for (what, text, hash) in [
        ("catalogue", catalogue, "m_62d92e835551ccecd27a4537f35eba49"),
        ("events", events, "m_4f62fa5dafa702dc4354ad0aef81071d"),
        ("probabilities", exact, "m_0bd73192e60beac67c2ee6c43df60842"),
        (
            "Chinese catalogue",
            chinese,
            "m_af7bd505d2197a51ecdb9c7aef3ccf3a",
        ),
    ] {
        assert_eq!(format!("{:?}", MessageKey::of(&text)), hash, "{what}");
    }
}

/// Some probabilities of every shopper to nine digits, which the last bits of a platform's `exp` do not reach.
fn probabilities(shop: &SimulatedShop) -> String {
    let mut text = String::new();
    for shopper in shop.shoppers() {
        for channel in Channel::ALL {
            let candidates = shop.candidates(&shopper, channel, shop.end());
            for message in candidates.expect("known shopper").iter().step_by(37) {
                let exact = [
                    shop.click_probability(message),
                    shop.purchase_probability(message),
                    shop.unsubscribe_probability(message),
                ];
                text.extend(exact.map(|probability| format!("{probability:.9} ")));
            }
        }
    }
    text
}

fn json(product: &events::Product) -> String {
    serde_json::to_string(product).expect("a product is JSON")
}

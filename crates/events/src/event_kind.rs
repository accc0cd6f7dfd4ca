/// What a shopper did: the names of Segment's Ecommerce v2 and email specifications.
///
/// The discriminants are what the log stores; a number is never used again for another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[allow(
    missing_docs,
    reason = "each variant is the specification's name, given in `name`"
)]
pub enum EventKind {
    ProductViewed = 1,
    ProductClicked = 2,
    ProductListViewed = 3,
    ProductsSearched = 4,
    ProductAdded = 5,
    ProductRemoved = 6,
    ProductAddedToWishlist = 7,
    CartViewed = 8,
    CheckoutStarted = 9,
    OrderCompleted = 10,
    OrderRefunded = 11,
    OrderCancelled = 12,
    ProductReviewed = 13,
    ProductShared = 14,
    PromotionViewed = 15,
    PromotionClicked = 16,
    CouponApplied = 17,
    EmailDelivered = 18,
    EmailOpened = 19,
    EmailLinkClicked = 20,
    Unsubscribed = 21,
    PageViewed = 22,
    Identified = 23,
    /// An event of the shop's own; it is kept and counts as activity.
    Custom = 24,
}

/// Kind, Segment's name, GA4's name where there is one.
const NAMES: [(EventKind, &str, &str); 24] = [
    (EventKind::ProductViewed, "Product Viewed", "view_item"),
    (EventKind::ProductClicked, "Product Clicked", "select_item"),
    (
        EventKind::ProductListViewed,
        "Product List Viewed",
        "view_item_list",
    ),
    (EventKind::ProductsSearched, "Products Searched", "search"),
    (EventKind::ProductAdded, "Product Added", "add_to_cart"),
    (
        EventKind::ProductRemoved,
        "Product Removed",
        "remove_from_cart",
    ),
    (
        EventKind::ProductAddedToWishlist,
        "Product Added to Wishlist",
        "add_to_wishlist",
    ),
    (EventKind::CartViewed, "Cart Viewed", "view_cart"),
    (
        EventKind::CheckoutStarted,
        "Checkout Started",
        "begin_checkout",
    ),
    (EventKind::OrderCompleted, "Order Completed", "purchase"),
    (EventKind::OrderRefunded, "Order Refunded", "refund"),
    (EventKind::OrderCancelled, "Order Cancelled", ""),
    (EventKind::ProductReviewed, "Product Reviewed", ""),
    (EventKind::ProductShared, "Product Shared", "share"),
    (
        EventKind::PromotionViewed,
        "Promotion Viewed",
        "view_promotion",
    ),
    (
        EventKind::PromotionClicked,
        "Promotion Clicked",
        "select_promotion",
    ),
    (EventKind::CouponApplied, "Coupon Applied", ""),
    (EventKind::EmailDelivered, "Email Delivered", ""),
    (EventKind::EmailOpened, "Email Opened", ""),
    (EventKind::EmailLinkClicked, "Email Link Clicked", ""),
    (EventKind::Unsubscribed, "Unsubscribed", ""),
    (EventKind::PageViewed, "Page Viewed", "page_view"),
    (EventKind::Identified, "Identified", ""),
    (EventKind::Custom, "Custom", ""),
];

impl EventKind {
    /// Segment's name of the event.
    pub fn name(self) -> &'static str {
        NAMES[self as usize - 1].1
    }

    /// Reads Segment's name, or GA4's alias of it; a name of neither is [`EventKind::Custom`].
    pub fn from_name(name: &str) -> Self {
        NAMES
            .iter()
            .find(|(_, segment, ga4)| {
                segment.eq_ignore_ascii_case(name) || (*ga4 == name && !name.is_empty())
            })
            .map_or(Self::Custom, |(kind, ..)| *kind)
    }

    /// The number under which the log stores the kind.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Reads a stored number back; `None` for one that this version does not know.
    pub fn from_code(code: u8) -> Option<Self> {
        let index = usize::from(code).checked_sub(1)?;
        NAMES.get(index).map(|(kind, ..)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_are_each_others_inverse() {
        for (kind, segment, ga4) in NAMES {
            assert_eq!(kind.name(), segment);
            assert_eq!(EventKind::from_name(segment), kind);
            assert_eq!(EventKind::from_code(kind.code()), Some(kind));
            if !ga4.is_empty() {
                assert_eq!(EventKind::from_name(ga4), kind);
            }
        }
        assert_eq!(EventKind::from_code(0), None);
        assert_eq!(EventKind::from_code(25), None);
        assert_eq!(EventKind::from_name("Lamp Rubbed"), EventKind::Custom);
        assert_eq!(EventKind::from_name(""), EventKind::Custom);
    }
}

//! A report with every part, for tests: every free text in it is the same given text.

use super::data::campaign::{
    Binding, Campaign, Candidate, Check, Diversity, Example, HistogramBin, MessageText,
    ReasonCount, RefusalReason, Refusals, RefusedText, StrategyCount, TakenShare,
};
use super::data::cleaning::{Cleaning, CleaningReason, RowFate, SourceFile};
use super::data::feedback::{Arm, Coefficient, Feedback, Lift, LiftForm, Round};
use super::data::model::{
    Difference, Epoch, Evaluation, EvaluationRow, EvaluationTask, RowKind, Training,
};
use super::data::shop::{
    CategorySales, MonthlySales, Outlier, PriceBand, Rfm, RfmCell, RfmGroup, SegmentSize, Shop,
};
use super::data::shopper::{LabelShare, PastPurchase, Recommendation, ShopperInterests};
use super::data::{Contribution, Estimate, Header, Report};

/// A report in which every part is present and every free text is `text`.
pub(super) fn full(text: &str) -> Report {
    Report {
        header: Header {
            shop: text.to_owned(),
            currency: "CNY".to_owned(),
            first_day: Some("2025-01-01".to_owned()),
            last_day: Some("2025-12-31".to_owned()),
            generated_at: Some(text.to_owned()),
            version: text.to_owned(),
            fingerprint: text.to_owned(),
            simulated: true,
            rows_read: Some(1_056_743),
            shoppers: Some(5_878),
            products: Some(4_631),
            messages: Some(2_284),
            lift: Some(lift(text)),
        },
        cleaning: Some(cleaning(text)),
        shop: Some(shop(text)),
        trainings: vec![training(text)],
        evaluation: Some(evaluation(text)),
        shoppers: vec![shopper(text)],
        campaigns: ["push", "sms", "email", "banner", "social"]
            .map(|channel| campaign(channel, text))
            .into(),
        refusals: Some(Refusals {
            checked: Some(40),
            refused: 4,
            reasons: vec![RefusalReason {
                reason: text.to_owned(),
                meaning: text.to_owned(),
                count: 4,
                example: Some(RefusedText {
                    channel: text.to_owned(),
                    locale: text.to_owned(),
                    text: text.to_owned(),
                    detail: text.to_owned(),
                }),
            }],
        }),
        feedback: vec![feedback(text)],
        notes: vec![text.to_owned()],
    }
}

fn estimate(value: f64) -> Estimate {
    Estimate {
        value,
        low: Some(value - 0.0625),
        high: Some(value + 0.0625),
    }
}

fn lift(text: &str) -> Lift {
    Lift {
        outcome: text.to_owned(),
        form: LiftForm::Relative,
        estimate: estimate(0.1875),
        truth: Some(0.164),
        treated: Some(900),
        control_name: text.to_owned(),
        control: Some(100),
        treated_mean: Some(0.03),
        control_mean: Some(0.025),
    }
}

fn contributions(text: &str) -> Vec<Contribution> {
    [0.02, -0.01]
        .map(|contribution| Contribution {
            feature: text.to_owned(),
            value: Some(1.5),
            contribution,
        })
        .into()
}

fn cleaning(text: &str) -> Cleaning {
    Cleaning {
        rows_read: 100,
        kept: 80,
        merged: 15,
        quarantined: 5,
        reasons: vec![
            CleaningReason {
                reason: text.to_owned(),
                fate: RowFate::Merged,
                rows: 15,
                meaning: text.to_owned(),
                example: Some(text.to_owned()),
            },
            CleaningReason {
                reason: "zero_price".to_owned(),
                rows: 5,
                ..CleaningReason::default()
            },
        ],
        files: vec![SourceFile {
            name: text.to_owned(),
            format: text.to_owned(),
            rows_read: 100,
            kept: 80,
            merged: 15,
            quarantined: 5,
        }],
        seconds: Some(2.5),
    }
}

fn shop(text: &str) -> Shop {
    Shop {
        orders: Some(30),
        revenue: Some(5_000.0),
        months: vec![MonthlySales {
            month: text.to_owned(),
            orders: 30,
            revenue: 5_000.0,
            partial: true,
        }],
        rfm: Some(Rfm {
            cells: vec![RfmCell {
                recency: 5,
                frequency: 1,
                shoppers: 12,
                mean_spend: Some(41.5),
            }],
            groups: vec![RfmGroup {
                name: text.to_owned(),
                meaning: text.to_owned(),
                shoppers: 12,
                revenue: Some(498.0),
            }],
        }),
        segments: vec![SegmentSize {
            name: text.to_owned(),
            rule: text.to_owned(),
            shoppers: 7,
        }],
        price_bands: vec![PriceBand {
            until: Some(9.9),
            products: 3,
            order_lines: 60,
            ..PriceBand::default()
        }],
        categories: vec![CategorySales {
            name: text.to_owned(),
            products: 3,
            order_lines: 60,
            revenue: Some(700.0),
        }],
        outliers: vec![Outlier {
            kind: text.to_owned(),
            name: text.to_owned(),
            feature: text.to_owned(),
            value: 80_995.0,
            typical: Some(6.0),
            robust_z: Some(99.0),
            note: text.to_owned(),
        }],
    }
}

fn training(text: &str) -> Training {
    let epoch = |epoch, train_loss, validation| Epoch {
        epoch,
        train_loss,
        validation,
    };
    Training {
        model: text.to_owned(),
        purpose: text.to_owned(),
        parameters: Some(1_000),
        steps: Some(50),
        seconds: Some(12.0),
        validation_metric: text.to_owned(),
        lower_is_better: true,
        epochs: vec![epoch(0, 5.0, Some(0.0625)), epoch(1, 4.0, Some(0.08))],
        best_epoch: Some(1),
        ended: text.to_owned(),
    }
}

fn evaluation(text: &str) -> Evaluation {
    let row = |model: &str, kind, value| EvaluationRow {
        task: text.to_owned(),
        model: model.to_owned(),
        kind,
        default: kind == RowKind::Model,
        metrics: [("ndcg@10", value), (text, value)]
            .map(|(name, value)| (name.to_owned(), estimate(value)))
            .into(),
    };
    Evaluation {
        dataset: text.to_owned(),
        split: text.to_owned(),
        validation_start: Some(text.to_owned()),
        test_start: Some("2025-10-01".to_owned()),
        test_end: Some("2025-12-31".to_owned()),
        ndcg_form: text.to_owned(),
        bootstrap_resamples: Some(1_000),
        candidates: Some(4_102),
        cold_shoppers: Some(3),
        unsold_targets: Some(4),
        tasks: vec![EvaluationTask {
            name: text.to_owned(),
            question: text.to_owned(),
            shoppers: Some(500),
        }],
        rows: vec![
            row("popular", RowKind::Baseline, 0.125),
            row(text, RowKind::Model, 0.25),
        ],
        differences: vec![Difference {
            task: text.to_owned(),
            metric: text.to_owned(),
            model: text.to_owned(),
            baseline: text.to_owned(),
            difference: estimate(0.125),
        }],
    }
}

fn shopper(text: &str) -> ShopperInterests {
    let labels = vec![LabelShare {
        label: text.to_owned(),
        share: 0.4,
    }];
    ShopperInterests {
        shopper: text.to_owned(),
        orders: 4,
        spend: Some(80.0),
        first_order: Some(text.to_owned()),
        last_order: Some(text.to_owned()),
        groups: vec![text.to_owned()],
        categories: labels.clone(),
        brands: labels.clone(),
        price_bands: labels,
        preferred_hour: Some(9),
        cadence_days: Some(30.4),
        purchases: vec![PastPurchase {
            title: text.to_owned(),
            day: text.to_owned(),
        }],
        recommendations: vec![Recommendation {
            product_id: text.to_owned(),
            title: text.to_owned(),
            score: 1.5,
            reason: text.to_owned(),
            contributions: contributions(text),
        }],
    }
}

fn campaign(channel: &str, text: &str) -> Campaign {
    let taken = vec![TakenShare {
        id: text.to_owned(),
        label: text.to_owned(),
        messages: 2,
        share: 0.02,
    }];
    Campaign {
        channel: channel.to_owned(),
        goal: text.to_owned(),
        decided_at: Some(text.to_owned()),
        policy_version: text.to_owned(),
        model_version: text.to_owned(),
        shoppers: 100,
        messages: 90,
        nothing: vec![ReasonCount {
            reason: text.to_owned(),
            meaning: text.to_owned(),
            count: 10,
        }],
        seconds: Some(0.5),
        strategies: vec![StrategyCount {
            strategy: text.to_owned(),
            messages: 90,
        }],
        top_products: taken.clone(),
        top_variants: taken,
        distinct_products: Some(40),
        distinct_variants: Some(12),
        max_product_share: Some(0.02),
        max_variant_share: Some(0.25),
        propensities: vec![HistogramBin {
            from: 0.0,
            until: 0.5,
            count: 90,
        }],
        diversity: Some(Diversity {
            distinct_1: 0.1,
            distinct_2: 0.3,
            self_bleu: 0.4,
            texts: 90,
        }),
        examples: vec![example(channel, text)],
    }
}

fn example(channel: &str, text: &str) -> Example {
    Example {
        decision_id: text.to_owned(),
        shopper: text.to_owned(),
        channel: channel.to_owned(),
        locale: text.to_owned(),
        product_id: text.to_owned(),
        product_title: text.to_owned(),
        variant_id: text.to_owned(),
        strategy: text.to_owned(),
        provider: text.to_owned(),
        text: MessageText {
            title: Some(text.to_owned()),
            subject: Some(text.to_owned()),
            preheader: Some(text.to_owned()),
            body: text.to_owned(),
        },
        reason: text.to_owned(),
        bindings: vec![Binding {
            name: text.to_owned(),
            value: text.to_owned(),
            path: text.to_owned(),
        }],
        checks: vec![Check {
            rule: text.to_owned(),
            passed: false,
            detail: text.to_owned(),
        }],
        propensity: 0.25,
        score: 0.03,
        base: 0.02,
        contributions: contributions(text),
        candidates: vec![Candidate {
            label: text.to_owned(),
            variant_id: text.to_owned(),
            propensity: 0.25,
            score: 0.03,
            chosen: true,
        }],
        decided_at: Some(text.to_owned()),
        sms_segments: Some(1),
    }
}

fn feedback(text: &str) -> Feedback {
    Feedback {
        counted: text.to_owned(),
        policy: text.to_owned(),
        reward: text.to_owned(),
        rounds: vec![Round {
            name: text.to_owned(),
            messages: 90,
            policy_rate: Some(0.02),
            random_rate: Some(0.01),
            policy_truth: Some(0.02),
            random_truth: Some(0.01),
            oracle_truth: Some(0.03),
            cumulative_regret: Some(0.9),
            random_cumulative_regret: Some(1.8),
            policy_orders: Some(31.0),
            holdout_orders: Some(25.0),
        }],
        lifts: vec![lift(text)],
        arms: vec![Arm {
            name: text.to_owned(),
            decisions: 120,
            messages: 90,
            achieved: 4,
            shoppers: 60,
            orders: 3,
            revenue: 81.5,
            unsubscribed: 1,
        }],
        notes: vec![text.to_owned()],
        coefficients: vec![Coefficient {
            feature: text.to_owned(),
            estimate: estimate(0.125),
            truth: Some(0.12),
        }],
    }
}

//! The user model: a causal Transformer over a shopper's interactions.

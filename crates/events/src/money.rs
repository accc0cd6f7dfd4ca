use std::fmt;

use serde::{Deserialize, Serialize};

use crate::EventError;

/// An ISO 4217 currency code, three upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// Pound sterling.
    pub const GBP: Self = Self(*b"GBP");
    /// Renminbi.
    pub const CNY: Self = Self(*b"CNY");
    /// United States dollar.
    pub const USD: Self = Self(*b"USD");

    /// Reads a code.
    ///
    /// # Errors
    /// [`EventError::Invalid`] when it is not three ASCII letters.
    pub fn parse(code: &str) -> Result<Self, EventError> {
        let upper = code.trim().to_ascii_uppercase();
        <[u8; 3]>::try_from(upper.as_bytes())
            .ok()
            .filter(|bytes| bytes.iter().all(u8::is_ascii_uppercase))
            .map(Self)
            .ok_or_else(|| EventError::invalid("currency", code, "an ISO 4217 code such as GBP"))
    }

    /// The code as text.
    ///
    /// # Panics
    /// Never: every constructor checks that the code is three ASCII letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("invariant: a currency is three ASCII letters")
    }

    /// The sign placed before an amount, or the code and a space where there is no usual sign.
    pub fn sign(&self) -> String {
        match self.code() {
            "GBP" => "£".to_owned(),
            "EUR" => "€".to_owned(),
            "USD" => "$".to_owned(),
            "CNY" | "JPY" => "¥".to_owned(),
            code => format!("{code} "),
        }
    }

    /// Digits after the decimal point: 0 for yen and won, 3 for the dinars, 2 otherwise.
    pub fn exponent(&self) -> u32 {
        match self.code() {
            "JPY" | "KRW" | "VND" | "CLP" => 0,
            "BHD" | "KWD" | "JOD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

/// An amount in the currency's minor unit (pence, cents, fen).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The amount in minor units.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// Rounds a decimal amount to minor units, half away from zero.
    ///
    /// # Errors
    /// [`EventError::Invalid`] when the amount is not finite or exceeds 10¹³ units.
    pub fn from_decimal(amount: f64, currency: Currency) -> Result<Self, EventError> {
        if !amount.is_finite() || amount.abs() > 1e13 {
            return Err(EventError::invalid(
                "price",
                &amount.to_string(),
                "a finite amount below 10^13",
            ));
        }
        let scaled = amount * 10f64.powi(currency.exponent().cast_signed());
        // 0.285 is stored as 0.28499…; a relative 10⁻¹² puts such halves back on the side they were written on.
        let minor = (scaled * (1.0 + 1e-12)).round() as i64;
        Ok(Self { minor, currency })
    }

    /// Reads Merchant Center's form `12.50 GBP`.
    ///
    /// # Errors
    /// [`EventError::Invalid`] when the number or the code is malformed.
    pub fn parse(text: &str) -> Result<Self, EventError> {
        let invalid = || {
            EventError::invalid(
                "price",
                text,
                "an amount and a currency such as `12.50 GBP`",
            )
        };
        let (amount, code) = text.trim().rsplit_once(' ').ok_or_else(invalid)?;
        let amount: f64 = amount.trim().parse().map_err(|_| invalid())?;
        Self::from_decimal(amount, Currency::parse(code)?)
    }

    /// The amount in major units.
    pub fn decimal(&self) -> f64 {
        self.minor as f64 / 10f64.powi(self.currency.exponent().cast_signed())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent();
        let scale = 10u64.pow(exponent);
        let (minus, minor) = (
            if self.minor < 0 { "-" } else { "" },
            self.minor.unsigned_abs(),
        );
        write!(f, "{minus}{}{}", self.currency.sign(), minor / scale)?;
        if exponent > 0 {
            write!(f, ".{:0width$}", minor % scale, width = exponent as usize)?;
        }
        Ok(())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = EventError;

    fn try_from(code: String) -> Result<Self, EventError> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_in_its_currency() {
        let yen = Currency::parse("jpy").expect("valid");
        for (minor, currency, shown) in [
            (255, Currency::GBP, "£2.55"),
            (5, Currency::GBP, "£0.05"),
            (-1200, Currency::USD, "-$12.00"),
            (980, yen, "¥980"),
        ] {
            assert_eq!(Money { minor, currency }.to_string(), shown);
        }
    }

    #[test]
    fn merchant_center_prices_are_read() {
        assert_eq!(
            Money::parse("12.50 GBP"),
            Ok(Money {
                minor: 1250,
                currency: Currency::GBP
            })
        );
        assert_eq!(Money::parse("0.285 GBP").map(|m| m.minor), Ok(29));
        for bad in ["12.50", "GBP", "x GBP", "1 POUND", "NaN GBP", "1e40 GBP"] {
            assert!(Money::parse(bad).is_err(), "{bad}");
        }
    }
}

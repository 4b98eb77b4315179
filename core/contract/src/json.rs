//! Numbers in JSON as Go writes them: a whole one has no `.0`, and the very large and the very
//! small have an exponent with a sign.

use std::fmt::{Display, LowerExp};
use std::io::{self, Write};

use serde_json::ser::{CompactFormatter, Formatter as _};

/// Below this every whole number is exact, and its digits are those of the integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes a number; one that is not finite has no form in JSON and is the caller's to deal with.
///
/// # Errors
/// Those of the writer.
pub fn number<W: ?Sized + Write>(to: &mut W, value: f64) -> io::Result<()> {
    let size = value.abs();
    if size < EXACT && value.fract() == 0.0 && (size != 0.0 || value.is_sign_positive()) {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and small enough")]
        return CompactFormatter.write_i64(to, value as i64);
    }
    // In this range both write the same digits without an exponent, and this way is the faster one.
    if (1e-5..EXACT).contains(&size) {
        return CompactFormatter.write_f64(to, value);
    }
    digits(to, value, value)
}

/// Writes a number of single precision by its own digits, which are fewer than those of the same
/// number in double precision.
///
/// # Errors
/// Those of the writer.
pub fn single<W: ?Sized + Write>(to: &mut W, value: f32) -> io::Result<()> {
    digits(to, f64::from(value), value)
}

fn digits<W: ?Sized + Write>(
    to: &mut W,
    size: f64,
    value: impl Display + LowerExp,
) -> io::Result<()> {
    if size == 0.0 || (1e-6..1e21).contains(&size.abs()) {
        return write!(to, "{value}");
    }
    let shown = format!("{value:e}");
    match shown.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => {
            write!(to, "{digits}e+{exponent}")
        }
        _ => to.write_all(shown.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: f64) -> String {
        let mut bytes = Vec::new();
        number(&mut bytes, value).expect("written");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn numbers_are_those_of_go() {
        let table = [
            (1.0, "1"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (0.0, "0"),
            (-0.0, "-0"),
            (1e15 + 0.5, "1000000000000000.5"),
            (9_007_199_254_740_993.0, "9007199254740992"),
            (1e16, "10000000000000000"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (1e-7, "1e-7"),
            (0.000_001, "0.000001"),
            (0.000_009_5, "0.0000095"),
            (5e-324, "5e-324"),
        ];
        for (value, text) in table {
            assert_eq!(shown(value), text);
        }
    }

    #[test]
    fn digits_lead_back_to_the_number() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let value = f64::from_bits(bits);
            let plain = f64::from(u32::try_from(bits >> 32).expect("32 bits")) / 1000.0;
            for value in [value, plain].into_iter().filter(|value| value.is_finite()) {
                assert_eq!(shown(value).parse::<f64>().expect("a number"), value);
            }
        }
    }

    #[test]
    fn single_precision_has_digits_of_its_own() {
        let shown = |value| {
            let mut bytes = Vec::new();
            single(&mut bytes, value).expect("written");
            String::from_utf8(bytes).expect("UTF-8")
        };
        assert_eq!(
            (shown(0.1), shown(2e22), shown(3.0)),
            ("0.1".into(), "2e+22".into(), "3".into())
        );
    }
}

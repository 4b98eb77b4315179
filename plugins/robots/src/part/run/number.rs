//! Numbers in JSON as Go writes them: a whole one has no `.0`.

use std::io::{self, Write};

use serde_json::ser::Formatter;
use viam_contract::json;

/// A formatter whose numbers are Go's; the rest is that of the one within.
pub(super) struct Plain<F>(pub(super) F);

/// Passes methods on.
macro_rules! same {
    ($($method:ident($($flag:ident)?);)*) => {$(
        fn $method<W: ?Sized + Write>(&mut self, writer: &mut W $(, $flag: bool)?) -> io::Result<()> {
            self.0.$method(writer $(, $flag)?)
        }
    )*};
}

impl<F: Formatter> Formatter for Plain<F> {
    fn write_f32<W: ?Sized + Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        json::single(writer, value)
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        json::number(writer, value)
    }

    same! {
        begin_array(); end_array(); begin_array_value(first); end_array_value();
        begin_object(); end_object(); begin_object_key(first); end_object_key();
        begin_object_value(); end_object_value();
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::ser::{CompactFormatter, Serializer};

    use super::*;

    fn shown(value: impl Serialize) -> String {
        let mut bytes = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut bytes, Plain(CompactFormatter));
        value.serialize(&mut serializer).expect("JSON");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn numbers_are_those_of_go() {
        assert_eq!(shown([1.0, 0.1, 1e21, 1e-7]), "[1,0.1,1e+21,1e-7]");
        assert_eq!(shown(0.1_f32), "0.1");
        assert_eq!(shown(2e22_f32), "2e+22");
        assert_eq!(shown([Some(1.0), None]), "[1,null]");
    }
}

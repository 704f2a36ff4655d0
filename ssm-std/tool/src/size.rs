//! Sizes for people.

use crate::output::counted;

/// Names of the units, each 1024 times the one before.
const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// A size for people with its bytes beside it: `64 MiB (67108864)`. Below 1024 it is bytes alone. Above, it is in the largest
/// unit of which there is one, whole or, where it is not, rounded to one decimal; what would be rounded to 1024 of a unit
/// is one of the next.
pub fn sized(bytes: u64) -> String {
    scaled(bytes).map_or_else(|| counted(bytes, "byte"), |size| format!("{size} ({bytes})"))
}

/// The same in a column whose head says that it is bytes: below 1024 the number alone.
pub fn sized_cell(bytes: u64) -> String {
    scaled(bytes).map_or_else(|| bytes.to_string(), |size| format!("{size} ({bytes})"))
}

fn scaled(bytes: u64) -> Option<String> {
    let bytes = u128::from(bytes);
    let mut scaled = None;
    for (power, name) in (1..).zip(UNITS) {
        let unit = 1u128 << (10 * power);
        let tenths = |unit: u128| (bytes * 10 + unit / 2) / unit;
        if bytes >= unit {
            scaled = Some(match bytes % unit {
                0 => format!("{} {name}", bytes / unit),
                _ => format!("{}.{} {name}", tenths(unit) / 10, tenths(unit) % 10),
            });
        } else if power > 1 && tenths(unit / 1024) >= 10 * 1024 {
            scaled = Some(format!("1.0 {name}"));
        }
    }
    scaled
}

#[cfg(test)]
mod tests {
    use super::sized;

    #[test]
    fn sizes_at_the_edges() {
        for (bytes, expected) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1 KiB (1024)"),
            (1025, "1.0 KiB (1025)"),
            (1536, "1.5 KiB (1536)"),
            (1048524, "1023.9 KiB (1048524)"),
            (1048525, "1.0 MiB (1048525)"),
            (1048576, "1 MiB (1048576)"),
            (36807, "35.9 KiB (36807)"),
            (67108864, "64 MiB (67108864)"),
            (u64::MAX, "16.0 EiB (18446744073709551615)"),
        ] {
            assert_eq!(sized(bytes), expected);
        }
    }
}

//! Every truncation and every flipped bit of small files of each header layout. No input panics or runs on for ever, no
//! truncated file is accepted, and a flipped bit goes unnoticed only where the format cannot know (Q numbers: SPEC.md):
//!
//! - Offset 26, bit 0, turns the magic of 1.1 into that of 1.0 from 64-bit hosts and back. No checksum covers the magic
//!   (Q1) and the two layouts are the same, so the payload stays what it was but the widths of addresses do not.
//! - From [`Header::uncovered_from`] on there is no checksum (Q1). Of the end record only the magic counts (Q13), so the
//!   20 bytes behind it may be anything. In 1.0 and 1.1 that is all, and no flip changes a payload. In 1.2 the last eight
//!   bytes of the last unit lie there too: that is where payload changes unnoticed, unless the codec's structure breaks.
//!
//! The last tests leave the checksum out, so that the parsers below see the damage: whatever is accepted then has changed
//! the flipped unit and no other.

use ssm_core::embedded_io::ErrorKind;
use ssm_core::{Archive, Crc32Slicing, Format, Header, LoadError, Memory};
use ssm_std::{Decoder, decoder};
use ssm_tests::golden::good_file;
use std::ops::Range;

type Opened<'f> = Archive<Memory<&'f [u8]>, Decoder, Vec<u8>, Crc32Slicing>;
type Result<T> = std::result::Result<T, LoadError<ErrorKind>>;

const SCALARS: [&str; 4] = ["v10x86-scalars.sav", "v10amd64-scalars.sav", "v11-scalars.sav", "v12-scalars.sav"];
const END_MAGIC: u64 = 8;
const END_RECORD: u64 = 28;

/// All that a reader learns from a file.
#[derive(Debug, PartialEq)]
struct Contents {
    header: Header,
    units: Vec<Unit>,
}

#[derive(Debug, PartialEq)]
struct Unit {
    name: Vec<u8>,
    instance: u32,
    version: u32,
    plain: Vec<u8>,
}

/// Checks and then reads everything.
fn contents(archive: Result<Opened<'_>>) -> Result<Contents> {
    let mut archive = archive?;
    archive.verify(&mut |_| ())?;
    let header = *archive.header();
    let mut all = Vec::new();
    let mut units = archive.units();
    while let Some(mut unit) = units.next_unit()? {
        let mut plain = vec![0; unit.plain_len()? as usize];
        unit.read(|get| get.bytes(&mut plain))?;
        all.push(Unit { name: unit.name().to_vec(), instance: unit.instance(), version: unit.version(), plain });
    }
    Ok(Contents { header, units: all })
}

fn open(file: &[u8]) -> Result<Opened<'_>> {
    Archive::open_with(Memory::holding(file), decoder(), vec![0; 256], Crc32Slicing)
}

fn open_unchecked(file: &[u8]) -> Result<Opened<'_>> {
    Archive::open_unchecked_with(Memory::holding(file), decoder(), vec![0; 256], Crc32Slicing)
}

/// The same file with each bit flipped in turn: offset, mask, what is read.
fn flip_each(
    file: &[u8],
    bytes: Range<usize>,
    open: fn(&[u8]) -> Result<Opened<'_>>,
    mut see: impl FnMut(usize, u8, Result<Contents>),
) {
    let mut file = file.to_vec();
    for at in bytes {
        for mask in (0..8).map(|bit| 1 << bit) {
            file[at] ^= mask;
            see(at, mask, contents(open(&file)));
            file[at] ^= mask;
        }
    }
}

#[test]
fn truncated_files_are_refused() {
    for name in SCALARS {
        let file = good_file(name).bytes();
        for len in 0..file.len() {
            let error = contents(open(&file[..len])).unwrap_err();
            let short = len < 32 || error.kind() == "size";
            assert!(short || error.kind() == "truncated", "{name}, {len} bytes: {error}");
            // Without the checks up front the missing end is still found.
            contents(open_unchecked(&file[..len])).unwrap_err();
        }
    }
}

/// The eight uncovered bytes of the last unit of v12-scalars.sav: the bits whose flip changes the payload, and those whose
/// flip does not. All others break the structure of LZF.
const LAST_EIGHT: [(u8, u8); 8] = [
    (0xff, 0),    // a literal
    (0, 0),       // the control byte of a match
    (0x7e, 0x81), // its distance; two bits lead to equal bytes elsewhere
    (0, 0),       // the control byte of four literals
    (0xff, 0),
    (0xff, 0),
    (0xff, 0),
    (0xff, 0),
];

#[test]
fn flipped_bits_go_unnoticed_only_where_the_format_cannot_know() {
    for name in SCALARS {
        let file = good_file(name).bytes();
        let good = contents(open(&file)).unwrap();
        let uncovered = good.header.uncovered_from();
        let end_record = file.len() as u64 - END_RECORD;
        let in_last_unit = end_record.saturating_sub(uncovered);
        assert_eq!(in_last_unit, if good.header.format == Format::V1_2 { 8 } else { 0 });
        flip_each(&file, 0..file.len(), open, |at, mask, found| {
            let at = at as u64;
            let same_layout = matches!(name, "v10amd64-scalars.sav" | "v11-scalars.sav");
            let (changes, keeps) = match at {
                26 if same_layout => (0, 1),
                _ if at < uncovered => (0, 0),
                _ if at < end_record => LAST_EIGHT[(at - uncovered) as usize],
                _ if at < end_record + END_MAGIC => (0, 0),
                _ => (0, 0xff),
            };
            let accepted = (changes | keeps) & mask != 0;
            assert_eq!(found.is_ok(), accepted, "{name}: offset {at}, mask {mask:#04x}: {found:?}");
            if let Ok(found) = found {
                assert_eq!(found.units != good.units, changes & mask != 0, "{name}: offset {at}, mask {mask:#04x}");
                assert_eq!(found.header != good.header, at == 26);
            }
        });
    }
}

/// A flip in the structure of v12-multi.sav, checksum left out.
fn flips_stay_in_their_unit(file: &[u8], bytes: Range<usize>) {
    let good = contents(open_unchecked(file)).unwrap();
    let mut places = Vec::new();
    let mut archive = open_unchecked(file).unwrap();
    let mut units = archive.units();
    while let Some(unit) = units.next_unit().unwrap() {
        places.push(unit.offset()..unit.offset() + unit.record_len());
    }
    flip_each(file, bytes, open_unchecked, |at, mask, found| {
        let at = at as u64;
        let Ok(found) = found else { return };
        let flipped = places.iter().position(|place| place.contains(&at));
        assert_eq!(found.units.len(), good.units.len(), "offset {at}, mask {mask:#04x}");
        for (index, (unit, good)) in found.units.iter().zip(&good.units).enumerate() {
            if Some(index) != flipped {
                assert!(unit == good, "offset {at}, mask {mask:#04x}: unit {index}");
                continue;
            }
            // Of the header's fields each flip changes its own and no other; magic and lengths must not change.
            let name_end = 28 + good.name.len() as u64;
            match at - places[index].start {
                16..20 => assert_ne!(unit.version, good.version),
                20..24 => assert_ne!(unit.instance, good.instance),
                field @ 28.. if field < name_end => assert_ne!(unit.name, good.name),
                field => assert!(field > name_end, "offset {at}, mask {mask:#04x}: accepted"),
            }
            let fields = [
                unit.version != good.version,
                unit.instance != good.instance,
                unit.name != good.name,
                unit.plain != good.plain,
            ];
            assert!(fields.iter().filter(|changed| **changed).count() <= 1);
        }
        if flipped.is_none() {
            let end = places.last().unwrap().end;
            assert!(at < 80 || at >= end + END_MAGIC, "offset {at}, mask {mask:#04x}: accepted");
            // Size, checksum, writer's version; the reserved bytes and the end record are not looked at.
            let in_header = matches!(at, 32..44 | 64..76);
            assert_eq!(found.header != good.header, in_header, "offset {at}, mask {mask:#04x}");
            assert!(in_header || matches!(at, 44..48 | 79) || at >= end + END_MAGIC, "offset {at}, mask {mask:#04x}");
        }
    });
}

/// v12-multi.sav without its last unit, which is most of it, or with that unit only.
fn parts_of_multi() -> (Vec<u8>, Vec<u8>) {
    let good = good_file("v12-multi.sav");
    let file = good.bytes();
    let last = good.units.last().unwrap().offset as usize;
    let end = good.header.end_offset as usize;
    ([&file[..last], &file[end..]].concat(), [&file[..80], &file[last..]].concat())
}

#[test]
fn flips_before_the_last_unit_without_the_checksum() {
    let (file, _) = parts_of_multi();
    flips_stay_in_their_unit(&file, 0..3072);
}

#[test]
fn flips_behind_the_large_unit_without_the_checksum() {
    let (file, _) = parts_of_multi();
    flips_stay_in_their_unit(&file, 5784..file.len());
}

#[test]
fn flips_in_the_last_unit_without_the_checksum() {
    let (_, file) = parts_of_multi();
    flips_stay_in_their_unit(&file, 80..80 + 48);
    flips_stay_in_their_unit(&file, file.len() - 36..file.len());
}

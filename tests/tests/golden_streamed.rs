//! The files of 2.0 that the original program wrote: header, units and their passes, directory, and a load of each through
//! all loaders and any scratch. What all formats have in common is in `golden`.

use ssm_core::{
    Archive, Crc32, Crc32Slicing, Format, Header, LoadError, Loader, Memory, RecordCounts, StreamFields, UnitId, Units,
    WriterVersion, tag,
};
use ssm_std::{Decoder, decoder};
use ssm_tests::golden::{Good, Machine, good_file, good_streamed};
use ssm_tests::media::{Disk, ReadOnly};
use std::collections::BTreeMap;

type Opened<'f> = Archive<Memory<&'f [u8]>, Decoder, Vec<u8>, Crc32Slicing>;

const DIRECTORY_ENTRY: usize = 16;

fn open(file: &[u8], scratch: usize) -> Opened<'_> {
    Archive::open_with(Memory::holding(file), decoder(), vec![0; scratch], Crc32Slicing).expect("a sound file")
}

fn open_unchecked(file: &[u8]) -> Opened<'_> {
    Archive::open_unchecked_with(Memory::holding(file), decoder(), vec![0; 64], Crc32Slicing).expect("a header")
}

fn header(good: &Good, bytes: &[u8]) -> Header {
    let fields = &good.header;
    let stream = fields.streamed.as_ref().unwrap();
    assert_eq!((&*fields.format, fields.header_size), ("V2.0", 64));
    Header {
        format: Format::V2_0,
        file_len: 0,
        crc: u32::from_le_bytes(bytes[60..64].try_into().unwrap()),
        writer: Some(WriterVersion {
            major: fields.ver_major.unwrap(),
            minor: fields.ver_minor.unwrap(),
            build: fields.ver_build.unwrap(),
            revision: fields.svn_rev.unwrap(),
        }),
        host_bits: fields.host_bits,
        gc_phys_bytes: fields.gc_phys_bytes,
        gc_ptr_bytes: fields.gc_ptr_bytes,
        stream: Some(StreamFields {
            units: stream.units,
            is_checked: stream.flags & 1 != 0,
            is_live: stream.flags & 2 != 0,
            max_block: stream.max_block,
        }),
    }
}

#[test]
fn headers() {
    let mut live = 0;
    for good in good_streamed() {
        let bytes = good.bytes();
        let archive = open(&bytes, 4096);
        assert_eq!(*archive.header(), header(&good, &bytes), "{}", good.file);
        assert_eq!((archive.header().len(), archive.file_len()), (64, good.size));
        live += usize::from(archive.header().stream.unwrap().is_live);
    }
    assert_eq!(live, 1);
}

#[test]
fn units_and_their_places() {
    for good in good_streamed() {
        let bytes = good.bytes();
        let mut archive = open(&bytes, 4096);
        let mut end = 64;
        let mut found = archive.units();
        for unit in &good.units {
            let mut found = found.next_unit().unwrap().unwrap_or_else(|| panic!("{}: no {}", good.file, unit.name));
            let context = format!("{}: {}/{} of pass {:?}", good.file, unit.name, unit.instance, unit.live_pass());
            assert_eq!(found.name(), unit.name.as_bytes());
            assert_eq!((found.instance(), found.version()), (unit.instance, unit.version), "{context}");
            assert_eq!((found.offset(), found.record_len()), (unit.offset, unit.length), "{context}");
            assert_eq!(found.packed_len(), unit.offset + unit.length - unit.data_offset, "{context}");
            assert_eq!(found.pass(), unit.live_pass(), "{context}");
            let count = |kind| unit.records.get(kind).copied().unwrap_or(0);
            let (raw, lzf, zero) = (count("RAW"), count("LZF"), count("ZERO"));
            let counts = RecordCounts { raw, lzf, zero, plain: unit.payload_length, is_optional: false };
            assert_eq!(found.records(), Some(counts), "{context}");
            assert_eq!(
                (count("TERM"), unit.records.values().sum::<u64>()),
                (1, counts.raw + counts.lzf + counts.zero + 1)
            );
            let codec = match counts {
                RecordCounts { lzf: 1.., .. } => Some(tag::LZF),
                RecordCounts { raw: 0, zero: 0, .. } => None,
                _ => Some(tag::STORE),
            };
            assert_eq!(found.codec().unwrap(), codec, "{context}");
            assert_eq!(found.plain_len().unwrap(), unit.payload_length, "{context}");
            end = unit.offset + unit.length;
        }
        assert!(found.next_unit().unwrap().is_none());
        assert_eq!(end, good.header.end_offset);
        let mut reached = 0;
        archive.verify(&mut |offset| reached = offset).unwrap();
        assert!(good.units.is_empty() || reached == end);
    }
}

/// The place of each unit by name and instance, as the directory should have it: the last.
fn last_places(good: &Good) -> BTreeMap<(&str, u32), u64> {
    good.units.iter().map(|unit| ((&*unit.name, unit.instance), unit.offset)).collect()
}

#[test]
fn directories() {
    for good in good_streamed() {
        let bytes = good.bytes();
        let stream = good.header.streamed.as_ref().unwrap();
        let entries = stream.directory.iter();
        let mut archive = open(&bytes, 64);
        for ((name, instance), offset) in last_places(&good) {
            let sought = archive.seek(UnitId::new(name, instance));
            if name == "SSMLiveControl" {
                assert_eq!(sought.err(), Some(LoadError::NotFound));
                continue;
            }
            let name_crc = Crc32Slicing.update(0, name.as_bytes());
            let listed = entries
                .clone()
                .any(|entry| (entry.offset, entry.instance, entry.name_crc) == (offset, instance, name_crc));
            assert!(listed, "{}: {name}/{instance}", good.file);
            assert_eq!(sought.unwrap().offset(), offset, "{}: {name}/{instance}", good.file);
        }
        let listed = last_places(&good).keys().filter(|(name, _)| *name != "SSMLiveControl").count();
        assert_eq!(entries.count(), listed, "{}", good.file);
        assert_eq!(stream.footer_offset - stream.directory_offset, (16 + DIRECTORY_ENTRY * listed) as u64);
        assert_eq!(stream.footer_offset + 32, good.size);
        assert_eq!(archive.seek(UnitId::new("nobody", 0)).err(), Some(LoadError::NotFound));
    }
}

#[test]
fn units_are_found_by_walking_where_the_directory_is_damaged() {
    for good in good_streamed().iter().filter(|good| good.units.len() < 20 && good.size < 200_000) {
        let stream = good.header.streamed.as_ref().unwrap();
        let (directory, footer) = (stream.directory_offset as usize, stream.footer_offset as usize);
        for at in (directory..directory + 16).chain(directory + 16..footer).chain(footer..footer + 32) {
            let mut bytes = good.bytes();
            bytes[at] ^= 0x10;
            let mut archive = open_unchecked(&bytes);
            for ((name, instance), offset) in last_places(good) {
                // Walking finds the first of the final pass.
                let id = (name, instance, None);
                let first = good.units.iter().find(|unit| (&*unit.name, unit.instance, unit.live_pass()) == id);
                let expected = first.map_or(offset, |unit| unit.offset);
                let found = archive.seek(UnitId::new(name, instance)).map(|unit| unit.offset());
                assert_eq!(found, Ok(expected), "{}: {name}/{instance}, byte {at}", good.file);
            }
            assert_eq!(archive.seek(UnitId::new("nobody", 0)).err(), Some(LoadError::NotFound));
        }
    }
}

#[test]
fn each_pass_of_a_live_save_is_found() {
    let good = good_file("v20-live.sav");
    let bytes = good.bytes();
    let mut archive = open(&bytes, 64);
    let mut found = 0;
    for unit in &good.units {
        if let Some(pass) = unit.live_pass() {
            let it = archive.find_in_pass(unit.name.as_bytes(), unit.instance, pass).unwrap();
            assert_eq!((it.offset(), it.pass()), (unit.offset, Some(pass)));
            found += 1;
        }
    }
    assert_eq!(found, 7);
    for (name, instance, pass) in [("liveram", 0, 3), ("live-once", 5, 1), ("live-once", 0, 0), ("plain", 0, 0)] {
        let sought = archive.find_in_pass(name.as_bytes(), instance, pass);
        assert_eq!(sought.err(), Some(LoadError::NotFound), "{name}/{instance} in pass {pass}");
    }
}

#[test]
fn loads_through_all_loaders_and_any_scratch() {
    for good in good_streamed() {
        let bytes = good.bytes();
        let expected = header(&good, &bytes);
        let count = Machine::of(&good).entries().len();
        let order: Vec<usize> = (0..count).rev().collect();
        // Three bytes more for every eight units beyond 64.
        let marks = 3 * count.div_ceil(8).saturating_sub(8);
        let is_large = good.size > 200_000 || good.payload_len() > 500_000;
        let scratches: &[usize] = if is_large { &[4096, 65536] } else { &[1, 2, 7, 64, 4096, 65536] };
        for scratch in scratches {
            for loader in ["new", "verified", "streaming"] {
                let mut machine = Machine::of(&good);
                let mut entries = machine.entries();
                entries.reverse();
                let mut scratch = vec![0xaa; scratch + marks];
                let context = format!("{}: {loader}, scratch {}", good.file, scratch.len());
                let disk = Disk::holding(&*bytes);
                let (into, units) = (&mut machine, &Units::new(&entries));
                let loaded = match loader {
                    "new" => Loader::unverified(disk, decoder(), &mut scratch).crc32(Crc32Slicing).load(into, units),
                    "verified" => Loader::new(disk, decoder(), &mut scratch).crc32(Crc32Slicing).load(into, units),
                    _ => {
                        Loader::streaming(ReadOnly(disk), decoder(), &mut scratch).crc32(Crc32Slicing).load(into, units)
                    }
                };
                assert_eq!(loaded, Ok(expected), "{context}");
                assert_eq!(machine.calls, machine.calls_of_a_load(&good, &order), "{context}");
            }
        }
    }
}

#[test]
fn the_passes_of_a_live_save_come_in_order() {
    let good = good_file("v20-live.sav");
    let machine = Machine::of(&good);
    let names =
        ["liveram", "live-once", "plain"].map(|name| machine.position(name, if name == "live-once" { 5 } else { 0 }));
    let [Some(ram), Some(once), Some(plain)] = names else { panic!("{names:?}") };
    use ssm_tests::golden::Call::{Load, LoadPass};
    let loads = [LoadPass(ram, 2, 0), LoadPass(once, 1, 0), LoadPass(ram, 2, 1), LoadPass(ram, 2, 2)];
    let last = [Load(plain, 1), Load(ram, 2), Load(once, 1)];
    assert_eq!(machine.calls_of_a_load(&good, &[]), [&loads[..], &last].concat());
}

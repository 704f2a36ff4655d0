//! Every file that the original programs wrote is read as its manifest says: header, units, payloads, each value by its
//! type, through an archive, through a loader, and again after conversions.

use ssm_core::{
    Archive, Crc32Slicing, Format, Header, Loader, MAX_NAME, Memory, Policy, Report, Units, Unknown, Writer,
    WriterVersion, tag,
};
use ssm_std::{Codec, Decoder, decoder};
use ssm_tests::golden::{Good, Items, Machine, Reading, good, good_patched, read_items, sha256};

type Opened<'f> = Archive<Memory<&'f [u8]>, Decoder, Vec<u8>, Crc32Slicing>;

fn open(file: &[u8], scratch: usize) -> Opened<'_> {
    Archive::open_with(Memory::holding(file), decoder(), vec![0; scratch], Crc32Slicing).expect("a sound file")
}

/// Name, instance, version, plain bytes; `None` for a unit that put nothing, not even nothing.
type Plain = (Vec<u8>, u32, u32, Option<Vec<u8>>);

fn plain_units(archive: &mut Opened<'_>) -> Vec<Plain> {
    let mut all = Vec::new();
    let mut units = archive.units();
    while let Some(mut unit) = units.next_unit().unwrap() {
        let mut plain = Vec::new();
        let read = unit.read(|get| {
            let mut piece = [0; 5000];
            loop {
                let n = get.read(&mut piece)?;
                plain.extend(&piece[..n]);
                if n < piece.len() {
                    return Ok(());
                }
            }
        });
        read.unwrap_or_else(|error| panic!("{error}"));
        let put = unit.codec().unwrap().is_some();
        all.push((unit.name().to_vec(), unit.instance(), unit.version(), put.then_some(plain)));
    }
    all
}

fn assert_payloads(found: &[Plain], good: &Good) {
    assert_eq!(found.len(), good.units.len(), "{}", good.file);
    for ((name, instance, version, plain), unit) in found.iter().zip(&good.units) {
        let plain = plain.as_deref().unwrap_or(&[]);
        assert_eq!((&name[..], *instance, *version), (unit.name.as_bytes(), unit.instance, unit.version));
        assert_eq!(
            (plain.len() as u64, sha256(plain)),
            (unit.payload_length, unit.payload_sha256.clone()),
            "{}: {}/{instance}",
            good.file,
            unit.name
        );
    }
}

#[test]
fn headers() {
    for good in good_patched() {
        let bytes = good.bytes();
        let archive = open(&bytes, 4096);
        let (header, fields) = (archive.header(), &good.header);
        let patched = fields.patched.as_ref().unwrap();
        let format = match &*fields.format {
            "V1.0" => Format::V1_0,
            "V1.1" => Format::V1_1,
            "V1.2" => Format::V1_2,
            other => panic!("format {other}"),
        };
        let writer = fields.ver_major.map(|major| WriterVersion {
            major,
            minor: fields.ver_minor.unwrap(),
            build: fields.ver_build.unwrap(),
            revision: fields.svn_rev.unwrap(),
        });
        // What the manifest leaves out because no field holds it: 1.0 has addresses of 4 bytes and tells the host's
        // width by the header's size (Q4).
        let (host_bits, addresses) = match (format, fields.header_size) {
            (Format::V1_0, 60) => (Some(32), Some(4)),
            (Format::V1_0, _) => (Some(64), Some(4)),
            _ => (None, None),
        };
        let expected = Header {
            format,
            file_len: patched.file_len,
            crc: patched.crc,
            writer,
            host_bits: fields.host_bits.or(host_bits),
            gc_phys_bytes: fields.gc_phys_bytes.or(addresses),
            gc_ptr_bytes: fields.gc_ptr_bytes.or(addresses),
            stream: None,
        };
        assert_eq!(*header, expected, "{}", good.file);
        assert_eq!(writer.is_some(), format == Format::V1_2);
        assert_eq!((header.len(), header.crc_len()), (fields.header_size, patched.crc_len), "{}", good.file);
        assert_eq!(header.uncovered_from(), patched.crc_start + patched.crc_len);
        assert_eq!(archive.file_len(), good.size);
    }
}

#[test]
fn units_and_their_places() {
    for good in good_patched() {
        let bytes = good.bytes();
        let mut archive = open(&bytes, 4096);
        let mut end = archive.header().len();
        let mut found = archive.units();
        for unit in &good.units {
            let mut found = found.next_unit().unwrap().unwrap_or_else(|| panic!("{}: no {}", good.file, unit.name));
            assert_eq!(found.name(), unit.name.as_bytes());
            assert_eq!((found.instance(), found.version()), (unit.instance, unit.version));
            assert_eq!((found.offset(), found.record_len()), (unit.offset, unit.length));
            assert_eq!(found.packed_len(), unit.offset + unit.length - unit.data_offset);
            assert_eq!((found.pass(), found.records()), (None, None));
            let codec = match unit.zip.as_deref() {
                Some("STORE") => Some(tag::STORE),
                Some("ZLIB") => Some(tag::ZLIB),
                Some("LZF") => Some(tag::LZF),
                None => None,
                Some(other) => panic!("codec {other}"),
            };
            assert_eq!(found.codec().unwrap(), codec, "{}: {}", good.file, unit.name);
            assert_eq!(found.plain_len().unwrap(), unit.payload_length, "{}: {}", good.file, unit.name);
            end = unit.offset + unit.length;
        }
        assert!(found.next_unit().unwrap().is_none());
        assert_eq!(end, good.header.end_offset);
        let mut reached = 0;
        archive.verify(&mut |offset| reached = offset).unwrap();
        assert!(good.units.is_empty() || reached == end);
    }
}

#[test]
fn payloads() {
    for good in good() {
        let bytes = good.bytes();
        assert_payloads(&plain_units(&mut open(&bytes, 256 << 10)), &good);
    }
}

#[test]
fn payloads_through_tiny_scratch() {
    let mut files = 0;
    for good in good().iter().filter(|good| good.payload_len() < 100_000) {
        let bytes = good.bytes();
        for scratch in [1, 2, 7, 100] {
            assert_payloads(&plain_units(&mut open(&bytes, scratch)), good);
        }
        files += 1;
    }
    assert!(files > 30);
}

#[test]
fn items_by_type_and_value() {
    for good in good() {
        let bytes = good.bytes();
        let mut archive = open(&bytes, 4096);
        let mut units = archive.units();
        for expected in &good.units {
            let mut unit = units.next_unit().unwrap().unwrap();
            let Items::List(items) = &expected.items else { continue };
            let read = unit.read(|get| {
                if let Some(bytes) = good.gc_ptr_bytes_to_set() {
                    get.set_gc_ptr_bytes(bytes)?;
                }
                read_items(get, items, Reading::Exact)?;
                assert_eq!(get.offset(), expected.payload_length);
                assert!(matches!(get.left(), None | Some(0)));
                let is_stored = matches!(expected.zip.as_deref(), None | Some("STORE"));
                assert!(
                    good.header.streamed.is_some() || get.left().is_some() == is_stored,
                    "{}: {expected:?}",
                    good.file
                );
                Ok(())
            });
            read.unwrap_or_else(|error| panic!("{}: {error}", good.file));
        }
    }
}

#[test]
fn notes_of_the_built_in_unit() {
    for good in good() {
        let bytes = good.bytes();
        let mut notes = Vec::new();
        open(&bytes, 64).notes(&mut [0; 1151], &mut |name, value| notes.push((name.to_vec(), value.to_vec()))).unwrap();
        let expected: &[(&[u8], &[u8])] = match (good.units.is_empty(), good.header.streamed.is_some()) {
            (true, _) => &[],
            (false, false) => &[(b"OSE", b"true")],
            (false, true) => &[(b"Build Type", b"release"), (b"Host OS", b"linux.amd64"), (b"OSE", b"true")],
        };
        assert!(
            notes.iter().map(|(name, value)| (&name[..], &value[..])).eq(expected.iter().copied()),
            "{}",
            good.file
        );
        assert!(good.units.first().is_none_or(|unit| unit.name == "SSM" && matches!(unit.items, Items::Notes(_))));
    }
}

#[test]
fn loads() {
    for good in good() {
        let bytes = good.bytes();
        let mut machine = Machine::of(&good);
        // Registered the other way round, so that an order by registry would show.
        let mut entries = machine.entries();
        entries.reverse();
        let mut skipped = Vec::new();
        let mut report = |what| match what {
            Report::Skipped(unit) => skipped.push((unit.offset, unit.name().to_vec())),
            other => panic!("{other:?}"),
        };
        let mut scratch = vec![0; 4096];
        let header = Loader::new(Memory::holding(&bytes[..]), decoder(), &mut scratch)
            .policy(Policy { unknown: Unknown::Skip, ..Policy::default() })
            .report(&mut report)
            .load(&mut machine, &Units::new(&entries))
            .unwrap_or_else(|error| panic!("{}: {error}", good.file));
        assert_eq!(header, *open(&bytes, 64).header());

        let count = entries.len();
        let order: Vec<usize> = (0..count).rev().collect();
        assert_eq!(machine.calls, machine.calls_of_a_load(&good, &order), "{}", good.file);

        let too_long = good.units.iter().filter(|unit| unit.name.len() > MAX_NAME);
        let too_long: Vec<_> = too_long.map(|unit| (unit.offset, unit.name.as_bytes()[..MAX_NAME].to_vec())).collect();
        assert_eq!(skipped, too_long);
        assert_eq!(!skipped.is_empty(), good.file == "v12-longname.sav");
    }
}

fn convert(file: &[u8], codec: Codec) -> Vec<u8> {
    let mut source = open(file, 64 << 10);
    let units = plain_units(&mut source);
    let room = units.iter().map(|unit| unit.3.as_ref().map_or(0, Vec::len) * 9 / 8 + unit.0.len() + 100).sum::<usize>();
    let mut medium = Memory::new(vec![0; room + 200]);
    let mut scratch = vec![0; 64 << 10];
    let mut writer = Writer::new(&mut medium, codec.encoder(), Crc32Slicing, source.header(), &mut scratch).unwrap();
    for (name, instance, version, plain) in &units {
        let put = &mut |put: &mut ssm_core::Put<'_>| plain.as_ref().map_or(Ok(()), |plain| put.bytes(plain));
        writer.unit(name, *instance, *version, put).unwrap();
    }
    let len = writer.finish().unwrap();
    assert_eq!(len, medium.bytes().len() as u64);
    medium.bytes().to_vec()
}

#[test]
fn conversions_keep_everything() {
    for good in good_patched() {
        let original = good.bytes();
        let mut archive = open(&original, 4096);
        let before = *archive.header();
        let units = plain_units(&mut archive);
        let mut file = original.clone();
        let mut stored = Vec::new();
        for codec in [Codec::Store, Codec::Lzf, Codec::Zlib, Codec::Store] {
            file = convert(&file, codec);
            let mut archive = open(&file, 64 << 10);
            archive.verify(&mut |_| ()).unwrap();
            assert!(plain_units(&mut archive) == units, "{}: {codec}", good.file);
            let after = *archive.header();
            assert_eq!(after.format, Format::V1_2);
            assert_eq!(after.writer, before.writer.or(Some(WriterVersion::UNSPECIFIED)));
            assert_eq!(after.host_bits, before.host_bits.or(Some(64)));
            assert_eq!(after.gc_phys_bytes, before.gc_phys_bytes.or(Some(8)));
            assert_eq!(after.gc_ptr_bytes, before.gc_ptr_bytes.or(Some(8)));
            let mut units = archive.units();
            while let Some(mut unit) = units.next_unit().unwrap() {
                let tag = unit.codec().unwrap();
                assert!(tag.is_none_or(|tag| Codec::of_tag(tag) == Some(codec)));
            }
            if codec == Codec::Store && stored.is_empty() {
                stored = file.clone();
            }
        }
        assert!(file == stored, "{}: stored again, not the same bytes", good.file);
        assert_payloads(&units, &good);
    }
}

//! Files of 2.0 that this project writes, taken apart by the independent decoder: every checksum, offset and count, and the
//! rules that writers keep beyond what readers ask for. The original's files prove the decoder itself.

use ssm_core::{
    Crc32Slicing, Entry, Get, Header, Put, Saver, StreamFields, StreamedUnit, Unit, UnitError, Units, Vote, Writer,
    WriterVersion,
};
use ssm_tests::golden::{good_streamed, sha256};
use ssm_tests::independent::{Record, Unit as Decoded, decode};
use ssm_tests::machine::{Machine, Packing, UNITS};
use ssm_tests::media::{Disk, OneWay};
use ssm_tests::pieces::plain;

const BLOCKS: [usize; 9] = [1, 17, 100, 981, 2100, 4200, 6400, 8300, 256 << 10];

#[test]
fn the_originals_files() {
    for good in good_streamed() {
        // Quadratic in the number of units, as it takes every CRC from the start.
        if good.size > 200_000 && good.units.len() > 10 {
            continue;
        }
        let file = decode(&good.bytes());
        let stream = good.header.streamed.as_ref().unwrap();
        assert_eq!(file.flags, (stream.flags & 1 == 1, stream.flags & 2 == 2), "{}", good.file);
        assert_eq!((file.claimed_units, file.max_block), (stream.units, stream.max_block));
        assert_eq!(file.writer.3, good.header.svn_rev.unwrap());
        let entries = stream.directory.iter().map(|entry| (entry.offset, entry.instance, entry.name_crc));
        assert!(file.directory.into_iter().eq(entries), "{}", good.file);
        assert_eq!(file.units.len(), good.units.len());
        for (found, unit) in file.units.iter().zip(&good.units) {
            assert_eq!((found.offset, &found.name[..]), (unit.offset, unit.name.as_bytes()));
            assert_eq!((found.instance, found.version, found.pass), (unit.instance, unit.version, unit.live_pass()));
            assert_eq!(
                (found.plain.len() as u64, sha256(&found.plain)),
                (unit.payload_length, unit.payload_sha256.clone())
            );
            for (kind, name) in [(2, "RAW"), (3, "LZF"), (4, "ZERO")] {
                let count = found.records.iter().filter(|record| record.kind == kind).count() as u64;
                assert_eq!(count, unit.records.get(name).copied().unwrap_or(0));
            }
            assert!(found.is_checked && found.records.iter().all(|record| record.important));
        }
    }
}

#[test]
#[should_panic(expected = "terminator CRC")]
fn the_decoder_sees_a_wrong_checksum() {
    let bad = ssm_tests::golden::bad_streamed().into_iter().find(|bad| bad.file == "v20-term-crc.sav").unwrap();
    decode(&bad.bytes());
}

/// What our writers keep to beyond the rules of readers.
fn assert_tidy(unit: &Decoded, max_block: usize, optional: bool) {
    assert!(unit.is_checked);
    for record in &unit.records {
        let Record { kind, important, size_bytes, plain, stored } = *record;
        assert_eq!(important, !optional, "{record:?}");
        assert!(plain > 0 && plain <= 4096, "{record:?}");
        let shortest = if stored < 0x80 {
            1
        } else if stored < 0x800 {
            2
        } else {
            3
        };
        assert_eq!(size_bytes, shortest, "{record:?}");
        if kind == 3 {
            assert!(plain <= max_block, "{record:?}");
            // Worth it: an eighth or so is saved.
            assert!((stored - 1) * 16 <= plain * 15, "{record:?}");
        }
    }
}

fn plain_of(machine: &mut Machine) -> Vec<Vec<u8>> {
    // The same units in a file of 1.2, whose reader is another.
    let file = machine.save(ssm_core::Store, 4096);
    let mut archive = ssm_core::Archive::open(Disk::holding(file), ssm_core::Store, vec![0; 4096]).unwrap();
    let mut all = Vec::new();
    let mut units = archive.units();
    while let Some(mut unit) = units.next_unit().unwrap() {
        let mut plain = vec![0; unit.plain_len().unwrap() as usize];
        unit.read(|get| get.bytes(&mut plain)).unwrap();
        all.push(plain);
    }
    all
}

#[test]
fn saves_with_every_codec_and_any_block() {
    for bytes in [0, 1500, 60_000] {
        let mut machine = Machine::new(bytes, 1);
        let expected = plain_of(&mut machine);
        for packing in Packing::ALL {
            for block in BLOCKS {
                let mut disk = Disk::new();
                let mut scratch = vec![0xa5; 16 * (UNITS.len() + 1) + block];
                let len = Saver::streamed(OneWay(&mut disk), &mut *packing.encoder(), &mut scratch)
                    .crc32(Crc32Slicing)
                    .save(&mut machine, &UNITS)
                    .unwrap();
                assert_eq!(len, disk.bytes().len() as u64);
                let file = decode(disk.bytes());
                let context = format!("{packing:?}, {bytes} bytes, block {block}");
                assert_eq!((file.flags, file.claimed_units), ((true, false), UNITS.len() as u32 + 1));
                let names = file.units.iter().map(|unit| (&unit.name[..], unit.instance, unit.version, unit.pass));
                let saved: [(&[u8], u32, u32, Option<u32>); 5] = [
                    (b"SSM", 0, 1, None),
                    (b"cpu", 0, 1, None),
                    (b"memory", 0, 3, None),
                    (b"timer", 0, 1, None),
                    (b"timer", 1, 1, None),
                ];
                assert!(names.eq(saved), "{context}");
                for (unit, plain) in file.units.iter().zip(&expected) {
                    assert!(unit.plain == *plain, "{context}: {}", unit.name.escape_ascii());
                    assert_tidy(unit, file.max_block as usize, false);
                }
                let offsets: Vec<u64> = file.units.iter().map(|unit| unit.offset).collect();
                assert!(file.directory.iter().map(|entry| entry.0).eq(offsets), "the order of registration");
                let kinds = |kind| file.units[2].records.iter().filter(|record| record.kind == kind).count();
                // Large puts pass through whatever the scratch is.
                assert_eq!(kinds(4) > 0, bytes >= 60_000, "{context}");
                let packs = bytes >= 1500
                    && block >= 981
                    && matches!(packing, Packing::SmallLzf | Packing::Lzf | Packing::HostLzf);
                assert_eq!(kinds(3) > 0, packs, "{context}: {:?}", file.units[2].records);
                if packs {
                    let kib = (block / 1989).clamp(1, 4) as u32;
                    assert_eq!(file.max_block, 1024 * kib, "{context}");
                }
            }
        }
    }
}

/// Sends all of its bytes in pass 0, then less and less.
struct Shrinking {
    bytes: Vec<u8>,
    passes: u32,
}

impl Unit for Shrinking {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u64(self.bytes.len() as u64)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.skip_rest().map(drop)
    }

    fn live(&mut self, put: &mut Put<'_>, pass: u32) -> Result<(), UnitError> {
        put.bytes(&self.bytes[..self.bytes.len() >> pass])
    }

    fn live_vote(&mut self, pass: u32) -> Result<Vote, UnitError> {
        Ok(if pass + 1 < self.passes { Vote::Again } else { Vote::Leave })
    }
}

type Pair = [Shrinking; 3];
const PART: Entry<Pair> = Entry::new("part", |pair: &mut Pair, at| &mut pair[at as usize]).live();

#[test]
fn live_saves_and_optional_units() {
    let units = [
        PART,
        PART.instance(1).version(7).optional(),
        Entry::new("part", |pair: &mut Pair, _| &mut pair[2]).instance(2),
    ];
    let units = Units::new(&units);
    for packing in Packing::ALL {
        for block in BLOCKS {
            let bytes = |seed: u8| (0..9000u32).map(|at| if at < 4096 { 0 } else { (at / 9) as u8 ^ seed }).collect();
            let mut pair = [(0, 4), (1, 2), (2, 1)].map(|(seed, passes)| Shrinking { bytes: bytes(seed), passes });
            let mut disk = Disk::new();
            let mut scratch = vec![0; 16 * 4 + block];
            let mut codec = packing.encoder();
            let mut live =
                Saver::streamed(OneWay(&mut disk), &mut *codec, &mut scratch).live(&mut pair, &units).unwrap();
            let mut passes = 1;
            while live.pass(&mut pair, &units).unwrap() == Vote::Again {
                passes += 1;
            }
            assert_eq!((passes, live.passes()), (4, 4));
            assert_eq!(live.finish(&mut pair, &units), Ok(disk.bytes().len() as u64));
            let file = decode(disk.bytes());
            assert_eq!(file.flags, (true, true));
            let found: Vec<_> = file.units.iter().map(|unit| (unit.name[0], unit.instance, unit.pass)).collect();
            let expected = [
                (b'S', 0, Some(0)),
                (b'p', 0, Some(0)),
                (b'p', 1, Some(0)),
                (b'p', 0, Some(1)),
                (b'p', 1, Some(1)),
                (b'p', 0, Some(2)),
                (b'p', 0, Some(3)),
                (b'S', 0, None),
                (b'p', 0, None),
                (b'p', 1, None),
                (b'p', 2, None),
            ];
            assert_eq!(found, expected);
            for unit in &file.units {
                let optional = (&unit.name[..], unit.instance) == (b"part", 1);
                assert_tidy(unit, file.max_block as usize, optional);
                let Some(pass) = unit.pass.filter(|_| unit.name == b"part") else { continue };
                assert!(unit.plain == pair[unit.instance as usize].bytes[..9000 >> pass]);
            }
            // Every unit once, at its final place.
            let offsets = file.units[7..].iter().map(|unit| unit.offset);
            assert!(file.directory.iter().map(|entry| entry.0).eq(offsets));
        }
    }
}

/// Units of many sizes through a writer, whatever the header says.
#[test]
fn units_of_any_content() {
    use proptest::prelude::*;
    let fields = (any::<[u16; 2]>(), any::<[u32; 2]>(), prop::sample::select(vec![4u8, 8]), any::<bool>());
    let strategy =
        (prop::collection::vec((plain(), any::<u32>()), 0..5), fields, 0usize..9000, 0usize..Packing::ALL.len());
    proptest!(ProptestConfig::with_cases(96), |((contents, ([major, minor], [build, revision], width, is_live), block, packing) in strategy)| {
        let packing = Packing::ALL[packing];
        let writer = WriterVersion {
            major: major % 1000 + 1, minor: minor % 1001, build: build % 1_048_577, revision: revision % 10_000_000 + 1,
        };
        let stream = StreamFields { units: 0, is_checked: false, is_live, max_block: 1 };
        let header = Header { gc_ptr_bytes: Some(width), stream: Some(stream), ..Header::new().by(writer) };
        let mut disk = Disk::new();
        let mut scratch = vec![0; 16 * contents.len() + 1 + block];
        let mut codec = packing.encoder();
        let mut writer = Writer::streamed(&mut disk, &mut *codec, Crc32Slicing, &header, contents.len(), &mut scratch).unwrap();
        for (at, (plain, version)) in contents.iter().enumerate() {
            let how = StreamedUnit { pass: version.is_multiple_of(3).then_some(at as u32), optional: version.is_multiple_of(2) };
            let mut pieces = plain.chunks(1 + *version as usize % 700);
            writer.unit(b"unit", at as u32, *version, how, &mut |put| pieces.try_for_each(|piece| put.bytes(piece))).unwrap();
        }
        writer.finish().unwrap();
        let file = decode(disk.bytes());
        let WriterVersion { major, minor, build, revision } = header.writer.unwrap();
        prop_assert_eq!(file.writer, (major, minor, build, revision));
        prop_assert_eq!((file.flags, file.widths), ((true, is_live), [64, 8, width]));
        prop_assert_eq!(file.units.len(), contents.len());
        for (at, (unit, (plain, version))) in file.units.iter().zip(&contents).enumerate() {
            prop_assert_eq!((unit.instance, unit.version), (at as u32, *version));
            prop_assert_eq!(unit.pass, version.is_multiple_of(3).then_some(at as u32));
            prop_assert!(unit.plain == *plain);
            assert_tidy(unit, file.max_block as usize, version.is_multiple_of(2));
        }
    });
}

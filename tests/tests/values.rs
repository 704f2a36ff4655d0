//! Values: any sequence of any types comes back as it was put, through every codec and any scratch.

use proptest::prelude::*;
use ssm_core::{Archive, Crc32Bytewise, GcPhys, GcPtr, Get, Header, Put, StreamedUnit, UnitError, UnitId, Writer};
use ssm_tests::independent::decode;
use ssm_tests::machine::Packing;
use ssm_tests::media::{Disk, OneWay, Short};
use ssm_tests::pieces::{Sizes, plain, sizes};
use ssm_tests::values::{Inner, Record, Value};

const SCRATCHES: [usize; 4] = [1, 7, 64, 4096];

/// Guest addresses of 32 bits, which fit any width.
fn record() -> impl Strategy<Value = Value> {
    let inner = (any::<u16>(), any::<i128>(), any::<bool>());
    (inner, any::<[u8; 5]>(), any::<[u32; 3]>(), any::<[[i16; 2]; 2]>(), any::<u32>(), any::<u32>()).prop_map(
        |((port, wide, on), bytes, words, grid, address, pointer)| {
            let inner = Inner { port, wide, on };
            let (address, pointer) = (GcPhys(address.into()), GcPtr(pointer.into()));
            Value::Record(Box::new(Record { inner, bytes, words, grid, address, pointer }))
        },
    )
}

fn value() -> impl Strategy<Value = Value> {
    let bytes = || prop_oneof![4 => prop::collection::vec(any::<u8>(), 0..40), 1 => prop::collection::vec(any::<u8>(), 0..3000)];
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<u8>().prop_map(Value::U8),
        any::<u16>().prop_map(Value::U16),
        any::<u32>().prop_map(Value::U32),
        any::<u64>().prop_map(Value::U64),
        any::<u128>().prop_map(Value::U128),
        any::<i8>().prop_map(Value::I8),
        any::<i16>().prop_map(Value::I16),
        any::<i32>().prop_map(Value::I32),
        any::<i64>().prop_map(Value::I64),
        any::<i128>().prop_map(Value::I128),
        bytes().prop_map(Value::Bytes),
        ".{0,40}".prop_map(Value::Str),
        bytes().prop_map(Value::String),
        prop::collection::vec(any::<u16>(), 0..20).prop_map(Value::Words),
        record(),
        any::<u32>().prop_map(|address| Value::GcPhys(address.into())),
        any::<u32>().prop_map(|pointer| Value::GcPtr(pointer.into())),
        any::<u32>().prop_map(Value::GcPhys32),
        any::<u64>().prop_map(Value::GcPhys64),
        any::<u32>().prop_map(Value::RcPtr),
        any::<u16>().prop_map(Value::IoPort),
        any::<u16>().prop_map(Value::Selector),
    ]
}

fn header(phys: u8, ptr: u8) -> Header {
    Header { gc_phys_bytes: Some(phys), gc_ptr_bytes: Some(ptr), ..Header::new() }
}

fn written(packing: Packing, scratch: usize, header: &Header, values: &[Value]) -> Vec<u8> {
    let mut disk = Disk::new();
    let mut scratch = vec![0; scratch];
    let mut codec = packing.encoder();
    let mut writer = Writer::new(&mut disk, &mut *codec, Crc32Bytewise, header, &mut scratch).unwrap();
    let widths = (header.gc_phys_bytes.unwrap(), header.gc_ptr_bytes.unwrap());
    let save = &mut |put: &mut Put<'_>| {
        let mut offset = 0;
        for value in values {
            assert_eq!(put.offset(), offset);
            value.put(put)?;
            offset += value.len(widths.0, widths.1);
        }
        assert_eq!((put.offset(), put.status()), (offset, Ok(())));
        Ok(())
    };
    writer.unit(b"values", 0, 1, save).unwrap();
    writer.finish().unwrap();
    disk.into_bytes()
}

fn reading<T>(
    file: &[u8],
    scratch: usize,
    read: impl FnOnce(&mut Get<'_>) -> Result<T, UnitError>,
) -> Result<T, ssm_core::LoadError<ssm_tests::media::Broken>> {
    let medium = Short::random(Disk::holding(file), 900, file.len() as u64);
    let mut archive = Archive::open(medium, ssm_std::decoder(), vec![0; scratch])?;
    archive.seek(UnitId::new("values", 0))?.read(read)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_values_come_back(
        values in prop::collection::vec((value(), 0u8..6), 0..25),
        phys in prop::sample::select(vec![4u8, 8]),
        ptr in prop::sample::select(vec![4u8, 8]),
    ) {
        let (values, ways): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        let header = header(phys, ptr);
        let total: u64 = values.iter().map(|value| value.len(phys, ptr)).sum();
        for packing in Packing::ALL {
            for scratch in SCRATCHES {
                let file = written(packing, scratch, &header, &values);
                for scratch in SCRATCHES {
                    reading(&file, scratch, |get| {
                        assert_eq!((get.gc_phys_bytes(), get.gc_ptr_bytes()), (phys, ptr));
                        let mut offset = 0;
                        for (value, way) in values.iter().zip(&ways) {
                            let len = value.len(phys, ptr);
                            match way {
                                0 => get.skip(len)?,
                                1 => {
                                    let mut bytes = vec![0; len as usize];
                                    assert_eq!(get.read(&mut bytes)?, len as usize);
                                }
                                _ => assert_eq!(&value.got(get)?, value),
                            }
                            offset += len;
                            assert_eq!(get.offset(), offset);
                            if packing == Packing::Store {
                                // Before the first read of more than nothing the codec is not known.
                                assert!(get.left() == Some(total - offset) || offset == 0);
                            }
                        }
                        assert_eq!(get.skip_rest()?, 0);
                        assert_eq!(get.read(&mut [0; 3])?, 0);
                        Ok(())
                    })
                    .unwrap();
                    let half = total / 2;
                    let rest = reading(&file, scratch, |get| {
                        get.skip(half)?;
                        let mut bytes = vec![0; total as usize + 5];
                        let read = get.read(&mut bytes)? as u64;
                        assert_eq!((read, get.offset(), get.left().unwrap_or(0)), (total - half, total, 0));
                        Ok(read + get.skip_rest()?)
                    });
                    prop_assert_eq!(rest.unwrap(), total - half);
                    prop_assert_eq!(reading(&file, scratch, |get| get.skip_rest()).unwrap(), total);
                    let past = reading(&file, scratch, |get| get.skip(total + 1));
                    prop_assert_eq!(past.unwrap_err().kind(), "unit-end");
                }
            }
        }
    }
}

#[test]
fn the_bytes_of_a_small_file() {
    let values = [
        Value::Bool(true),
        Value::U16(0x1234),
        Value::I32(-2),
        Value::Str("ab".into()),
        Value::GcPhys(0x89ab_cdef),
        Value::GcPtr(0x1020_3040),
        Value::U128(1 << 120),
        Value::IoPort(0x3f8),
    ];
    let record = Value::Record(Box::new(Record { bytes: *b"bytes", words: [1, 2, 3], ..Record::default() }));
    let version = ssm_core::WriterVersion { major: 2, minor: 1, build: 4, revision: 0x010203 };
    let file = written(Packing::Store, 64, &header(8, 4).by(version), &[&values[..], &[record]].concat());
    let expected = [
        &b"\x7fVirtualBox SavedState V1.2\n\0\0\0\0"[..],
        &[0xfb, 0, 0, 0, 0, 0, 0, 0],
        &file[40..44], // the checksum, computed below
        &[0; 4],
        &[0; 16],
        &[2, 0, 1, 0, 4, 0, 0, 0, 0x03, 0x02, 0x01, 0x00, 64, 8, 4, 0],
        b"\nUnit\n\0\0",
        &[0x8f, 0, 0, 0, 0, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0],
        b"values\0",
        &[2],
        &[1],
        &[0x34, 0x12],
        &[0xfe, 0xff, 0xff, 0xff],
        b"\x02\0\0\0ab",
        &[0xef, 0xcd, 0xab, 0x89, 0, 0, 0, 0],
        &[0x40, 0x30, 0x20, 0x10],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        &[0xf8, 0x03],
        &[0x02, 0x01, 0x20, 0x19],
        &[0; 2 + 16 + 1],
        b"bytes",
        &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0],
        &[0; 8],
        &[0; 8],
        &[0; 4],
        &[0x06, 0x04, 0x92, 0x19],
        b"\nTheEnd\0",
        &[28, 0, 0, 0, 0, 0, 0, 0],
        &[0; 12],
    ]
    .concat();
    assert_eq!(file, expected);
    // The checksum starts at 44 and runs for the length of the file less that of the header.
    let covered = &file[44..44 + file.len() - 80];
    let crc = !covered.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ ((crc & 1).wrapping_neg() & 0xedb8_8320))
    });
    assert_eq!(file[40..44], crc.to_le_bytes());
}

#[test]
fn a_unit_that_puts_nothing_and_one_that_puts_no_bytes() {
    for packing in Packing::ALL {
        let tag = packing.encoder().tag();
        for (values, lens) in [(&[][..], 0..=0), (&[Value::Bytes(vec![])], if tag == 3 { 2..=20 } else { 1..=1 })] {
            let file = written(packing, 64, &Header::new(), values);
            let mut archive = Archive::open(Disk::holding(file), ssm_std::decoder(), [0; 64]).unwrap();
            let mut unit = archive.seek(UnitId::new("values", 0)).unwrap();
            assert!(lens.contains(&unit.packed_len()), "{packing:?}");
            assert_eq!(unit.codec(), Ok((!values.is_empty()).then_some(tag)));
            assert_eq!(unit.plain_len(), Ok(0));
        }
    }
}

#[test]
fn truth_is_any_byte_but_zero() {
    let bytes: Vec<u8> = (0..=255).collect();
    let file = written(Packing::Store, 64, &Header::new(), &[Value::Bytes(bytes)]);
    let truths = reading(&file, 64, |get| (0..256).map(|_| get.bool()).collect::<Result<Vec<_>, _>>()).unwrap();
    assert_eq!(truths.iter().position(|truth| *truth), Some(1));
    assert_eq!(truths.iter().filter(|truth| !**truth).count(), 1);
}

/// The file of 2.0 with one unit, which puts pieces of these sizes.
fn streamed(packing: Packing, block: usize, plain: &[u8], sizes: &Sizes) -> Vec<u8> {
    let mut disk = Disk::new();
    let mut scratch = vec![0xa5; 16 + block];
    let mut codec = packing.encoder();
    let medium = OneWay(&mut disk);
    let mut writer = Writer::streamed(medium, &mut *codec, Crc32Bytewise, &Header::new(), 1, &mut scratch).unwrap();
    writer.unit(b"values", 0, 1, StreamedUnit::default(), &mut |put| put_in_pieces(put, plain, sizes)).unwrap();
    writer.finish().unwrap();
    disk.into_bytes()
}

fn patched(packing: Packing, scratch: usize, plain: &[u8], sizes: &Sizes) -> Vec<u8> {
    let mut disk = Disk::new();
    let mut scratch = vec![0xa5; scratch];
    let mut codec = packing.encoder();
    let mut writer = Writer::new(&mut disk, &mut *codec, Crc32Bytewise, &Header::new(), &mut scratch).unwrap();
    writer.unit(b"values", 0, 1, &mut |put| put_in_pieces(put, plain, sizes)).unwrap();
    writer.finish().unwrap();
    disk.into_bytes()
}

fn put_in_pieces(put: &mut Put<'_>, mut plain: &[u8], sizes: &Sizes) -> Result<(), UnitError> {
    for size in sizes.iter() {
        let (piece, rest) = plain.split_at(size.min(plain.len()));
        put.bytes(piece)?;
        plain = rest;
        if plain.is_empty() {
            break;
        }
    }
    Ok(())
}

/// Gets everything in pieces of these sizes.
fn got_in_pieces(file: &[u8], scratch: usize, sizes: &Sizes) -> Vec<u8> {
    let mut plain = Vec::new();
    reading(file, scratch, |get| {
        for size in sizes.iter() {
            let mut piece = vec![0xee; size];
            let read = get.read(&mut piece)?;
            plain.extend(&piece[..read]);
            assert_eq!(get.offset(), plain.len() as u64);
            if read < size {
                break;
            }
        }
        Ok(())
    })
    .unwrap();
    plain
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn puts_in_any_pieces_give_the_same_plain_bytes_in_both_formats(
        plain in plain(),
        puts in sizes(),
        gets in sizes(),
        block in prop_oneof![1usize..40, 900usize..2200, 3900usize..4300, 7900usize..9000],
    ) {
        for packing in Packing::ALL {
            let stream = streamed(packing, block, &plain, &puts);
            prop_assert!(decode(&stream).units[0].plain == plain, "{:?}, {} bytes", packing, block);
            let older = patched(packing, block, &plain, &puts);
            for file in [stream, older] {
                for scratch in [1, 64, 4096] {
                    prop_assert!(got_in_pieces(&file, scratch, &gets) == plain, "{:?}, {} bytes", packing, scratch);
                }
            }
        }
    }
}

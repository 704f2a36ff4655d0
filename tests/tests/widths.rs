//! Guest addresses of all widths, the longest strings, struct markers, and failures that stick.

use ssm_core::{
    AfterLoad, Archive, Crc32, Crc32Bytewise, Entry, Get, Header, LoadError, Loader, Put, SaveError, Store, Unit,
    UnitError, UnitId, Units, Writer, fields,
};
use ssm_tests::machine::Packing;
use ssm_tests::media::{Broken, Disk};

const MAX: u64 = u32::MAX as u64;
const SCRATCHES: [usize; 4] = [1, 7, 64, 4096];

fn write_with(
    packing: Packing,
    scratch: usize,
    header: &Header,
    save: &mut dyn FnMut(&mut Put<'_>) -> Result<(), UnitError>,
) -> Result<Vec<u8>, SaveError<Broken>> {
    let mut disk = Disk::new();
    let mut scratch = vec![0; scratch];
    let mut codec = packing.encoder();
    let mut writer = Writer::new(&mut disk, &mut *codec, Crc32Bytewise, header, &mut scratch)?;
    writer.unit(b"values", 0, 1, save)?;
    writer.finish()?;
    Ok(disk.into_bytes())
}

fn write(
    header: &Header,
    save: &mut dyn FnMut(&mut Put<'_>) -> Result<(), UnitError>,
) -> Result<Vec<u8>, SaveError<Broken>> {
    write_with(Packing::Store, 64, header, save)
}

fn read<T>(
    file: &[u8],
    scratch: usize,
    read: impl FnOnce(&mut Get<'_>) -> Result<T, UnitError>,
) -> Result<T, LoadError<Broken>> {
    let mut archive = Archive::open(Disk::holding(file), ssm_std::decoder(), vec![0; scratch])?;
    archive.seek(UnitId::new("values", 0))?.read(read)
}

fn header(phys: u8, ptr: u8) -> Header {
    Header { gc_phys_bytes: Some(phys), gc_ptr_bytes: Some(ptr), ..Header::new() }
}

fn unit_error<T>(result: Result<T, LoadError<Broken>>) -> UnitError {
    match result {
        Err(LoadError::Unit { error, .. }) => error,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("no error"),
    }
}

fn save_error(result: Result<Vec<u8>, SaveError<Broken>>) -> UnitError {
    match result {
        Err(SaveError::Unit { error, .. }) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_width_of_address_in_every_width_of_variable() {
    for (phys, ptr) in [(4, 4), (4, 8), (8, 4), (8, 8)] {
        let header = header(phys, ptr);
        for value in [0, 1, 0x8000_0000, MAX, MAX + 1, 1 << 63, u64::MAX] {
            let overflow = UnitError::overflow(value);
            let fits = value <= MAX;
            let file = write(&header, &mut |put| put.gc_phys(value));
            if phys == 8 || fits {
                let file = file.unwrap();
                assert_eq!(read(&file, 64, |get| Ok((get.gc_phys()?, get.offset()))), Ok((value, phys.into())));
                let narrow = read(&file, 64, |get| get.gc_phys_u32());
                if fits {
                    assert_eq!(narrow, Ok(value as u32));
                } else {
                    assert_eq!(unit_error(narrow), overflow);
                }
            } else {
                assert_eq!(save_error(file), overflow);
            }
            let file = write(&header, &mut |put| put.gc_ptr(value));
            if ptr == 8 || fits {
                let file = file.unwrap();
                assert_eq!(read(&file, 64, |get| Ok((get.gc_ptr()?, get.offset()))), Ok((value, ptr.into())));
                let narrow = read(&file, 64, |get| get.gc_ptr_u32());
                if fits {
                    assert_eq!(narrow, Ok(value as u32));
                } else {
                    assert_eq!(unit_error(narrow), overflow);
                }
            } else {
                assert_eq!(save_error(file), overflow);
            }
        }
    }
}

/// The units of a 1.2 file behind a header of 1.1.
fn as_v1_1(file: &[u8]) -> Vec<u8> {
    let mut old = [&b"\x7fVirtualBox SavedState V1.1\n\0\0\0\0"[..], &[0; 32], &file[80..]].concat();
    let len = old.len();
    old[32..40].copy_from_slice(&(len as u64).to_le_bytes());
    let crc = Crc32Bytewise.update(0, &old[44..44 + len - 64]);
    old[40..44].copy_from_slice(&crc.to_le_bytes());
    old
}

#[test]
fn the_widths_of_1_1_are_set_once_before_the_first_address() {
    let new = write(&Header::new(), &mut |put| (1u8..=64).try_for_each(|byte| put.u8(byte))).unwrap();
    let old = as_v1_1(&new);
    const WIDE: u64 = 0x0807_0605_0403_0201;
    const NARROW: u64 = 0x0403_0201;
    let first = |file: &[u8], set: &dyn Fn(&mut Get<'_>) -> Result<(), UnitError>| {
        read(file, 64, |get| {
            set(get)?;
            get.gc_ptr()
        })
    };
    assert_eq!(first(&old, &|_| Ok(())), Ok(WIDE));
    assert_eq!(first(&old, &|get| get.set_gc_ptr_bytes(4)), Ok(NARROW));
    assert_eq!(first(&old, &|get| get.set_gc_ptr_bytes(4).and(get.set_gc_ptr_bytes(8))), Ok(NARROW));
    assert_eq!(first(&old, &|get| get.set_gc_ptr_bytes(8).and(get.set_gc_ptr_bytes(4))), Ok(WIDE));
    assert_eq!(first(&new, &|get| get.set_gc_ptr_bytes(4)), Ok(WIDE), "1.2 says it in its header");
    for bytes in [0, 1, 2, 3, 5, 7, 9, 255] {
        for file in [&old, &new] {
            assert_eq!(unit_error(first(file, &|get| get.set_gc_ptr_bytes(bytes))).kind(), "invalid");
            assert_eq!(unit_error(first(file, &|get| get.set_gc_phys_bytes(bytes))).kind(), "invalid");
        }
    }
    let widths = |get: &mut Get<'_>| Ok((get.gc_phys_bytes(), get.gc_ptr_bytes()));
    let both = read(&old, 64, |get| {
        get.set_gc_phys_bytes(4)?;
        get.set_gc_ptr_bytes(4)?;
        assert_eq!((get.gc_phys()?, get.gc_ptr()?), (NARROW, 0x0807_0605));
        widths(get)
    });
    assert_eq!(both, Ok((4, 4)));
    for physical in [true, false] {
        let late = read(&old, 64, |get| {
            if physical {
                get.gc_phys()?
            } else {
                get.gc_ptr()?
            };
            get.set_gc_phys_bytes(4)?;
            get.set_gc_ptr_bytes(4)?;
            widths(get)
        });
        assert_eq!(late, Ok((8, 8)), "an address was read before");
    }
}

/// The first sets the width, both read a pointer.
struct Pair([Pointer; 2]);

#[derive(Default)]
struct Pointer {
    sets: bool,
    value: u64,
}

impl Unit for Pointer {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u64(self.value)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        if self.sets {
            get.set_gc_ptr_bytes(4)?;
        }
        self.value = get.gc_ptr()?;
        Ok(())
    }

    fn load_prep(&mut self, _: AfterLoad) -> Result<(), UnitError> {
        self.value = 0;
        Ok(())
    }
}

#[test]
fn a_width_that_a_unit_set_holds_for_the_rest_of_the_load() {
    let unit = Entry::new("pointer", |pair: &mut Pair, at| &mut pair.0[at as usize]);
    let units = [unit, unit.instance(1)];
    let units = Units::new(&units);
    for sets in [true, false] {
        let value = 0x0123_4567_89ab_cdef;
        let mut pair = Pair([Pointer { sets, value }, Pointer { sets: false, value }]);
        let mut disk = Disk::new();
        ssm_core::Saver::new(&mut disk, Store, &mut [0; 64]).save(&mut pair, &units).unwrap();
        let old = as_v1_1(disk.bytes());
        Loader::new(Disk::holding(old), Store, &mut [0; 64]).load(&mut pair, &units).unwrap();
        let expected = if sets { value & MAX } else { value };
        assert_eq!(pair.0.map(|pointer| pointer.value), [expected; 2]);
    }
}

#[test]
fn strings_of_one_mebibyte_and_not_a_byte_more() {
    let longest: String = ('a'..='z').cycle().take(1 << 20).collect();
    let mut buffer = vec![0; (1 << 20) + 1];
    for packing in Packing::ALL {
        for scratch in [64, 4096] {
            let file = write_with(packing, scratch, &Header::new(), &mut |put| put.str(&longest)).unwrap();
            read(&file, scratch, |get| {
                assert!(get.str(&mut buffer)? == longest);
                assert_eq!(get.offset(), 4 + (1 << 20));
                Ok(())
            })
            .unwrap();
            let short = read(&file, scratch, |get| get.string(&mut buffer[..(1 << 20) - 1]).map(drop));
            assert_eq!(unit_error(short), UnitError::TooLong { found: 1 << 20, max: (1 << 20) - 1 });
        }
    }
    let longer = longest + "z";
    let refused = UnitError::TooLong { found: (1 << 20) + 1, max: 1 << 20 };
    assert_eq!(save_error(write(&Header::new(), &mut |put| put.str(&longer))), refused);
    let file = write(&Header::new(), &mut |put| {
        put.u32(longer.len() as u32)?;
        put.bytes(longer.as_bytes())
    });
    assert_eq!(unit_error(read(&file.unwrap(), 64, |get| get.string(&mut buffer).map(drop))), refused);
    let file = write(&Header::new(), &mut |put| put.u32(u32::MAX)).unwrap();
    let huge = unit_error(read(&file, 64, |get| get.string(&mut buffer).map(drop)));
    assert_eq!(huge, UnitError::TooLong { found: u32::MAX, max: 1 << 20 });
}

#[test]
fn strings_that_are_not_text() {
    let file = write(&Header::new(), &mut |put| put.string(b"a\xff")).unwrap();
    assert_eq!(unit_error(read(&file, 64, |get| get.str(&mut [0; 8]).map(drop))), UnitError::Utf8);
    assert_eq!(read(&file, 64, |get| Ok(get.string(&mut [0; 8])? == b"a\xff")), Ok(true));
}

#[derive(Debug, Default, PartialEq)]
struct Point {
    x: u8,
}

#[test]
fn struct_markers() {
    let table = fields![Point: x];
    let bytes = |begin: u32, end: u32| {
        write(&Header::new(), &mut |put| {
            put.u32(begin)?;
            put.u8(7)?;
            put.u32(end)
        })
        .unwrap()
    };
    let point = |file: &[u8]| {
        read(file, 64, |get| {
            let mut point = Point::default();
            let _ = get.fields(&mut point, table);
            Ok(point)
        })
    };
    let (begin, end) = (0x1920_0102, 0x1992_0406);
    assert_eq!(point(&bytes(begin, end)), Ok(Point { x: 7 }));
    // The failure sticks, though the reader drops it.
    assert_eq!(unit_error(point(&bytes(begin + 1, end))), UnitError::Marker { found: begin + 1, expected: begin });
    assert_eq!(unit_error(point(&bytes(begin, 0))), UnitError::Marker { found: 0, expected: end });
}

#[test]
fn the_first_failure_of_a_put_sticks() {
    let own = UnitError::Invalid("own");
    let later = UnitError::Invalid("later");
    for scratch in SCRATCHES {
        let saved = write_with(Packing::Store, scratch, &header(4, 4), &mut |put| {
            put.u8(1)?;
            assert_eq!((put.status(), put.fail(own)), (Ok(()), own));
            let offset = put.offset();
            assert_eq!(put.fail(later), own);
            assert_eq!(put.u8(1), Err(own));
            assert_eq!(put.bytes(&[0; 5000]), Err(own));
            assert_eq!(put.bytes(&[]), Err(own));
            assert_eq!(put.str("text"), Err(own));
            assert_eq!(put.string(&vec![0; (1 << 20) + 1]), Err(own));
            assert_eq!(put.gc_ptr(u64::MAX), Err(own));
            assert_eq!(put.fields(&Point::default(), fields![Point: x]), Err(own));
            assert_eq!((put.status(), put.offset()), (Err(own), offset));
            Ok(())
        });
        assert_eq!(save_error(saved), own);
    }
}

#[test]
fn the_first_failure_of_a_get_sticks() {
    let own = UnitError::Invalid("own");
    for packing in Packing::ALL {
        for scratch in SCRATCHES {
            let file = write_with(packing, 64, &Header::new(), &mut |put| put.bytes(&[1; 100])).unwrap();
            for (first, cause) in [(own, 0), (UnitError::End, 1), (UnitError::End, 2)] {
                let loaded = read(&file, scratch, |get| {
                    get.u8()?;
                    let met = match cause {
                        0 => Err(get.fail(own)),
                        1 => get.skip(100),
                        _ => get.bytes(&mut [0; 100]),
                    };
                    assert_eq!(met, Err(first));
                    let offset = get.offset();
                    assert_eq!(get.fail(UnitError::Utf8), first);
                    assert_eq!(get.u8(), Err(first));
                    assert_eq!(get.bytes(&mut [0; 300]), Err(first));
                    assert_eq!(get.bytes(&mut []), Err(first));
                    assert_eq!(get.string(&mut [0; 9]).map(drop), Err(first));
                    assert_eq!(get.gc_phys(), Err(first));
                    assert_eq!(get.fields(&mut Point::default(), fields![Point: x]), Err(first));
                    assert_eq!(get.skip(0), Err(first));
                    assert_eq!(get.skip_rest(), Err(first));
                    assert_eq!(get.read(&mut [0; 9]), Err(first));
                    assert_eq!((get.status(), get.offset()), (Err(first), offset));
                    Ok(())
                });
                assert_eq!(unit_error(loaded), first, "{packing:?}");
            }
        }
    }
}

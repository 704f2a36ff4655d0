//! A unit's items, read back through [`Get`] by type and compared with the manifest.

use super::{Generator, Item, Value, repeated_letters};
use ssm_core::{Field, Get, UnitError, fields};

/// Larger than any string may be, so that the format's limit refuses and not the buffer.
const STRING_BUFFER: usize = 3 << 20;

/// How a reader reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// Every item, and nothing may be left.
    #[default]
    Exact,
    /// Every item; what follows is left.
    Items,
    /// Every item, and then this many bytes more.
    Beyond(u64),
    /// Every item, guest addresses into 32 bits.
    Narrow,
}

/// The manifest's struct `TS`, without the fields that `Struct` does not store.
#[derive(Default)]
struct Ts {
    a: u32,
    b: u8,
    c: u64,
    s: [u8; 16],
    d: u16,
    e: u32,
}

const TS: &[Field<Ts>] = fields![Ts: a, b, c, s, d, e];

/// Reads a unit as its items say. A value that is not the manifest's is [`UnitError::Invalid`].
pub fn read_items(get: &mut Get<'_>, items: &[Item], reading: Reading) -> Result<(), UnitError> {
    for item in items {
        if !read_item(get, item, reading)? {
            return Err(UnitError::Invalid("the value is not what was put"));
        }
    }
    match reading {
        Reading::Beyond(more) => get.skip(more),
        Reading::Exact | Reading::Narrow if get.skip_rest()? != 0 => {
            Err(UnitError::Invalid("more is left than was put"))
        }
        _ => Ok(()),
    }
}

/// Whether the value is the manifest's.
fn read_item(get: &mut Get<'_>, item: &Item, reading: Reading) -> Result<bool, UnitError> {
    Ok(match (&*item.kind, &item.value) {
        (kind, Value::Number { hex }) => {
            let expected = u128::from_str_radix(hex.trim_start_matches("0x"), 16).expect("hexadecimal digits");
            read_number(get, kind, reading)? == expected
        }
        ("StrZ", Value::Text { value, len }) => {
            assert_eq!(value.len(), *len);
            get.str(&mut vec![0; STRING_BUFFER])? == value
        }
        ("StrZ", Value::Generated { generator, len, .. }) if generator == "rep" => {
            get.string(&mut vec![0; STRING_BUFFER])? == repeated_letters(*len)
        }
        ("Mem", Value::Generated { generator, seed, len }) => {
            let mut bytes = vec![0; *len];
            get.bytes(&mut bytes)?;
            bytes == Generator::new(*seed).bytes(generator, *len)
        }
        ("U16", Value::Progress { .. }) => get.u16()? <= 10_000,
        (kind, Value::Struct { value }) if value == "TS" && kind.starts_with("StructEx ") => {
            let bytes = struct_ex(&kind[9..], get.gc_phys_bytes(), get.gc_ptr_bytes());
            let mut found = vec![0; bytes.len()];
            get.bytes(&mut found)?;
            found == bytes
        }
        ("Struct", Value::Struct { value }) if value == "TS" => {
            let mut ts = Ts::default();
            get.fields(&mut ts, TS)?;
            (ts.a, ts.b, ts.c, ts.d, ts.e) == (0x1122_3344, 0x55, 0x8877_6655_4433_2211, 0xbeef, 0x600d_cafe)
                && ts.s == *b"struct field s\0\0"
        }
        unknown => panic!("item {unknown:?}"),
    })
}

/// What the original's calls for structs put of a `TS`, by their flags.
fn struct_ex(flags: &str, gc_phys_bytes: u8, gc_ptr_bytes: u8) -> Vec<u8> {
    let as_memory = flags == "FULL|NO_MARKERS|DONT_IGNORE|SAVED_AS_MEM";
    let (phys, ptr): (u64, u64) = (0x1_fedc_ba98, 0xffff_f000);
    let ignored = |len: usize| vec![0; if as_memory { len } else { 0 }];
    let fields = [
        0x1122_3344u32.to_le_bytes().to_vec(),
        vec![0x55],
        ignored(3),
        0x8877_6655_4433_2211u64.to_le_bytes().to_vec(),
        b"struct field s\0\0".to_vec(),
        0xbeefu16.to_le_bytes().to_vec(),
        ignored(6),
        phys.to_le_bytes()[..usize::from(gc_phys_bytes)].to_vec(),
        ptr.to_le_bytes()[..usize::from(gc_ptr_bytes)].to_vec(),
        0xa000_0000u32.to_le_bytes().to_vec(),
        0x600d_cafeu32.to_le_bytes().to_vec(),
    ]
    .concat();
    match flags {
        "flags=0" | "FULL_STRUCT" => {
            [&0x1920_0102u32.to_le_bytes()[..], &fields, &0x1992_0406u32.to_le_bytes()].concat()
        }
        "NO_MARKERS" => fields,
        _ if as_memory => fields,
        unknown => panic!("struct with {unknown}"),
    }
}

/// The number in 64 bits of two's complement, 128 for the largest types.
fn read_number(get: &mut Get<'_>, kind: &str, reading: Reading) -> Result<u128, UnitError> {
    let signed = |value: i64| u128::from(value as u64);
    let narrow = reading == Reading::Narrow;
    Ok(match kind {
        "Bool" => get.bool()?.into(),
        "U8" => get.u8()?.into(),
        "U16" => get.u16()?.into(),
        "U32" | "UInt" => get.u32()?.into(),
        "U64" => get.u64()?.into(),
        "U128" => get.u128()?,
        "S8" => signed(get.i8()?.into()),
        "S16" => signed(get.i16()?.into()),
        "S32" | "SInt" => signed(get.i32()?.into()),
        "S64" => signed(get.i64()?),
        "S128" => get.i128()? as u128,
        "GCUInt" | "GCUIntReg" | "GCUIntPtr" | "GCPtr" if narrow => get.gc_ptr_u32()?.into(),
        "GCUInt" | "GCUIntReg" | "GCUIntPtr" | "GCPtr" => get.gc_ptr()?.into(),
        "GCPhys" if narrow => get.gc_phys_u32()?.into(),
        "GCPhys" => get.gc_phys()?.into(),
        "GCPhys32" => get.gc_phys32()?.into(),
        "GCPhys64" => get.gc_phys64()?.into(),
        "RCPtr" => get.rc_ptr()?.into(),
        "IOPort" => get.io_port()?.into(),
        "Sel" => get.selector()?.into(),
        unknown => panic!("number {unknown}"),
    })
}

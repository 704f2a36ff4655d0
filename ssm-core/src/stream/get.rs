//! Values out of a unit.

use super::{Field, Item, MAX_STRING, STRUCT_BEGIN, STRUCT_END, Widths};
use crate::copy::copy;
use crate::unit::{AfterLoad, UnitError};

/// What is below a [`Get`]: gives plain bytes. It keeps its own typed error; the caller only learns that there is one.
pub(crate) trait Source {
    /// Fills `plain` from its start; less than all only at the end of the unit's data or after a failure.
    fn read(&mut self, plain: &mut [u8]) -> usize;
    /// Whether the layer below failed, rather than ended.
    /// Passes over up to `len` plain bytes, decoded faster where nobody wants them; how many, or 0 where they must be read.
    fn pass(&mut self, len: usize) -> usize;
    fn is_failed(&mut self) -> bool;
    /// Plain bytes that are left, where the codec can tell.
    fn left(&self) -> Option<u64>;
}

/// The values of one unit on their way out of a file.
///
/// Read what was put, in the same order; what is left at the end is skipped in a 1.x file and an error in a load of a 2.0
/// file, unless [`skip_rest`](Self::skip_rest) passes over it. Reading beyond the unit's data is
/// [`UnitError::End`].
///
/// The first failure sticks: every later get returns it, and so does the load, even if the unit drops it. After a failure
/// destinations keep what they had, except that [`bytes`](Self::bytes) may have filled a part.
pub struct Get<'a> {
    source: &'a mut dyn Source,
    buffer: &'a mut [u8],
    from: usize,
    to: usize,
    /// Plain bytes that came from the source.
    fetched: u64,
    status: Result<(), UnitError>,
    widths: &'a mut Widths,
    after: AfterLoad,
    pass: Option<u32>,
}

impl<'a> Get<'a> {
    pub(crate) fn new(
        source: &'a mut dyn Source,
        buffer: &'a mut [u8],
        widths: &'a mut Widths,
        after: AfterLoad,
        pass: Option<u32>,
    ) -> Self {
        Self { source, buffer, from: 0, to: 0, fetched: 0, status: Ok(()), widths, after, pass }
    }

    /// Fills `into` with raw bytes. Pieces that are larger than the block buffer come straight from the codec.
    pub fn bytes(&mut self, into: &mut [u8]) -> Result<(), UnitError> {
        self.status?;
        let n = copy(into, self.buffer.get(self.from..self.to).unwrap_or(&[]));
        self.from = self.from.wrapping_add(n);
        match into.get_mut(n..) {
            Some(rest) if !rest.is_empty() => self.bytes_beyond(rest),
            _ => Ok(()),
        }
    }

    /// A value whose size is known when compiling: one load, where the buffer holds it.
    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], UnitError> {
        let held = self.buffer.get(self.from..self.to).and_then(|held| held.first_chunk());
        if let (Some(bytes), Ok(())) = (held, self.status) {
            self.from = self.from.wrapping_add(N);
            return Ok(*bytes);
        }
        let mut bytes = [0; N];
        self.bytes(&mut bytes)?;
        Ok(bytes)
    }

    /// Fills `into` when the buffer is used up.
    fn bytes_beyond(&mut self, into: &mut [u8]) -> Result<(), UnitError> {
        let found = if into.len() < self.buffer.len() {
            self.to = self.source.read(self.buffer);
            self.fetched = self.fetched.wrapping_add(self.to as u64);
            self.from = copy(into, self.buffer.get(..self.to).unwrap_or(&[]));
            self.from
        } else {
            let found = self.source.read(into);
            self.fetched = self.fetched.wrapping_add(found as u64);
            found
        };
        if found < into.len() { Err(self.ended()) } else { Ok(()) }
    }

    fn ended(&mut self) -> UnitError {
        let error = if self.source.is_failed() { UnitError::Stream } else { UnitError::End };
        self.fail(error)
    }

    /// Passes over `len` plain bytes.
    #[inline(never)]
    pub fn skip(&mut self, len: u64) -> Result<(), UnitError> {
        self.status?;
        let held = self.held().min(len);
        self.from = self.from.wrapping_add(held as usize);
        let mut left = len.wrapping_sub(held);
        while left > 0 {
            let passed = self.source.pass(usize::try_from(left).unwrap_or(usize::MAX)) as u64;
            self.fetched = self.fetched.wrapping_add(passed);
            left = left.wrapping_sub(passed);
            if passed > 0 {
                continue;
            }
            let mut byte = [0];
            let room = if self.buffer.is_empty() { &mut byte } else { &mut *self.buffer };
            let n = usize::try_from(left).unwrap_or(usize::MAX).min(room.len());
            let found = self.source.read(room.get_mut(..n).unwrap_or_default());
            self.fetched = self.fetched.wrapping_add(found as u64);
            if found < n {
                return Err(self.ended());
            }
            left = left.wrapping_sub(n as u64);
        }
        Ok(())
    }

    /// Bytes that the buffer holds.
    fn held(&self) -> u64 {
        self.to.wrapping_sub(self.from) as u64
    }

    /// Passes over all that is left; how many plain bytes that was. At the end of the unit this is 0.
    pub fn skip_rest(&mut self) -> Result<u64, UnitError> {
        self.status?;
        let start = self.offset();
        match self.skip(u64::MAX) {
            Err(UnitError::End) => {
                self.status = Ok(());
                Ok(self.offset().saturating_sub(start))
            }
            Err(error) => Err(error),
            Ok(()) => Ok(u64::MAX),
        }
    }

    /// Fills as much of `into` as the unit still has; how many bytes that was.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, UnitError> {
        self.status?;
        let start = self.offset();
        match self.bytes(into) {
            Ok(()) => Ok(into.len()),
            Err(UnitError::End) => {
                self.status = Ok(());
                Ok(usize::try_from(self.offset().saturating_sub(start)).unwrap_or(into.len()))
            }
            Err(error) => Err(error),
        }
    }

    /// A value of any type that knows its own bytes, in place.
    pub fn item<T: Item + ?Sized>(&mut self, value: &mut T) -> Result<(), UnitError> {
        value.get_from(self)
    }

    /// A struct, in place: a begin marker, the fields of the table in order, an end marker (SPEC.md, "Structs").
    pub fn fields<S>(&mut self, value: &mut S, table: &[Field<S>]) -> Result<(), UnitError> {
        self.marker(STRUCT_BEGIN)?;
        for field in table {
            field.get(value, self)?;
        }
        self.marker(STRUCT_END)
    }

    fn marker(&mut self, expected: u32) -> Result<(), UnitError> {
        let found = self.u32()?;
        if found == expected { Ok(()) } else { Err(self.fail(UnitError::Marker { found, expected })) }
    }

    /// A string in an unknown encoding into the start of `buffer` (SPEC.md, "Strings"). Refused with
    /// [`UnitError::TooLong`] when it is longer than the buffer or than 1 MiB.
    pub fn string<'b>(&mut self, buffer: &'b mut [u8]) -> Result<&'b [u8], UnitError> {
        let found = self.u32()?;
        let max = u32::try_from(buffer.len()).unwrap_or(u32::MAX).min(MAX_STRING);
        match buffer.get_mut(..found as usize) {
            Some(string) if found <= max => {
                self.bytes(string)?;
                Ok(string)
            }
            _ => Err(self.fail(UnitError::TooLong { found, max })),
        }
    }

    /// A string that must be UTF-8; otherwise as [`string`](Self::string).
    pub fn str<'b>(&mut self, buffer: &'b mut [u8]) -> Result<&'b str, UnitError> {
        core::str::from_utf8(self.string(buffer)?).map_err(|_| self.fail(UnitError::Utf8))
    }

    /// A truth value of one byte; every value but 0 is true (Q22).
    pub fn bool(&mut self) -> Result<bool, UnitError> {
        Ok(self.u8()? != 0)
    }

    /// A guest-physical address, as wide as the file says, zero-extended.
    pub fn gc_phys(&mut self) -> Result<u64, UnitError> {
        self.widths.settable = false;
        self.guest(self.widths.gc_phys)
    }

    /// A guest-physical address for a machine with 32 bits of them; refused with [`UnitError::Overflow`] if larger.
    pub fn gc_phys_u32(&mut self) -> Result<u32, UnitError> {
        let address = self.gc_phys()?;
        self.narrow(address)
    }

    /// A guest pointer, as wide as the file says, zero-extended.
    /// Guest unsigned integers and registers (`GCUInt`, `GCUIntPtr`, `GCUIntReg`) are stored the same way.
    pub fn gc_ptr(&mut self) -> Result<u64, UnitError> {
        self.widths.settable = false;
        self.guest(self.widths.gc_ptr)
    }

    /// A guest pointer for a machine with 32 bits of them; refused with [`UnitError::Overflow`] if larger.
    pub fn gc_ptr_u32(&mut self) -> Result<u32, UnitError> {
        let pointer = self.gc_ptr()?;
        self.narrow(pointer)
    }

    fn guest(&mut self, width: u8) -> Result<u64, UnitError> {
        if width == 8 { self.u64() } else { self.u32().map(u64::from) }
    }

    fn narrow(&mut self, value: u64) -> Result<u32, UnitError> {
        u32::try_from(value).map_err(|_| self.fail(UnitError::overflow(value)))
    }

    /// Says how wide guest pointers are in a 1.1 file, 4 or 8 bytes, for the rest of the load. Heeded once, before the
    /// first address was read, and in no other format (Q8). [`UnitError::Invalid`] for any other width.
    pub fn set_gc_ptr_bytes(&mut self, bytes: u8) -> Result<(), UnitError> {
        let widths = Widths { gc_ptr: bytes, settable: false, ..*self.widths };
        self.set_widths(bytes, widths)
    }

    /// Says how wide guest-physical addresses are in a 1.1 file, 4 or 8 bytes (Q7); otherwise as
    /// [`set_gc_ptr_bytes`](Self::set_gc_ptr_bytes), before which it must be called.
    pub fn set_gc_phys_bytes(&mut self, bytes: u8) -> Result<(), UnitError> {
        let widths = Widths { gc_phys: bytes, ..*self.widths };
        self.set_widths(bytes, widths)
    }

    fn set_widths(&mut self, bytes: u8, widths: Widths) -> Result<(), UnitError> {
        if bytes != 4 && bytes != 8 {
            return Err(self.fail(UnitError::Invalid("guest addresses are 4 or 8 bytes wide")));
        }
        if self.widths.settable {
            *self.widths = widths;
        }
        Ok(())
    }

    /// A guest-physical address of 32 bits.
    pub fn gc_phys32(&mut self) -> Result<u32, UnitError> {
        self.u32()
    }

    /// A guest-physical address of 64 bits.
    pub fn gc_phys64(&mut self) -> Result<u64, UnitError> {
        self.u64()
    }

    /// A raw-mode context pointer: four bytes.
    pub fn rc_ptr(&mut self) -> Result<u32, UnitError> {
        self.u32()
    }

    /// The address of an I/O port: two bytes.
    pub fn io_port(&mut self) -> Result<u16, UnitError> {
        self.u16()
    }

    /// A segment selector: two bytes.
    pub fn selector(&mut self) -> Result<u16, UnitError> {
        self.u16()
    }

    /// The first failure, if there was one.
    pub fn status(&self) -> Result<(), UnitError> {
        self.status
    }

    /// Lets the load fail for the unit's own reason, unless it failed before; returns the first failure.
    pub fn fail(&mut self, error: UnitError) -> UnitError {
        match self.status {
            Ok(()) => {
                self.status = Err(error);
                error
            }
            Err(first) => first,
        }
    }

    /// How many plain bytes were read so far.
    pub fn offset(&self) -> u64 {
        self.fetched.wrapping_sub(self.held())
    }

    /// How many plain bytes are left, where the codec can tell (stored units); `None` where it cannot.
    pub fn left(&self) -> Option<u64> {
        self.source.left().map(|left| left.saturating_add(self.held()))
    }

    /// Width of a guest-physical address in the file, in bytes.
    pub fn gc_phys_bytes(&self) -> u8 {
        self.widths.gc_phys
    }

    /// Width of a guest pointer in the file, in bytes.
    pub fn gc_ptr_bytes(&self) -> u8 {
        self.widths.gc_ptr
    }

    /// The pass of a live save that these values are from, counted from 0; `None` is the final pass, and what every file
    /// that is not live has.
    pub fn pass(&self) -> Option<u32> {
        self.pass
    }

    /// What happens to the machine after the load.
    pub fn after(&self) -> AfterLoad {
        self.after
    }
}

macro_rules! integers {
    ($($name:ident)*) => {
        impl Get<'_> {
            $(
                #[doc = concat!("An integer of ", stringify!($name), "'s width, little endian.")]
                // On a device one copy of it is enough.
                #[cfg_attr(not(target_os = "none"), inline)]
                pub fn $name(&mut self) -> Result<$name, UnitError> {
                    self.array().map($name::from_le_bytes)
                }
            )*
        }
    };
}
integers!(u8 u16 u32 u64 u128 i8 i16 i32 i64 i128);

//! Values into a unit.

use super::{Field, Item, MAX_STRING, STRUCT_BEGIN, STRUCT_END, Widths};
use crate::copy::copy;
use crate::unit::{AfterSave, UnitError};

/// What is below a [`Put`]: takes plain bytes. It keeps its own typed error; the caller only learns that there is one.
pub(crate) trait Sink {
    fn write(&mut self, plain: &[u8]) -> Result<(), UnitError>;
}

/// The values of one unit on their way into a file.
///
/// Integers are little endian and as wide as their type; there are no tags and no padding (SPEC.md, "Values").
///
/// The first failure sticks: every later put returns it, and so does the save, even if the unit drops it. A batch can
/// therefore be checked once at its end:
/// ```
/// # use ssm_core::{Put, UnitError};
/// fn save(put: &mut Put<'_>, rows: &[u32]) -> Result<(), UnitError> {
///     for row in rows {
///         let _ = put.u32(*row);
///     }
///     put.status()
/// }
/// ```
pub struct Put<'a> {
    sink: &'a mut dyn Sink,
    /// Empty after a failure, so that a value which finds room need not ask whether there was one.
    buffer: &'a mut [u8],
    used: usize,
    flushed: u64,
    status: Result<(), UnitError>,
    touched: bool,
    widths: Widths,
    after: AfterSave,
}

impl<'a> Put<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink, buffer: &'a mut [u8], widths: Widths, after: AfterSave) -> Self {
        Self { sink, buffer, used: 0, flushed: 0, status: Ok(()), touched: false, widths, after }
    }

    /// Whether anything was put, if only zero bytes (Q16).
    pub(crate) fn is_touched(&self) -> bool {
        self.touched || self.offset() > 0
    }

    /// Passes on what the buffer holds.
    pub(crate) fn flush(&mut self) -> Result<(), UnitError> {
        self.status?;
        let full = self.buffer.get(..self.used).unwrap_or(&[]);
        if !full.is_empty() {
            self.status = self.sink.write(full);
            self.flushed = self.flushed.wrapping_add(self.used as u64);
            self.used = 0;
        }
        self.checked()
    }

    /// Raw bytes of any length. Pieces that are larger than the block buffer go straight to the codec.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), UnitError> {
        self.touched = true;
        self.status?;
        let room = self.buffer.get_mut(self.used..).unwrap_or(&mut []);
        if bytes.len() <= room.len() {
            self.used = self.used.wrapping_add(copy(room, bytes));
            return Ok(());
        }
        self.bytes_beyond(bytes)
    }

    /// A value whose size is known when compiling: one store, where the buffer has room.
    #[inline]
    fn array<const N: usize>(&mut self, bytes: [u8; N]) -> Result<(), UnitError> {
        if let Some(place) = self.buffer.get_mut(self.used..).and_then(|room| room.first_chunk_mut()) {
            *place = bytes;
            self.used = self.used.wrapping_add(N);
            return Ok(());
        }
        self.bytes(&bytes)
    }

    /// The status, behind a call of the sink.
    #[cfg_attr(target_os = "none", inline(never))]
    fn checked(&mut self) -> Result<(), UnitError> {
        if self.status.is_err() {
            self.buffer = &mut [];
        }
        self.status
    }

    fn bytes_beyond(&mut self, bytes: &[u8]) -> Result<(), UnitError> {
        // The buffer is filled first, so that blocks have the same size however the values come.
        let taken = if self.used > 0 {
            let room = self.buffer.get_mut(self.used..).unwrap_or(&mut []);
            let taken = copy(room, bytes);
            self.used = self.used.wrapping_add(taken);
            taken
        } else {
            0
        };
        self.flush()?;
        let rest = bytes.get(taken..).unwrap_or(&[]);
        if rest.len() < self.buffer.len() {
            self.used = copy(self.buffer, rest);
            return Ok(());
        }
        self.status = self.sink.write(rest);
        self.flushed = self.flushed.wrapping_add(rest.len() as u64);
        self.checked()
    }

    /// A value of any type that knows its own bytes.
    pub fn item<T: Item + ?Sized>(&mut self, value: &T) -> Result<(), UnitError> {
        value.put_into(self)
    }

    /// A struct: a begin marker, the fields of the table in order, an end marker (SPEC.md, "Structs").
    pub fn fields<S>(&mut self, value: &S, table: &[Field<S>]) -> Result<(), UnitError> {
        self.u32(STRUCT_BEGIN)?;
        for field in table {
            field.put(value, self)?;
        }
        self.u32(STRUCT_END)
    }

    /// A string: its length in four bytes, then its bytes, 1 MiB at most (SPEC.md, "Strings").
    pub fn str(&mut self, string: &str) -> Result<(), UnitError> {
        self.string(string.as_bytes())
    }

    /// A string in an unknown encoding; otherwise as [`str`](Self::str).
    pub fn string(&mut self, string: &[u8]) -> Result<(), UnitError> {
        match u32::try_from(string.len()) {
            Ok(len) if len <= MAX_STRING => {
                self.bytes(&len.to_le_bytes())?;
                self.bytes(string)
            }
            found => Err(self.fail(UnitError::TooLong { found: found.unwrap_or(u32::MAX), max: MAX_STRING })),
        }
    }

    /// A truth value in one byte, 0 or 1.
    pub fn bool(&mut self, value: bool) -> Result<(), UnitError> {
        self.u8(value.into())
    }

    /// A guest-physical address, as wide as the file's header says; refused with [`UnitError::Overflow`] if wider.
    pub fn gc_phys(&mut self, address: u64) -> Result<(), UnitError> {
        self.guest(address, self.widths.gc_phys)
    }

    /// A guest pointer, as wide as the file's header says; refused with [`UnitError::Overflow`] if wider.
    /// Guest unsigned integers and registers (`GCUInt`, `GCUIntPtr`, `GCUIntReg`) are stored the same way.
    pub fn gc_ptr(&mut self, pointer: u64) -> Result<(), UnitError> {
        self.guest(pointer, self.widths.gc_ptr)
    }

    fn guest(&mut self, value: u64, width: u8) -> Result<(), UnitError> {
        if width == 8 {
            return self.u64(value);
        }
        match u32::try_from(value) {
            Ok(value) => self.u32(value),
            Err(_) => Err(self.fail(UnitError::overflow(value))),
        }
    }

    /// A guest-physical address of 32 bits.
    pub fn gc_phys32(&mut self, address: u32) -> Result<(), UnitError> {
        self.u32(address)
    }

    /// A guest-physical address of 64 bits.
    pub fn gc_phys64(&mut self, address: u64) -> Result<(), UnitError> {
        self.u64(address)
    }

    /// A raw-mode context pointer: four bytes.
    pub fn rc_ptr(&mut self, pointer: u32) -> Result<(), UnitError> {
        self.u32(pointer)
    }

    /// The address of an I/O port: two bytes.
    pub fn io_port(&mut self, port: u16) -> Result<(), UnitError> {
        self.u16(port)
    }

    /// A segment selector: two bytes.
    pub fn selector(&mut self, selector: u16) -> Result<(), UnitError> {
        self.u16(selector)
    }

    /// The first failure, if there was one.
    pub fn status(&self) -> Result<(), UnitError> {
        self.status
    }

    /// Lets the save fail for the unit's own reason, unless it failed before; returns the first failure.
    pub fn fail(&mut self, error: UnitError) -> UnitError {
        self.buffer = &mut [];
        match self.status {
            Ok(()) => {
                self.status = Err(error);
                error
            }
            Err(first) => first,
        }
    }

    /// How many plain bytes were put so far.
    pub fn offset(&self) -> u64 {
        self.flushed.wrapping_add(self.used as u64)
    }

    /// What happens to the machine after the save.
    pub fn after(&self) -> AfterSave {
        self.after
    }
}

macro_rules! integers {
    ($($name:ident)*) => {
        impl Put<'_> {
            $(
                #[doc = concat!("An integer of ", stringify!($name), "'s width, little endian.")]
                // On a device one copy of it is enough.
                #[cfg_attr(not(target_os = "none"), inline)]
                pub fn $name(&mut self, value: $name) -> Result<(), UnitError> {
                    self.array(value.to_le_bytes())
                }
            )*
        }
    };
}
integers!(u8 u16 u32 u64 u128 i8 i16 i32 i64 i128);

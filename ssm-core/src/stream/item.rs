//! Types that know their own bytes.

use super::{Get, Put};
use crate::unit::UnitError;

/// A type that is stored as a value of a unit, such as a field of a [`fields!`](crate::fields) table.
///
/// Reading is in place, so a large array never crosses the stack. Arrays are stored element by element without padding,
/// byte arrays in one piece.
pub trait Item {
    /// Puts the value.
    fn put_into(&self, put: &mut Put<'_>) -> Result<(), UnitError>;

    /// Replaces the value; after an error it is what it was, or partly replaced.
    fn get_from(&mut self, get: &mut Get<'_>) -> Result<(), UnitError>;

    /// Puts a slice of values.
    fn put_all(items: &[Self], put: &mut Put<'_>) -> Result<(), UnitError>
    where
        Self: Sized,
    {
        items.iter().try_for_each(|item| item.put_into(put))
    }

    /// Replaces a slice of values.
    fn get_all(items: &mut [Self], get: &mut Get<'_>) -> Result<(), UnitError>
    where
        Self: Sized,
    {
        items.iter_mut().try_for_each(|item| item.get_from(get))
    }
}

impl Item for u8 {
    fn put_into(&self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u8(*self)
    }

    fn get_from(&mut self, get: &mut Get<'_>) -> Result<(), UnitError> {
        *self = get.u8()?;
        Ok(())
    }

    fn put_all(items: &[Self], put: &mut Put<'_>) -> Result<(), UnitError> {
        put.bytes(items)
    }

    fn get_all(items: &mut [Self], get: &mut Get<'_>) -> Result<(), UnitError> {
        get.bytes(items)
    }
}

macro_rules! items {
    ($($name:ident)*) => {$(
        impl Item for $name {
            fn put_into(&self, put: &mut Put<'_>) -> Result<(), UnitError> {
                put.$name(*self)
            }

            fn get_from(&mut self, get: &mut Get<'_>) -> Result<(), UnitError> {
                *self = get.$name()?;
                Ok(())
            }
        }
    )*};
}
items!(bool u16 u32 u64 u128 i8 i16 i32 i64 i128);

impl<T: Item> Item for [T] {
    fn put_into(&self, put: &mut Put<'_>) -> Result<(), UnitError> {
        T::put_all(self, put)
    }

    fn get_from(&mut self, get: &mut Get<'_>) -> Result<(), UnitError> {
        T::get_all(self, get)
    }
}

impl<T: Item, const N: usize> Item for [T; N] {
    fn put_into(&self, put: &mut Put<'_>) -> Result<(), UnitError> {
        T::put_all(self, put)
    }

    fn get_from(&mut self, get: &mut Get<'_>) -> Result<(), UnitError> {
        T::get_all(self, get)
    }
}

/// A guest-physical address as a field: stored as wide as the file's header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct GcPhys(pub u64);

/// A guest pointer as a field: stored as wide as the file's header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct GcPtr(pub u64);

impl Item for GcPhys {
    fn put_into(&self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.gc_phys(self.0)
    }

    fn get_from(&mut self, get: &mut Get<'_>) -> Result<(), UnitError> {
        self.0 = get.gc_phys()?;
        Ok(())
    }
}

impl Item for GcPtr {
    fn put_into(&self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.gc_ptr(self.0)
    }

    fn get_from(&mut self, get: &mut Get<'_>) -> Result<(), UnitError> {
        self.0 = get.gc_ptr()?;
        Ok(())
    }
}

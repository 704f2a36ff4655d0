//! The machine by serde's derives, in the formats that authors take.

use crate::form::Form;
use crate::machine::{Machine, NextMachine};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_bytes::ByteBuf;
use std::marker::PhantomData;

/// What a format does with any value.
pub trait Format {
    /// The bytes of a value.
    fn pack<T: Serialize>(value: &T) -> Vec<u8>;
    /// The value of these bytes.
    fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<T>;
    /// The lines that a program has for it, without the derives.
    const LINES: usize;
}

pub struct Bincode;

impl Format for Bincode {
    fn pack<T: Serialize>(value: &T) -> Vec<u8> {
        bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap()
    }

    fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
        bincode::serde::decode_from_slice(bytes, bincode::config::standard()).ok().map(|(value, _)| value)
    }

    const LINES: usize = 2;
}

pub struct Postcard;

impl Format for Postcard {
    fn pack<T: Serialize>(value: &T) -> Vec<u8> {
        postcard::to_allocvec(value).unwrap()
    }

    fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
        postcard::from_bytes(bytes).ok()
    }

    const LINES: usize = 2;
}

/// MessagePack, with the names of all fields.
pub struct MessagePack;

impl Format for MessagePack {
    fn pack<T: Serialize>(value: &T) -> Vec<u8> {
        rmp_serde::to_vec_named(value).unwrap()
    }

    fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
        rmp_serde::from_slice(bytes).ok()
    }

    const LINES: usize = 2;
}

/// A format packed with LZ4, the plain size in front as its crate does it.
pub struct Lz4<F>(PhantomData<F>);

impl<F: Format> Format for Lz4<F> {
    fn pack<T: Serialize>(value: &T) -> Vec<u8> {
        lz4_flex::compress_prepend_size(&F::pack(value))
    }

    fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
        F::unpack(&lz4_flex::decompress_size_prepended(bytes).ok()?)
    }

    const LINES: usize = F::LINES + 2;
}

/// Memory as serde sees a vector: element by element.
pub struct Plain<F>(PhantomData<F>);

impl<F> Plain<F> {
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<F: Format> Form for Plain<F> {
    type Bytes = Vec<u8>;

    fn save(&mut self, machine: &mut Machine<Vec<u8>>) -> Vec<u8> {
        F::pack(machine)
    }

    fn load(&mut self, bytes: &[u8]) -> Option<Machine<Vec<u8>>> {
        F::unpack(bytes)
    }

    fn load_next(&mut self, bytes: &[u8]) -> Option<NextMachine<Vec<u8>>> {
        F::unpack(bytes)
    }
}

/// Memory marked as bytes.
pub struct Marked<F>(PhantomData<F>);

impl<F> Marked<F> {
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<F: Format> Form for Marked<F> {
    type Bytes = ByteBuf;

    fn save(&mut self, machine: &mut Machine<ByteBuf>) -> Vec<u8> {
        F::pack(machine)
    }

    fn load(&mut self, bytes: &[u8]) -> Option<Machine<ByteBuf>> {
        F::unpack(bytes)
    }

    fn load_next(&mut self, bytes: &[u8]) -> Option<NextMachine<ByteBuf>> {
        F::unpack(bytes)
    }
}

/// The lines of the derives: one for each type that is in the machine.
pub fn derives() -> usize {
    let types = include_str!("machine.rs").split("#[derive(").skip(1);
    types.filter(|text| text.contains("Serialize") && !text.contains("pub struct Next")).count()
}

//! What a linked firmware puts into flash.

use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SectionKind};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const SHF_ALLOC: u64 = 2;

pub struct Image {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Image {
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path: path.to_owned(), bytes }
    }

    fn elf(&self) -> object::File<'_> {
        object::File::parse(&*self.bytes).expect("an ELF file")
    }

    /// Bytes of all sections that are loaded: code, constants, and the initial values of statics.
    pub fn flash(&self) -> u64 {
        let loaded = |section: &object::Section<'_, '_>| {
            let allocated = matches!(section.flags(), SectionFlags::Elf { sh_flags } if sh_flags & SHF_ALLOC != 0);
            allocated && section.kind() != SectionKind::UninitializedData
        };
        self.elf().sections().filter(loaded).map(|section| section.size()).sum()
    }

    /// Bytes of the firmware's own unit and medium: both are in the library of the firmwares.
    pub fn own(&self) -> u64 {
        self.symbols()
            .into_iter()
            .filter(|(name, ..)| name.contains("firmware::") && is_own(name))
            .map(|(_, _, size)| size)
            .sum()
    }

    /// Demangled name, address, size of everything in flash that has a name.
    fn symbols(&self) -> Vec<(String, u64, u64)> {
        let elf = self.elf();
        let mut symbols = BTreeMap::new();
        for symbol in elf.symbols().filter(|symbol| symbol.size() > 0) {
            let in_flash = symbol.section_index().is_some_and(|index| {
                elf.section_by_index(index).is_ok_and(|section| section.kind() != SectionKind::UninitializedData)
            });
            if in_flash {
                let name = format!("{:#}", rustc_demangle::demangle(symbol.name().unwrap_or_default()));
                symbols.insert(symbol.address(), (name, symbol.address(), symbol.size()));
            }
        }
        symbols.into_values().collect()
    }

    /// The functions and constants of ssm-core with the most bytes, as the source has them: what the compiler inlined counts
    /// for the function that it was written in, and code of the standard library for the function that uses it.
    pub fn breakdown(&self) -> Vec<(String, u64)> {
        let loader = addr2line::Loader::new(&self.path).expect("debug information");
        let mut sizes = BTreeMap::<String, u64>::new();
        for (name, address, size) in self.symbols() {
            if is_own(&name) || name.starts_with("__") || name == "Reset" {
                continue;
            }
            let code = address & !1;
            for at in (code..code + size).step_by(2) {
                *sizes.entry(writer_of(&loader, at).unwrap_or_else(|| short(&name))).or_default() += 2;
            }
        }
        let mut sizes: Vec<_> = sizes.into_iter().collect();
        sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        sizes
    }

    /// The stack frames of ssm-core's functions in Thumb-2 code, the largest first.
    pub fn frames(&self) -> Vec<(String, u64)> {
        let elf = self.elf();
        let text = elf.section_by_name(".text").expect("code");
        let code = text.data().expect("code that is not compressed");
        let mut largest = BTreeMap::<String, u64>::new();
        for (name, address, _) in self.symbols() {
            let (name, at) = (short(&name), (address & !1).checked_sub(text.address()));
            if let Some(name) = name.strip_prefix("ssm_core::")
                && let Some(prologue) = at.and_then(|at| code.get(at as usize..))
            {
                let size = largest.entry(name.to_owned()).or_default();
                *size = frame(prologue).max(*size);
            }
        }
        let mut frames: Vec<_> = largest.into_iter().collect();
        frames.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        frames
    }
}

/// The bytes that the start of a function takes from the stack: what it pushes, and what it subtracts from the pointer.
fn frame(prologue: &[u8]) -> u64 {
    let mut halves = prologue.as_chunks::<2>().0.iter().map(|half| u16::from_le_bytes(*half));
    let mut size = 0;
    for _ in 0..5 {
        let Some(half) = halves.next() else { break };
        match half {
            0xb400..=0xb5ff => size += 4 * u64::from((half & 0x1ff).count_ones()),
            0xb080..=0xb0ff => return size + 4 * u64::from(half & 0x7f),
            0xe92d => size += 4 * u64::from(halves.next().unwrap_or(0).count_ones()),
            // sub.w sp, sp, with 12 plain bits, or with 8 bits that are rotated.
            0xf2ad | 0xf6ad | 0xf1ad | 0xf5ad => {
                let low = halves.next().unwrap_or(0);
                let bits = u32::from(half >> 10 & 1) << 11 | u32::from(low >> 12 & 7) << 8 | u32::from(low & 0xff);
                let rotated = (bits & 0x7f | 0x80).rotate_right(bits >> 7);
                return size + u64::from(if half & 0x200 != 0 || bits < 0x100 { bits } else { rotated });
            }
            // Another instruction of four bytes.
            0xe800.. => _ = halves.next(),
            _ => {}
        }
    }
    size
}

/// Whether a symbol is code of the unit or the medium of the firmwares, or a constant of theirs.
fn is_own(name: &str) -> bool {
    ["firmware::unit::", "firmware::port::", "<firmware::unit::", "<firmware::port::"]
        .iter()
        .any(|own| name.starts_with(own))
}

/// The function of ssm-core that an instruction was written in or for.
fn writer_of(loader: &addr2line::Loader, at: u64) -> Option<String> {
    let mut frames = loader.find_frames(at).ok()?;
    while let Ok(Some(frame)) = frames.next() {
        let name = frame.function.and_then(|function| function.demangle().ok().map(|name| short(&name)));
        if let Some(name) = name.filter(|name| name.contains("ssm_core::")) {
            return Some(name.replace("ssm_core::", ""));
        }
    }
    None
}

/// A name without generic arguments, and without the trait of a method: `<a::B<C> as d::E<F>>::g::<H>` is `a::B::g`.
fn short(name: &str) -> String {
    let mut plain = String::new();
    // The inside of a leading bracket, up to " as ", is the type.
    let (mut depth, mut skipped) = (0, usize::MAX);
    for (at, letter) in name.char_indices() {
        match letter {
            '<' => {
                let is_type = at == 0;
                depth += 1;
                if !is_type && skipped == usize::MAX {
                    skipped = depth;
                }
            }
            '>' if !name[..at].ends_with('-') => {
                if depth <= skipped {
                    skipped = usize::MAX;
                }
                depth -= 1;
            }
            ' ' if skipped == usize::MAX && depth == 1 && name[at..].starts_with(" as ") => skipped = 1,
            _ if skipped == usize::MAX => plain.push(letter),
            _ => {}
        }
    }
    plain.replace("::::", "::").trim_end_matches("::").to_owned()
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn names_are_shortened() {
        for (name, shortened) in [
            ("a::b", "a::b"),
            ("a::b::<C<D>>", "a::b"),
            ("a::b::<C>::{closure#0}", "a::b::{closure#0}"),
            ("<a::B<C>>::d::<E>", "a::B::d"),
            ("<a::B<C> as d::E<F>>::g", "a::B::g"),
            ("<a::B as d::E>::g::<H>", "a::B::g"),
        ] {
            assert_eq!(short(name), shortened);
        }
    }
}

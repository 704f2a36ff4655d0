//! Names of units: how they are shown, and how they are given.
//!
//! A name is any bytes but NUL. Text and JSON show one form of it, in which what is not printable, what is not UTF-8 and the
//! backslash are escaped. So two names never look the same, nothing of a file reaches a terminal raw, and the form can be
//! given back.

use std::fmt::Write as _;

/// A name on one line: what is not printable, what is not UTF-8, and the backslash are escaped.
pub fn shown_name(name: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\'' | '"' => shown.push(character),
                _ => shown.extend(character.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// The name that [`shown_name`] shows as `shown`; `None` if a backslash in it begins no escape.
fn unescaped(shown: &[u8]) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    let mut rest = shown;
    while let Some((&byte, behind)) = rest.split_first() {
        if byte != b'\\' {
            name.push(byte);
            rest = behind;
            continue;
        }
        let (&kind, behind) = behind.split_first()?;
        rest = behind;
        match kind {
            b'n' => name.push(b'\n'),
            b'r' => name.push(b'\r'),
            b't' => name.push(b'\t'),
            b'\\' | b'\'' | b'"' => name.push(kind),
            b'x' => {
                let (digits, behind) = rest.split_at_checked(2)?;
                name.push(u8::try_from(hexadecimal(digits)?).ok()?);
                rest = behind;
            }
            b'u' => {
                let end = rest.iter().position(|&byte| byte == b'}')?;
                let digits = rest.get(..end)?.strip_prefix(b"{")?;
                let character = char::from_u32(hexadecimal(digits)?)?;
                name.extend(character.encode_utf8(&mut [0; 4]).bytes());
                rest = rest.get(end + 1..)?;
            }
            _ => return None,
        }
    }
    Some(name)
}

/// The value of 1 to 6 digits.
fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let are_digits = (1..=6).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| are_digits)?;
    u32::from_str_radix(digits, 16).ok()
}

/// What an argument that names units may mean, the best first: the form in which names are shown, then the bytes as they
/// are, each of them also as `NAME/INSTANCE`.
pub struct WantedName {
    meanings: Vec<(Vec<u8>, Option<u32>)>,
}

impl WantedName {
    /// The meanings of `argument`; with an instance only if `may_have_instance`.
    pub fn new(argument: &[u8], may_have_instance: bool) -> Self {
        let mut forms = vec![(argument, None)];
        if may_have_instance && let Some((name, instance)) = split_instance(argument) {
            forms.push((name, Some(instance)));
        }
        let mut meanings = Vec::new();
        for (form, instance) in forms {
            if let Some(name) = unescaped(form).filter(|name| name != form) {
                meanings.push((name, instance));
            }
            meanings.push((form.to_vec(), instance));
        }
        Self { meanings }
    }

    /// The unit as a message names it, with this instance if the argument has none.
    pub fn shown(&self, instance: Option<u32>) -> String {
        let meaning = self.meanings.iter().find(|(_, instance)| instance.is_some()).or(self.meanings.first());
        let Some((name, of_argument)) = meaning else { return String::new() };
        let instance = of_argument.or(instance).map_or(String::new(), |instance| format!("/{instance}"));
        shown_name(name) + &instance
    }

    /// How well a unit fits: 0 is best, `None` not at all. Without an instance in the argument it is `instance` that
    /// counts, and any if that is `None`.
    pub fn rank(&self, name: &[u8], instance: u32, wanted: Option<u32>) -> Option<usize> {
        let fits = |(form, of_argument): &(Vec<u8>, Option<u32>)| {
            form == name && of_argument.or(wanted).is_none_or(|wanted| wanted == instance)
        };
        self.meanings.iter().position(fits)
    }
}

/// `NAME/INSTANCE`, taken apart.
fn split_instance(argument: &[u8]) -> Option<(&[u8], u32)> {
    let slash = argument.iter().rposition(|&byte| byte == b'/')?;
    let digits = argument.get(slash + 1..).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let instance = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((argument.get(..slash)?, instance)).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// All names of up to three bytes out of those that could be mistaken for each other.
    fn names() -> Vec<Vec<u8>> {
        let bytes = b"\\nxu{}e90a\n\r\t\x1b\x7f'\"\xe9\xc3\xa9\xff/1";
        let mut names: Vec<Vec<u8>> = vec![Vec::new()];
        for from in [0, 1, 2] {
            let of_that_len: Vec<_> = names.iter().filter(|name| name.len() == from).cloned().collect();
            names.extend(of_that_len.iter().flat_map(|name| bytes.iter().map(|&byte| [&name[..], &[byte]].concat())));
        }
        names.extend(
            [&b"\\xe9"[..], b"\\u{e9}", b"\\\\xe9", b"caf\xe9", b"caf\\xe9", b"\\u{", b"\\x+1", "e\u{301}".as_bytes()]
                .map(<[u8]>::to_vec),
        );
        names
    }

    #[test]
    fn every_name_has_a_form_of_its_own_that_gives_it_back() {
        let mut seen = HashMap::new();
        for name in names() {
            let shown = shown_name(&name);
            assert!(!shown.chars().any(char::is_control), "{shown}");
            assert_eq!(unescaped(shown.as_bytes()).as_deref(), Some(&name[..]), "{shown}");
            let wanted = WantedName::new(shown.as_bytes(), false);
            assert_eq!(wanted.rank(&name, 3, Some(3)), Some(0), "{shown}");
            assert_eq!(seen.insert(shown, name.clone()).filter(|other| *other != name), None);
        }
        assert!(seen.len() > 10_000);
    }

    #[test]
    fn an_argument_may_be_the_name_itself_or_have_an_instance() {
        let rank = |argument: &str, name: &[u8], instance, wanted| {
            WantedName::new(argument.as_bytes(), true).rank(name, instance, wanted)
        };
        assert_eq!(rank("cpu", b"cpu", 1, Some(0)), None);
        assert_eq!(rank("cpu/1", b"cpu", 1, Some(0)), Some(1));
        assert_eq!(rank("cpu/1", b"cpu/1", 0, Some(0)), Some(0));
        assert_eq!(rank("cpu", b"cpu", 7, None), Some(0));
        assert_eq!(rank("cpu/1", b"cpu", 7, None), None);
        assert_eq!(rank("\\x41", b"A", 0, None), Some(0));
        assert_eq!(rank("\\x41", b"\\x41", 0, None), Some(1));
        assert_eq!(rank("\\q", b"\\q", 0, None), Some(0));
        assert_eq!(rank("/1", b"", 1, None), None);
        assert_eq!(rank("a/4294967296", b"a", 0, None), None);
    }
}

use crate::files::state;
use crate::ssm;
use ssm_core::Header;
use ssm_std::Codec;

#[test]
fn sixteen_bytes_a_line() {
    let expected = "\
00000003  00 68 61 6e 64 6c 65 72  20 67 75 65 73 74 20 6d  |.handler guest m|
00000013  61 63 68 69 6e 65 20 73  74                       |achine st|
";
    let run = ssm(["hexdump", "v12-multi.sav", "alpha", "--instance", "1", "--offset", "3", "--length", "0x19"]);
    assert_eq!(run.fine().text(), expected);
    assert_eq!(ssm(["hexdump", "v12-multi.sav", "zero"]).fine().text(), "");
}

#[test]
fn all_bytes_of_a_large_unit() {
    let bytes = ssm(["extract", "v12-random1m.sav", "random1m"]).fine().bytes;
    let run = ssm(["hexdump", "v12-random1m.sav", "random1m"]).fine();
    let mut read = Vec::new();
    for line in run.text().lines() {
        assert_eq!(line.len(), 78, "{line}");
        assert_eq!(usize::from_str_radix(&line[..8], 16).unwrap(), read.len());
        read.extend(line[8..58].split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()));
    }
    assert!(read == bytes);
}

#[test]
fn the_part_that_was_asked_for() {
    let all: Vec<u8> = (0..=255).collect();
    let (_folder, path) = state(&Header::new(), Codec::Lzf, &[(b"all", 0, 1, &all)]);
    let dump = |offset: &str, length: &str| {
        let path = path.to_str().unwrap();
        ssm(["hexdump", path, "all", "--offset", offset, "--length", length])
    };
    assert_eq!(dump("0x41", "1").fine().text(), format!("00000041  41{:48}|A|\n", ""));
    assert_eq!(dump("255", "100").fine().text(), format!("000000ff  ff{:48}|.|\n", ""));
    assert_eq!(dump("256", "100").fine().text(), "");
    assert_eq!(dump("0", "0").fine().text(), "");
    let beyond = format!("error: {}: offset 257 is beyond the unit's end: it has 256 bytes\n", path.display());
    dump("257", "0").failed(2, &beyond);
    assert_eq!(dump("0xffffffffffffffff", "0").code, Some(2));
    for wrong in ["-1", "x", "0x", "0x10000000000000000", ""] {
        let run = dump(wrong, "1");
        assert_eq!((run.code, run.text()), (Some(2), ""), "{wrong}");
    }
}

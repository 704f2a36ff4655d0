#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ssm_tests::targets::load(data));

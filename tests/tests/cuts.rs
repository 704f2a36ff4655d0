//! Every byte of a save as the point where the power goes: what is on the medium then is never taken for a saved state.

use ssm_core::{Archive, Saver};
use ssm_tests::machine::{Machine, Packing, UNITS};
use ssm_tests::media::{Disk, Recording};

#[test]
fn a_save_that_was_cut_off_is_not_valid() {
    for packing in Packing::ALL {
        for scratch in [1, 64, 4096] {
            let mut recording = Recording::new();
            let mut codec = packing.encoder();
            Saver::new(&mut recording, &mut *codec, &mut vec![0; scratch])
                .save(&mut Machine::new(150, 1), &UNITS)
                .unwrap();
            let whole = recording.replay(recording.len());
            assert!(recording.len() > whole.len(), "lengths are patched");
            for cut in 0..=recording.len() {
                let file = recording.replay(cut);
                let valid = Archive::open(Disk::holding(&*file), ssm_std::decoder(), [0; 64]).is_ok();
                assert_eq!(valid, file == whole, "{packing:?}, cut after {cut} of {} bytes", recording.len());
                if cut + 4 < recording.len() {
                    assert!(!valid, "the checksum is written last");
                }
            }
        }
    }
}

#[test]
fn nothing_but_the_length_field_of_a_unit_and_the_end_of_the_commit_is_written_twice() {
    let mut recording = Recording::new();
    Saver::new(&mut recording, ssm_core::Store, &mut [0; 64]).save(&mut Machine::new(150, 1), &UNITS).unwrap();
    let whole = recording.replay(recording.len());
    // Five units have lengths; size and checksum are the last twelve bytes.
    assert_eq!(recording.len() - whole.len(), 5 * 8 + 12);
    let before_commit = recording.replay(recording.len() - 12);
    assert_eq!(before_commit[32..44], [0; 12]);
    assert_eq!((&before_commit[..32], &before_commit[44..]), (&whole[..32], &whole[44..]));
}

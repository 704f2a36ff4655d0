//! A live save of a machine that always wants another pass ends: by its own limit, or by the caller's.

use ssm_core::{Archive, Entry, Get, Put, Saver, Store, Unit, UnitError, Units, Vote};
use ssm_tests::media::{Disk, OneWay};

/// Changes faster than it is written.
struct Restless;

impl Unit for Restless {
    fn save(&mut self, put: &mut Put<'_>) -> Result<(), UnitError> {
        put.u32(7)
    }

    fn live(&mut self, put: &mut Put<'_>, pass: u32) -> Result<(), UnitError> {
        put.u32(pass)
    }

    fn live_vote(&mut self, _: u32) -> Result<Vote, UnitError> {
        Ok(Vote::Again)
    }

    fn load(&mut self, get: &mut Get<'_>, _: u32) -> Result<(), UnitError> {
        get.u32().map(drop)
    }
}

const UNITS: Units<Restless> = Units::new(&[Entry::new("restless", |machine, _| machine).live()]);

/// Passes until the votes are done, with a limit or the one that there is by itself.
fn passes(limit: Option<u32>) -> u32 {
    let mut disk = Disk::new();
    let mut scratch = [0; 200];
    let live = Saver::streamed(OneWay(&mut disk), Store, &mut scratch).live(&mut Restless, &UNITS).unwrap();
    let mut live = match limit {
        Some(limit) => live.limit_passes(limit),
        None => live,
    };
    let mut asked = 0;
    loop {
        asked += 1;
        assert!(asked <= 1000, "it goes on and on");
        if live.pass(&mut Restless, &UNITS).unwrap() != Vote::Again {
            break;
        }
    }
    assert_eq!(live.passes(), asked);
    live.finish(&mut Restless, &UNITS).unwrap();
    let mut archive = Archive::open(disk, Store, [0; 200]).unwrap();
    archive.verify(&mut |_| ()).unwrap();
    asked
}

#[test]
fn votes_for_ever_end_after_32_passes() {
    assert_eq!(passes(None), 32);
}

#[test]
fn the_caller_sets_another_limit() {
    for limit in [1, 2, 31, 32, 33, 500] {
        assert_eq!(passes(Some(limit)), limit);
    }
}

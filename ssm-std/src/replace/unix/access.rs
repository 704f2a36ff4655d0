//! Who may do what with a file, and what another file's mode may be so that nobody gains by it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Owner, group, mode (nine bits) and access list of a file.
#[derive(Clone, Debug)]
pub struct Access {
    pub owner: u32,
    pub group: u32,
    pub mode: u32,
    pub acl: Acl,
}

/// An access list as the system has it.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(any(target_os = "linux", target_os = "android")),
    allow(dead_code, reason = "only these have lists here")
)]
pub enum Acl {
    None,
    List(Vec<u8>),
    /// There may be one.
    Unknown,
}

impl PartialEq for Acl {
    /// What is not known is equal to nothing.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Acl::None, Acl::None) => true,
            (Acl::List(one), Acl::List(other)) => one == other,
            _ => false,
        }
    }
}

impl Access {
    pub fn of_path(path: &Path, metadata: &Metadata) -> Self {
        Self::new(metadata, acl::of_path(path))
    }

    pub fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::new(&file.metadata()?, acl::of_file(file)))
    }

    fn new(metadata: &Metadata, acl: Acl) -> Self {
        Self { owner: metadata.uid(), group: metadata.gid(), mode: metadata.mode() & 0o777, acl }
    }

    /// Gives a file the access list of this one, or none.
    pub fn copy_acl(&self, file: &File) -> io::Result<()> {
        acl::set(file, &self.acl)
    }

    /// The mode that a file of the owner, the group and the access list of `new` may have, so that nobody may do what he may
    /// not do with this file. The owner of `new` has what the owner of this file has: it is the same, or whoever is making it.
    pub fn mode_for(&self, new: &Self) -> u32 {
        let has_owner = new.owner == self.owner;
        let has_group = new.group == self.group;
        let is_list_kept = new.acl == self.acl && (new.acl == Acl::None || (has_owner && has_group));
        // With a list the bits of the group are those that the list allows at most, and say nothing of the group itself.
        if !is_list_kept {
            return self.mode & 0o700;
        }
        let [mut group, mut others] = [self.mode >> 3 & 7, self.mode & 7];
        if !has_group {
            // Members of the new group were others, and those of the old group become others.
            group &= others;
            others = group;
        }
        if !has_owner {
            // The old owner is a member of the group now, or one of the others.
            group &= self.mode >> 6;
            others &= self.mode >> 6;
        }
        self.mode & 0o700 | group << 3 | others
    }
}

/// Linux keeps access lists as an extended attribute.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod acl {
    use super::Acl;
    use rustix::fs::{XattrFlags, fgetxattr, fremovexattr, fsetxattr, getxattr};
    use rustix::io::{Errno, Result};
    use std::fs::File;
    use std::io;
    use std::path::Path;

    const NAME: &str = "system.posix_acl_access";

    /// The largest value of an attribute.
    const LARGEST: usize = 64 << 10;

    pub fn of_path(path: &Path) -> Acl {
        read(|list| getxattr(path, NAME, list))
    }

    pub fn of_file(file: &File) -> Acl {
        read(|list| fgetxattr(file, NAME, list))
    }

    fn read(get: impl FnOnce(&mut [u8]) -> Result<usize>) -> Acl {
        let mut list = vec![0; LARGEST];
        match get(&mut list) {
            Ok(len) => {
                list.truncate(len);
                Acl::List(list)
            }
            // None here, or none at all on this file system.
            Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL) => Acl::None,
            Err(_) => Acl::Unknown,
        }
    }

    pub fn set(file: &File, acl: &Acl) -> io::Result<()> {
        match acl {
            Acl::None | Acl::Unknown => fremovexattr(file, NAME)?,
            Acl::List(list) => fsetxattr(file, NAME, list, XattrFlags::empty())?,
        }
        Ok(())
    }
}

/// Elsewhere they are not known to be there.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod acl {
    use super::Acl;
    use std::fs::File;
    use std::io;
    use std::path::Path;

    pub fn of_path(_: &Path) -> Acl {
        Acl::None
    }

    pub fn of_file(_: &File) -> Acl {
        Acl::None
    }

    pub fn set(_: &File, _: &Acl) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(owner: u32, group: u32, mode: u32, acl: &Acl) -> Access {
        Access { owner, group, mode, acl: acl.clone() }
    }

    /// What a user of some groups may do with a file that has no access list.
    fn may(file: &Access, user: u32, groups: [bool; 2]) -> u32 {
        if user == file.owner {
            file.mode >> 6
        } else if groups[file.group as usize] {
            file.mode >> 3 & 7
        } else {
            file.mode & 7
        }
    }

    /// All modes, each with the owner and the group kept or not, for users who are the owners or not, of all groups.
    #[test]
    fn nobody_gains_by_any_mode() {
        let acl = Acl::None;
        for mode in 0..=0o777 {
            let old = access(0, 0, mode, &acl);
            for (owner, group) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let mut new = access(owner, group, 0, &acl);
                new.mode = old.mode_for(&new);
                assert_eq!(new.mode >> 6, mode >> 6, "{mode:03o}");
                // Whoever makes the new file owns it then, and knows what is in it.
                for user in (0..3).filter(|user| *user != new.owner || owner == old.owner) {
                    for groups in [[false, false], [false, true], [true, false], [true, true]] {
                        let (before, after) = (may(&old, user, groups), may(&new, user, groups));
                        assert_eq!(after & !before, 0, "{mode:03o} {owner} {group} {user} {groups:?}");
                    }
                }
                // Everything that can be kept is.
                if (owner, group) == (0, 0) {
                    assert_eq!(new.mode, mode);
                }
                if owner == 0 && mode >> 3 & 7 == mode & 7 {
                    assert_eq!(new.mode, mode);
                }
            }
        }
    }

    #[test]
    fn a_list_that_is_not_kept_closes_the_file() {
        let lists = [Acl::None, Acl::List(vec![1]), Acl::List(vec![2]), Acl::Unknown];
        for mode in 0..=0o777 {
            for (at, old) in lists.iter().enumerate() {
                for (other, new) in lists.iter().enumerate() {
                    for (owner, group) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                        let old = access(0, 0, mode, old);
                        let mode_for = old.mode_for(&access(owner, group, 0, new));
                        if at != other || at == 3 || (at > 0 && (owner, group) != (0, 0)) {
                            assert_eq!(mode_for, mode & 0o700);
                        } else if (owner, group) == (0, 0) {
                            assert_eq!(mode_for, mode);
                        }
                    }
                }
            }
        }
    }
}

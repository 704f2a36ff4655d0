//! Who may read a file, so that what is taken out of it is no more open.

use std::fs::File;
use std::io;
use std::path::Path;

/// Who may read and write what a subcommand reads; where that is not known, such as of a pipe, it limits nothing.
pub struct Openness {
    #[cfg(unix)]
    mode_and_group: Option<(u32, u32)>,
}

#[cfg(unix)]
impl Openness {
    /// That of what `path` names; `-` is standard input.
    pub fn of(path: &Path) -> Self {
        use std::os::fd::AsFd;
        use std::os::unix::fs::MetadataExt;
        let metadata = if path == Path::new("-") {
            let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
            stdin.and_then(|file| file.metadata()).ok().filter(|metadata| metadata.is_file())
        } else {
            path.metadata().ok()
        };
        Self { mode_and_group: metadata.map(|metadata| (metadata.mode(), metadata.gid())) }
    }

    /// Takes from a file that is still empty the rights that others have in it and not in the source. Another group has
    /// those that everybody has.
    pub fn limit(&self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        const OWNER: u32 = 0o700;
        let Some((mode, group)) = self.mode_and_group else { return Ok(()) };
        let metadata = file.metadata()?;
        let group_mode = if metadata.gid() == group { mode & 0o070 } else { (mode & 0o007) << 3 };
        let old = metadata.mode() & 0o7777;
        let new = old & (OWNER | group_mode | mode & 0o007);
        if new == old {
            return Ok(());
        }
        file.set_permissions(std::fs::Permissions::from_mode(new))
    }
}

#[cfg(not(unix))]
impl Openness {
    /// A new file gets the rights of its folder here.
    pub fn of(_: &Path) -> Self {
        Self {}
    }

    /// Nothing.
    pub fn limit(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

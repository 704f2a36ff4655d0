//! Saved states in files. A file is replaced as a whole or not at all.

use crate::{
    Buffered, BufferedWriter, Codec, Crc32Fast, Decoder, Encoder, Error, Failure, SaveFormat, decoder, replace_file,
};
use ssm_core::embedded_io::Write;
use ssm_core::{AfterLoad, AfterSave, Archive, Cancel, Crc32Bytewise, Header, Loader, Policy, Report, Saver, Units};
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The host's scratch: large enough for several of the largest blocks.
const SCRATCH: usize = 1 << 20;

/// How to save; the default is format 2.0 with LZF, no notes, no progress.
#[derive(Default)]
pub struct SaveOptions<'a> {
    /// The format of the file.
    pub format: SaveFormat,
    /// How units are packed. Format 2.0, the default, has no zlib: it takes [`SaveFormat::V1_2`].
    pub codec: Codec,
    /// The writer's version and the widths of addresses.
    pub header: Header,
    /// Pairs of strings for whoever reads the file (see [`Saver::notes`]).
    pub notes: &'a [(&'a str, &'a str)],
    /// What the units are told.
    pub after: AfterSave,
    /// Gets every percent from 0 to 100 once and in order.
    pub progress: Option<&'a mut dyn FnMut(u8)>,
    /// Stops the save.
    pub cancel: Option<&'a Cancel>,
}

/// How to load; the default decodes all of the file before any unit hears of the load, and refuses unknown and missing
/// units.
pub struct LoadOptions<'a> {
    /// Whether all of the file is decoded before any unit hears of the load, and once more to load it ([`Loader::new`]), or
    /// only while it loads ([`Loader::unverified`]), which takes about half the time and finds every accident as well.
    pub verify: bool,
    /// What to make of unknown and missing units.
    pub policy: Policy,
    /// What the units are told.
    pub after: AfterLoad,
    /// Gets every percent from 0 to 100 once and in order.
    pub progress: Option<&'a mut dyn FnMut(u8)>,
    /// Stops the load.
    pub cancel: Option<&'a Cancel>,
    /// Gets what the policy let pass.
    pub report: Option<&'a mut dyn FnMut(Report)>,
}

impl Default for LoadOptions<'_> {
    fn default() -> Self {
        let (policy, after) = (Policy::default(), AfterLoad::default());
        Self { verify: true, policy, after, progress: None, cancel: None, report: None }
    }
}

/// Saves the units of `machine` to a file. Returns its length in bytes.
///
/// The state is written to a temporary file in the same folder, made durable, and renamed over `path`; then the folder is
/// made durable. So at any moment `path` is the old state or the new one, whole. A symbolic link is followed, and its target
/// replaced; of several hard links the others keep the old state. Every name that the system allows can be saved to.
///
/// # What is kept of the old file
/// Owner, group, the nine bits of the mode and, on Linux, the access list, as far as the system allows; if it does not, that is
/// no error. But nobody may read or write the new file who may not do that to the old one, apart from whoever saves: where
/// owner, group or access list could not be kept, the new file has fewer bits. The temporary file is never more open than
/// that. Times, the bits set-user-ID, set-group-ID and sticky, other extended attributes and security labels are not kept. A
/// new file follows the umask, or the default access list of its folder.
///
/// # Errors
/// After an error `path` is the old state, or still not there, and nothing else is left in the folder. Only if the very last
/// step fails, that of the folder, the new state is there but might not outlive a power cut. Errors of the system have its
/// words and its number. These are errors:
///
/// - A unit fails, or the save is cancelled.
/// - `path` is there and is not a regular file, or is a link to nothing.
/// - `path` is read-only: the system does not let it be opened for writing, or its mode lets nobody write, not even root.
/// - A temporary file cannot be created, which a folder decides that may not be written; cannot be written; cannot be made
///   durable; or cannot be renamed, as when `path` is mounted by itself.
/// - The file system makes the new file more open than the old one.
/// - The folder cannot be made durable.
///
/// A file system that has no `fsync`, of files or of folders, and a folder that may be written but not listed are no errors:
/// the state is as durable then as the system makes it.
///
/// # What a crash leaves
/// A process that is killed, or a power cut, may leave the temporary file. Its name is `.ssm-`, twelve hexadecimal digits in
/// lower case, and `.tmp`; [`leftovers`](crate::leftovers) lists them. A program that is ended by a signal calls
/// [`abandon_saves`](crate::abandon_saves) first, as the tool `ssm` does for INT, TERM and HUP.
///
/// # What differs by system
/// - **Linux, Android**: as above.
/// - **Other Unix systems**: access lists are neither kept nor looked at; the mode is all that is known of who may do what.
/// - **Windows**: the new file takes the old one's place in one step, also while others have the old one open, if they opened
///   it to share deleting, as Rust's std does; if not, or if it is locked, the save fails and the old file stays. A file with the
///   attribute "read-only" is refused. Access lists are not kept: the new file has the one that its folder gives. Folders
///   cannot be made durable. Names of devices (`CON`, `NUL`, `COM1.sav` ..) and names that end with a dot or a space are refused,
///   as the system would take another file; every other name that it takes can be saved to, and paths of over 260 units.
/// - **Elsewhere**: as on Windows.
pub fn save_to_path<M>(
    path: impl AsRef<Path>,
    machine: &mut M,
    units: &Units<M>,
    options: SaveOptions<'_>,
) -> Result<u64, Error> {
    let path = path.as_ref();
    if (options.format, options.codec) == (SaveFormat::V2_0, Codec::Zlib) {
        return Err(Error::new(path, Failure::Codec { codec: options.codec, format: options.format }));
    }
    replace_file(path, |file| save_into(file, machine, units, options))
}

/// Saves to an empty file.
pub(crate) fn save_into<M, F: io::Write + io::Seek>(
    file: &mut F,
    machine: &mut M,
    units: &Units<M>,
    options: SaveOptions<'_>,
) -> Result<u64, Failure> {
    let mut scratch = vec![0; SCRATCH + 16 * (units.len() + 1)];
    let (medium, codec) = (BufferedWriter::new(file), options.codec.encoder());
    Ok(match options.format {
        SaveFormat::V1_2 => set(Saver::new(medium, codec, &mut scratch), options).save(machine, units)?,
        SaveFormat::V2_0 => set(Saver::streamed(medium, codec, &mut scratch), options).save(machine, units)?,
    })
}

/// Passes the options on.
fn set<'s, 'o: 's, W: Write, L: Default>(
    saver: Saver<'s, W, Encoder, Crc32Bytewise, L>,
    options: SaveOptions<'o>,
) -> Saver<'s, W, Encoder, Crc32Fast, L> {
    let SaveOptions { format: _, codec: _, header, notes, after, progress, cancel } = options;
    let mut saver = saver.crc32(Crc32Fast).header(header).notes(notes).after(after);
    if let Some(callback) = progress {
        saver = saver.progress(callback);
    }
    if let Some(cancel) = cancel {
        saver = saver.cancel(cancel);
    }
    saver
}

/// A file to write a saved state to in pieces of any size. Saves and writers flush it when they are done, and say it if that
/// fails.
pub fn buffered_writer(file: &mut File) -> BufferedWriter<&mut File> {
    BufferedWriter::new(file)
}

/// Bytes of scratch to read a file of this length.
fn scratch_for(file_len: u64) -> usize {
    usize::try_from(file_len.saturating_mul(2)).unwrap_or(SCRATCH).clamp(SCRATCH / 16, SCRATCH)
}

/// Loads the units of `machine` from a file of any format; the file's header. See [`Loader`] for what is checked when.
pub fn load_from_path<M>(
    path: impl AsRef<Path>,
    machine: &mut M,
    units: &Units<M>,
    options: LoadOptions<'_>,
) -> Result<Header, Error> {
    let path = path.as_ref();
    let LoadOptions { verify, policy, after, progress, cancel, report } = options;
    let file = open(path)?;
    let len = file.metadata().map_or(u64::MAX, |metadata| metadata.len());
    let mut scratch = vec![0; scratch_for(len) + units.len() / 2];
    let medium = Buffered::new(file);
    let loader = match verify {
        true => Loader::new(medium, decoder(), &mut scratch),
        false => Loader::unverified(medium, decoder(), &mut scratch),
    };
    let mut loader = loader.crc32(Crc32Fast).policy(policy).after(after);
    if let Some(callback) = progress {
        loader = loader.progress(callback);
    }
    if let Some(cancel) = cancel {
        loader = loader.cancel(cancel);
    }
    if let Some(report) = report {
        loader = loader.report(report);
    }
    loader.load(machine, units).map_err(|error| Error::new(path, error))
}

/// A file opened to be looked at.
pub type PathArchive = Archive<Buffered<File>, Decoder, Vec<u8>, Crc32Fast>;

/// Opens a file and checks header, size and checksum.
pub fn open_path(path: impl AsRef<Path>) -> Result<PathArchive, Error> {
    let path = path.as_ref();
    Archive::open_with(Buffered::new(open(path)?), decoder(), vec![0; SCRATCH], Crc32Fast)
        .map_err(|error| Error::new(path, error))
}

/// Opens a file by its header alone, to look at what is left of a damaged one.
pub fn open_path_unchecked(path: impl AsRef<Path>) -> Result<PathArchive, Error> {
    let path = path.as_ref();
    Archive::open_unchecked_with(Buffered::new(open(path)?), decoder(), vec![0; SCRATCH], Crc32Fast)
        .map_err(|error| Error::new(path, error))
}

fn open(path: &Path) -> Result<File, Error> {
    open_file(path).map_err(|source| Error::io(path, "open", source))
}

/// Opens a file, or a block device, that can be read at any place. A folder or a pipe is refused before it is opened: opening
/// a pipe waits for its other end.
pub fn open_file(path: impl AsRef<Path>) -> io::Result<File> {
    let file_type = fs::metadata(&path)?.file_type();
    #[cfg(unix)]
    let is_disk = std::os::unix::fs::FileTypeExt::is_block_device(&file_type);
    #[cfg(not(unix))]
    let is_disk = false;
    if file_type.is_dir() {
        Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"))
    } else if file_type.is_file() || is_disk {
        File::open(path)
    } else {
        Err(io::Error::other("not a regular file (save it to a file first)"))
    }
}

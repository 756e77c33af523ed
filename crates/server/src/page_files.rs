//! Where the files of the landing page come from: a folder, or the program itself.

use std::{
    fs,
    future::{Ready, ready},
    io::{self, Cursor},
    path::{Component, Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
    time::SystemTime,
};

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::{Backend, File, Metadata};

/// The files as built.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "PathBuf")]
pub enum PageFiles {
    /// In a folder, from which they are read each time.
    Folder(PathBuf),
    /// In the program.
    Embedded(EmbeddedFiles),
}

/// Files that were put into the program as it was built: their paths below the page,
/// such as `css/landing.css`, in the order of their bytes, and what is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedFiles(&'static [(&'static str, &'static [u8])]);

/// One of them.
#[derive(Clone, Debug)]
pub struct EmbeddedFile(Cursor<&'static [u8]>);

/// Its size in bytes.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedSize(u64);

impl From<PathBuf> for PageFiles {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl PageFiles {
    /// Whether there is a file of this name.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).is_file(),
            Self::Embedded(files) => files.get(Path::new(name)).is_some(),
        }
    }

    /// The text of a file.
    ///
    /// # Errors
    /// Where it is not there, cannot be read, or is no UTF-8.
    pub fn text(&self, name: &str) -> io::Result<String> {
        match self {
            Self::Folder(folder) => fs::read_to_string(folder.join(name)),
            Self::Embedded(files) => {
                let bytes = files.get(Path::new(name)).ok_or(io::ErrorKind::NotFound)?;
                let text = std::str::from_utf8(bytes);
                text.map(str::to_owned)
                    .map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault))
            }
        }
    }

    /// Where a file is, for messages.
    pub fn place(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.join(name),
            Self::Embedded(_) => Path::new("(built in)").join(name),
        }
    }
}

impl EmbeddedFiles {
    /// The files; `files` must be in the order of their names.
    pub const fn new(files: &'static [(&'static str, &'static [u8])]) -> Self {
        Self(files)
    }

    /// Finds a file by a path such as `./css/landing.css`. There are no folders.
    fn get(self, path: &Path) -> Option<&'static [u8]> {
        let mut name = String::new();
        for component in path.components() {
            match component {
                Component::CurDir => {}
                Component::Normal(part) => {
                    if !name.is_empty() {
                        name.push('/');
                    }
                    name.push_str(part.to_str()?);
                }
                _ => return None,
            }
        }
        let found = self.0.binary_search_by(|(known, _)| (*known).cmp(&name));
        found.ok().map(|index| self.0[index].1)
    }

    fn open_now(self, path: &Path) -> io::Result<EmbeddedFile> {
        let bytes = self.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(EmbeddedFile(Cursor::new(bytes)))
    }
}

impl EmbeddedFile {
    fn size(&self) -> EmbeddedSize {
        EmbeddedSize(self.0.get_ref().len() as u64)
    }
}

impl Backend for EmbeddedFiles {
    type File = EmbeddedFile;
    type Metadata = EmbeddedSize;
    type OpenFuture = Ready<io::Result<EmbeddedFile>>;
    type MetadataFuture = Ready<io::Result<EmbeddedSize>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        ready(self.open_now(&path))
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        ready(self.open_now(&path).map(|file| file.size()))
    }
}

impl File for EmbeddedFile {
    type Metadata = EmbeddedSize;
    type MetadataFuture<'a> = Ready<io::Result<EmbeddedSize>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(self.size()))
    }
}

impl Metadata for EmbeddedSize {
    fn is_dir(&self) -> bool {
        false
    }

    /// Nothing: two builds of one commit have the same time and need not be the same.
    fn modified(&self) -> io::Result<SystemTime> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn len(&self) -> u64 {
        self.0
    }
}

impl AsyncRead for EmbeddedFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncSeek for EmbeddedFile {
    fn start_seek(mut self: Pin<&mut Self>, position: io::SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.0).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.0).poll_complete(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: EmbeddedFiles = EmbeddedFiles::new(&[
        ("css/landing.css", b"p{}"),
        ("index.html", b"<head></head>"),
        ("wrong.html", b"\xff"),
    ]);

    #[test]
    fn embedded_files_are_found_by_their_names_and_nothing_else_is() {
        for (path, found) in [
            ("./css/landing.css", true),
            ("css/landing.css", true),
            ("index.html", true),
            ("./css", false),
            ("css/../index.html", false),
            ("/index.html", false),
            ("", false),
        ] {
            assert_eq!(FILES.get(Path::new(path)).is_some(), found, "{path}");
        }
    }

    #[test]
    fn a_text_is_read_from_the_program_as_from_a_folder() {
        let embedded = PageFiles::Embedded(FILES);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("index.html"), "<head></head>").unwrap();
        fs::write(folder.path().join("wrong.html"), b"\xff").unwrap();
        let folder = PageFiles::Folder(folder.path().to_owned());
        for files in [embedded, folder] {
            assert!(files.has("index.html") && !files.has("other.html"));
            assert_eq!(files.text("index.html").unwrap(), "<head></head>");
            let kind = |name| files.text(name).unwrap_err().kind();
            assert_eq!(kind("other.html"), io::ErrorKind::NotFound);
            assert_eq!(kind("wrong.html"), io::ErrorKind::InvalidData);
        }
    }
}

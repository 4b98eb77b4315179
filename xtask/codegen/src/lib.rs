//! Turns the definitions in `proto/defs` into the Rust code in `proto/src/gen`.
//!
//! Everything happens in memory, so that writing and checking are the same work: both start from
//! [`generate`]. No `protoc` is needed; protox parses the definitions.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use prost::Message as _;
use prost_build::Module;
use prost_types::FileDescriptorSet;

/// What went wrong; the message says it all.
pub type Failure = Box<dyn Error + Send + Sync>;

/// The file that holds the compiled definitions themselves.
pub const DESCRIPTORS: &str = "descriptors.bin";

/// The crate `viam-proto` in this source tree.
pub fn proto_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto")
}

/// Compiles all definitions below `defs`, imports included, without comments and positions.
pub fn compile(defs: &Path) -> Result<FileDescriptorSet, Failure> {
    let files = definitions(defs)?;
    let mut compiler = protox::Compiler::new([defs])?;
    compiler.include_imports(true).include_source_info(false).open_files(files)?;
    Ok(compiler.file_descriptor_set())
}

/// All `.proto` files below `defs`, sorted: the order decides the order of the output.
fn definitions(defs: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![defs.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The generated files by name: one a package, and [`DESCRIPTORS`].
pub fn generate(set: &FileDescriptorSet) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let services = tonic_prost_build::configure()
        // Clients are generic over the service that carries them; none opens a connection.
        .build_transport(false)
        .generate_default_stubs(true)
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .service_generator();
    let mut config = prost_build::Config::new();
    config.bytes(["."]).service_generator(services);

    let requests = set
        .file
        .iter()
        .map(|file| (Module::from_protobuf_package_name(file.package()), file.clone()));
    let mut output: BTreeMap<String, Vec<u8>> = config
        .generate(requests.collect())?
        .into_iter()
        .map(|(module, code)| (module.to_file_name_or("_"), code.into_bytes()))
        .collect();
    output.insert(DESCRIPTORS.to_owned(), set.encode_to_vec());
    Ok(output)
}

/// The names of the files in `folder` that differ from `output`, are missing or are left over.
pub fn differences(
    folder: &Path,
    output: &BTreeMap<String, Vec<u8>>,
) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for (name, contents) in output {
        match fs::read(folder.join(name)) {
            Ok(present) if present == *contents => {}
            Ok(_) => names.push(name.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => names.push(name.clone()),
            Err(error) => return Err(error.into()),
        }
    }
    names.extend(left_over(folder, output)?);
    names.sort();
    Ok(names)
}

/// Writes `output` into `folder`, touching only what differs, and removes what is left over.
///
/// Returns the names of the files that were changed.
pub fn write(folder: &Path, output: &BTreeMap<String, Vec<u8>>) -> Result<Vec<String>, Failure> {
    fs::create_dir_all(folder)?;
    let changed = differences(folder, output)?;
    for name in &changed {
        match output.get(name) {
            Some(contents) => fs::write(folder.join(name), contents)?,
            None => fs::remove_file(folder.join(name))?,
        }
    }
    Ok(changed)
}

/// Files in `folder` that are no longer generated.
fn left_over(folder: &Path, output: &BTreeMap<String, Vec<u8>>) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    match fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                let name = entry?.file_name().to_string_lossy().into_owned();
                if !output.contains_key(&name) {
                    names.push(name);
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    Ok(names)
}

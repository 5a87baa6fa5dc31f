//! `idl CRATE_DIR` prints the crate's IDL as JSON. Run it without RUSTUP_TOOLCHAIN in the
//! environment: with it, the library underneath tries to install toolchains.

use {anchor_lang_idl::build::IdlBuilder, std::path::PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path: PathBuf = std::env::args_os().nth(1).ok_or("usage: idl CRATE_DIR")?.into();
    let idl = IdlBuilder::new().program_path(path.canonicalize()?).build()?;
    println!("{}", serde_json::to_string_pretty(&idl)?);
    Ok(())
}

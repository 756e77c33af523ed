//! What the module needs of a standard library in the browser: memory, and an end
//! when it panics.

/// Smaller than the standard library's allocator.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::cell::TalcSyncCell<talc::wasm::WasmGrowAndClaim, talc::wasm::WasmBinning> =
    talc::cell::TalcSyncCell::new_wasm(talc::wasm::WasmGrowAndClaim);

/// The standard library's handler would carry all of its formatting with it. In tests,
/// where the standard library is there anyway, its own serves.
#[cfg(all(target_arch = "wasm32", vestibule_module))]
mod panic {
    use core::panic::PanicInfo;

    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = console)]
        fn error(file: &str, line: u32);
    }

    /// Tells the place in the source to the console and traps, which ends the check.
    #[panic_handler]
    fn panic(info: &PanicInfo<'_>) -> ! {
        if let Some(place) = info.location() {
            error(place.file(), place.line());
        }
        core::arch::wasm32::unreachable()
    }
}

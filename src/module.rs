//! What the shim needs of a standard library in the browser: memory, and an end when
//! it panics.

use core::alloc::{GlobalAlloc, Layout};

/// Smaller than the standard library's allocator, by 2.5 KB of what is downloaded.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: Wiping<
    talc::cell::TalcSyncCell<talc::wasm::WasmGrowAndClaim, talc::wasm::WasmBinning>,
> = Wiping(talc::cell::TalcSyncCell::new_wasm(
    talc::wasm::WasmGrowAndClaim,
));

/// Overwrites every block with zeros before it is given back, so that no PIN, name or
/// token outlives its use in the memory of the module, which every script of the page
/// can read. A block that changes its size is moved and so wiped where it was.
struct Wiping<A>(A);

#[expect(
    unsafe_code,
    reason = "an allocator cannot be written without; every call is handed on as it came"
)]
// SAFETY: `alloc` and `dealloc` are those of the inner allocator, and the bytes that are
// written belong to the block that is given back. The other functions, by their default
// implementations, call only these two.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Wiping<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        for offset in 0..layout.size() {
            // Volatile: nobody reads what is written here, and it must be written.
            // SAFETY: the block is as large as its layout and nobody else's any more.
            unsafe { block.add(offset).write_volatile(0) };
        }
        // SAFETY: as the caller promises.
        unsafe { self.0.dealloc(block, layout) };
    }
}

/// The standard library's handler would carry all of its formatting with it. This one
/// traps, and `boot.js` shows that the visit cannot start. It looks at neither message
/// nor place: who reads them makes the linker keep those of every panic. In tests, where
/// the standard library is there anyway, its own serves.
#[cfg(all(target_arch = "wasm32", vestibule_module))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};
    use core::cell::RefCell;
    use std::alloc::System;

    use super::*;

    std::thread_local! {
        static GIVEN_BACK: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
    }

    /// Keeps what stands in each block that is given back.
    struct Keeping;

    #[expect(unsafe_code, reason = "stands where an allocator stands")]
    // SAFETY: the system's allocator does all the work.
    unsafe impl GlobalAlloc for Keeping {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as the caller promises.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the block is as large as its layout.
            let bytes = unsafe { core::slice::from_raw_parts(block, layout.size()) };
            GIVEN_BACK.with_borrow_mut(|kept| kept.push(bytes.to_vec()));
            // SAFETY: as the caller promises.
            unsafe { System.dealloc(block, layout) };
        }
    }

    #[test]
    #[expect(unsafe_code, reason = "calls an allocator")]
    fn a_block_is_wiped_where_it_is_given_back_and_where_it_is_moved() {
        let layout = |size| Layout::from_size_align(size, 1).unwrap();
        let allocator = Wiping(Keeping);
        let secret = b"40718265";
        // SAFETY: blocks and layouts go together, and no byte outside of them is touched.
        unsafe {
            let block = allocator.alloc(layout(8));
            block.copy_from(secret.as_ptr(), 8);
            let moved = allocator.realloc(block, layout(8), 13);
            assert_eq!(core::slice::from_raw_parts(moved, 8), secret);
            let smaller = allocator.realloc(moved, layout(13), 5);
            assert_eq!(core::slice::from_raw_parts(smaller, 5), &secret[..5]);
            allocator.dealloc(smaller, layout(5));
        }
        let given_back = GIVEN_BACK.with_borrow(Clone::clone);
        assert_eq!(given_back, [vec![0; 8], vec![0; 13], vec![0; 5]]);
    }
}

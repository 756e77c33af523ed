//! Hazardous: AES-CBC with PKCS#7 padding (RFC 5652 section 6.3) and **no message
//! authentication code**, because that is what EHRs send.
//!
//! Whoever can tell a padding fault from any other one decrypts a launch without the
//! key, byte by byte. So there is one fault here, found at the same cost whatever it
//! is, and the callers above do not refine it.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use aes::{Aes128, Aes256};
use cbc::{
    Decryptor, Encryptor,
    cipher::{
        BlockModeDecrypt, BlockModeEncrypt, KeyIvInit,
        block_padding::{NoPadding, Pkcs7},
    },
};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};
use zeroize::Zeroizing;

use super::key::KeyBytes;

/// Bytes of a block and of an initialisation vector.
pub(super) const BLOCK: usize = 16;

/// The ciphertext is bad, in whatever way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault;

/// Decrypts, takes the padding off and gives the text.
pub(super) fn decrypt(
    key: &KeyBytes,
    iv: &[u8; BLOCK],
    ciphertext: &[u8],
) -> Result<Zeroizing<String>, Fault> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    // Fails where the length is no multiple of a block. Everybody can see the length,
    // so nothing is learnt from how fast that is.
    match key {
        KeyBytes::Aes128(key) => Decryptor::<Aes128>::new((&**key).into(), iv.into())
            .decrypt_padded::<NoPadding>(&mut buffer),
        KeyBytes::Aes256(key) => Decryptor::<Aes256>::new((&**key).into(), iv.into())
            .decrypt_padded::<NoPadding>(&mut buffer),
    }
    .map_err(|_| Fault)?;
    let last_block = buffer.last_chunk().ok_or(Fault)?;
    let (padding, padded_well) = padding_of(last_block);
    // Read as UTF-8 whether the padding is right or not, so that both faults cost the
    // same. A wrong padding counts as none here.
    let text = core::str::from_utf8(&buffer[..buffer.len() - usize::from(padding)]);
    match (text, bool::from(padded_well)) {
        (Ok(text), true) => Ok(Zeroizing::new(text.to_owned())),
        _ => Err(Fault),
    }
}

/// Pads and encrypts.
pub(super) fn encrypt(key: &KeyBytes, iv: &[u8; BLOCK], plaintext: &[u8]) -> Vec<u8> {
    match key {
        KeyBytes::Aes128(key) => Encryptor::<Aes128>::new((&**key).into(), iv.into())
            .encrypt_padded_vec::<Pkcs7>(plaintext),
        KeyBytes::Aes256(key) => Encryptor::<Aes256>::new((&**key).into(), iv.into())
            .encrypt_padded_vec::<Pkcs7>(plaintext),
    }
}

/// How many bytes of padding the last block ends with, and whether they are as they
/// must be; 0 where they are not. Looks at all 16 bytes whatever they are.
fn padding_of(last_block: &[u8; BLOCK]) -> (u8, Choice) {
    let claimed = last_block[BLOCK - 1];
    let mut right = !claimed.ct_eq(&0) & !claimed.ct_gt(&16);
    for (from_the_end, byte) in (0_u8..).zip(last_block.iter().rev()) {
        let is_padding = claimed.ct_gt(&from_the_end);
        right &= !is_padding | byte.ct_eq(&claimed);
    }
    (u8::conditional_select(&0, &claimed, right), right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sixteen_paddings_of_pkcs_7_are_right() {
        for claimed in 0..=u8::MAX {
            let mut block = [claimed; BLOCK];
            let right = (1..=16).contains(&claimed);
            assert_eq!(bool::from(padding_of(&block).1), right, "{claimed}");
            assert_eq!(padding_of(&block).0, if right { claimed } else { 0 });
            // One byte before the padding is free, one byte within it is not.
            if let Some(free) = 15_usize.checked_sub(usize::from(claimed)) {
                block[free] ^= 0x40;
                assert_eq!(bool::from(padding_of(&block).1), right, "{claimed}");
            }
            if (2..=16).contains(&claimed) {
                block[16 - usize::from(claimed)] ^= 1;
                assert!(!bool::from(padding_of(&block).1), "{claimed}");
            }
        }
    }

    #[test]
    fn a_ciphertext_of_no_or_of_half_a_block_is_bad() {
        let key = KeyBytes::Aes128(Zeroizing::new([0; 16]));
        for length in [0, 1, 15, 17, 31] {
            assert_eq!(decrypt(&key, &[0; BLOCK], &vec![0; length]), Err(Fault));
        }
    }
}

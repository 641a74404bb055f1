//! Bytes of a tile of rows, and comparisons of them.
//!
//! On Wasm the operations are instructions of `simd128`; elsewhere they are loops over 16 bytes with the same results.

/// Rows of a tile.
pub(super) const TILE: usize = LANES * 16;
/// Vectors of a tile.
const LANES: usize = 4;

/// One byte for each row of a tile.
pub(super) type Tile = [[u8; 16]; LANES];

/// A tile of one byte.
pub(super) const fn splat(byte: u8) -> Tile {
    [[byte; 16]; LANES]
}

/// For each row `others` where the byte is at most `limit`, otherwise `above`.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
#[inline]
pub(super) fn select(bytes: &Tile, limit: u8, above: &Tile, others: &Tile) -> Tile {
    let mut result = splat(0);
    for lane in 0..LANES {
        result[lane] = vector::select(&bytes[lane], limit, &above[lane], &others[lane]);
    }
    result
}

/// For each row `number`, and one more where the byte is at most `limit`.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
#[inline]
pub(super) fn next_if_at_most(bytes: &Tile, limit: u8, number: u8) -> Tile {
    let mut result = splat(0);
    for lane in 0..LANES {
        result[lane] = vector::add_at_most(&bytes[lane], limit, &[number; 16]);
    }
    result
}

/// Doubles the numbers, and adds one where the byte is at most `limit`.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
#[inline]
pub(super) fn append_bit(bytes: &Tile, limit: u8, numbers: &mut Tile) {
    for lane in 0..LANES {
        let doubled = numbers[lane].map(|number| number << 1);
        numbers[lane] = vector::add_at_most(&bytes[lane], limit, &doubled);
    }
}

#[cfg(target_arch = "wasm32")]
mod vector {
    use core::arch::wasm32::{i8x16_sub, u8x16_le, u8x16_splat, v128, v128_bitselect, v128_load, v128_store};

    #[target_feature(enable = "simd128")]
    #[inline]
    fn load(bytes: &[u8; 16]) -> v128 {
        // SAFETY: the 16 bytes can be read; Wasm loads need no alignment.
        unsafe { v128_load(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "simd128")]
    #[inline]
    fn stored(vector: v128) -> [u8; 16] {
        let mut bytes = [0; 16];
        // SAFETY: the 16 bytes can be written; Wasm stores need no alignment.
        unsafe { v128_store(bytes.as_mut_ptr().cast(), vector) };
        bytes
    }

    #[target_feature(enable = "simd128")]
    #[inline]
    pub(super) fn select(bytes: &[u8; 16], limit: u8, above: &[u8; 16], others: &[u8; 16]) -> [u8; 16] {
        let at_most = u8x16_le(load(bytes), u8x16_splat(limit));
        stored(v128_bitselect(load(others), load(above), at_most))
    }

    #[target_feature(enable = "simd128")]
    #[inline]
    pub(super) fn add_at_most(bytes: &[u8; 16], limit: u8, numbers: &[u8; 16]) -> [u8; 16] {
        // The bits of a comparison that holds are -1.
        stored(i8x16_sub(load(numbers), u8x16_le(load(bytes), u8x16_splat(limit))))
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod vector {
    #[inline]
    pub(super) fn select(bytes: &[u8; 16], limit: u8, above: &[u8; 16], others: &[u8; 16]) -> [u8; 16] {
        let mut result = [0; 16];
        for row in 0..16 {
            result[row] = if bytes[row] <= limit { others[row] } else { above[row] };
        }
        result
    }

    #[inline]
    pub(super) fn add_at_most(bytes: &[u8; 16], limit: u8, numbers: &[u8; 16]) -> [u8; 16] {
        let mut result = [0; 16];
        for row in 0..16 {
            result[row] = numbers[row].wrapping_add(u8::from(bytes[row] <= limit));
        }
        result
    }
}

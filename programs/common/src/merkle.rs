//! Merkle proofs: leaves and nodes are hashed under different tags, pairs are sorted.

use crate::hash::sha256v;

/// First byte of every leaf's preimage.
pub const LEAF_TAG: [u8; 1] = [0];

/// First byte of every inner node's preimage: no node can pass for a leaf.
pub const NODE_TAG: [u8; 1] = [1];

/// Bytes of a hash.
pub const HASH_LEN: usize = 32;

/// `sha256(1, smaller, larger)`.
#[inline(always)]
fn node(a: &[u8; HASH_LEN], b: &[u8; HASH_LEN]) -> [u8; HASH_LEN] {
    if less(a, b) {
        sha256v(&[&NODE_TAG, a, b])
    } else {
        sha256v(&[&NODE_TAG, b, a])
    }
}

/// `a < b` bytewise, by four big-endian words: a byte loop costs ten times as much on chain.
#[inline(always)]
fn less(a: &[u8; HASH_LEN], b: &[u8; HASH_LEN]) -> bool {
    let (words_a, _) = a.as_chunks::<8>();
    let (words_b, _) = b.as_chunks::<8>();
    for (x, y) in words_a.iter().zip(words_b) {
        let (x, y) = (u64::from_be_bytes(*x), u64::from_be_bytes(*y));
        if x != y {
            return x < y;
        }
    }
    false
}

/// Whether `leaf` (already hashed) is under `root` by `proof`, the sibling hashes from the leaf
/// upwards, joined. A proof that is not a whole number of hashes is refused.
pub fn verify(root: &[u8; HASH_LEN], leaf: [u8; HASH_LEN], proof: &[u8]) -> bool {
    let (siblings, rest) = proof.as_chunks::<HASH_LEN>();
    let top = siblings.iter().fold(leaf, |hash, sibling| node(&hash, sibling));
    rest.is_empty() && top == *root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_bytewise() {
        let mut low = [7u8; HASH_LEN];
        let mut high = low;
        low[31] = 1;
        high[31] = 2;
        assert!(less(&low, &high) && !less(&high, &low) && !less(&low, &low));
        high[0] = 6;
        assert!(less(&high, &low));
    }

    #[test]
    fn proofs_hold_and_break() {
        let leaves: Vec<[u8; 32]> = (0u8..3).map(|i| sha256v(&[&LEAF_TAG, &[i]])).collect();
        let pair = node(&leaves[0], &leaves[1]);
        let root = node(&pair, &leaves[2]);
        assert!(verify(&root, leaves[2], &pair));
        assert!(verify(&root, leaves[0], &[leaves[1], leaves[2]].concat()));
        assert!(!verify(&root, leaves[0], &[leaves[2], leaves[1]].concat()));
        assert!(!verify(&root, leaves[2], &[]), "an empty proof");
    }

    /// Up to a path of five hashes, and every number of bytes that is no hash.
    #[test]
    fn a_proof_that_is_cut_or_has_trailing_bytes_proves_nothing() {
        let mut root = sha256v(&[&LEAF_TAG, b"leaf"]);
        let leaf = root;
        let mut proof = Vec::new();
        for level in 0u8..=5 {
            assert!(verify(&root, leaf, &proof), "{level} hashes");
            for bytes in 1..HASH_LEN {
                let longer = [proof.as_slice(), &[level; HASH_LEN][..bytes]].concat();
                assert!(!verify(&root, leaf, &longer), "{level} hashes and {bytes} bytes");
                if level > 0 {
                    let cut = &proof[..proof.len() - bytes];
                    assert!(!verify(&root, leaf, cut), "{level} hashes less {bytes} bytes");
                }
            }
            let sibling = sha256v(&[&LEAF_TAG, &[level]]);
            root = node(&root, &sibling);
            proof.extend_from_slice(&sibling);
        }
    }

    #[test]
    fn a_node_can_not_pose_as_a_leaf() {
        let leaves: Vec<[u8; 32]> = (0u8..3).map(|i| sha256v(&[&LEAF_TAG, &[i]])).collect();
        let root = node(&node(&leaves[0], &leaves[1]), &leaves[2]);
        let glued = [leaves[0], leaves[1]].concat();
        assert!(!verify(&root, sha256v(&[&LEAF_TAG, &glued]), &leaves[2]));
    }
}

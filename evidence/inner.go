package evidence

import (
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"
)

// SaltSize is the length of a salt and of a seed in bytes.
const SaltSize = 16

// Salt is the salt of entry i (from 0) of the batch with this seed.
func Salt(seed [SaltSize]byte, i uint32) (salt [SaltSize]byte) {
	var b [SaltSize + 4]byte
	copy(b[:], seed[:])
	binary.BigEndian.PutUint32(b[SaltSize:], i)
	h := sha256.Sum256(b[:])
	copy(salt[:], h[:])
	return salt
}

// EntryHash is the leaf hash of an encoded entry in its batch's own tree.
func EntryHash(salt [SaltSize]byte, entry []byte) tlog.Hash {
	var short [128]byte // most entries have a dozen bytes; no allocation for them
	b := append(short[:1], salt[:]...)
	return sha256.Sum256(append(b, entry...))
}

// Root is the RFC 6962 root over leaf hashes, which it overwrites. There must
// be at least one.
func Root(leaves []tlog.Hash) tlog.Hash {
	for len(leaves) > 1 {
		leaves = foldLevel(leaves)
	}
	return leaves[0]
}

// Path is the audit path of leaf i from the bottom up; it overwrites leaves.
func Path(leaves []tlog.Hash, i int) []tlog.Hash {
	var path []tlog.Hash
	for len(leaves) > 1 {
		if sibling := i ^ 1; sibling < len(leaves) {
			path = append(path, leaves[sibling])
		}
		leaves = foldLevel(leaves)
		i /= 2
	}
	return path
}

// Paths are the audit paths of several leaves, as Path gives each; it overwrites leaves.
func Paths(leaves []tlog.Hash, at []int) [][]tlog.Hash {
	paths := make([][]tlog.Hash, len(at))
	at = append([]int(nil), at...)
	for len(leaves) > 1 {
		for k, i := range at {
			if sibling := i ^ 1; sibling < len(leaves) {
				paths[k] = append(paths[k], leaves[sibling])
			}
			at[k] = i / 2
		}
		leaves = foldLevel(leaves)
	}
	return paths
}

// foldLevel makes the next level up. A node without a sibling moves up as it
// is: that gives the tree of RFC 6962, which splits at the largest power of two.
func foldLevel(level []tlog.Hash) []tlog.Hash {
	n := 0
	for i := 0; i+1 < len(level); i += 2 {
		var b [1 + 2*tlog.HashSize]byte
		b[0] = 1
		copy(b[1:], level[i][:])
		copy(b[1+tlog.HashSize:], level[i+1][:])
		level[n] = sha256.Sum256(b[:])
		n++
	}
	if len(level)%2 == 1 {
		level[n] = level[len(level)-1]
		n++
	}
	return level[:n]
}

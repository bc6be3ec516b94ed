package api

import (
	"crypto/hkdf"
	"crypto/sha256"
)

// TokenKey derives the key of token digests, and nothing else, from root.
func TokenKey(root [32]byte) (key [32]byte, err error) {
	k, err := hkdf.Key(sha256.New, root[:], nil, "cordon api tokens v1", len(key))
	copy(key[:], k)
	return key, err
}

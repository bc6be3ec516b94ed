package vault

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// A key file is one line: format, what the key is for, 32 bytes in base64, and
// the first 8 hex digits of the SHA-256 of the three. It says what it is, so
// that two files that were swapped are told from each other, and a file that a
// full disk cut short is told from a key.
const keyFormat = "cordon-key-v1"

func encodeKey(name string, key Key) []byte {
	line := keyFormat + " " + name + " " + base64.StdEncoding.EncodeToString(key[:])
	return []byte(line + " " + checksum(line) + "\n")
}

func decodeKey(name string, text []byte) (Key, error) {
	fields := strings.Fields(string(text))
	if len(fields) != 4 || fields[0] != keyFormat {
		return Key{}, fmt.Errorf("it is cut short or not a key file")
	}
	if checksum(strings.Join(fields[:3], " ")) != fields[3] {
		return Key{}, fmt.Errorf("its checksum does not fit: it is damaged")
	}
	if fields[1] != name {
		return Key{}, fmt.Errorf("it holds %s: two files were swapped", fields[1])
	}
	raw, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil || len(raw) != len(Key{}) {
		return Key{}, fmt.Errorf("it does not hold 32 bytes")
	}
	return Key(raw), nil
}

func checksum(line string) string {
	sum := sha256.Sum256([]byte(line))
	return hex.EncodeToString(sum[:4])
}

func newKey() (k Key) {
	rand.Read(k[:]) // never fails (Go 1.24)
	return k
}

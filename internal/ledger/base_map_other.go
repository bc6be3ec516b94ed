//go:build !unix

package ledger

import (
	"io"
	"os"
)

// mapFile does not map: the sheet is read through its file.
func mapFile(*os.File, int64) ([]byte, error) { return nil, nil }

// mapPrivate reads the whole file.
func mapPrivate(f *os.File, size int64) ([]byte, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(io.NewSectionReader(f, 0, size), data)
	return data, err
}

func unmap([]byte) {}

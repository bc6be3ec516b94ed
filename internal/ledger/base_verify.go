package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// verifyBase reads the base of people whole and compares it with its sums, and
// these with what the store names. It gives every chunk that is not as it was
// written.
func (l *Ledger) verifyBase(ctx context.Context) (problems []string) {
	row, ok, err := l.baseRow()
	if err != nil {
		return []string{fmt.Sprintf("people: %v", err)}
	}
	if !ok {
		return nil
	}
	err = l.ids.withBase(func(b *base) error {
		m, digest, err := readManifest(b.dir)
		if err != nil {
			return err
		}
		if digest != row.digest {
			return fmt.Errorf("the manifest in %s is not the one that the store names", b.dir)
		}
		sums, err := readSums(b.dir, &m)
		if err != nil {
			return fmt.Errorf("%s: %w", b.dir, err)
		}
		for _, f := range m.Files {
			if f.Name == sumsName {
				continue
			}
			found, err := verifySheet(ctx, b.dir, f, sums[f.Name])
			if err != nil {
				return err
			}
			problems = append(problems, found...)
		}
		return nil
	})
	if err != nil {
		problems = append(problems, fmt.Sprintf("people: %v", err))
	}
	return problems
}

// problemsPerFile bounds what is said about one file.
const problemsPerFile = 20

func verifySheet(ctx context.Context, dir string, info baseFileInfo, sums sheetSums) (problems []string, err error) {
	path := dir + string(os.PathSeparator) + info.Name
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buf := make([]byte, sheetChunk)
	for i := range sums.chunks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		start := int64(i) * sheetChunk
		chunk := buf[:min(sheetChunk, info.Bytes-start)]
		if _, err := io.ReadFull(f, chunk); err != nil {
			return append(problems, fmt.Sprintf("people: %s ends after %d bytes, it should have %d", path, start, info.Bytes)), nil
		}
		same := sha256.Sum256(chunk) == sums.chunks[i]
		for off := 0; off < len(chunk) && same; off += sheetBlock {
			same = crc32.Checksum(chunk[off:min(len(chunk), off+sheetBlock)], castagnoli) == sums.crcs[(start+int64(off))/sheetBlock]
		}
		if !same {
			problems = append(problems, fmt.Sprintf("people: %s is damaged between bytes %d and %d", path, start, start+int64(len(chunk))))
			if len(problems) == problemsPerFile {
				return append(problems, "people: … and more of "+path), nil
			}
		}
	}
	return problems, nil
}

package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	frameBlock = 512
	frameEnd   = 2 * frameBlock
	maxName    = 100
)

// member is one file inside the archive.
type member struct {
	name   string
	offset int64 // of the content
	size   int64
}

// frameHeader is the one header that a name and a size have.
func frameHeader(name string, size int64) (h [frameBlock]byte) {
	copy(h[0:], name)
	copy(h[100:], "0000644\x00")
	copy(h[108:], "0000000\x00")
	copy(h[116:], "0000000\x00")
	copy(h[124:], fmt.Sprintf("%011o\x00", size))
	copy(h[136:], "00000000000\x00")
	copy(h[148:], "        ")
	h[156] = '0'
	copy(h[257:], "ustar\x0000")
	copy(h[329:], "0000000\x00")
	copy(h[337:], "0000000\x00")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

const maxMember = 1<<33 - 1 // eleven octal digits

func validName(name string) bool {
	if name == "" || len(name) > maxName {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/", r))
	})
}

func padding(size int64) int64 { return -size & (frameBlock - 1) }

// readFrame walks the whole file and accepts only what writeFrame writes.
func readFrame(f io.ReaderAt, size int64) ([]member, error) {
	var members []member
	var block [frameBlock]byte
	at, within := int64(0), "the beginning"
	for {
		if err := readAt(f, block[:], at, size); err != nil {
			return nil, cutShort(err, "it ends behind "+within+", where more must follow")
		}
		if block[0] == 0 {
			break
		}
		n := bytes.IndexByte(block[:maxName], 0)
		if n < 0 {
			n = maxName
		}
		name := string(block[:n])
		var length int64
		for _, c := range block[124:135] {
			if c < '0' || c > '7' {
				return nil, damagedFrame(at, within)
			}
			length = length<<3 | int64(c-'0')
		}
		if !validName(name) || frameHeader(name, length) != block {
			return nil, damagedFrame(at, within)
		}
		content := at + frameBlock
		at = content + length + padding(length)
		if at > size || at < content {
			return nil, fail(StepFrame, name, "the file is not whole: it ends inside of %s", name)
		}
		if pad := block[:padding(length)]; len(pad) > 0 {
			if err := readAt(f, pad, content+length, size); err != nil {
				return nil, cutShort(err, "it ends inside of "+name)
			}
			if !zeros(pad) {
				return nil, fail(StepFrame, name, "the file was changed in the empty space behind %s", name)
			}
		}
		members, within = append(members, member{name, content, length}), name
	}
	var end [frameEnd]byte
	if err := readAt(f, end[:], at, size); err != nil {
		return nil, cutShort(err, "its end mark is incomplete")
	}
	if !zeros(end[:]) {
		return nil, damagedFrame(at, within)
	}
	if at+frameEnd != size {
		return nil, fail(StepFrame, "", "the file does not end where the bundle ends: %d bytes follow", size-at-frameEnd)
	}
	return members, nil
}

func damagedFrame(at int64, behind string) error {
	return fail(StepFrame, "", "the file's frame was changed, or this is no bundle: byte %d and following, behind %s, are not as they must be", at, behind)
}

func cutShort(err error, where string) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fail(StepFrame, "", "the file is not whole: %s", where)
	}
	return err
}

// readAt fills b. What lies behind size does not exist.
func readAt(f io.ReaderAt, b []byte, at, size int64) error {
	if at+int64(len(b)) > size {
		return io.ErrUnexpectedEOF
	}
	if n, err := f.ReadAt(b, at); n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// frameWriter writes members one after the other.
type frameWriter struct {
	w      io.Writer
	buffer [64 << 10]byte
}

func (f *frameWriter) member(name string, size int64, content io.Reader) error {
	if !validName(name) || size < 0 || size > maxMember {
		return fmt.Errorf("a bundle cannot hold %q of %d bytes", name, size)
	}
	h := frameHeader(name, size)
	if _, err := f.w.Write(h[:]); err != nil {
		return err
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{f.w}, io.LimitReader(content, size), f.buffer[:])
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if n != size {
		return fmt.Errorf("writing %s: it has %d bytes, %d were announced", name, n, size)
	}
	_, err = f.w.Write(make([]byte, padding(size)))
	return err
}

func (f *frameWriter) end() error {
	_, err := f.w.Write(make([]byte, frameEnd))
	return err
}

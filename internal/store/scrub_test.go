package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cordon/internal/store"
)

// Whatever byte of a table changes, reading it all finds out.
func TestEveryByteOfATableIsUnderAChecksum(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s, err := store.Open(dir, store.Options{Create: true, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 60 {
		if err := put(t, s, fmt.Sprintf("x%04d", i), strings.Repeat(fmt.Sprint(i), 20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.DB().Flush(); err != nil {
		t.Fatal(err)
	}
	tables, err := s.Tables()
	if err != nil || len(tables) != 1 {
		t.Fatal(tables, err)
	}
	read := 0
	if err := s.CheckTable(context.Background(), tables[0], func(_ context.Context, n int) error { read += n; return nil }); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, tables[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	if read < len(content) {
		t.Errorf("%d of %d bytes were read", read, len(content))
	}
	copied := filepath.Join(t.TempDir(), tables[0].Name())
	silent := []int{}
	for at := range content {
		content[at] ^= 1 << (at % 8)
		if err := os.WriteFile(copied, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := store.CheckTableFile(context.Background(), copied); err == nil {
			silent = append(silent, at)
		}
		content[at] ^= 1 << (at % 8)
	}
	if len(silent) > 0 {
		t.Errorf("%d of %d bytes may change unnoticed: %v", len(silent), len(content), silent)
	}
	if err := store.CheckTableFile(context.Background(), copied+"x"); !errors.Is(err, store.ErrGone) {
		t.Errorf("a missing table: %v", err)
	}
}

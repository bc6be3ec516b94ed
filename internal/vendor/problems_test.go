package vendor

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cordon/internal/strict"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the problems found into testdata; read the difference before committing it")

func lines(problems []strict.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%d | %s | %s\n", p.Line, p.Problem, p.Fix)
	}
	return b.String()
}

// TestBrokenManifests runs testdata/problems/*.txt: one manifest with mistakes
// and everything that must be said about it.
func TestBrokenManifests(t *testing.T) {
	files, _ := filepath.Glob("testdata/problems/*.txt")
	if len(files) < 20 {
		t.Fatalf("%d cases", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, problems := Parse("in.yaml", a.Files[0].Data)
			got := lines(problems)
			if got == "" {
				t.Fatal("no problem found")
			}
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(a.Files[1].Data); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			for _, p := range problems {
				if strings.Contains(p.Problem+p.Fix, "hunter2") || strings.Contains(p.Problem+p.Fix, "SG.abcdef") {
					t.Errorf("a secret is repeated: %v", p)
				}
				if p.Fix == "" || p.Line == 0 {
					t.Errorf("no fix or no line: %+v", p)
				}
			}
		})
	}
}

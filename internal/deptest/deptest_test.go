package deptest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

const root = "../.."

// file is one Go file of the product's own module.
type file struct {
	name string // slash path from the root
	pkg  string // its folder
	src  []byte
	ast  *ast.File
}

func (f file) test() bool { return strings.HasSuffix(f.name, "_test.go") }

func (f file) imports() []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

// sources reads every Go file of the module; nested modules, testdata and hidden folders are others' ground.
func sources(t *testing.T) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p == root {
				return nil
			}
			if name := d.Name(); name[0] == '.' || name == "testdata" || name == "node_modules" {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), p, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s does not parse: %v", p, err)
			return nil
		}
		rel, _ := filepath.Rel(root, p)
		rel = filepath.ToSlash(rel)
		files = append(files, file{rel, path.Dir(rel), src, tree})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found only %d Go files under %s: this test reads the wrong place and would pass for nothing", len(files), root)
	}
	return files
}

// roomOf is the room a package lies in: its own, or the nearest one above it.
func roomOf(pkg string) (room, bool) {
	for p := pkg; p != "." && p != "/"; p = path.Dir(p) {
		for _, r := range rooms {
			if r.path == p {
				return r, true
			}
		}
	}
	return room{}, false
}

// judge says why pkg may not import another package of the module, or nothing if it may.
func judge(pkg, imported string) string {
	from, ok := roomOf(pkg)
	if !ok {
		return "has no place in the house: give it a floor and a reason in internal/deptest/rooms.go"
	}
	to, ok := roomOf(imported)
	if !ok || from.path == to.path || to.floor < from.floor {
		return ""
	}
	for _, d := range doors {
		if d.from == from.path && d.to == to.path {
			return ""
		}
	}
	return "imports " + imported + ", which is not below it. " + from.path + ": " + from.why + ". " + to.path + ": " + to.why
}

func TestImportsRunOneWay(t *testing.T) {
	for _, f := range sources(t) {
		for _, p := range f.imports() {
			imported, ours := strings.CutPrefix(p, "cordon/")
			// A test in its own foo_test package may stand above what it tests.
			if !ours || f.test() && strings.HasSuffix(f.ast.Name.Name, "_test") {
				continue
			}
			if why := judge(f.pkg, imported); why != "" {
				t.Errorf("%s: %s", f.name, why)
			}
		}
		if _, ok := roomOf(f.pkg); !ok {
			t.Errorf("%s: %s", f.name, judge(f.pkg, ""))
		}
	}
}

func TestRefusesAnImportThatGoesUp(t *testing.T) {
	for _, c := range []struct {
		from, to string
		refused  bool
	}{
		{"internal/gateway", "internal/ledger", false},
		{"internal/minimize", "internal/classify", false},
		{"internal/vendor/catalogue", "internal/vendor", false},
		{"internal/ledger", "internal/gateway", true},
		{"internal/classify", "internal/minimize", true}, // a door opens one way
		{"internal/isolate", "internal/store", true},
		{"internal/isolate/drain", "internal/ledger", true},
		{"evidence", "internal/exposure", true},
		{"internal/newcomer", "internal/exposure", true},
	} {
		if why := judge(c.from, c.to); (why != "") != c.refused {
			t.Errorf("%s importing %s: refused %t, want %t (%s)", c.from, c.to, why != "", c.refused, why)
		}
	}
}

func TestPureRoomsTouchNothing(t *testing.T) {
	for _, f := range sources(t) {
		// Programs that make a room's tables, and what only tests use, are not the room.
		if f.test() || f.ast.Name.Name == "main" || strings.HasSuffix(f.ast.Name.Name, "test") || !slices.ContainsFunc(pure, func(p string) bool { return f.pkg == p || strings.HasPrefix(f.pkg, p+"/") }) {
			continue
		}
		for _, p := range f.imports() {
			if slices.Contains(impure, p) {
				t.Errorf("%s imports %s: a pure room does no I/O, so that its answers can be repeated", f.name, p)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "NewTimer", "NewTicker", "Tick"}, sel.Sel.Name) {
				t.Errorf("%s uses time.%s: the time is an argument of a pure room", f.name, sel.Sel.Name)
			}
			return true
		})
	}
}

func TestEvidenceNeedsNothingOfOurs(t *testing.T) {
	for _, f := range sources(t) {
		if f.test() || f.pkg != "evidence" && f.pkg != "cmd/cordon-verify" {
			continue
		}
		for _, p := range f.imports() {
			std := !strings.Contains(strings.Split(p, "/")[0], ".") && !strings.HasPrefix(p, "cordon/")
			if !std && !strings.HasPrefix(p, "golang.org/x/mod/") && p != "cordon/evidence" {
				t.Errorf("%s imports %s: an examiner must be able to read and compile the verifier without the rest of Cordon", f.name, p)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	commented := map[string]bool{}
	for _, f := range sources(t) {
		if f.test() {
			continue
		}
		if slices.Contains(vague, f.ast.Name.Name) {
			t.Errorf("%s: package %s: name it for what is inside", f.name, f.ast.Name.Name)
		}
		commented[f.pkg] = commented[f.pkg] || f.ast.Doc != nil && len(strings.TrimSpace(f.ast.Doc.Text())) > 0
	}
	for pkg, ok := range commented {
		if !ok {
			t.Errorf("%s has no package comment: say in a sentence what it is and what it is not", pkg)
		}
	}
}

func TestNoFileHoldsTwoIdeas(t *testing.T) {
	for _, f := range sources(t) {
		if n := bytes.Count(f.src, []byte("\n")); n > longest && !ast.IsGenerated(f.ast) {
			t.Errorf("%s has %d lines, more than %d: split it by what a reader looks for", f.name, n, longest)
		}
	}
}

func TestProductRequiresNoVendorSDK(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	if mod.Module.Mod.Path != "cordon" || len(mod.Require) == 0 {
		t.Fatal("this is not the product's go.mod")
	}
	for _, r := range mod.Require {
		for _, sdk := range sdks {
			if strings.HasPrefix(r.Mod.Path, sdk) {
				t.Errorf("go.mod:%d requires %s: vendors' SDKs belong in the nested modules under test/ and examples/", r.Syntax.Start.Line, r.Mod.Path)
			}
		}
	}
	if len(mod.Replace) > 0 {
		t.Errorf("go.mod replaces %s: what we ship must be what others can fetch", mod.Replace[0].Old.Path)
	}
}

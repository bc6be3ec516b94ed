package strict

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// house has one key of every sort that decoding knows.
type house struct {
	Street  string              `yaml:"street" required:"true" doc:"The street."`
	Colour  string              `yaml:"colour" default:"white" enum:"white red blue" doc:"The colour."`
	Floors  int                 `yaml:"floors" default:"1" min:"1" max:"200" doc:"Floors."`
	Garden  bool                `yaml:"garden" default:"true" doc:"Whether there is one."`
	Wait    Duration            `yaml:"wait" default:"10s" doc:"How long the bell rings."`
	Attic   Size                `yaml:"attic" default:"1MiB" doc:"How much fits."`
	Rooms   []room              `yaml:"rooms" doc:"The rooms."`
	Cellar  *room               `yaml:"cellar" doc:"The cellar, if there is one."`
	Owner   owner               `yaml:"owner" default:"nobody" doc:"Whose it is."`
	Names   map[string][]string `yaml:"names" keykind:"letter" single:"true" doc:"Names on the bell."`
	Website string              `yaml:"website" kind:"url" doc:"Its page."`
}

type room struct {
	Name  string `yaml:"name" required:"true" doc:"Its name."`
	Doors int    `yaml:"doors" doc:"Its doors."`
}

func (r room) Check(report *Report) {
	if r.Name == "cell" && r.Doors == 0 {
		report.Add("doors", "a cell without doors", "add a door")
	}
}

type owner struct {
	Who   string `yaml:",scalar" doc:"A name."`
	Bank  string `yaml:"bank" doc:"A bank."`
	Share int    `yaml:"share" default:"100" doc:"Percent."`
}

var kinds = Common.With(Kinds{"letter": {Noun: "letter", Values: func() []string { return []string{"alpha", "beta", "gamma"} }}})

func decode(text string) (house, []Problem) {
	var h house
	problems := Decode("house.yaml", []byte(text), &h, kinds).Problems()
	return h, problems
}

// TestProblemsOfWholeFile runs testdata/problems/*.txt: an input and all that
// must be said about it.
func TestProblemsOfWholeFile(t *testing.T) {
	files, _ := filepath.Glob("testdata/problems/*.txt")
	if len(files) == 0 {
		t.Fatal("no testdata")
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var h house
		got := ""
		for _, p := range Decode("in.yaml", a.Files[0].Data, &h, kinds).Problems() {
			got += fmt.Sprintf("%d | %s | %s\n", p.Line, p.Problem, p.Fix)
		}
		if want := string(a.Files[1].Data); got != want {
			t.Errorf("%s:\n got:\n%s\nwant:\n%s", file, got, want)
		}
	}
}

func TestAbsentKeysGetTheirDefaults(t *testing.T) {
	var h house
	r := Decode("house.yaml", []byte("street: Elm\n"), &h, kinds)
	if len(r.Problems()) > 0 {
		t.Fatal(r.Problems())
	}
	if h.Colour != "white" || h.Floors != 1 || !h.Garden || time.Duration(h.Wait) != 10*time.Second || h.Attic != 1<<20 || h.Cellar != nil || h.Owner.Who != "nobody" || h.Owner.Share != 100 {
		t.Errorf("%+v", h)
	}
}

func TestGivenKeysReplaceDefaults(t *testing.T) {
	var h house
	r := Decode("house.yaml", []byte(`
street: Elm
colour: "red"
floors: 3
garden: false
wait: 1m30s
attic: 4096
rooms: [{name: hall, doors: 2}, {name: bath}]
cellar: {name: wine}
owner: {bank: First}
names: {alpha: Ada, beta: [Bo, Bea]}
`), &h, kinds)
	if len(r.Problems()) > 0 {
		t.Fatal(r.Problems())
	}
	if h.Colour != "red" || h.Floors != 3 || h.Garden || h.Wait != Duration(90*time.Second) || h.Attic != 4096 || len(h.Rooms) != 2 || h.Rooms[0].Doors != 2 || h.Cellar.Name != "wine" {
		t.Errorf("%+v", h)
	}
	if h.Owner.Who != "" || h.Owner.Bank != "First" {
		t.Errorf("the mapping did not replace the scalar default: %+v", h.Owner)
	}
	if h.Names["alpha"][0] != "Ada" || len(h.Names["beta"]) != 2 {
		t.Errorf("%v", h.Names)
	}
	if !r.Has("rooms[1].name") || r.Has("website") || r.Line("rooms[0].nothing") != 8 {
		t.Error("lines are not known")
	}
}

func TestAliasStandsForItsAnchor(t *testing.T) {
	h, problems := decode("street: &s Elm\nrooms: [{name: *s}]\n")
	if len(problems) > 0 || len(h.Rooms) != 1 || h.Rooms[0].Name != "Elm" {
		t.Errorf("%+v %v", h, problems)
	}
}

func TestRefusesAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("street: Elm\nnames:\n  alpha: &a0 [x, x, x, x, x, x, x, x, x, x]\nrooms: &r0 [{name: a}, {name: b}]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "x%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	start := time.Now()
	_, problems := decode(b.String())
	if len(problems) == 0 || time.Since(start) > 2*time.Second {
		t.Errorf("%d problems after %v", len(problems), time.Since(start))
	}
	_, problems = decode("street: Elm\nnames: &n\n  alpha: [*n]\nrooms: &l [*l]\n")
	if len(problems) == 0 {
		t.Error("an alias inside its own anchor was accepted")
	}
}

func TestRefusesWhatIsNoText(t *testing.T) {
	for name, text := range map[string]string{
		"not UTF-8": "street: Elm\ncolour: \xff\n", "a control character": "street: Elm\ncolour: \x01\n",
		"two documents": "street: a\n---\nstreet: b\n", "a tab": "\tstreet: Elm\n", "an open bracket": "street: [a\n",
		"too long": "# " + strings.Repeat("x", MaxFile), "a list": "- a\n", "a word": "word\n",
	} {
		_, problems := decode(text)
		if len(problems) != 1 || problems[0].Fix == "" {
			t.Errorf("%s: %v", name, problems)
		}
	}
	if _, p := decode("street: Elm\ncolour: \xff\n"); p[0].Line != 2 {
		t.Errorf("line %d", p[0].Line)
	}
}

func TestEmptyFileIsAnEmptyMapping(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "{}\n", "~\n"} {
		if _, p := decode(text); len(p) != 1 || p[0].Problem != `missing key "street"` || p[0].Line != 1 {
			t.Errorf("%q: %v", text, p)
		}
	}
}

func TestProblemIsFourFields(t *testing.T) {
	b, _ := json.Marshal(Problem{"a.yaml", 3, "wrong", "right"})
	if string(b) != `{"file":"a.yaml","line":3,"problem":"wrong","fix":"right"}` {
		t.Errorf("%s", b)
	}
}

func TestNearestFindsWhatWasMeant(t *testing.T) {
	known := []string{"user.contact.email", "user.contact.phone_number", "user.name", "user.name.first", "hosts", "mode"}
	for word, want := range map[string]string{
		"email": "user.contact.email", "user.contact.emial": "user.contact.email", "user.email": "user.contact.email",
		"hsots": "hosts", "Hosts": "hosts", "mod": "mode", "username": "user.name", "first": "user.name.first", "zzzzzzzz": "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/problems/*.txt")
	for _, file := range files {
		if a, err := txtar.ParseFile(file); err == nil {
			f.Add(a.Files[0].Data)
		}
	}
	f.Add([]byte("street: &a [*a]\n<<: *a\n? [x]\n: y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var h house
		r := Decode("f", data, &h, kinds)
		for _, p := range r.Problems() {
			if p.Line < 0 || p.Problem == "" || p.Fix == "" {
				t.Errorf("%+v", p)
			}
		}
		if len(r.Problems()) == 0 && (h.Street == "" || h.Floors < 1) {
			t.Errorf("accepted without what is required: %+v", h)
		}
	})
}

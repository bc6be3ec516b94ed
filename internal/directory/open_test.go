package directory

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"cordon/internal/exposure"
)

const sameCSV = "id,email,phone,name,country,language,birth_date,shoe size\n" +
	"7,ada@example.org,+49 30 123456,\"Ada, L.\",DE,de,2010-03-01,38\n" +
	"8,,,,,,,\n" +
	"9,nothing,,,,,,\n" +
	"10,bob@example.org,,Bob,FR,fr,1980-12-31,44\n"

func loadFrom(t *testing.T, source, query string) ([]Person, *Answer) {
	t.Helper()
	in, err := Open(context.Background(), source, query)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var k kept
	a, err := Import(context.Background(), in.Format, in, k.sink, Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return k.people, a
}

// same checks that a source says what sameCSV says. Lines are rows, so they are
// one less.
func same(t *testing.T, people []Person, a *Answer) {
	t.Helper()
	want, wantAnswer := load(t, CSV, sameCSV)
	for i := range want {
		want[i].Line--
	}
	for _, list := range [][]Person{want, people} {
		for i := range list { // those of lists come last
			slices.SortFunc(list[i].Identifiers, func(x, y exposure.Identifier) int {
				return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Value, y.Value))
			})
		}
	}
	if !reflect.DeepEqual(people, want) {
		t.Errorf("took %+v\nwant %+v", people, want)
	}
	wantAnswer.Rejected[0].Line--
	if !reflect.DeepEqual(a, wantAnswer) {
		t.Errorf("answered %+v, want %+v", a, wantAnswer)
	}
}

func TestParquetSaysWhatTheSameCSVSays(t *testing.T) {
	type dated struct {
		ID      int64     `parquet:"id"`
		Email   []string  `parquet:"email,list"`
		Phone   *string   `parquet:"phone,optional"`
		Name    *string   `parquet:"name,optional,dict"`
		Country string    `parquet:"country,dict"`
		Lang    string    `parquet:"language,zstd"`
		Birth   *int32    `parquet:"birth_date,optional,date"`
		Shoe    int32     `parquet:"shoe size"`
		At      time.Time `parquet:"last seen"`
	}
	text := func(s string) *string { return &s }
	day := func(s string) *int32 {
		d, _ := time.Parse(time.DateOnly, s)
		n := int32(d.Unix() / 86400)
		return &n
	}
	path := filepath.Join(t.TempDir(), "people.parquet")
	err := parquet.WriteFile(path, []dated{
		{ID: 7, Email: []string{"ada@example.org"}, Phone: text("+49 30 123456"), Name: text("Ada, L."), Country: "DE", Lang: "de", Birth: day("2010-03-01"), Shoe: 38},
		{ID: 8},
		{ID: 9, Email: []string{"nothing"}},
		{ID: 10, Email: []string{"bob@example.org"}, Name: text("Bob"), Country: "FR", Lang: "fr", Birth: day("1980-12-31"), Shoe: 44},
	}, parquet.MaxRowsPerRowGroup(2))
	if err != nil {
		t.Fatal(err)
	}
	people, a := loadFrom(t, path, "")
	if !slices.Equal(a.Ignored, []string{"last seen", "shoe size"}) {
		t.Errorf("ignored %q", a.Ignored)
	}
	a.Ignored = []string{"shoe size"}
	same(t, people, a)
}

func TestAFileThatIsNoParquetIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.parquet")
	for _, content := range []string{"", "id,email\n", "PAR1" + strings.Repeat("x", 100) + "PAR1"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := Open(context.Background(), path, "")
		if err == nil {
			in.Close()
			t.Errorf("%q was opened", content)
		}
	}
}

func TestADatabaseSaysWhatTheSameCSVSays(t *testing.T) {
	url := postgres(t)
	const values = `(VALUES
		(7, ARRAY['ada@example.org'], '+49 30 123456', 'Ada, L.', 'DE', 'de', date '2010-03-01', 38),
		(8, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
		(9, ARRAY['nothing'], NULL, NULL, NULL, NULL, NULL, NULL),
		(10, ARRAY[NULL, 'bob@example.org'], NULL, 'Bob', 'FR', 'fr', date '1980-12-31', 44)
	) AS people(id, email, phone, name, country, language, birth_date, "shoe size")`
	people, a := loadFrom(t, url, "SELECT * FROM "+values)
	same(t, people, a)

	// A query only reads, and an error of the server arrives, also in the middle.
	for _, query := range []string{"CREATE TABLE x (id int)", "SELECT 1/(3-n) AS id FROM generate_series(1, 5) n", "SELECT nothing", ""} {
		in, err := Open(context.Background(), url, query)
		if err != nil {
			continue
		}
		if _, err := Import(context.Background(), in.Format, in, (&kept{}).sink, Options{Now: now}); err == nil {
			t.Errorf("%q: no error", query)
		}
		in.Close()
	}
	people, _ = loadFrom(t, url, "SELECT n AS id, n || '@mail.example' AS email FROM generate_series(1, 20000) n")
	if len(people) != 20_000 || people[19_999].ID != "20000" {
		t.Errorf("%d people", len(people))
	}
	if _, err := Open(context.Background(), "postgres://cordon:zq7secret@127.0.0.1:1/x", "SELECT 1 AS id"); err == nil || strings.Contains(err.Error(), "zq7secret") {
		t.Errorf("a database that is not there: %v", err)
	}
}

// postgres starts a server on loopback that ends with the test.
func postgres(t *testing.T) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		t.Skip("no PostgreSQL here: .ci/tools installs it where it may")
	}
	bin := filepath.Dir(found[0])
	dir, err := os.MkdirTemp("", "cordon-postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	// It refuses to run as root.
	as := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		who, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("PostgreSQL does not run as root, and there is no user postgres")
		}
		uid, _ := strconv.Atoi(who.Uid)
		gid, _ := strconv.Atoi(who.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Skip("PostgreSQL does not run as root, and the folder cannot be given to postgres")
		}
		as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	data := filepath.Join(dir, "data")
	cmd := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "cordon", "-A", "trust", "-N")
	cmd.SysProcAttr, cmd.Dir = as, dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", dir, "-F")
	server.SysProcAttr, server.Dir = as, dir
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Signal(syscall.SIGINT) // fast shutdown
		server.Wait()
	})
	for range 600 {
		url := fmt.Sprintf("postgres://cordon@127.0.0.1:%d/postgres?sslmode=disable", port)
		if in, err := Open(context.Background(), url, "SELECT 1 AS id"); err == nil {
			in.Close()
			return url
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("PostgreSQL does not answer")
	return ""
}

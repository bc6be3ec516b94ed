package clients

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"photos/people"
)

// told is a person as the programs get one.
type told struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	First    string `json:"first"`
	Last     string `json:"last"`
	Phone    string `json:"phone"`
	Username string `json:"username"`
	IP       string `json:"ip"`
}

// invent makes people whose values are found in a message by themselves: no
// address has a name in it.
func invent(n int) (all []told, directory []people.Person) {
	first := strings.Fields("Olivia Arthur Freya Oscar Poppy Alfie Niamh Rhys Clara Edgar")
	last := strings.Fields("Ashworth Whitfield Pemberton Blackwood Fairbairn Hawthorne Lockwood Merriweather Thistlewood Winterbourne")
	for i := range n {
		f, l := first[i%len(first)], last[(i+i/len(first))%len(last)]
		p := told{fmt.Sprintf("user-%06d", 731+i*17), fmt.Sprintf("mailbox%d@inbox.test", 100+i), f + " " + l, f, l,
			fmt.Sprintf("+121255501%02d", i), fmt.Sprintf("shutter%03d", i), fmt.Sprintf("203.0.113.%d", 10+i)}
		all = append(all, p)
		directory = append(directory, people.Person{ID: p.ID, Email: p.Email, Phone: p.Phone, Name: p.Name, Country: "US", Language: "en", Username: p.Username})
	}
	return all, directory
}

// Two runs: everything is let through and recorded in the clear; and with a
// sparing policy, where the vendor must still be pleased.
func TestRealSDKsTellExactlyWhatTheLedgerSays(t *testing.T) {
	bin, own := t.TempDir(), t.TempDir()
	gosdks := goBuild(t, ".", "./gosdks", bin)
	var npm string
	t.Run("install the npm SDKs", func(t *testing.T) { npm = nodeFolder(t, "sdks", own) })
	pay := startStripeMock(t)
	for _, run := range []string{"all allowed", "sparing"} {
		t.Run(run, func(t *testing.T) {
			all, directory := invent(2 * len(sdkCalls))
			sims, policies, files := map[string]*simulator{}, map[string]policy{}, map[string]string{"keys/ses.secret": awsSecret}
			for vendor, v := range vendorsUnderTest {
				better := ""
				if vendor == "stripe" {
					better = pay.url
				}
				sims[vendor] = simulate(t, v.shapes, better)
				if policies[vendor] = nil; run == "sparing" {
					policies[vendor] = v.minimize
				}
				files["vendors/"+vendor+".yaml"] = fmt.Sprintf("vendor: %s\nupstream: %s\nminimize: %s\nunclassified: refuse\n%s\n", vendor, sims[vendor].url, policies[vendor].yaml(), v.manifest)
			}
			gate := startCordon(t, nil, directory, files)
			if out, err := gate.run("check"); err != nil {
				t.Fatalf("%s %v", out, err)
			}
			succeeded := make([]bool, len(sdkCalls))
			t.Run("call", func(t *testing.T) {
				for i, c := range sdkCalls {
					t.Run(c.sdk, func(t *testing.T) {
						t.Parallel()
						skipUnless(t, c, npm, pay)
						callSDK(t, gate, c, npm, gosdks, all[2*i:2*i+2])
						succeeded[i] = true
					})
				}
			})
			if t.Failed() {
				for vendor, s := range sims {
					for _, why := range s.says {
						t.Logf("%s refused: %s", vendor, why)
					}
				}
			}
			t.Run("ledger", func(t *testing.T) {
				for vendor, s := range sims {
					s.log(t, vendor)
					want := map[string][]string{}
					for i, c := range sdkCalls {
						if c.vendor != vendor || !succeeded[i] {
							continue
						}
						for j, told := range c.told {
							want[all[2*i+j].ID] = policies[vendor].expected(told)
						}
					}
					t.Run(vendor, func(t *testing.T) {
						t.Parallel()
						expectPeople(t, gate, vendor, want)
					})
				}
			})
			for i, c := range sdkCalls {
				if succeeded[i] {
					expectHeld(t, sims[c.vendor], c, all[2*i:2*i+2], policies[c.vendor] == nil)
				}
			}
		})
	}
}

func skipUnless(t *testing.T, c sdkCall, npm string, pay *mock) {
	if c.way != "go" && npm == "" {
		t.Skip("the npm SDKs are not installed, see above")
	}
	if c.vendor == "stripe" && pay.url == unused {
		t.Skip("stripe-mock is not installed, see above")
	}
}

func callSDK(t *testing.T, gate *cordon, c sdkCall, npm, gosdks string, some []told) {
	t.Helper()
	list, err := json.Marshal(some)
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + gate.http + "/" + c.vendor
	var argv []string
	switch program := []string{"node", filepath.Join(npm, "calls.cjs"), c.vendor}; c.way {
	case "go":
		argv = []string{gosdks, c.vendor, base, string(list)}
	case "route":
		argv = append(program, base, string(list))
	case "exec":
		argv = append([]string{gate.program, "exec", "--config", filepath.Join(gate.dir, "cordon.yaml"), "--"}, append(program, "", string(list))...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "NO_PROXY=127.0.0.1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the vendor's answer did not please %s: %v\n%.3000s", c.sdk, err, out)
	}
}

// expectPeople waits for the index, which follows the ledger, and then wants
// these people with these categories, and nobody else.
func expectPeople(t *testing.T, gate *cordon, vendor string, want map[string][]string) {
	t.Helper()
	var got map[string][]string
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if got, err = gate.told(vendor); err == nil && len(got) == len(want) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for id, categories := range want {
		if !slices.Equal(got[id], categories) {
			t.Errorf("%s\n     got %s\nexpected %s", id, strings.Join(got[id], " "), strings.Join(categories, " "))
		}
		delete(got, id)
	}
	for id, categories := range got {
		t.Errorf("%q was told of too: %s", id, strings.Join(categories, " "))
	}
}

// told lists by directory id what the vendor was told, as policy.expected writes it.
func (c *cordon) told(vendor string) (map[string][]string, error) {
	file := filepath.Join(c.t.TempDir(), "export.csv")
	if _, err := c.run("scope", vendor, "--export", file); err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 || !slices.Equal(rows[0][:4], []string{"id", "cohort", "categories", "protected"}) {
		return nil, fmt.Errorf("reading the export: %v, %w", rows, err)
	}
	told := map[string][]string{}
	for i, row := range rows[1:] {
		id := row[0]
		if id == "" { // strangers have none
			id = fmt.Sprint("stranger ", i)
		}
		told[id] = strings.Fields(row[2])
		told[id] = append(told[id], strings.Fields(row[3])...) // category=form
		slices.Sort(told[id])
	}
	return told, nil
}

// expectHeld looks for what the policy takes away in what the vendor received:
// without the policy it must be there, or else nobody would know that this test
// can find it.
func expectHeld(t *testing.T, s *simulator, c sdkCall, some []told, want bool) {
	t.Helper()
	for _, field := range c.gone {
		found := false
		for _, p := range some[:len(c.told)] {
			fields := map[string]string{"id": p.ID, "name": p.Name, "first": p.First, "last": p.Last, "phone": p.Phone[2:], "username": p.Username, "ip": p.IP}
			text, given := strings.CutPrefix(field, "text:")
			if !given {
				text = fields[field]
			}
			where, ok := s.holds(text)
			if found = found || ok; ok && !want {
				t.Errorf("%s: %s of %s reached the vendor, in %s", c.sdk, field, p.ID, where)
			}
		}
		if want && !found { // of somebody; not everybody has every field
			t.Errorf("%s: %s is not found in what the vendor received", c.sdk, field)
		}
	}
}

// log says what the SDKs put on the wire; with CORDON_TEST_WIRE=1 all of it.
func (s *simulator) log(t *testing.T, vendor string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.got {
		t.Logf("%s: %s", vendor, m.line)
		if os.Getenv("CORDON_TEST_WIRE") != "" {
			t.Logf("%s", m.raw)
		}
	}
}

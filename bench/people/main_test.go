package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheSameSeedGivesTheSamePeople(t *testing.T) {
	today := time.Date(2026, 2, 6, 0, 0, 0, 0, time.UTC)
	var one, two, other bytes.Buffer
	for seed, b := range map[uint64][]*bytes.Buffer{1: {&one, &two}, 2: {&other}} {
		for _, b := range b {
			if err := newGenerator(seed, true, today).write(b, 3000); err != nil {
				t.Fatal(err)
			}
		}
	}
	if one.String() != two.String() || one.String() == other.String() {
		t.Error("people do not depend on the seed alone")
	}
	ids, mails, lands := map[string]bool{}, map[string]bool{}, map[string]int{}
	minors := 0
	for _, line := range strings.Split(strings.TrimSpace(one.String()), "\n")[1:] {
		f := strings.Split(line, ",")
		ids[f[0]], mails[f[1]] = true, true
		lands[f[4]]++
		if f[6] > "2008-02-06" {
			minors++
		}
	}
	if len(ids) != 3000 || len(mails) != 3000 || len(lands) < 60 || lands["IN"] < lands["DE"] || minors < 60 || minors > 200 {
		t.Errorf("%d ids, %d addresses, %d countries, %d minors", len(ids), len(mails), len(lands), minors)
	}
}

// The measuring run at a scale at which a base of people is made.
func TestAnImportIsMeasured(t *testing.T) {
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := writeFile(path, 25_000, 1, true); err != nil {
		t.Fatal(err)
	}
	r, err := measure(path, t.TempDir(), false, "")
	if err != nil {
		t.Fatal(err)
	}
	if r.First.People != 25_000 || r.First.New != 25_000 || r.First.Rejected != 0 || r.Again.People != 25_000 || r.Again.New+r.Again.Changed+r.Again.Left != 0 {
		t.Errorf("first %+v, again %+v", r.First, *r.Again)
	}
	// Few people in many ordinals: the columns are most of it.
	if r.BytesPerPerson < 50 || r.BytesPerPerson > 1000 {
		t.Errorf("%v bytes a person", r.BytesPerPerson)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

package rig

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Entry is a line of `cordon ledger tail --json`, the fields that the tests look at.
type Entry struct {
	Seq      uint64    `json:"seq"`
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	Vendor   string    `json:"vendor"`
	Subjects int       `json:"subjects"`
	Of       uint64    `json:"of"`
	Result   string    `json:"result"`
	Line     string    `json:"-"` // as printed
}

// Tail reads the entries from number from on.
func (o *Org) Tail(from uint64) ([]Entry, error) {
	r, err := o.Run("ledger", "tail", "--from", strconv.FormatUint(from, 10), "--json")
	if err != nil {
		return nil, err
	}
	if r.Code != 0 {
		return nil, fmt.Errorf("cordon ledger tail ended with %d: %s", r.Code, r.Stderr)
	}
	var entries []Entry
	for line := range bytes.Lines(r.Stdout) {
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("cordon ledger tail: %w in %.200q", err, line)
		}
		e.Line = string(bytes.TrimSpace(line))
		entries = append(entries, e)
	}
	return entries, nil
}

// Verified is the answer of `cordon ledger verify --json`.
type Verified struct {
	OK       bool     `json:"ok"`
	Size     uint64   `json:"size"`
	Root     string   `json:"root"`
	Problems []string `json:"problems"`
}

// Verify asks the ledger to check itself. Exit codes other than 0 (holds) and 4 (does not) are errors.
func (o *Org) Verify() (Verified, error) {
	var v Verified
	r, err := o.Run("ledger", "verify", "--json")
	if err != nil {
		return v, err
	}
	if r.Code != 0 && r.Code != 4 {
		return v, &Refusal{r.Code, string(r.Stderr)}
	}
	if err := json.Unmarshal(r.Stdout, &v); err != nil {
		return v, fmt.Errorf("cordon ledger verify: %w in %.200q", err, r.Stdout)
	}
	if v.OK != (r.Code == 0) {
		return v, fmt.Errorf("cordon ledger verify says ok=%t and ends with %d", v.OK, r.Code)
	}
	return v, nil
}

// Exposed is the scope of the vendor: who was exposed, by directory id, and how many people no directory names.
func (o *Org) Exposed() (ids map[string]bool, strangers int, err error) {
	file := filepath.Join(o.Dir, "exposed.csv")
	os.Remove(file)
	var answer struct {
		Subjects        int `json:"subjects"`
		UnknownSubjects int `json:"unknown_subjects"`
	}
	if err := o.JSON(&answer, "scope", Vendor, "--export", file); err != nil {
		return nil, 0, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, 0, err
	}
	if len(rows) == 0 || len(rows[0]) == 0 || rows[0][0] != "id" {
		return nil, 0, fmt.Errorf("scope --export wrote no header beginning with id")
	}
	ids = map[string]bool{}
	for _, row := range rows[1:] {
		if row[0] != "" { // strangers have no id
			ids[row[0]] = true
		}
	}
	if known := answer.Subjects - answer.UnknownSubjects; known != len(ids) {
		return nil, 0, fmt.Errorf("scope counts %d people of the directory and exports %d", known, len(ids))
	}
	return ids, answer.UnknownSubjects, nil
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"cordon/internal/detect"
)

// types are the structured types of presidio-research, in the order of the
// table.
var types = []struct {
	label string
	kinds []detect.Kind
}{
	{"EMAIL_ADDRESS", []detect.Kind{detect.Email}},
	{"PHONE_NUMBER", []detect.Kind{detect.Phone}},
	{"CREDIT_CARD", []detect.Kind{detect.Card}},
	{"IBAN_CODE", []detect.Kind{detect.IBAN}},
	{"IP_ADDRESS", []detect.Kind{detect.IPv4, detect.IPv6}},
	{"US_SSN", []detect.Kind{detect.SSN}},
}

// rate is what was found of one type, or of all.
type rate struct {
	Type      string  `json:"type"`
	True      int     `json:"true"`
	False     int     `json:"false"`
	Missed    int     `json:"missed"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

type quality struct {
	Sentences int    `json:"sentences"`
	Types     []rate `json:"types"`
	All       rate   `json:"all"`
	// OverRedacted is the share of the text that is no labelled value of any
	// type and was hit nevertheless.
	OverRedacted float64 `json:"over_redacted"`
}

// span is a labelled value, in bytes.
type span struct {
	start, end int
	of         int // its index in types; -1 for a type that has no structure
}

// score compares the detector with the labels. A label is found when a hit of
// its type covers at least half of it; a hit that finds none is false. The
// sentences are free text without any key, as the hardest case.
func score(file string) (*quality, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var sentences []struct {
		Text  string `json:"full_text"`
		Spans []struct {
			Type  string `json:"entity_type"`
			Start int    `json:"start_position"` // in characters
			End   int    `json:"end_position"`
		} `json:"spans"`
	}
	if err := json.Unmarshal(b, &sentences); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	q := &quality{Sentences: len(sentences), Types: make([]rate, len(types))}
	plain, over := 0, 0
	for _, sentence := range sentences {
		var gold []span
		runes := []rune(sentence.Text)
		for _, s := range sentence.Spans {
			if s.Start < 0 || s.End < s.Start || s.End > len(runes) {
				return nil, fmt.Errorf("reading %s: a label from %d to %d in %d characters", file, s.Start, s.End, len(runes))
			}
			start := len(string(runes[:s.Start]))
			gold = append(gold, span{start, start + len(string(runes[s.Start:s.End])), typeOf(s.Type)})
		}
		hits := detect.Append(nil, sentence.Text, detect.Context{})
		q.compare(gold, hits)
		personal := make([]bool, len(sentence.Text))
		for _, g := range gold {
			for i := g.start; i < g.end; i++ {
				personal[i] = true
			}
		}
		for _, p := range personal {
			if !p {
				plain++
			}
		}
		for _, h := range hits {
			for i := h.Start; i < h.End; i++ {
				if !personal[i] {
					over++
				}
			}
		}
	}
	for i := range q.Types {
		t := &q.Types[i]
		t.Type = types[i].label
		t.settle()
		q.All.True, q.All.False, q.All.Missed = q.All.True+t.True, q.All.False+t.False, q.All.Missed+t.Missed
	}
	q.All.Type = "all six"
	q.All.settle()
	q.OverRedacted = float64(over) / float64(max(plain, 1))
	return q, nil
}

func (q *quality) compare(gold []span, hits []detect.Hit) {
	used := make([]bool, len(hits))
	for _, g := range gold {
		if g.of < 0 {
			continue
		}
		found := false
		for i, h := range hits {
			if overlap := min(g.end, int(h.End)) - max(g.start, int(h.Start)); ofType(h.Kind) == g.of && overlap > 0 && 2*overlap >= g.end-g.start {
				found, used[i] = true, true
			}
		}
		if found {
			q.Types[g.of].True++
		} else {
			q.Types[g.of].Missed++
		}
	}
	for i, h := range hits {
		if of := ofType(h.Kind); !used[i] && of >= 0 {
			q.Types[of].False++
		}
	}
}

func typeOf(label string) int {
	for i := range types {
		if types[i].label == label {
			return i
		}
	}
	return -1
}

func ofType(k detect.Kind) int {
	for i := range types {
		for _, of := range types[i].kinds {
			if of == k {
				return i
			}
		}
	}
	return -1
}

func (r *rate) settle() {
	r.Precision = float64(r.True) / float64(max(r.True+r.False, 1))
	r.Recall = float64(r.True) / float64(max(r.True+r.Missed, 1))
	if r.True > 0 {
		r.F1 = 2 * r.Precision * r.Recall / (r.Precision + r.Recall)
	}
}

func (q *quality) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n## Quality\n\npresidio-research, synth_dataset_v2: %d sentences, without keys. A label is found when a hit of its type covers half of it.\n\n", q.Sentences)
	b.WriteString("| type | labels | found | false | precision | recall | F1 |\n|---|---|---|---|---|---|---|\n")
	for _, r := range append(q.Types, q.All) {
		fmt.Fprintf(b, "| %s | %d | %d | %d | %.3f | %.3f | %.3f |\n", r.Type, r.True+r.Missed, r.True, r.False, r.Precision, r.Recall, r.F1)
	}
	fmt.Fprintf(b, "\nOf the text that no label covers, %.3f %% was hit.\n", 100*q.OverRedacted)
}

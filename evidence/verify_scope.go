package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"unicode/utf8"
)

// scopeAnswer is what of an answer must agree with the bitmaps.
type scopeAnswer struct {
	Subjects, Certain, Possible uint64
	Cohorts                     []answerCohort
}

type answerCohort struct {
	Categories []string
	Subjects   uint64
}

func (a *scopeAnswer) UnmarshalJSON(text []byte) error {
	return exactJSON(text, map[string]any{"subjects": &a.Subjects, "certain": &a.Certain, "possible": &a.Possible, "cohorts": &a.Cohorts})
}

func (c *answerCohort) UnmarshalJSON(text []byte) error {
	return exactJSON(text, map[string]any{"categories": &c.Categories, "subjects": &c.Subjects})
}

// maxPeople is how many numbers an ordinal can be.
const maxPeople = 1 << 32

// scopes checks that each frozen scope agrees with itself and with its people.
func (v *verifier) scopes() error {
	v.report.Scopes = []ScopeReport{}
	used := map[string]bool{} // bitmaps
	v.listed = map[string]bool{}
	for _, p := range v.manifest.Parts {
		v.listed[p.Name] = true
	}
	for _, p := range v.manifest.Parts {
		kind, id, _ := partKind(p.Name)
		if kind != kindScope {
			continue
		}
		text, err := v.content(v.at[p.Name])
		if err != nil {
			return err
		}
		s, answer, err := readScope(text)
		if err != nil || s.ID != id {
			return fail(StepScope, p.Name, "scope %s cannot be read as a scope of that name", id)
		}
		if about, err := s.about(); err != nil || about != v.manifest.Vendor || s.Incident != v.manifest.Incident {
			return fail(StepScope, p.Name, "scope %s answers for another incident or another vendor than %s and %s", id, v.manifest.Incident, v.manifest.Vendor)
		}
		counted, err := v.scope(p.Name, s, answer, used)
		if err != nil {
			return err
		}
		v.report.Scopes = append(v.report.Scopes, ScopeReport{
			Scope: id, Subjects: answer.Subjects, Certain: answer.Certain, Excluded: s.Excluded.Subjects,
			Cohorts: len(s.Cohorts), Counted: counted, Query: s.Query,
		})
	}
	for _, p := range v.manifest.Parts {
		if kind, id, _ := partKind(p.Name); kind == kindBitmap && !used[id] {
			return fail(StepScope, p.Name, "%s is of no scope in the bundle", p.Name)
		}
	}
	return nil
}

func readScope(text []byte) (*Scope, *scopeAnswer, error) {
	s, answer := new(Scope), new(scopeAnswer)
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, nil, err
	}
	if again, err := s.encode(); err != nil || !bytes.Equal(again, text) || !utf8.Valid(text) {
		return nil, nil, errors.New("a scope has one encoding, and this is another")
	}
	return s, answer, json.Unmarshal(s.Answer, answer)
}

// about is the vendor that a scope's question asks for.
func (s *Scope) about() (vendor string, err error) {
	return vendor, exactJSON(s.Query, map[string]any{"vendor": &vendor})
}

// scope checks one. It reports whether all people were counted.
func (v *verifier) scope(part string, s *Scope, answer *scopeAnswer, used map[string]bool) (bool, error) {
	sum := uint64(0)
	if len(answer.Cohorts) != len(s.Cohorts) {
		return false, fail(StepScope, part, "scope %s has %d cohorts, its answer has %d", s.ID, len(s.Cohorts), len(answer.Cohorts))
	}
	for i, c := range s.Cohorts {
		a := answer.Cohorts[i]
		if a.Subjects != c.Subjects || !slices.Equal(a.Categories, c.Categories) {
			return false, fail(StepScope, part, "cohort %s of scope %s is not the one of the answer", c.ID, s.ID)
		}
		if sum += c.Subjects; c.Subjects > maxPeople || sum > maxPeople {
			return false, fail(StepScope, part, "scope %s counts more people than there are numbers", s.ID)
		}
	}
	if sum != answer.Subjects {
		return false, fail(StepScope, part, "the cohorts of scope %s have %d people together, the answer says %d", s.ID, sum, answer.Subjects)
	}
	if answer.Certain != s.Certain.Subjects || answer.Certain > answer.Subjects || answer.Possible != answer.Subjects-answer.Certain {
		return false, fail(StepScope, part, "the answer of scope %s does not add up: certain and possible are not its people", s.ID)
	}

	// The cohorts, then certain, then excluded.
	described := make([]ScopeBitmap, 0, len(s.Cohorts)+2)
	for _, c := range s.Cohorts {
		described = append(described, c.ScopeBitmap)
	}
	described = append(described, s.Certain, s.Excluded)
	// Before any is read: one small file could be named by each of many cohorts.
	of := map[string]bool{}
	for _, c := range s.Cohorts {
		if c.Subjects > 0 && of[c.SHA256] {
			return false, fail(StepScope, part, "in scope %s somebody is in two cohorts", s.ID)
		}
		of[c.SHA256] = true
	}
	sets, counted := make([]*bitmap, len(described)), true
	for i, d := range described {
		if d.SHA256 == "" {
			if d.Subjects != 0 {
				return false, fail(StepScope, part, "scope %s counts %d people of whom it names none", s.ID, d.Subjects)
			}
			continue
		}
		name := "bitmaps/" + d.SHA256 + ".roaring"
		if !v.listed[name] {
			return false, fail(StepScope, part, "the people of scope %s are missing from the bundle: %s", s.ID, name)
		}
		used[d.SHA256] = true
		m, ok := v.at[name]
		if !ok {
			counted = false
			continue
		}
		data, err := v.content(m)
		if err != nil {
			return false, err
		}
		if sets[i], err = parseBitmap(data); err != nil {
			return false, fail(StepScope, name, "the people of scope %s cannot be counted: %v", s.ID, err)
		}
		if sets[i].count != d.Subjects {
			return false, fail(StepScope, name, "scope %s says %d people where its bitmap has %d", s.ID, d.Subjects, sets[i].count)
		}
	}
	if problem := overlap(sets, len(s.Cohorts), counted); problem != "" {
		return false, fail(StepScope, part, "in scope %s %s", s.ID, problem)
	}
	return counted, nil
}

// overlap says what is wrong between the cohorts, certain and excluded, or "".
// Where bitmaps are missing, only what can be wrong all the same is looked for.
func overlap(sets []*bitmap, cohorts int, complete bool) (problem string) {
	eachBlock(sets, func(here []*container) bool {
		var all block
		n := 0
		for _, c := range here[:cohorts] {
			if c != nil {
				c.addTo(&all)
				n += c.count
			}
		}
		together := all.count()
		if together != n {
			problem = "somebody is in two cohorts"
			return false
		}
		if c := here[cohorts]; c != nil && complete {
			if c.addTo(&all); all.count() != together {
				problem = "somebody was certainly accessed who is in no cohort"
				return false
			}
		}
		if c := here[cohorts+1]; c != nil {
			if c.addTo(&all); all.count() != together+c.count {
				problem = "somebody is excluded and counted at the same time"
				return false
			}
		}
		return true
	})
	return problem
}

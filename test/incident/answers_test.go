package incident

import (
	"maps"
	"slices"
	"strings"
)

// answer is the answer of `cordon scope --json`, the fields of the contract.
type answer struct {
	Subjects        int `json:"subjects"`
	Disclosures     int `json:"disclosures"`
	Certain         int `json:"certain"`
	Possible        int `json:"possible"`
	Incomplete      int `json:"incomplete_messages"`
	UnknownSubjects int `json:"unknown_subjects"`
	Declared        int `json:"declared"`
	Minors          int `json:"minors"`
	Gaps            []struct {
		From, To, Why string
	} `json:"gaps"`
	Excluded []struct {
		Reason   string `json:"reason"`
		Subjects int    `json:"subjects"`
	} `json:"excluded"`
	Categories []struct {
		Category string `json:"category"`
		Subjects int    `json:"subjects"`
	} `json:"categories"`
	Protected []struct {
		Category string `json:"category"`
		Form     string `json:"form"`
		Subjects int    `json:"subjects"`
	} `json:"protected"`
	Countries []struct {
		Country  string `json:"country"`
		Subjects int    `json:"subjects"`
	} `json:"countries"`
	Languages []struct {
		Language string `json:"language"`
		Subjects int    `json:"subjects"`
	} `json:"languages"`
	Cohorts []struct {
		Categories []string          `json:"categories"`
		Protected  map[string]string `json:"protected"`
		Subjects   int               `json:"subjects"`
	} `json:"cohorts"`
	NeverExposed []string `json:"never_exposed"`
	Frozen       string   `json:"frozen"`
}

// count puts the answer into the oracle's form.
func (a answer) count() count {
	c := count{
		Subjects: a.Subjects, Disclosures: a.Disclosures, Declared: a.Declared, Unknown: a.UnknownSubjects, Minors: a.Minors,
		Categories: map[string]int{}, Protected: map[string]int{}, Countries: map[string]int{}, Languages: map[string]int{}, Cohorts: map[string]int{},
	}
	for _, x := range a.Excluded {
		c.Excluded += x.Subjects
	}
	for _, x := range a.Categories {
		c.Categories[x.Category] += x.Subjects
	}
	for _, x := range a.Protected {
		c.Protected[x.Category+"="+x.Form] += x.Subjects
	}
	for _, x := range a.Countries {
		c.Countries[x.Country] += x.Subjects
	}
	for _, x := range a.Languages {
		c.Languages[x.Language] += x.Subjects
	}
	for _, x := range a.Cohorts {
		c.Cohorts[cohort(x.Categories, x.Protected)] += x.Subjects
	}
	return c
}

func cohort(clear []string, protected map[string]string) string {
	all := slices.Clone(clear)
	for category, form := range protected {
		all = append(all, category+"="+form)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// differs names the first figure in which two counts differ, or nothing.
func differs(got, want count) string {
	for _, f := range []struct {
		name      string
		got, want int
	}{
		{"subjects", got.Subjects, want.Subjects}, {"disclosures", got.Disclosures, want.Disclosures},
		{"declared", got.Declared, want.Declared}, {"unknown_subjects", got.Unknown, want.Unknown},
		{"minors", got.Minors, want.Minors}, {"excluded", got.Excluded, want.Excluded},
	} {
		if f.got != f.want {
			return f.name
		}
	}
	for _, f := range []struct {
		name      string
		got, want map[string]int
	}{
		{"categories", got.Categories, want.Categories}, {"protected", got.Protected, want.Protected},
		{"countries", got.Countries, want.Countries}, {"languages", got.Languages, want.Languages}, {"cohorts", got.Cohorts, want.Cohorts},
	} {
		if !maps.Equal(f.got, f.want) {
			return f.name
		}
	}
	return ""
}

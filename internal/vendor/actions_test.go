package vendor

import (
	"testing"

	"cordon/internal/exposure"
	"cordon/internal/strict"
)

func TestActionsFitCategories(t *testing.T) {
	for category, want := range map[string]string{
		"user.contact.email":               "allow alias token hash mask drop",
		"user.name.last":                   "allow token hash mask drop",
		"user.contact.phone_number":        "allow token hash mask drop",
		"user.unique_id.pseudonymous":      "allow token hash mask drop",
		"user.account.username":            "allow token hash mask drop",
		"user.contact.address.street":      "allow token mask drop",
		"user.contact.address.postal_code": "allow generalize mask drop",
		"user.device.ip_address":           "allow generalize mask drop",
		"user.demographic.date_of_birth":   "allow generalize mask drop",
		"user.location.precise":            "allow generalize mask drop",
		"user.financial.credit_card":       "allow mask drop",
		"unclassified":                     "allow mask drop",
		"opaque":                           "allow mask drop",
	} {
		c, got := exposure.MustCategory(category), ""
		for _, a := range Actions {
			if a.Fits(c) {
				got += " " + string(a)
			}
		}
		if got != " "+want {
			t.Errorf("%s:%s, want %s", category, got, want)
		}
	}
	if Action("encrypt").Fits(exposure.Email) {
		t.Error("an unknown action fits")
	}
}

func TestAnActionOfItsOwnLetsTheParentStand(t *testing.T) {
	const head = "vendor: acme\nupstream: https://a.example\nminimize:\n"
	_, problems := Parse("a.yaml", []byte(head+"  user.contact: token\n"))
	only(t, problems, "token cannot be applied to user.contact.address.country, which user.contact covers")
	if _, problems = Parse("a.yaml", []byte(head+"  user.contact: token\n  user.contact.address: mask\n")); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestExamplesPolicyIsCheckedToo(t *testing.T) {
	_, problems := parseEntry("parcel.yaml", []byte(entryText+"    minimize: {user.name: generalize}\n"))
	if p := only(t, problems, "generalize cannot be applied"); p.Line != 23 {
		t.Errorf("%+v", p)
	}
}

func TestEverySpecMapsMail(t *testing.T) {
	s := specOf(t, "POST /x")
	r := s.Match("SMTP", "/")
	if r.Name != "SMTP /" || len(r.Mappings()) != len(Mail) {
		t.Errorf("%+v", r)
	}
	s, problems := Parse("a.yaml", []byte("vendor: a\nupstream: https://a.example\nmapping: [{on: SMTP /, fields: {subject: none}}]\nqueueable: [SMTP /]\n"))
	if r := s.Match("SMTP", "/"); len(problems) > 0 || len(r.Mappings()) != 1 || !s.Routes[r.Index].Queueable {
		t.Errorf("the manifest's mapping does not replace the built-in: %v %+v", problems, r)
	}
	s, problems = Parse("a.yaml", []byte("vendor: a\nupstream: https://a.example\nqueueable: [SMTP /]\n"))
	if r := s.Match("SMTP", "/"); len(problems) > 0 || !s.Routes[r.Index].Queueable {
		t.Errorf("%v %+v", problems, r)
	}
	for _, m := range Mail {
		report := strict.NewReport("mail")
		m.Check(report)
		if p := report.Problems(); len(p) > 0 {
			t.Errorf("%+v: %v", m, p)
		}
	}
}

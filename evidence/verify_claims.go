package evidence

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// claims checks that what the bundle is said to be follows from its entries.
func (v *verifier) claims() error {
	m, r := v.manifest, &v.report
	exported := v.events[len(v.events)-1]
	r.Redacted = append([]string{}, r.Redacted...)
	r.Origin, r.Key, r.KeyGiven, r.Fingerprint = m.Origin, m.Key, v.trust.Key != "", Fingerprint(m.Key)
	r.Incident, r.Vendor, r.Manifest = m.Incident, m.Vendor, v.head.SHA256
	r.Parts, r.Absent = len(v.at), append([]Absent{}, m.Absent...)
	r.Export = ExportReport{exported.Seq, exported.At, exported.Actor}

	if !slices.ContainsFunc(v.events, func(e EventReport) bool {
		return e.Kind == "incident" && e.Vendor == m.Vendor && e.Text("incident") == m.Incident && e.Text("what") == "open"
	}) {
		return fail(StepClaim, "manifest", "no entry in the bundle opened the incident %s about %s", m.Incident, m.Vendor)
	}
	if err := v.scopeClaims(); err != nil {
		return err
	}
	if err := v.manifestClaims(); err != nil {
		return err
	}
	if exported.Kind != "incident" || exported.Text("incident") != m.Incident || exported.Text("what") != "export" || exported.Text("digest") != v.head.SHA256 {
		return fail(StepClaim, "export.entries", "entry %d does not record the export of this bundle", exported.Seq)
	}
	r.Timeline = v.events
	slices.SortStableFunc(r.Timeline, func(a, b EventReport) int { return cmp.Compare(a.Seq, b.Seq) })
	r.Unchecked = v.unchecked()
	return nil
}

// scopeClaims: the ledger committed to each scope, and none of its scopes was
// left out of the bundle.
func (v *verifier) scopeClaims() error {
	for _, e := range v.events {
		if e.Kind != "scope" || e.Text("incident") != v.manifest.Incident {
			continue
		}
		if e.Vendor != v.manifest.Vendor {
			return fail(StepClaim, "manifest", "entry %d froze a scope of %s for an incident about %s", e.Seq, e.Vendor, v.manifest.Vendor)
		}
		id := e.Text("scope")
		at := slices.IndexFunc(v.report.Scopes, func(s ScopeReport) bool { return s.Scope == id })
		if at < 0 {
			return fail(StepClaim, "manifest", "the scope %s, which entry %d froze, is missing from the bundle", id, e.Seq)
		}
		name := "scopes/" + id + ".json"
		part := v.manifest.Parts[slices.IndexFunc(v.manifest.Parts, func(p Part) bool { return p.Name == name })]
		if e.Text("digest") != part.SHA256 {
			return fail(StepClaim, name, "scope %s is not the one that entry %d froze", id, e.Seq)
		}
		v.report.Scopes[at].Entry = e.Seq
	}
	for _, s := range v.report.Scopes {
		if s.Entry == 0 {
			return fail(StepClaim, "scopes/"+s.Scope+".json", "no entry in the bundle froze the scope %s", s.Scope)
		}
	}
	return nil
}

// manifestClaims: a vendor's manifest is one that the ledger recorded in force.
func (v *verifier) manifestClaims() error {
	v.report.Manifests = []string{}
	for _, p := range v.manifest.Parts {
		kind, id, _ := partKind(p.Name)
		if kind != kindVendor {
			continue
		}
		recorded := slices.ContainsFunc(v.events, func(e EventReport) bool {
			return e.Kind == "coverage-start" && e.Vendor == id && e.Text("manifest") == p.SHA256
		})
		if !recorded {
			return fail(StepClaim, p.Name, "no entry in the bundle says that this manifest of %s was in force", id)
		}
		if _, ok := v.at[p.Name]; ok {
			v.report.Manifests = append(v.report.Manifests, id)
		}
	}
	return nil
}

// unchecked is what a reader must not take for proved.
func (v *verifier) unchecked() []string {
	out := []string{}
	if v.trust.Key == "" {
		out = append(out, "who made the bundle: the ledger's key came from the bundle itself; compare its fingerprint with one that you got another way")
	}
	if len(v.report.Witnesses) == 0 {
		out = append(out, "that nobody with the ledger's key keeps a second history: no witness cosigned")
	} else if len(v.trust.Witnesses) == 0 {
		out = append(out, "who the witnesses are: their keys came from the bundle itself")
	}
	for _, s := range v.report.Scopes {
		if !s.Counted {
			out = append(out, fmt.Sprintf("whom scope %s counts: bitmaps were left out; the ledger recorded their hashes", s.Scope))
		}
	}
	personal := 0
	for _, p := range v.manifest.Parts {
		kind, id, _ := partKind(p.Name)
		if kind != kindVendor {
			continue
		}
		for _, e := range v.events {
			if e.Kind == "coverage-start" && e.Vendor == id && e.Text("manifest") != p.SHA256 {
				out = append(out, fmt.Sprintf("that %s was in force all the time: entry %d put another one in force", p.Name, e.Seq))
				break
			}
		}
	}
	for _, name := range v.report.Redacted {
		if strings.HasSuffix(name, ".personal") {
			personal++
		}
		if strings.HasPrefix(name, "vendors/") {
			out = append(out, "what "+name+" says: it was left out; the ledger recorded its hash")
		}
	}
	if personal > 0 {
		out = append(out, fmt.Sprintf("what else %d batches say: entries about people, or with words that somebody chose, were left out; they may belong to the timeline", personal))
	}
	return append(out, "that there are no other entries of the incident: the ledger shows what it is asked for")
}

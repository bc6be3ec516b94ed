package api

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/scope"
)

// maxErase bounds one request; a longer list takes several.
const maxErase = 200_000

// Erase erases people, or says what would go.
func (d *Desk) Erase(ctx context.Context, r EraseRequest) (EraseAnswer, error) {
	answer := EraseAnswer{DryRun: r.DryRun, Unknown: []int{}, PassOn: []EraseRecipient{}}
	actor, err := may(ctx, ErasePeople)
	if err != nil {
		return answer, err
	}
	if !r.DryRun {
		if err := d.needServer("cordon erase"); err != nil {
			return answer, err
		}
	}
	if err := d.needLedger(); err != nil {
		return answer, err
	}
	if n := len(r.Identifiers); n == 0 || n > maxErase {
		return answer, problem(http.StatusUnprocessableEntity, "identifiers-missing", "give one identifier a line, at most 200,000 at once", "there is nobody to erase in the list")
	}
	who, err := d.whoOf(ctx, actor, r, &answer)
	if err != nil {
		return answer, err
	}
	people, held, err := d.recipients(ctx, who, &answer)
	if err != nil {
		return answer, err
	}
	if held != "" && !r.DryRun {
		return answer, heldBack(held)
	}
	answer.HeldBy = held
	var list []ledger.Erasure
	if r.DryRun {
		list, err = d.Ledger.PlanErase(ctx, who)
	} else {
		list, err = d.Ledger.Erase(ctx, people, ledger.Event{At: d.Now(), Actor: actor.Name, Fields: d.reason(r.Reason)})
	}
	if h, ok := errors.AsType[*ledger.HeldError](err); ok {
		return answer, heldBack(h.Hold.Name)
	}
	if err != nil {
		return answer, unavailable("erasing", err)
	}
	answer.add(list)
	return answer, nil
}

// heldBack refuses what a legal hold or an open incident suspends.
func heldBack(name string) *Error {
	return problem(http.StatusForbidden, "legal-hold", "cordon legal-hold list; what is held is erased once it is lifted or closed", "%s suspends the erasure", name)
}

func (a *EraseAnswer) add(list []ledger.Erasure) {
	for _, e := range list {
		a.People++
		a.Identifiers += uint64(e.Identifiers)
		a.Links += uint64(e.Links)
		a.Contacts += uint64(e.Contacts)
		a.Tokens += uint64(e.Tokens)
		if e.Directory {
			a.Directory++
		}
		if e.InDirectory {
			a.InDirectory++
		}
		if e.Entry != 0 {
			if a.First == 0 {
				a.First = e.Entry
			}
			a.Last = e.Entry
		}
	}
}

// whoOf finds the people, each once, as one read that is recorded.
func (d *Desk) whoOf(ctx context.Context, actor Actor, r EraseRequest, answer *EraseAnswer) (who []exposure.Ordinal, err error) {
	if err := d.limit().take(actor, 1, d.Now()); err != nil {
		return nil, err
	}
	if err := d.record(ctx, actor, "", map[string]any{"what": "erase", "people": len(r.Identifiers)}); err != nil {
		return nil, err
	}
	seen := map[exposure.Ordinal]bool{}
	for i, identifier := range r.Identifiers {
		list, err := candidates(SubjectQuery{Identifier: identifier, Kind: r.Kind, Vendor: r.Vendor})
		if err != nil {
			if p, ok := errors.AsType[*Error](err); ok && p.Reason != "identifier-invalid" || len(r.Identifiers) == 1 {
				return nil, err
			}
			answer.Unknown = append(answer.Unknown, i+1)
			continue
		}
		found := exposure.Nobody
		for _, id := range list {
			o, ok, err := d.Ledger.Lookup(id)
			if err != nil {
				return nil, unavailable("looking an identifier up", err)
			}
			if ok {
				found = o
				break
			}
		}
		switch {
		case found == exposure.Nobody:
			answer.Unknown = append(answer.Unknown, i+1)
		case !seen[found]:
			seen[found] = true
			who = append(who, found)
		}
	}
	return who, nil
}

// recipients finds to which vendors the erasure must be passed on, and what
// suspends it.
func (d *Desk) recipients(ctx context.Context, who []exposure.Ordinal, answer *EraseAnswer) (people []ledger.ToErase, held string, err error) {
	counts := map[exposure.VendorID]uint64{}
	for _, o := range who {
		got, err := d.Index.Subject(ctx, o)
		if err != nil {
			return nil, "", unavailable("finding who may hold data of the person", err)
		}
		one := ledger.ToErase{Ordinal: o}
		all := []exposure.VendorID{} // a hold on a vendor concerns whatever it got
		for _, v := range got.Vendors {
			all = append(all, v.Vendor)
			if v.MayHold {
				one.Vendors = append(one.Vendors, v.Vendor)
				counts[v.Vendor]++
			}
		}
		people = append(people, one)
		if held == "" {
			held = d.heldOf(o, all)
		}
	}
	for _, v := range slices.Sorted(maps.Keys(counts)) {
		answer.PassOn = append(answer.PassOn, d.recipient(v, counts[v]))
	}
	return people, held, nil
}

// heldOf names what forbids to erase a person of whom these vendors got something.
func (d *Desk) heldOf(o exposure.Ordinal, vendors []exposure.VendorID) string {
	if h, is := d.Ledger.HoldOf(o, vendors); is {
		return "the legal hold " + h.Name
	}
	for _, v := range vendors {
		if open := d.Fold.Cases.OpenFor(v); len(open) > 0 {
			return "the open incident " + open[0].ID
		}
	}
	return ""
}

func (d *Desk) recipient(v exposure.VendorID, people uint64) EraseRecipient {
	r := EraseRecipient{Vendor: string(v), People: people}
	if s, err := d.spec(string(v)); err == nil { // a vendor outlives its manifest
		r.Name, r.Country = s.Manifest.Name, s.Manifest.Country
	}
	return r
}

// Erasures lists what was erased and to whom it must still be passed on.
func (d *Desk) Erasures(ctx context.Context) (EraseList, error) {
	answer := EraseList{PassOn: []EraseRecipient{}, Pending: []ErasePending{}}
	if _, err := may(ctx, SeeFigures); err != nil {
		return answer, err
	}
	if err := d.needLedger(); err != nil {
		return answer, err
	}
	list, err := d.Ledger.ErasedPeople()
	if err != nil {
		return answer, unavailable("reading erasures", err)
	}
	by := map[exposure.VendorID]*EraseRecipient{}
	for _, e := range list {
		answer.People++
		if e.Attributes {
			answer.Attributes++
		}
		pending := ErasePending{Entry: e.Entry, Subject: scope.Opaque(e.Ordinal), At: e.At}
		for _, v := range e.Vendors {
			if by[v.Vendor] == nil {
				r := d.recipient(v.Vendor, 0)
				by[v.Vendor] = &r
			}
			by[v.Vendor].People++
			if v.PassedOn {
				by[v.Vendor].PassedOn++
			} else {
				pending.Vendors = append(pending.Vendors, string(v.Vendor))
			}
		}
		if len(pending.Vendors) > 0 {
			answer.Pending = append(answer.Pending, pending)
		}
	}
	for _, v := range slices.Sorted(maps.Keys(by)) {
		answer.PassOn = append(answer.PassOn, *by[v])
	}
	slices.SortFunc(answer.Pending, func(a, b ErasePending) int { return cmp.Compare(a.Entry, b.Entry) })
	return answer, nil
}

// PassErasuresOn records that a vendor was told of all erasures so far.
func (d *Desk) PassErasuresOn(ctx context.Context, name string) (ErasePassedOn, error) {
	answer := ErasePassedOn{Vendor: name}
	actor, err := may(ctx, DeclareHoldings)
	if err != nil {
		return answer, err
	}
	if err := d.needLedger(); err != nil {
		return answer, err
	}
	if err := d.needServer("cordon erase --passed-on"); err != nil {
		return answer, err
	}
	n, entry, err := d.Ledger.PassedOn(ctx, exposure.VendorID(name), ledger.Event{At: d.Now(), Actor: actor.Name})
	if err != nil {
		return answer, unavailable("recording that a vendor was told", err)
	}
	if n == 0 {
		return answer, problem(http.StatusNotFound, "nothing-to-pass-on", "cordon erase --list", "there is no erasure of which %s is still to be told", name)
	}
	answer.People, answer.Entry = uint64(n), entry
	return answer, nil
}

// DropErased forgets the attributes of erased people of whom every vendor has
// attested deletion, in the name of the program.
func (d *Desk) DropErased(ctx context.Context) (int, error) {
	list, err := d.Ledger.ErasedPeople()
	if err != nil {
		return 0, err
	}
	gone := map[exposure.Ordinal]bool{}
	for _, e := range list {
		// Most wait for somebody who has attested nothing: those need no look.
		waits := slices.ContainsFunc(e.Vendors, func(r ledger.Recipient) bool {
			letters, err := d.Index.Attestations(ctx, r.Vendor)
			return err != nil || len(letters) == 0
		})
		if !e.Attributes || waits {
			continue
		}
		got, err := d.Index.Subject(ctx, e.Ordinal)
		if err != nil {
			return 0, err
		}
		gone[e.Ordinal] = !slices.ContainsFunc(got.Vendors, func(v scope.PersonVendor) bool { return v.MayHold })
	}
	n, _, err := d.Ledger.DropAttributes(ctx, func(o exposure.Ordinal) bool { return gone[o] }, ledger.Event{At: d.Now(), Actor: "cordon"})
	return n, err
}

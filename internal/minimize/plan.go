package minimize

import (
	"errors"
	"fmt"
	"strings"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/token"
	"cordon/internal/vendor"
)

// planned is what a policy comes to for one message.
type planned struct {
	*classify.Findings
	spec   *vendor.Spec
	tokens Tokens

	decision exposure.Decision
	actions  []FieldAction // one per field, also when the message is refused
	fates    []fate        // likewise
	outgoing classify.Outgoing
	minted   []Minted
	known    map[token.Key]bool // those minted, once they are many
	owners   []int32            // whose each field is, once it was asked
}

// fate is how a field leaves, if it does.
type fate struct {
	form exposure.Form
	gone bool
}

// Why a value left as it was although the policy says otherwise.
const (
	keptDelivers = "the vendor delivers to it"
	keptRenders  = "the vendor shows it to the person"
)

func plan(f *classify.Findings, spec *vendor.Spec, t Tokens) *planned {
	fields := f.Fields()
	p := &planned{Findings: f, spec: spec, tokens: t,
		actions: make([]FieldAction, len(fields)), fates: make([]fate, len(fields))}
	var edits, path []classify.Edit
	for i := range fields {
		p.actions[i] = FieldAction{Field: i, Action: vendor.Allow}
		if fields[i].Hashed() {
			p.fates[i].form = exposure.Hashed
		}
		if spec.Mode == vendor.Shadow {
			continue
		}
		edit, changed, err := p.field(i, &fields[i])
		switch {
		case err != nil:
			p.refuse(fields[i].Category, p.actions[i].Action, err)
		case changed && fields[i].InPath() && inPath(p.actions[i].Action):
			path = append(path, edit)
		case changed:
			if edits == nil {
				edits = make([]classify.Edit, 0, len(fields)-i)
			}
			edits = append(edits, edit)
		}
	}
	if p.decision.Reason == "" {
		p.decision = p.incomplete()
	}
	if p.decision.Verdict != exposure.Pass && spec.Mode != vendor.Shadow {
		return p
	}
	if len(edits)+len(path) > 0 && f.Signed() && !resigns(spec) {
		p.decision = exposure.Decision{Verdict: exposure.Refuse, Reason: exposure.ReasonPolicy,
			Detail: "the app signed this message, and the policy changes what is signed: give Cordon the credential (in the manifest), so that it signs what leaves"}
		return p
	}
	var err error
	if p.outgoing, err = f.Rewrite(edits); err != nil {
		p.decision = exposure.Decision{Verdict: exposure.Refuse, Reason: exposure.ReasonPolicy, Detail: detail(err)}
		return p
	}
	if len(path) > 0 {
		p.outgoing.Path = f.PathWith(path)
	}
	p.decision.Verdict = exposure.Pass
	return p
}

// inPath reports whether a new value may stand in a path, which names what the
// request is about: the vendor knows the person by the token that it got.
func inPath(a vendor.Action) bool { return a == vendor.Token || a == vendor.Alias || a == vendor.Hash }

// resigns reports whether the gateway signs what leaves with its own credential.
func resigns(spec *vendor.Spec) bool { return spec.Credential != nil && spec.Credential.In == "sigv4" }

// field decides on one field and says how it is changed, if it is.
func (p *planned) field(i int, at *classify.Field) (edit classify.Edit, changed bool, err error) {
	action, category := p.spec.Action(at.Category), at.Category
	if action == vendor.Allow && isAddress(at) {
		action, category = p.spec.Action(exposure.Email), exposure.Email
	}
	if host, derived := at.Derived(); derived {
		if p.actions[host].Action != vendor.Allow { // it went with its host
			p.actions[i], p.fates[i] = p.actions[host], p.fates[host]
			p.actions[i].Field = i
			return edit, false, nil
		}
		// Found by its form alone, so only what a checksum proves is changed, and
		// never a number that is the whole of a leaf: it may be an order's.
		if action == vendor.Allow || !at.Checked() || at.Bare() {
			return edit, false, nil
		}
		action = vendor.Mask
	}
	if kept := keeps(at, action); kept != "" {
		p.actions[i].Kept = kept
		return edit, false, nil
	}
	p.actions[i].Action = action
	edit.Field = i
	switch action {
	case vendor.Allow:
		return edit, false, nil
	case vendor.Drop:
		p.fates[i].gone = true
		edit.Drop = true
		return edit, true, nil
	case vendor.Mask:
		p.mask(i, at, &edit)
		return edit, true, nil
	}
	if !action.Fits(category) {
		return edit, false, errUnfit
	}
	value := at.Value()
	if value == "" { // says nothing of anybody, in whatever form
		p.actions[i].Action = vendor.Allow
		return edit, false, nil
	}
	switch action {
	case vendor.Generalize:
		if coarse, ok := generalize(at.Category, value); ok {
			p.fates[i].form = exposure.Generalised
			edit.Value = coarse
			return edit, true, nil
		}
		// Nobody knows how to make it coarser, so nothing of it leaves.
		p.mask(i, at, &edit)
		return edit, true, nil
	case vendor.Hash:
		if p.tokens == nil {
			return edit, false, errNoTokens
		}
		p.fates[i].form = exposure.Hashed
		edit.Value = p.tokens.Hash(category, value)
		return edit, true, nil
	default:
		return edit, true, p.mint(i, at, value, &edit)
	}
}

// isAddress reports whether an id is somebody's e-mail address: what the policy
// says of addresses then holds for it too, or the address that a token stands
// for in one place would leave in the clear in the next.
func isAddress(at *classify.Field) bool {
	switch at.Category {
	case exposure.UserID, exposure.Username, exposure.Pseudonym:
		value := at.Value()
		if strings.IndexByte(value, '@') <= 0 {
			return false
		}
		_, err := exposure.Canonical(exposure.KindEmail, value)
		return err == nil
	default:
		return false
	}
}

// keeps says why an action is not applied to a field; "" when it is.
func keeps(at *classify.Field, a vendor.Action) string {
	switch {
	case a == vendor.Token || a == vendor.Hash || a == vendor.Generalize:
		if at.Deliver() {
			return keptDelivers
		}
	case a != vendor.Alias:
		return ""
	}
	if at.Render() {
		return keptRenders
	}
	return ""
}

func (p *planned) mask(i int, at *classify.Field, edit *classify.Edit) {
	p.actions[i].Action = vendor.Mask
	p.fates[i].form = exposure.Masked
	edit.Value = masked(at)
}

// mint puts a token or an alias in a value's place.
func (p *planned) mint(i int, at *classify.Field, value string, edit *classify.Edit) error {
	if p.tokens == nil {
		return errNoTokens
	}
	var made token.Token
	var err error
	form := exposure.Tokenised
	if p.actions[i].Action == vendor.Alias && !at.Hashed() {
		form = exposure.Aliased
		made, err = p.tokens.Alias(value)
	} else {
		made, err = p.tokens.Token(at.Category, value, at.Bare())
	}
	if errors.Is(err, token.ErrUnfit) { // true, false, blanks
		p.mask(i, at, edit)
		return nil
	}
	if err != nil {
		return err
	}
	p.fates[i].form = form
	edit.Value = made.Text
	if p.again(made.Key) {
		return nil
	}
	m := Minted{Token: made, Category: at.Category, Form: form, Value: value, Person: p.owner(i)}
	if m.Person >= 0 {
		m.Identifiers = p.People()[m.Person].Identifiers
	}
	if p.minted == nil {
		p.minted = make([]Minted, 0, min(len(p.actions)-i, 16))
	}
	p.minted = append(p.minted, m)
	return nil
}

// again reports whether a token is among those minted already.
func (p *planned) again(k token.Key) bool {
	const few = 32
	if p.known == nil && len(p.minted) < few {
		for i := range p.minted {
			if p.minted[i].Key == k {
				return true
			}
		}
		return false
	}
	if p.known == nil {
		p.known = make(map[token.Key]bool, 2*few)
		for i := range p.minted {
			p.known[p.minted[i].Key] = true
		}
	}
	known := p.known[k]
	p.known[k] = true
	return known
}

// owner is whose field it is; -1 for nobody known and for what several share.
func (p *planned) owner(field int) int {
	if p.owners == nil {
		p.owners = make([]int32, len(p.actions))
		for i := range p.owners {
			p.owners[i] = -1
		}
		for n, person := range p.People() {
			if len(person.Identifiers) == 0 {
				continue
			}
			for _, i := range person.Fields {
				p.owners[i] = int32(n)
			}
		}
	}
	return int(p.owners[field])
}

var (
	errUnfit    = errors.New("the action cannot be applied to the category")
	errNoTokens = errors.New("no keys for tokens are at hand")
)

// refuse notes the first reason for which a policy cannot be carried out.
func (p *planned) refuse(c exposure.Category, a vendor.Action, err error) {
	if p.decision.Reason != "" {
		return
	}
	d := exposure.Decision{Verdict: exposure.Refuse, Reason: exposure.ReasonNotSupported}
	switch {
	case errors.Is(err, errUnfit):
		d.Detail = fmt.Sprintf("the manifest asks for %q of %s, which cannot be done", a, c)
	case errors.Is(err, errNoTokens):
		d.Detail = fmt.Sprintf("the manifest asks for %q of %s, and no keys for it are at hand", a, c)
	case errors.Is(err, token.ErrRefused):
		d.Reason = exposure.ReasonPolicy
		d.Detail = fmt.Sprintf("the manifest asks for %q of %s, and values of this category get none: write mask or drop", a, c)
	default:
		d.Reason = exposure.ReasonPolicy
		d.Detail = fmt.Sprintf("a value of %s could not be replaced as the manifest asks (%s)", c, a)
	}
	p.decision = d
}

// incomplete decides by what could not be read.
func (p *planned) incomplete() exposure.Decision {
	if reasons := p.Incomplete(); len(reasons) > 0 {
		return exposure.Decision{Verdict: p.spec.Unclassified, Reason: reasons[0],
			Detail: fmt.Sprintf("the message could not be fully read (%s); the manifest's unclassified decides", reasons[0])}
	}
	return exposure.Decision{Verdict: exposure.Pass}
}

func detail(err error) string {
	switch {
	case errors.Is(err, classify.ErrPath):
		return "the policy would change a value that stands in the path, which names what the request is about: a token or a hash may stand there, by which the vendor knows the person"
	case errors.Is(err, classify.ErrSealed):
		return "the policy would change a value in a signed token, which its reader would then refuse"
	case errors.Is(err, classify.ErrPartial):
		return "the policy would change a body that could be read only in part"
	default:
		return "the policy cannot be applied to this message"
	}
}

// exposures is what leaves about whom. What was dropped did not leave.
func (p *planned) exposures() []Exposure {
	people := p.People()
	if len(people) == 0 {
		return nil
	}
	sets := p.Sets(func(i int) (exposure.Form, bool) { return p.fates[i].form, !p.fates[i].gone })
	list := make([]Exposure, 0, len(people))
	for i := range people {
		if !sets[i].Empty() {
			list = append(list, Exposure{people[i].Identifiers, sets[i]})
		}
	}
	return list
}

package vendor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/strict"
)

// Actions are all that a policy can ask for, the mildest first.
var Actions = []Action{Allow, Generalize, Alias, Token, Hash, Mask, Drop}

// within lists categories together with all below them.
func within(parents ...string) map[exposure.Category]bool {
	set := map[exposure.Category]bool{}
	for _, key := range parents {
		parent := exposure.MustCategory(key)
		for _, c := range exposure.Categories() {
			if c.Within(parent) {
				set[c] = true
			}
		}
	}
	return set
}

var (
	// coarse have a coarser value of the same kind: a network, a region, a year.
	coarse = within("user.device.ip_address", "user.contact.address.postal_code", "user.demographic.date_of_birth",
		"user.demographic.age_range", "user.location")
	// telling single somebody out, so two equal hashes mean one person. Numbers
	// with few possible values (cards, national ids) are not among them: who
	// has the hash tries them all.
	telling = within("user.name", "user.contact.email", "user.contact.phone_number", "user.unique_id", "user.account.username",
		"user.contact.social_handle", "user.device.device_id", "user.device.cookie_id")
	// typed have a form in which no token can stand: addresses of networks,
	// places, days, numbers with check digits, codes out of closed lists.
	typed = within("user.device.ip_address", "user.location", "user.demographic.date_of_birth", "user.demographic.age_range",
		"user.demographic.gender", "user.demographic.language", "user.contact.address.country", "user.contact.address.postal_code",
		"user.financial.credit_card", "user.financial.account_balance")
	// unread are values of which nobody knows what they are.
	unread = within(exposure.Unclassified.Key(), exposure.Opaque.Key())
)

// Fits reports whether the action can be applied to values of the category.
func (a Action) Fits(c exposure.Category) bool {
	switch a {
	case Allow, Drop, Mask:
		return true
	case Alias:
		return c == exposure.Email
	case Generalize:
		return coarse[c]
	case Hash:
		return telling[c]
	case Token:
		return !typed[c] && !unread[c]
	default:
		return false
	}
}

// checkPolicy says which actions cannot be applied to all that their key
// covers, which is everything below it that no nearer key names.
func checkPolicy(r *strict.Report, policy map[string]Action) {
	for _, key := range slices.Sorted(maps.Keys(policy)) {
		at, action := "minimize."+key, policy[key]
		if key == "default" {
			if !slices.Contains([]Action{Allow, Mask, Drop}, action) {
				r.Add(at, fmt.Sprintf("%s cannot be applied to whatever comes", action), fmt.Sprintf("write allow, mask or drop, and name the categories that %s is for", action))
			}
			continue
		}
		parent, ok := exposure.LookupCategory(key)
		if !ok || action == "" {
			continue // said already
		}
		child, below := unfit(policy, key, action), fitting(action, parent)
		switch {
		case child == "":
		case action.Fits(parent):
			r.Add(at, fmt.Sprintf("%s cannot be applied to %s, which %s covers", action, child, key),
				fmt.Sprintf("give %s an action of its own (%s), or name only the categories that %s is for", child, choices(exposure.MustCategory(child)), action))
		case below != "":
			r.Add(at, fmt.Sprintf("%s cannot be applied to %s", action, key), fmt.Sprintf("name the categories that %s is for, such as %s", action, below))
		default:
			r.Add(at, fmt.Sprintf("%s cannot be applied to %s", action, key), "write "+choices(parent))
		}
	}
}

// unfit finds the first category that key covers and its action does not fit;
// "" for none.
func unfit(policy map[string]Action, key string, action Action) string {
	parent := exposure.MustCategory(key)
	for _, c := range exposure.Categories() {
		if !c.Within(parent) || action.Fits(c) {
			continue
		}
		nearest := c.Key()
		for policy[nearest] == "" && nearest != key {
			nearest = nearest[:strings.LastIndexByte(nearest, '.')]
		}
		if nearest == key {
			return c.Key()
		}
	}
	return ""
}

// fitting is a category below parent that the action fits, the first by name.
func fitting(a Action, parent exposure.Category) string {
	for _, c := range exposure.Categories() {
		if c != parent && c.Within(parent) && a.Fits(c) {
			return c.Key()
		}
	}
	return ""
}

// choices lists the actions that fit a category, as a sentence does.
func choices(c exposure.Category) string {
	var words []string
	for _, a := range Actions {
		if a.Fits(c) {
			words = append(words, string(a))
		}
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

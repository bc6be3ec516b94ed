// Package incident is the case: what was opened about a vendor, what is known
// of it and since when, who approved what.
//
// A case is a fold over the ledger's events and nothing else. Every change is
// an entry first (ledger.EventIncident, with Fields["incident"] and
// Fields["what"]), and what is shown is computed from the entries: nothing is
// edited, a corrected fact stands beside the one that it corrects. The fold is
// pure: the same entries give the same cases, in this process, after a restart,
// in a bundle that an examiner reads.
//
// # What an event of kind incident says
//
//	what         other fields
//	open         since, until, facts {key: value}
//	fact         facts {key: value}; an empty value takes a fact back
//	plan         step, digest (of what exactly is to be done), detail
//	approve      step, digest, role (of the approver, at that moment)
//	break-glass  step, digest: done by one person, after a delay
//	export       digest: evidence was handed out
//	note         text_digest
//	close        text_digest, if a reason was given
//	reopen       the same
//
// Free text is not among them: it is sealed beside the ledger, under a key that
// can be shredded, and the entry holds its keyed digest (text_digest).
package incident

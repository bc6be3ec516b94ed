// Package classify reads one message and says whose personal data it carries.
//
// A manifest's mappings are compiled, per route, into a trie of paths. One pass
// over the body walks trie and bytes side by side: what no mapping asks for is
// still checked as strictly as a parser would, but costs little. What is found
// is kept as places in the original bytes, so that minimisation splices and
// never marshals anew: number precision, key order, white space and fields that
// we do not know leave exactly as they came.
//
// A value may hold a document of its own: JSON in a string, base64 in a query, a
// table in a mail. Each decoded text is a layer that knows where it stands in the
// text around; fields have their place in a layer, and what happens to them is
// written back from the innermost layer outwards. Mappings name what they expect
// (data|base64|json.email); what no mapping names is opened where it is plainly a
// document. Three decoders deep, and all of it under one budget.
//
// The pieces, in the order in which a message meets them:
//
//	compile, finish, variants  mappings become tries, conditions their variants
//	classify, body, coding     the parts of a message; compressed bodies
//	kinds                      which reader takes a body, by type and by looks
//	json, form, multipart      readers that walk along the trie themselves
//	document                   the same for what the readers of package wire tell
//	opening, unasked, layers   documents inside values
//	walk, template             what is found, and how its place is written
//	undeclared, known          personal data that no mapping names
//	people                     whose each field is
//	rewrite, editor, fold      edits, spliced into the bytes that came
//
// Two parsers that read the same bytes differently are how data slips past a
// gate. Whatever could be read in two ways (a key given twice, a lone
// surrogate, a form that looks like JSON) is reported as incomplete, and
// everything that could be found nevertheless is reported too.
//
// The package is pure: no files, no network, no clock.
package classify

// Package classify reads one message and says whose personal data it carries.
//
// A manifest's mappings are compiled, per route, into a trie of paths. One pass
// over the body walks trie and bytes side by side: what no mapping asks for is
// still checked as strictly as a parser would, but costs little. What is found
// is kept as places in the original bytes, so that minimisation splices and
// never marshals anew: number precision, key order, white space and fields that
// we do not know leave exactly as they came.
//
// Two parsers that read the same bytes differently are how data slips past a
// gate. Whatever could be read in two ways (a key given twice, a lone
// surrogate, a form that looks like JSON) is reported as incomplete, and
// everything that could be found nevertheless is reported too.
//
// The package is pure: no files, no network, no clock.
package classify

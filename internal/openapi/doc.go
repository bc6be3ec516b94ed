// Package openapi drafts mappings from vendors' own descriptions of their APIs:
// OpenAPI 3.0 and 3.1, and Swagger 2.0, as JSON or YAML. A draft is for a person
// to confirm. It goes by the words of keys in many languages, by formats and
// examples, and by what stands around a key, and says at every line what it
// went by and how sure it is; what it looked at and did not propose is counted.
//
// A draft errs towards silence where only the organisation itself is meant and
// towards proposing where a person may be: a line too many costs a look, a
// missing one is found by the search for undeclared data or not at all.
package openapi

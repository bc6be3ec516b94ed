// Package vendor knows the third parties: a manifest per vendor, written by the
// organisation, and a catalogue of what is known about vendors' APIs, shipped
// with Cordon. Out of both comes a Spec, by which the gateway routes.
package vendor

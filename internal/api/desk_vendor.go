package api

import (
	"context"
	"slices"

	"cordon/internal/exposure"
	"cordon/internal/scope"
	"cordon/internal/vendor"
)

// Vendors lists the manifests with their gates.
func (d *Desk) Vendors(ctx context.Context) (VendorList, error) {
	if _, err := may(ctx, SeeFigures); err != nil {
		return VendorList{}, err
	}
	var list VendorList
	for _, spec := range d.Specs {
		list.Vendors = append(list.Vendors, d.summary(spec))
	}
	return list, nil
}

func (d *Desk) summary(spec *vendor.Spec) VendorSummary {
	m := spec.Manifest
	s := VendorSummary{
		Vendor: string(spec.ID), Name: m.Name, Catalogue: m.Catalogue, Upstream: spec.Upstream.String(),
		Mode: string(spec.Mode), Country: m.Country, Role: m.Role, Routes: len(spec.Routes),
	}
	if d.Gates != nil {
		state, _ := d.Gates.Gate(spec.ID).State("")
		s.Gate = state.String()
	} else {
		s.Gate, _ = d.storedGate(spec)
	}
	return s
}

// Vendor shows one manifest as Cordon understood it, and what the ledger saw.
func (d *Desk) Vendor(ctx context.Context, name string) (VendorDetail, error) {
	if _, err := may(ctx, SeeFigures); err != nil {
		return VendorDetail{}, err
	}
	spec, err := d.spec(name)
	if err != nil {
		return VendorDetail{}, err
	}
	detail := VendorDetail{
		VendorSummary: d.summary(spec), Hosts: spec.Hosts, Purposes: spec.Manifest.Purposes,
		Default: string(spec.Default), Unclassified: spec.Unclassified.String(), WhenCut: spec.WhenCut,
		Policy: map[string]string{},
	}
	for _, c := range spec.Collects {
		detail.Collects = append(detail.Collects, c.Key())
	}
	for key, action := range spec.Manifest.Minimize {
		if key != "default" {
			detail.Policy[key] = string(action)
		}
	}
	for _, r := range spec.Routes {
		categories := map[string]bool{}
		for _, m := range r.Mappings {
			for _, key := range m.Fields {
				categories[key] = true
			}
		}
		keys := make([]string, 0, len(categories))
		for key := range categories {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		detail.RouteSpecs = append(detail.RouteSpecs, VendorRoute{r.Name, r.Queueable, keys})
	}
	if d.Index == nil { // no server has run yet
		return detail, nil
	}
	seen, err := d.Index.Query(ctx, scope.Query{Vendor: exposure.VendorID(name), Basis: scope.SentWithin, Collects: spec.Collects})
	if err != nil {
		return VendorDetail{}, unavailable("answering from the index", err)
	}
	if detail.Attestations, err = d.Index.Attestations(ctx, spec.ID); err != nil {
		return VendorDetail{}, unavailable("answering from the index", err)
	}
	detail.Seen = VendorSeen{
		Subjects: seen.Subjects, Disclosures: seen.Disclosures,
		IncompleteMessages: seen.IncompleteMessages, CoveredSince: seen.CoveredSince,
	}
	for _, c := range seen.Categories {
		detail.Seen.Categories = append(detail.Seen.Categories, c.Category)
	}
	return detail, nil
}

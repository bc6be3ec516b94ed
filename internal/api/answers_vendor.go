package api

import (
	"time"

	"cordon/internal/scope"
	"cordon/internal/strict"
)

// VendorSummary is one row of `cordon vendor list --json`.
type VendorSummary struct {
	Vendor    string `json:"vendor"`
	Name      string `json:"name"`
	Catalogue string `json:"catalogue"`
	Upstream  string `json:"upstream"`
	Mode      string `json:"mode"`
	Country   string `json:"country"`
	Role      string `json:"role"`
	Gate      string `json:"gate"`
	Routes    int    `json:"routes"`
}

// VendorList is what `cordon vendor list --json` answers.
type VendorList struct {
	Vendors []VendorSummary `json:"vendors"`
}

// VendorDetail is what `cordon vendor show --json` answers: the manifest as
// Cordon understood it, and what the ledger saw.
type VendorDetail struct {
	VendorSummary
	Hosts        []string          `json:"hosts"`
	Collects     []string          `json:"collects"`
	Purposes     []string          `json:"purposes"`
	Policy       map[string]string `json:"policy"`
	Default      string            `json:"default"`
	Unclassified string            `json:"unclassified"`
	WhenCut      string            `json:"when_cut"`
	RouteSpecs   []VendorRoute     `json:"route_specs"`
	Seen         VendorSeen        `json:"seen"`
	// Attestations are the vendor's letters about what it deleted.
	Attestations []scope.Attested `json:"attestations"`
}

// VendorRoute is one mapped route.
type VendorRoute struct {
	Route      string   `json:"route"`
	Queueable  bool     `json:"queueable"`
	Categories []string `json:"categories"`
}

// VendorSeen is what the ledger says about the vendor, over all time.
type VendorSeen struct {
	Subjects           uint64     `json:"subjects"`
	Disclosures        uint64     `json:"disclosures"`
	IncompleteMessages uint64     `json:"incomplete_messages"`
	CoveredSince       *time.Time `json:"covered_since"`
	Categories         []string   `json:"categories"`
}

// VendorAdded is what `cordon vendor add --json` answers.
type VendorAdded struct {
	Vendor string `json:"vendor"`
	File   string `json:"file"`
}

// CheckReport is what `cordon check --json` answers.
type CheckReport struct {
	OK       bool             `json:"ok"`
	Problems []strict.Problem `json:"problems"`
}

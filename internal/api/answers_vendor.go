package api

import "time"

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

// ImportReport is what `cordon directory import --json` answers.
type ImportReport struct {
	People   uint64         `json:"people"`
	New      uint64         `json:"new"`
	Changed  uint64         `json:"changed"`
	Rejected []RejectedLine `json:"rejected"`
	TookMS   float64        `json:"took_ms"`
}

// RejectedLine is a line of a directory that was not taken. Problem holds no
// personal value.
type RejectedLine struct {
	Line    int    `json:"line"`
	Problem string `json:"problem"`
}

// CheckReport is what `cordon check --json` answers.
type CheckReport struct {
	OK       bool      `json:"ok"`
	Problems []Problem `json:"problems"`
}

// Problem is one thing wrong in a configuration file, and how to put it right.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
}

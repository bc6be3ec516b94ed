package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"cordon/internal/api"
	"cordon/internal/figure"
	"cordon/internal/vendor"
)

type vendorCmd struct {
	List   vendorListCmd   `cmd:"" help:"List the vendors."`
	Show   vendorShowCmd   `cmd:"" help:"Show one vendor: its manifest, and what the ledger saw."`
	Add    vendorAddCmd    `cmd:"" help:"Write a manifest for a vendor of the catalogue."`
	Attest vendorAttestCmd `cmd:"" help:"Take in a vendor's letter about what it deleted."`
	Map    vendorMapCmd    `cmd:"" help:"Draft a manifest from a vendor's OpenAPI description, for a person to confirm."`
}

type vendorListCmd struct{}

func (vendorListCmd) Examples() []string { return []string{"cordon vendor list"} }

func (vendorListCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	list, err := o.Vendors(ctx)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(list)
	}
	if len(list.Vendors) == 0 {
		e.Say("no vendors yet\n  next: cordon vendor add NAME --catalogue sendgrid")
		return nil
	}
	t := e.table("vendor", "gate", "mode", "catalogue", ">routes", "country", "upstream")
	for _, v := range list.Vendors {
		t.row(v.Vendor, e.gateWord(v.Gate), v.Mode, v.Catalogue, figure.Grouped(v.Routes), v.Country, v.Upstream)
	}
	t.print()
	return nil
}

type vendorShowCmd struct {
	Vendor string `arg:"" help:"The vendor."`
}

func (vendorShowCmd) Examples() []string { return []string{"cordon vendor show acme-mail"} }

func (c vendorShowCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	v, err := o.Vendor(ctx, c.Vendor)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(v)
	}
	e.printVendor(v)
	return nil
}

func (e *Env) printVendor(v api.VendorDetail) {
	line := func(name, value string) {
		if value != "" {
			e.Print("%-13s %s", name, value)
		}
	}
	line("vendor", e.Colour(bold, v.Vendor)+"  "+v.Name)
	line("gate", e.gateWord(v.Gate)+", "+v.Mode)
	line("upstream", v.Upstream)
	line("hosts", strings.Join(v.Hosts, " "))
	line("catalogue", v.Catalogue)
	line("country", v.Country)
	line("role", v.Role)
	line("purposes", strings.Join(v.Purposes, " "))
	line("collects", strings.Join(v.Collects, " "))
	line("when cut", v.WhenCut)
	line("unclassified", v.Unclassified)
	policy := make([]string, 0, len(v.Policy))
	for category, action := range v.Policy {
		policy = append(policy, category+" "+action)
	}
	slices.Sort(policy)
	line("minimise", strings.Join(append(policy, "default "+v.Default), ", "))
	e.Print("")
	t := e.table("route", "queueable", "categories")
	for _, r := range v.RouteSpecs {
		queueable := "no"
		if r.Queueable {
			queueable = "yes"
		}
		t.row(r.Route, queueable, strings.Join(r.Categories, " "))
	}
	t.print()
	e.Print("")
	seen := "nothing yet"
	if v.Seen.Disclosures > 0 {
		seen = fmt.Sprintf("%s about %s: %s", figure.Count(v.Seen.Disclosures, "disclosure", "disclosures"),
			figure.Count(v.Seen.Subjects, "person", "people"), strings.Join(v.Seen.Categories, " "))
	}
	line("seen", seen)
	e.printAttestations(&v)
}

type vendorAddCmd struct {
	Name      string `arg:"" help:"The vendor's name in commands and paths: a-z, 0-9, dash."`
	Catalogue string `required:"" placeholder:"ENTRY" help:"The catalogue's entry: sendgrid, stripe, segment ..."`
}

func (vendorAddCmd) Examples() []string {
	return []string{"cordon vendor add acme-mail --catalogue sendgrid"}
}

func (c vendorAddCmd) Run(e *Env) error {
	entries, problems := vendor.Catalogue()
	if len(problems) > 0 {
		return problemsFault(problems)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Vendor)
	}
	if !slices.Contains(names, c.Catalogue) {
		return &Fault{Code: exitUsage, What: fmt.Sprintf("the catalogue has no entry %q", c.Catalogue), Next: "use one of " + strings.Join(names, ", ")}
	}
	cfg, _, err := e.load()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Vendors, 0o755); err != nil {
		return err
	}
	file, err := vendor.Add(cfg.Vendors, c.Name, c.Catalogue)
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(api.VendorAdded{Vendor: c.Name, File: file})
	}
	e.Print("%s", file)
	e.Say("next: put the secret where the file says, then `cordon check`, and restart `cordon serve`: manifests are read at start")
	return nil
}

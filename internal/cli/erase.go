package cli

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"cordon/internal/api"
	"cordon/internal/figure"
)

type eraseCmd struct {
	Identifier string `arg:"" optional:"" placeholder:"IDENTIFIER" help:"An address, phone number, id or user name of the person; - reads identifiers from stdin, one a line."`
	From       string `type:"existingfile" placeholder:"FILE" help:"Instead: a file of identifiers, one a line."`
	Kind       string `placeholder:"KIND" help:"email, phone, user_id, username or pseudonym, if it is not clear."`
	Vendor     string `placeholder:"VENDOR" help:"With --kind pseudonym: the vendor that knows it."`
	Reason     string `placeholder:"TEXT" help:"Why; only its keyed digest is recorded."`
	DryRun     bool   `name:"dry-run" help:"Say what would go and who must be told, and change nothing."`
	Yes        bool   `short:"y" help:"Do not ask."`
	List       bool   `xor:"what" help:"List erasures of which vendors are still to be told."`
	PassedOn   string `xor:"what" name:"passed-on" placeholder:"VENDOR" help:"Record that this vendor was told of all erasures so far."`
}

func (eraseCmd) Help() string {
	return `Take the people out of the source of the directory too. Afterwards nothing here
can know them again, so the next import of a source that still names them brings
them back as new people. A start loads the configured file only if it changed
since it was loaded last, and a database always.`
}

func (eraseCmd) Examples() []string {
	return []string{
		"cordon erase ada@photos.example --dry-run",
		"cordon erase - --reason 'erasure request 17' --yes < address.txt",
		"cordon erase --from requests.txt --yes --json",
		"cordon erase --list",
		"cordon erase --passed-on acme-mail",
	}
}

func (c eraseCmd) Run(e *Env) error {
	ctx, stop := interruptible()
	defer stop()
	var list []string
	if !c.List && c.PassedOn == "" {
		var err error
		if list, err = c.identifiers(e); err != nil {
			return err
		}
		if err := c.ask(e, len(list)); err != nil {
			return err
		}
	}
	o, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	switch {
	case c.List:
		l, err := o.Erasures(ctx)
		if err != nil {
			return err
		}
		return e.printErasures(l)
	case c.PassedOn != "":
		p, err := o.PassErasuresOn(ctx, c.PassedOn)
		if err != nil {
			return err
		}
		if e.Flags.JSON {
			return e.JSON(p)
		}
		e.Print("%s was told of the erasure of %s (entry %d)", p.Vendor, figure.Count(p.People, "person", "people"), p.Entry)
		return nil
	}
	a, err := o.Erase(ctx, api.EraseRequest{Identifiers: list, Kind: c.Kind, Vendor: c.Vendor, Reason: c.Reason, DryRun: c.DryRun})
	if err != nil {
		return err
	}
	if e.Flags.JSON {
		return e.JSON(a)
	}
	e.printErased(a)
	return nil
}

// identifiers reads whom the command is about. A file's lines keep their
// numbers, so that those that lead to nobody can be named without printing them.
func (c eraseCmd) identifiers(e *Env) ([]string, error) {
	if (c.Identifier == "") == (c.From == "") {
		return nil, &Fault{Code: exitUsage, What: "say who is to be erased", Next: "cordon erase IDENTIFIER    (or --from FILE, or - for stdin)"}
	}
	if c.Identifier != "" && c.Identifier != "-" {
		return []string{strings.TrimSpace(c.Identifier)}, nil
	}
	var data []byte
	var err error
	if c.From != "" {
		data, err = os.ReadFile(c.From)
	} else {
		data, err = e.readInput("the identifiers", 32<<20)
	}
	if err != nil {
		return nil, err
	}
	list := strings.Split(strings.TrimRight(string(data), "\r\n"), "\n")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list, nil
}

func (c eraseCmd) ask(e *Env, n int) error {
	if c.DryRun || c.Yes {
		return nil
	}
	if e.Flags.JSON || !e.InTerminal {
		return &Fault{Code: exitUsage, What: "an erasure cannot be undone, and nobody can be asked here", Next: "add --yes    (or --dry-run to see what would go)"}
	}
	e.Say("Nothing will lead to %s any more, for good. Type yes:", figure.Count(uint64(n), "person", "people"))
	typed, _ := bufio.NewReader(e.In).ReadString('\n')
	if strings.TrimSpace(typed) != "yes" {
		return &Fault{Code: exitUsage, What: "yes was not typed; nothing was changed"}
	}
	return nil
}

func (e *Env) printErased(a api.EraseAnswer) {
	parts := []string{figure.Count(a.Identifiers, "identifier", "identifiers")}
	for _, p := range []struct {
		n         uint64
		one, many string
	}{
		{a.Directory, "row of the directory", "rows of the directory"}, {a.Links, "link", "links"},
		{a.Contacts, "sealed contact", "sealed contacts"}, {a.Tokens, "token", "tokens"},
	} {
		if p.n > 0 {
			parts = append(parts, figure.Count(p.n, p.one, p.many))
		}
	}
	switch {
	case a.People == 0:
		e.Print("nobody to erase: nothing leads to anybody under what was given")
	case a.DryRun:
		e.Print("%s would be erased: %s", figure.Count(a.People, "person", "people"), strings.Join(parts, ", "))
	default:
		entries := fmt.Sprintf("entry %d", a.First)
		if a.Last != a.First {
			entries = fmt.Sprintf("entries %d to %d", a.First, a.Last)
		}
		e.Print("%s erased (%s): %s", figure.Count(a.People, "person", "people"), entries, strings.Join(parts, ", "))
	}
	if n := len(a.Unknown); n > 0 && a.People > 0 {
		e.Print("%s in the list lead to nobody: %s", figure.Count(uint64(n), "line", "lines"), shortList(a.Unknown))
	}
	if a.HeldBy != "" {
		e.Print("%s: %s suspends it", e.Colour(red, "held"), a.HeldBy)
	}
	if n := a.InDirectory; n > 0 {
		e.Print("%s in the directory: take that out of its source before the next import, which would bring back as new whom it still names",
			figure.Count(n, "person stands", "people stand"))
	}
	if len(a.PassOn) == 0 {
		return
	}
	e.Print("")
	e.Print("to be told, because they may hold data (Article 19 GDPR):")
	t := e.table("vendor", "name", "country", ">people")
	for _, v := range a.PassOn {
		t.row(v.Vendor, v.Name, v.Country, figure.Grouped(v.People))
	}
	t.print()
	if !a.DryRun {
		e.Say("next: tell them, then `cordon erase --passed-on VENDOR`; backups made before still hold the people")
	}
}

func shortList(numbers []int) string {
	const few = 10
	words := make([]string, 0, few+1)
	for i, n := range numbers {
		if i == few {
			words = append(words, "…")
			break
		}
		words = append(words, fmt.Sprint(n))
	}
	return strings.Join(words, ", ")
}

func (e *Env) printErasures(l api.EraseList) error {
	if e.Flags.JSON {
		return e.JSON(l)
	}
	e.Print("%s erased; of %d of them country, language and age are kept until the last vendor attested deletion", figure.Count(l.People, "person", "people"), l.Attributes)
	if len(l.PassOn) == 0 {
		return nil
	}
	t := e.table("vendor", "name", ">people", ">told", ">to be told")
	for _, v := range l.PassOn {
		t.row(v.Vendor, v.Name, figure.Grouped(v.People), figure.Grouped(v.PassedOn), figure.Grouped(v.People-v.PassedOn))
	}
	t.print()
	return nil
}
